/* SPDX-License-Identifier: BSD-3-Clause */

/* What an ICMP error about an earlier send does to receiving: I12 to I15. The errors are put into the
 * ring by hand; how they get there is what the tests of sending show. */

#include "support/suite.h"

#include "harness.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(errors, open_quiet, close_all);

static const struct kind {
    enum rx_kind kind;
    int error;
    uint32_t status;
} kinds[] = {
    {RX_PORT_UNREACHABLE, WSAECONNRESET, 0xC000023Fu}, /* I12, I14 */
    {RX_TIME_EXCEEDED, WSAENETRESET, 0xC000A012u},     /* I15: HOP_LIMIT_EXCEEDED */
};

#define EACH_KIND(kind) \
    for (const struct kind *kind = kinds; kind < kinds + sizeof kinds / sizeof kinds[0]; kind++)

SUITE_TEST(errors, next_receive_fails_once_and_the_socket_goes_on) // I12 I13 I15 A12
{
    SOCKET s = open_socket(PORT);
    char room[16] = "untouched";

    EACH_KIND(kind)
    {
        set_nonblocking(s, true);
        arrive_condition(s, kind->kind);
        CHECK_REFUSED(receive(s, room, sizeof room), kind->error);
        CHECK_EQ_STR(room, "untouched");
        CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
        set_nonblocking(s, false);
        arrive_text(PORT, "goes on");
        CHECK_TEXT(receive(s, room, sizeof room), room, "goes on");
        strcpy(room, "untouched");
    }
}

/* Each in its place among the datagrams, and as often as it came. */
SUITE_TEST(errors, come_in_order_with_the_data) // I12 I13 I15
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "before");
    EACH_KIND(kind)
    arrive_condition(s, kind->kind);
    arrive_condition(s, RX_PORT_UNREACHABLE);
    arrive_text(PORT, "after");
    CHECK_TEXT(receive(s, room, sizeof room), room, "before");
    EACH_KIND(kind)
    CHECK_REFUSED(receive(s, room, sizeof room), kind->error);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    CHECK_TEXT(receive(s, room, sizeof room), room, "after");
    CHECK_EQ_U64(counters_of(s).received, 2);
}

SUITE_TEST(errors, peek_is_a_receive_that_fails_once) // I13 H01
{
    SOCKET s = open_socket(PORT);
    char room[16];

    EACH_KIND(kind)
    {
        arrive_condition(s, kind->kind);
        arrive_text(PORT, "behind it");
        CHECK_REFUSED(receive_flags(s, room, sizeof room, MSG_PEEK), kind->error);
        CHECK_TEXT(receive_flags(s, room, sizeof room, MSG_PEEK), room, "behind it");
        CHECK_TEXT(receive(s, room, sizeof room), room, "behind it");
    }
}

SUITE_TEST(errors, source_is_not_told_with_one) // I12 I06
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in from, untouched;
    INT fromlen = sizeof from;
    char room[16];

    memset(&from, CANARY, sizeof from);
    memset(&untouched, CANARY, sizeof untouched);
    arrive_condition(s, RX_PORT_UNREACHABLE);
    CHECK_EQ_I64(recvfrom(s, room, sizeof room, 0, (struct sockaddr *)&from, &fromlen),
                 SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAECONNRESET);
    CHECK_EQ_MEM(&from, &untouched, sizeof from);
    CHECK_EQ_I64(fromlen, sizeof from);
}

SUITE_TEST(errors, blocked_receive_is_ended) // I12 I15
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked[2];

    for (unsigned i = 0; i < 2; i++) {
        run_blocked(&blocked[i], s);
        arrive_condition(s, kinds[i].kind);
        finish(&blocked[i]);
        CHECK_REFUSED(blocked[i].outcome, kinds[i].error);
    }
}

/* The first in line, and no other. */
SUITE_TEST(errors, pending_receive_ends_with_one) // I14 I15 E11
{
    SOCKET s = open_socket(PORT);
    static struct operation first, second;

    EACH_KIND(kind)
    {
        pend_event(s, &first, 16);
        pend_event(s, &second, 16);
        arrive_condition(s, kind->kind);
        check_ended(&first, kind->status, 0);
        CHECK(is_signalled(first.overlapped.hEvent));
        struct outcome outcome = result_of(s, &first, true);
        CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
        CHECK_EQ_I64(outcome.error, kind->error);
        CHECK_EQ_U64(outcome.bytes, 0);
        CHECK_EQ_U64(status_of(&second), STATUS_PENDING);
        arrive_text(PORT, "goes on"); /* I13 */
        check_completed(&second, "goes on");
    }
}

SUITE_TEST(errors, routine_is_told_of_one) // I14 F06
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    EACH_KIND(kind)
    {
        pend_routine(s, &posted, 16);
        arrive_condition(s, kind->kind);
        CHECK_EQ_U64(posted.calls, 0);
        CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQ_U64(posted.calls, 1);
        CHECK_EQ_U64(posted.error, (DWORD)kind->error);
        CHECK_EQ_U64(posted.bytes, 0);
        CHECK_EQ_U64(posted.flags, 0);
        check_ended(&posted, kind->status, 0);
    }
}

/* As with a datagram that is too large: one error, one indication. */
SUITE_TEST(errors, overlapped_call_that_meets_one_pends_and_ends_with_it) // I12 I13 C05
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    EACH_KIND(kind)
    {
        arrive_condition(s, kind->kind);
        CHECK_EQ_I64(post_event(s, &posted, 16), WSA_IO_PENDING);
        CHECK_EQ_U64(posted.started.bytes, UNTOUCHED);
        check_ended(&posted, kind->status, 0);
        CHECK(is_signalled(posted.overlapped.hEvent));
        pend_event(s, &posted, 16);
        arrive_text(PORT, "goes on");
        check_completed(&posted, "goes on");
    }
}

#endif
