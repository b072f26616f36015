/* SPDX-License-Identifier: BSD-3-Clause */

/* Flags: clauses H. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(flags, open_quiet, close_all);

SUITE_TEST(flags, peek_copies_and_leaves_the_datagram) // H01 H02 L08u
{
    SOCKET s = open_socket(PORT);
    char room[16];
    u_long readable = 0;

    arrive_text(PORT, "abc");
    arrive_text(PORT, "defg");
    for (int i = 0; i < 3; i++) {
        CHECK_TEXT(receive_flags(s, room, sizeof room, MSG_PEEK), room, "abc");
        CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
        CHECK_EQ_U64(readable, 3);
        CHECK_EQ_I64(recv(s, room, sizeof room, MSG_PEEK), 3);
    }
    CHECK_EQ_U64(counters_of(s).received, 0);
    CHECK_EQ_U64(counters_of(s).queued, 2);
    CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
    CHECK_TEXT(receive_flags(s, room, sizeof room, MSG_PEEK), room, "defg");
    CHECK_TEXT(receive(s, room, sizeof room), room, "defg");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive_flags(s, room, sizeof room, MSG_PEEK), WSAEWOULDBLOCK);
}

static void peek_once(struct runner *self)
{
    self->outcome = receive_flags(self->s, self->data, sizeof self->data, MSG_PEEK);
}

/* One datagram, a peeker and a reader asleep: whoever is woken first, both get it. */
SUITE_TEST(flags, peeker_passes_the_wake_up_on) // H01 H02
{
    SOCKET s = open_socket(PORT);

    for (int round = 0; round < 4; round++) {
        static struct runner threads[3];

        memset(threads, 0, sizeof threads);
        for (unsigned i = 0; i < 3; i++) {
            run(&threads[i], i == (unsigned)round % 3 ? receive_once : peek_once, s, NULL);
            UNTIL(sleepers_of(s) == i + 1);
        }
        arrive_text(PORT, "shared");
        /* The reader may take it before a peeker has looked; another one is for those. */
        finish(&threads[round % 3]);
        CHECK_TEXT(threads[round % 3].outcome, threads[round % 3].data, "shared");
        arrive_text(PORT, "shared");
        for (unsigned i = 0; i < 3; i++)
            if (i != (unsigned)round % 3) {
                finish(&threads[i]);
                CHECK_TEXT(threads[i].outcome, threads[i].data, "shared");
            }
        char room[16];
        CHECK_TEXT(receive(s, room, sizeof room), room, "shared");
    }
}

SUITE_TEST(flags, peek_of_a_datagram_that_is_too_large_leaves_it) // H04 I02
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "too large");
    for (int i = 0; i < 2; i++) {
        struct outcome outcome = receive_flags(s, room, 3, MSG_PEEK);

        CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
        CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
        CHECK_EQ_U64(outcome.bytes, 3);
        CHECK_EQ_MEM(room, "too", 3);
    }
    CHECK_EQ_U64(counters_of(s).truncated, 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "too large");
}

SUITE_TEST(flags, peek_is_for_non_overlapped_calls) // H03
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    char room[16];

    posted.overlapped.hEvent = WSACreateEvent();
    CHECK_EQ_I64(post_with(s, &posted, 16, MSG_PEEK, NULL), WSAEOPNOTSUPP);
    CHECK_EQ_U64(posted.overlapped.Internal, UNTOUCHED);
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(post_with(s, &posted, 16, MSG_PEEK, note_completion), WSAEOPNOTSUPP);
    CHECK(!is_signalled(posted.overlapped.hEvent));
    CHECK_TEXT(receive_flags(s, room, sizeof room, MSG_PEEK), room, "abc");
    CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
}

SUITE_TEST(flags, that_datagrams_do_not_know_are_refused) // H05 H13b H16
{
    static const DWORD refused[] = {
        MSG_OOB,
        MSG_OOB | MSG_PEEK,
        MSG_WAITALL,
        MSG_WAITALL | MSG_PEEK,
        MSG_WAITALL | MSG_OOB,
        MSG_WAITALL | MSG_PARTIAL,
        MSG_PARTIAL,
        MSG_PARTIAL | MSG_PEEK,
    };
    SOCKET s = open_socket(PORT);
    char room[16];

    for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
        set_nonblocking(s, nonblocking);
        for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
            CHECK_REFUSED(receive_flags(s, room, sizeof room, refused[i]), WSAEOPNOTSUPP);
        arrive_text(PORT, "kept");
        for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
            CHECK_REFUSED(receive_flags(s, room, sizeof room, refused[i]), WSAEOPNOTSUPP);
        CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
    }
}

SUITE_TEST(flags, read_zero_after_a_whole_message) // H11 H14
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "abc");
    arrive_text(PORT, "def");
    CHECK_EQ_U64(receive_flags(s, room, sizeof room, MSG_PUSH_IMMEDIATE).flags, 0);
    CHECK_EQ_U64(receive_flags(s, room, sizeof room, MSG_PEEK | MSG_PUSH_IMMEDIATE).flags, 0);
}

SUITE_TEST(flags, sender_only_leaf_cannot_receive) // H15 O09
{
    SOCKET s =
        WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
                   WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF);
    struct sockaddr_in group = address_of(THE_GROUP, PORT);
    static struct operation posted;
    char room[16];

    CHECK_EQ_U64(WSAJoinLeaf(s, (struct sockaddr *)&group, sizeof group, NULL, NULL, NULL, NULL,
                             JL_SENDER_ONLY),
                 s);
    arrive_at(THE_GROUP, PORT, "not for this one");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEOPNOTSUPP);
    CHECK_REFUSED(receive_flags(s, room, sizeof room, MSG_PEEK), WSAEOPNOTSUPP);
    CHECK_EQ_I64(post_event(s, &posted, 16), WSAEOPNOTSUPP);
    CHECK_EQ_I64(post_routine(s, &posted, 16), WSAEOPNOTSUPP);
}
