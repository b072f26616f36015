/* SPDX-License-Identifier: BSD-3-Clause */

/* Closing, and threads that go away: clauses K. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(close, open_quiet, close_all);

SUITE_TEST(close, socket_is_none_afterwards) // K01 A05
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    struct sockaddr_in name = address_of(0, OTHER_PORT);
    int length = sizeof name, error = 0;
    u_long value = 0;
    DWORD number = 0;
    char room[16];

    arrive_text(PORT, "unread");
    CHECK_EQ_I64(spi.lpWSPCloseSocket(s, &error), 0);
    CHECK_EQ_I64(spi.lpWSPCloseSocket(s, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK);
    for (int reused = 0; reused < 2; reused++) {
        SOCKET next = INVALID_SOCKET;

        if (reused) { /* the same slot, another socket */
            next = open_socket(PORT);
            arrive_text(PORT, "next");
        }
        CHECK_REFUSED(receive(s, room, sizeof room), WSAENOTSOCK);
        CHECK_EQ_I64(post_event(s, &posted, 16), WSAENOTSOCK);
        CHECK_EQ_I64(closesocket(s), SOCKET_ERROR);
        CHECK_EQ_I64(WSAGetLastError(), WSAENOTSOCK);
        CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), SOCKET_ERROR);
        CHECK_EQ_I64(WSAGetLastError(), WSAENOTSOCK);
        CHECK_EQ_I64(getsockname(s, (struct sockaddr *)&name, &length), SOCKET_ERROR);
        CHECK_EQ_I64(WSAGetLastError(), WSAENOTSOCK);
        CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &value), SOCKET_ERROR);
        CHECK_EQ_I64(WSAGetLastError(), WSAENOTSOCK);
        CHECK_EQ_I64(set_option(s, SO_RCVBUF, 100), WSAENOTSOCK);
        CHECK_EQ_I64(join(s, THE_GROUP), WSAENOTSOCK);
        CHECK_EQ_I64(leave(s, THE_GROUP), WSAENOTSOCK);
        length = sizeof number;
        CHECK_EQ_I64(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&number, &length), SOCKET_ERROR);
        CHECK_EQ_I64(WSAGetLastError(), WSAENOTSOCK);
        CHECK_EQ_U64(
            WSAJoinLeaf(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL, NULL, JL_BOTH),
            INVALID_SOCKET);
        CHECK_EQ_I64(WSAGetLastError(), WSAENOTSOCK);
        CHECK_EQ_I64(wirerx_socket_counters(s, &(struct wirerx_socket_counters){0}), WSAENOTSOCK);
        if (reused)
            CHECK_TEXT(receive(next, room, sizeof room), room, "next");
    }
}

SUITE_TEST(close, ends_pending_receives_as_aborted) // K02u K03 D05 C07 F11u
{
    enum {
        COUNT = 70
    }; /* more than are indicated at a time */
    SOCKET s = open_socket(PORT);
    static struct operation posted[COUNT], first;

    pend_event(s, &first, 16);
    for (unsigned i = 0; i < COUNT; i++)
        if (i % 2)
            pend_routine(s, &posted[i], 16);
        else
            pend_event(s, &posted[i], 16);
    arrive_text(PORT, "in time");
    check_completed(&first, "in time");
    close_socket(s);
    check_completed(&first, "in time");
    for (unsigned i = 0; i < COUNT; i++) {
        check_ended(&posted[i], STATUS_CANCELLED, 0);
        CHECK_EQ_U64(posted[i].calls, 0);
        if (i % 2 == 0)
            CHECK(is_signalled(posted[i].overlapped.hEvent));
    }
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    for (unsigned i = 1; i < COUNT; i += 2) {
        CHECK_EQ_U64(posted[i].calls, 1);
        CHECK_EQ_U64(posted[i].error, WSA_OPERATION_ABORTED);
        CHECK_EQ_U64(posted[i].bytes, 0);
    }
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
}

static struct operation theirs[3], ours[2];

static void post_and_exit(struct runner *self)
{
    pend_event(self->s, &theirs[0], 16);
    pend_routine(self->s, &theirs[1], 16);
    pend_event(self->s, &theirs[2], 16);
}

SUITE_TEST(close, thread_exit_ends_its_own_operations_only) // K07 F15 D05 K08
{
    SOCKET s = open_socket(PORT);
    static struct runner poster;

    pend_event(s, &ours[0], 16);
    run(&poster, post_and_exit, s, NULL);
    finish(&poster);
    pend_event(s, &ours[1], 16);
    for (unsigned i = 0; i < 3; i++)
        check_ended(&theirs[i], STATUS_CANCELLED, 0);
    CHECK(is_signalled(theirs[0].overlapped.hEvent));
    CHECK(is_signalled(theirs[2].overlapped.hEvent));
    CHECK_EQ_U64(theirs[1].calls, 0);
    CHECK_EQ_U64(status_of(&ours[0]), STATUS_PENDING);
    arrive_text(PORT, "first");
    arrive_text(PORT, "second");
    check_completed(&ours[0], "first");
    check_completed(&ours[1], "second");
    check_ended(&theirs[0], STATUS_CANCELLED, 0);
}

static void post_once_and_exit(struct runner *self)
{
    pend_event(self->s, &theirs[0], 16);
}

/* Cancelled under a blocked receiver that was behind it: what comes next is that receiver's. */
SUITE_TEST(close, data_that_comes_after_a_cancellation_is_not_lost) // K07 K08
{
    SOCKET s = open_socket(PORT);
    static struct runner poster, blocked;

    run(&poster, post_once_and_exit, s, NULL);
    run_blocked(&blocked, s);
    finish(&poster);
    check_ended(&theirs[0], STATUS_CANCELLED, 0);
    arrive_text(PORT, "not lost");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "not lost");
}

SUITE_TEST(close, unread_datagrams_go_home) // close_all() counts the buffers
{
    for (int round = 0; round < 3; round++) {
        SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
        char room[16];

        CHECK_EQ_I64(join(s, THE_GROUP), 0);
        for (int i = 0; i < 100; i++) {
            arrive_text(PORT, "unread");
            arrive_at(THE_GROUP, PORT, "unread, too");
        }
        CHECK_EQ_U64(counters_of(s).queued, 200);
        close_socket(s);
        arrive_text(OTHER_PORT, "read");
        CHECK_TEXT(receive(other, room, sizeof room), room, "read");
        close_socket(other);
        arrive_text(PORT, "nobody is there");
    }
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 3);
}

SUITE_TEST(close, cleanup_closes_what_is_open) // O02 K02u
{
    static struct operation posted;
    WSADATA data;
    int error = 0;
    char room[16];
    SOCKET s = open_socket(PORT);

    pend_event(s, &posted, 16);
    CHECK_EQ_I64(WSACleanup(), 0); /* the table's own WSPStartup() still holds */
    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), 0);
    arrive_text(PORT, "open");
    check_completed(&posted, "open");
    pend_event(s, &posted, 16);
    CHECK_EQ_I64(WSACleanup(), 0);
    CHECK_EQ_I64(spi.lpWSPCleanup(&error), 0);
    CHECK_EQ_U64(status_of(&posted), STATUS_CANCELLED);
    CHECK(is_signalled(posted.overlapped.hEvent));
    CHECK_EQ_I64(spi.lpWSPCleanup(&error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSANOTINITIALISED);
    CHECK_EQ_I64(WSACleanup(), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    CHECK_EQ_I64(recv(s, room, sizeof room, 0), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    open_winsock();
    CHECK_REFUSED(receive(s, room, sizeof room), WSAENOTSOCK);
    s = open_socket(PORT);
    arrive_text(PORT, "again");
    CHECK_TEXT(receive(s, room, sizeof room), room, "again");
}
