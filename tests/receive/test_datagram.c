/* SPDX-License-Identifier: BSD-3-Clause */

/* Messages and who sent them: clauses I, Q04, Q07. */

#include "support/suite.h"

#include "harness.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(datagram, open_quiet, close_all);

SUITE_TEST(datagram, truncated_one_keeps_the_next_message) // I01 I02 Q07 H10
{
    SOCKET s = open_socket(PORT);
    char room[16] = "................";
    char first[2], second[3];
    WSABUF buffers[] = {{2, first}, {3, second}};

    arrive_text(PORT, "longer than that");
    arrive_text(PORT, "also longer");
    arrive_text(PORT, "next");
    struct outcome outcome = receive(s, room, 6);
    CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
    CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
    CHECK_EQ_U64(outcome.bytes, 6);
    CHECK_EQ_U64(outcome.flags & MSG_PARTIAL, 0);
    CHECK_EQ_MEM(room, "longer..", 8);
    outcome = receive_buffers(s, buffers, 2, 0);
    CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
    CHECK_EQ_U64(outcome.bytes, 5);
    CHECK_EQ_MEM(first, "al", 2);
    CHECK_EQ_MEM(second, "so ", 3);
    CHECK_TEXT(receive(s, room, sizeof room), room, "next");
    CHECK_EQ_U64(counters_of(s).truncated, 2);
    CHECK_EQ_U64(counters_of(s).received, 3);
}

SUITE_TEST(datagram, that_just_fits_is_a_success) // I03 G14
{
    SOCKET s = open_socket(PORT);
    char room[9] = "........";
    static struct operation posted;

    arrive_text(PORT, "exactly");
    CHECK_TEXT(receive(s, room, 7), room, "exactly");
    CHECK_EQ_STR(room, "exactly.");
    arrive_text(PORT, "one off");
    CHECK_EQ_I64(receive(s, room, 6).error, WSAEMSGSIZE);
    pend_event(s, &posted, 7);
    arrive_text(PORT, "exactly");
    check_completed(&posted, "exactly");
}

/* What nobody has written reads CANARY. */
struct source {
    struct sockaddr_in address;
    char behind[48];
    INT length;
};

static void forget(struct source *source, INT length)
{
    memset(source, CANARY, sizeof *source);
    source->length = length;
}

static void check_untouched(const struct source *source, INT length)
{
    struct source untouched;

    forget(&untouched, length);
    CHECK_EQ_MEM(source, &untouched, sizeof untouched);
}

static void check_source(const struct source *source)
{
    struct sockaddr_in sender = address_of(SENDER, SENDER_PORT);

    CHECK_EQ_MEM(&source->address, &sender, sizeof sender); /* sin_zero included */
    CHECK_EQ_I64(source->length, sizeof sender);
    for (size_t i = 0; i < sizeof source->behind; i++)
        CHECK_EQ_U64((uint8_t)source->behind[i], CANARY);
}

static struct outcome receive_from(SOCKET s, void *room, size_t length, DWORD flags,
                                   struct source *source, WSAOVERLAPPED *overlapped)
{
    struct outcome outcome = {.error = (int)UNTOUCHED, .bytes = UNTOUCHED, .flags = flags};
    WSABUF buffer = {(ULONG)length, room};

    outcome.result = spi.lpWSPRecvFrom(s, &buffer, 1, &outcome.bytes, &outcome.flags,
                                       source != NULL ? (struct sockaddr *)&source->address : NULL,
                                       source != NULL ? &source->length : NULL, overlapped, NULL,
                                       NULL, &outcome.error);
    return outcome;
}

SUITE_TEST(datagram, source_is_told) // I06 H01 H02
{
    SOCKET s = open_socket(PORT);
    struct source source;
    char room[16];

    arrive_text(PORT, "abc");
    forget(&source, 16);
    CHECK_TEXT(receive_from(s, room, sizeof room, MSG_PEEK, &source, NULL), room, "abc");
    check_source(&source);
    forget(&source, 64);
    CHECK_TEXT(receive_from(s, room, sizeof room, 0, &source, NULL), room, "abc");
    check_source(&source);
    arrive_text(PORT, "truncated");
    forget(&source, 16);
    CHECK_EQ_I64(receive_from(s, room, 4, 0, &source, NULL).error, WSAEMSGSIZE);
    check_source(&source);
    arrive_text(PORT, "who cares");
    CHECK_TEXT(receive_from(s, room, sizeof room, 0, NULL, NULL), room, "who cares");
    set_nonblocking(s, true);
    forget(&source, 16);
    CHECK_REFUSED(receive_from(s, room, sizeof room, 0, &source, NULL), WSAEWOULDBLOCK);
    check_untouched(&source, 16);
}

SUITE_TEST(datagram, source_is_told_by_the_api) // I06
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in from, sender = address_of(SENDER, SENDER_PORT);
    int fromlen = sizeof from;
    char room[16];

    arrive_text(PORT, "abc");
    CHECK_EQ_I64(recvfrom(s, room, sizeof room, 0, (struct sockaddr *)&from, &fromlen), 3);
    CHECK_EQ_I64(fromlen, 16);
    CHECK_EQ_MEM(&from, &sender, sizeof from);
    arrive_text(PORT, "de");
    CHECK_EQ_I64(recvfrom(s, room, sizeof room, 0, NULL, NULL), 2);
}

SUITE_TEST(datagram, source_of_a_posted_receive_is_told_at_its_end) // I06 I07
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    static struct source source;

    posted.overlapped.hEvent = WSACreateEvent();
    for (int i = 0; i < 2; i++) { /* pending, then truncated */
        forget(&source, 64);
        CHECK_EQ_I64(receive_from(s, posted.data, i ? 2 : 16, 0, &source, &posted.overlapped).error,
                     WSA_IO_PENDING);
        check_untouched(&source, 64);
        arrive_text(PORT, "abc");
        check_source(&source);
        CHECK_EQ_U64(status_of(&posted), i ? STATUS_BUFFER_OVERFLOW : 0);
    }
    forget(&source, 16);
    arrive_text(PORT, "queued");
    CHECK_EQ_I64(receive_from(s, posted.data, 16, 0, &source, &posted.overlapped).result, 0);
    check_source(&source);
    forget(&source, 16);
    CHECK_EQ_I64(receive_from(s, posted.data, 16, 0, &source, &posted.overlapped).error,
                 WSA_IO_PENDING);
    close_socket(s);
    CHECK_EQ_U64(status_of(&posted), STATUS_CANCELLED);
    check_untouched(&source, 16);
}

SUITE_TEST(datagram, room_for_the_source_must_suffice) // I08 A04
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    struct source source;
    char room[16], *page = map_pages(1);
    const INT small[] = {15, 8, 1, 0, -1, INT32_MIN};
    WSABUF buffer = {sizeof room, room};
    DWORD bytes, flags = 0;
    int error = 0;

    posted.overlapped.hEvent = WSACreateEvent();
    arrive_text(PORT, "kept");
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        forget(&source, small[i]);
        CHECK_REFUSED(receive_from(s, room, sizeof room, 0, &source, NULL), WSAEFAULT);
        CHECK_REFUSED(receive_from(s, room, sizeof room, 0, &source, &posted.overlapped),
                      WSAEFAULT);
        check_untouched(&source, small[i]);
    }
    unmap_pages(page, 1);
    const struct {
        void *from, *length;
    } bad[] = {{page, &source.length}, {&source.address, page}, {&source.address, NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int overlapped = 0; overlapped < 2; overlapped++) {
            source.length = 16;
            error = 0;
            CHECK_EQ_I64(spi.lpWSPRecvFrom(s, &buffer, 1, &bytes, &flags, bad[i].from,
                                           bad[i].length, overlapped ? &posted.overlapped : NULL,
                                           NULL, NULL, &error),
                         SOCKET_ERROR);
            CHECK_EQ_I64(error, WSAEFAULT);
        }
    CHECK(!is_signalled(posted.overlapped.hEvent));
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
}

#endif
