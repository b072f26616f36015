/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped receives, their OVERLAPPED and their event: clauses C and D. */

#include "support/suite.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/apc.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(overlapped, open_quiet, close_all);

SUITE_TEST(overlapped, receive_pends_until_its_datagram_arrives) // C01 D01 D03 D07 D08 A13
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    posted.overlapped.hEvent = WSACreateEvent();
    WSASetEvent(posted.overlapped.hEvent); /* a signal of an earlier use */
    pend(s, &posted, 16);
    CHECK(!is_signalled(posted.overlapped.hEvent));
    CHECK_EQ_U64(status_of(&posted), STATUS_PENDING);
    CHECK_EQ_U64(posted.overlapped.InternalHigh, UNTOUCHED);
    CHECK_EQ_U64(posted.started.bytes, UNTOUCHED);
    arrive_text(OTHER_PORT, "not this one");
    CHECK_EQ_U64(status_of(&posted), STATUS_PENDING);
    arrive_text(PORT, "this one");
    check_completed(&posted, "this one");
    /* Manual reset: it stays set, and is set once. */
    CHECK(is_signalled(posted.overlapped.hEvent));
    WSAResetEvent(posted.overlapped.hEvent);
    arrive_text(PORT, "another");
    CHECK(!is_signalled(posted.overlapped.hEvent));
}

SUITE_TEST(overlapped, data_that_waits_completes_the_call_at_once) // C02 C03 D09 E04
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    arrive_text(PORT, "waits");
    CHECK_EQ_I64(post_event(s, &posted, 16), 0);
    CHECK_EQ_U64(posted.started.bytes, 5);
    CHECK_EQ_U64(posted.started.flags, 0);
    check_completed(&posted, "waits");
    CHECK_TEXT(result_of(s, &posted, true), posted.data, "waits");
}

/* Neither the event's old signal nor an old result survives an immediate success. */
SUITE_TEST(overlapped, operation_can_be_used_again) // C03 D07 D08
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    for (unsigned i = 0; i < 3; i++) {
        arrive_text(PORT, "queued");
        CHECK_EQ_I64(post_event(s, &posted, 16), 0);
        check_completed(&posted, "queued");
        pend(s, &posted, 16);
        CHECK(!is_signalled(posted.overlapped.hEvent));
        arrive_text(PORT, "posted");
        check_completed(&posted, "posted");
    }
}

SUITE_TEST(overlapped, queued_datagram_that_is_too_large_pends_and_ends_at_once) // C05 D04
{
    SOCKET s = open_socket(PORT);
    static struct operation posted, routine;

    arrive_text(PORT, "too large");
    arrive_text(PORT, "too large, too");
    CHECK_EQ_I64(post_event(s, &posted, 4), WSA_IO_PENDING);
    CHECK_EQ_U64(posted.started.bytes, UNTOUCHED);
    check_ended(&posted, STATUS_BUFFER_OVERFLOW, 4);
    CHECK_EQ_MEM(posted.data, "too ", 4);
    CHECK(is_signalled(posted.overlapped.hEvent));
    CHECK_EQ_I64(post_routine(s, &routine, 5), WSA_IO_PENDING);
    CHECK_EQ_U64(routine.calls, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routine.calls, 1);
    CHECK_EQ_U64(routine.error, WSAEMSGSIZE);
    CHECK_EQ_U64(routine.bytes, 5);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
}

SUITE_TEST(overlapped, receive_on_a_nonblocking_socket_pends) // C06
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    set_nonblocking(s, true);
    pend_event(s, &posted, 16);
    arrive_text(PORT, "abc");
    check_completed(&posted, "abc");
}

SUITE_TEST(overlapped, several_outstanding_are_filled_in_posting_order) // C07 G08 G09
{
    enum {
        COUNT = 40
    }; /* more than are completed under one hold of the lock */
    SOCKET s = open_socket(PORT);
    struct operation *posted = calloc(COUNT, sizeof *posted);
    char text[8];

    for (unsigned i = 0; i < COUNT; i++)
        pend_event(s, &posted[i], 16);
    arrive_text(PORT, "0");
    check_completed(&posted[0], "0");
    for (unsigned i = 1; i < COUNT; i++)
        CHECK_EQ_U64(status_of(&posted[i]), STATUS_PENDING);
    for (unsigned i = 1; i < COUNT; i++) {
        snprintf(text, sizeof text, "%u", i);
        wire_send_udp(HERE, PORT, text, strlen(text));
    }
    wire_settle();
    for (unsigned i = 1; i < COUNT; i++) {
        snprintf(text, sizeof text, "%u", i);
        check_completed(&posted[i], text);
    }
    free(posted);
}

SUITE_TEST(overlapped, number_outstanding_is_bounded) // C08 C04 D15
{
    enum {
        DEFAULT = 1024
    };
    SOCKET s = open_socket(PORT);
    struct operation *posted = calloc(DEFAULT + 1, sizeof *posted);
    HANDLE event = WSACreateEvent();

    CHECK_EQ_U64(get_option(s, SO_WIRERX_MAX_POSTED), DEFAULT);
    for (unsigned i = 0; i < DEFAULT; i++)
        pend(s, &posted[i], 16);
    CHECK_EQ_I64(post_routine(s, &posted[DEFAULT], 16), WSAEWOULDBLOCK);
    posted[DEFAULT].overlapped.hEvent = event;
    CHECK_EQ_I64(post(s, &posted[DEFAULT], 16), WSAEWOULDBLOCK);
    CHECK_EQ_U64(posted[DEFAULT].overlapped.Internal, UNTOUCHED); /* D15 */
    arrive_text(PORT, "makes room");
    pend(s, &posted[DEFAULT], 16);
    close_socket(s);

    s = open_socket(PORT);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_POSTED, 0), WSAEINVAL);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_POSTED, 1048577), WSAEINVAL);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_POSTED, 2), 0);
    CHECK_EQ_U64(get_option(s, SO_WIRERX_MAX_POSTED), 2);
    pend(s, &posted[0], 16);
    pend(s, &posted[1], 16);
    CHECK_EQ_I64(post(s, &posted[2], 16), WSAEWOULDBLOCK);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0); /* no routine of a refused call */
    close_socket(s);
    free(posted);
}

static unsigned routines_run;

static void CALLBACK count_aborted(DWORD error, DWORD bytes, LPWSAOVERLAPPED posted, DWORD flags)
{
    (void)posted;
    (void)flags;
    CHECK_EQ_U64(error, routines_run == 0 ? 0 : WSA_OPERATION_ABORTED);
    CHECK_EQ_U64(bytes, routines_run == 0 ? 3 : 0);
    routines_run++;
}

/* Whatever the socket allows, a thread has so many places for routines that are to come. */
SUITE_TEST(overlapped, number_outstanding_with_routines_is_bounded_for_a_thread) // C08 C04 D15
{
    SOCKET s = open_socket(PORT);
    WSAOVERLAPPED *posted = calloc(APC_MAX + 1, sizeof *posted);
    static struct operation evented;
    char room[4];
    WSABUF buffer = {sizeof room, room};
    WSATHREADID me;
    DWORD flags = 0;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&me, &error), 0);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_POSTED, 1048576), 0);
    for (unsigned i = 0; i <= APC_MAX; i++) {
        posted[i].Internal = UNTOUCHED;
        CHECK_EQ_I64(
            spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &posted[i], count_aborted, &me, &error),
            SOCKET_ERROR);
        CHECK_EQ_I64(error, i < APC_MAX ? WSA_IO_PENDING : WSAEWOULDBLOCK);
    }
    CHECK_EQ_U64(posted[APC_MAX].Internal, UNTOUCHED);
    pend_event(s, &evented, 16); /* it needs no such place */
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routines_run, 1);
    spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &posted[APC_MAX], count_aborted, &me, &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING); /* there is room again */
    close_socket(s);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routines_run, APC_MAX + 1);
    check_ended(&evented, STATUS_CANCELLED, 0);
    free(posted);
}

SUITE_TEST(overlapped, truncated_datagram_ends_with_overflow) // D04 I01 Q07
{
    SOCKET s = open_socket(PORT);
    static struct operation posted, next;

    pend_event(s, &posted, 4);
    pend_event(s, &next, 16);
    arrive_text(PORT, "truncated");
    check_ended(&posted, STATUS_BUFFER_OVERFLOW, 4);
    CHECK_EQ_MEM(posted.data, "trun", 4);
    CHECK(is_signalled(posted.overlapped.hEvent));
    CHECK_EQ_U64(status_of(&next), STATUS_PENDING);
    arrive_text(PORT, "whole");
    check_completed(&next, "whole");
    CHECK_EQ_U64(counters_of(s).truncated, 1);
}

SUITE_TEST(overlapped, event_may_be_missing) // D10
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend(s, &posted, 16);
    arrive_text(PORT, "abc");
    check_completed(&posted, "abc");
    arrive_text(PORT, "defg");
    CHECK_EQ_I64(post(s, &posted, 16), 0);
    check_completed(&posted, "defg");
}

/* With a routine the event's place is the client's own word: any value, a real event's included. */
SUITE_TEST(overlapped, event_is_left_alone_when_there_is_a_routine) // D11
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE event = WSACreateEvent();

    posted.overlapped.hEvent = event;
    for (int set = 0; set < 2; set++) {
        if (set)
            WSASetEvent(event);
        pend_routine(s, &posted, 16);
        CHECK_EQ_I64(is_signalled(event), set);
        arrive_text(PORT, "abc");
        CHECK_EQ_I64(is_signalled(event), set);
        CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQ_I64(is_signalled(event), set);
        CHECK_EQ_PTR(posted.overlapped.hEvent, event);
    }
    posted.overlapped.hEvent = (HANDLE)0xdeadbeefcafef00du;
    pend_routine(s, &posted, 16);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_PTR(posted.overlapped.hEvent, (HANDLE)0xdeadbeefcafef00du);
}

SUITE_TEST(overlapped, offset_is_left_alone) // D12
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    posted.overlapped.Offset = 0x11111111;
    posted.overlapped.OffsetHigh = 0x22222222;
    pend_event(s, &posted, 16);
    CHECK_EQ_U64(posted.overlapped.Offset, 0x11111111);
    arrive_text(PORT, "abc");
    check_completed(&posted, "abc");
    CHECK_EQ_U64(posted.overlapped.Offset, 0x11111111);
    CHECK_EQ_U64(posted.overlapped.OffsetHigh, 0x22222222);
}

/* An option that is ours: the time when the burst was taken, in the same eight bytes. */
SUITE_TEST(overlapped, offset_carries_the_burst_time_when_asked_for) // SO_WIRERX_STAMP
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    uint64_t before = dataplane_tsc();

    CHECK_EQ_U64(get_option(s, SO_WIRERX_STAMP), FALSE);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_STAMP, TRUE), 0);
    CHECK_EQ_U64(get_option(s, SO_WIRERX_STAMP), TRUE);
    for (int queued = 0; queued < 2; queued++) {
        if (queued) {
            arrive_text(PORT, "abc");
            CHECK_EQ_I64(post_event(s, &posted, 16), 0);
        } else {
            pend_event(s, &posted, 16);
            arrive_text(PORT, "abc");
        }
        check_completed(&posted, "abc");
        uint64_t stamp = (uint64_t)posted.overlapped.OffsetHigh << 32 | posted.overlapped.Offset;
        CHECK_GE_U64(stamp, before);
        CHECK_LE_U64(stamp, dataplane_tsc());
        before = stamp + 1;
    }
    CHECK_EQ_I64(set_option(s, SO_WIRERX_STAMP, FALSE), 0);
    posted.overlapped.Offset = 7;
    pend_event(s, &posted, 16);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(posted.overlapped.Offset, 7);
}

SUITE_TEST(overlapped, low_bit_of_the_event_is_masked_off) // D14
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE event = WSACreateEvent();

    WSASetEvent(event);
    posted.overlapped.hEvent = (HANDLE)((uintptr_t)event | 1);
    pend(s, &posted, 16);
    CHECK(!is_signalled(event));
    arrive_text(PORT, "abc");
    CHECK(is_signalled(event));
    check_ended(&posted, 0, 3);
    CHECK_TEXT(result_of(s, &posted, true), posted.data, "abc");
    posted.overlapped.hEvent = (HANDLE)1; /* none */
    pend(s, &posted, 16);
    arrive_text(PORT, "d");
    check_ended(&posted, 0, 1);
}

SUITE_TEST(overlapped, nothing_is_touched_after_completion) // D16 G11
{
    SOCKET s = open_socket(PORT);
    static struct operation posted, copy;

    pend_event(s, &posted, 16);
    arrive_text(PORT, "abc");
    check_completed(&posted, "abc");
    HANDLE event = posted.overlapped.hEvent;
    memset(&posted, CANARY, sizeof posted);
    memset(&copy, CANARY, sizeof copy);
    for (int i = 0; i < 10; i++)
        arrive_text(PORT, "defgh");
    close_socket(s);
    CHECK_EQ_MEM(&posted, &copy, sizeof posted);
    WSACloseEvent(event);
}

SUITE_TEST(overlapped, event_closed_while_pending_is_survived) // D17
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE events[64];

    pend_event(s, &posted, 16);
    CHECK(WSACloseEvent(posted.overlapped.hEvent));
    posted.overlapped.hEvent = NULL;
    for (unsigned i = 0; i < 64; i++)
        events[i] = WSACreateEvent(); /* one of them has the slot of the closed one */
    arrive_text(PORT, "abc");
    check_completed(&posted, "abc");
    for (unsigned i = 0; i < 64; i++)
        CHECK(!is_signalled(events[i]));
}

SUITE_TEST(overlapped, what_is_no_event_is_refused) // D17
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE closed = WSACreateEvent();
    WSACloseEvent(closed);
    const HANDLE strangers[] = {(HANDLE)0x1234, INVALID_HANDLE_VALUE, closed, (HANDLE)s,
                                (HANDLE)&posted};

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        posted.overlapped.hEvent = strangers[i];
        CHECK_EQ_I64(post(s, &posted, 16), WSA_INVALID_HANDLE);
        CHECK_EQ_U64(posted.overlapped.Internal, UNTOUCHED);
    }
    arrive_text(PORT, "queued");
    CHECK_EQ_U64(counters_of(s).queued, 1);
}

SUITE_TEST(overlapped, one_event_may_serve_several_operations) // C07 D08
{
    SOCKET s = open_socket(PORT);
    static struct operation posted[3];
    HANDLE event = WSACreateEvent();

    for (unsigned i = 0; i < 3; i++) {
        posted[i].overlapped.hEvent = event;
        pend(s, &posted[i], 16);
    }
    for (unsigned i = 0; i < 3; i++) {
        CHECK(!is_signalled(event));
        arrive_text(PORT, "abc");
        check_completed(&posted[i], "abc");
        WSAResetEvent(event);
    }
}

SUITE_TEST(overlapped, auto_reset_event_lets_one_wait_through) // D08
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    posted.overlapped.hEvent = CreateEventW(NULL, FALSE, TRUE, NULL);
    pend(s, &posted, 16);
    CHECK(!is_signalled(posted.overlapped.hEvent));
    arrive_text(PORT, "abc");
    CHECK(is_signalled(posted.overlapped.hEvent));
    CHECK(!is_signalled(posted.overlapped.hEvent));
}

SUITE_TEST(overlapped, call_on_a_socket_without_the_flag_is_refused) // P01 O03
{
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0);
    struct sockaddr_in name = address_of(0, PORT);
    static struct operation posted;
    char room[16];

    CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ_I64(post_event(s, &posted, 16), WSAEINVAL);
    CHECK_EQ_I64(post_routine(s, &posted, 16), WSAEINVAL);
    CHECK_EQ_U64(posted.overlapped.Internal, UNTOUCHED);
    arrive_text(PORT, "not overlapped");
    CHECK(!is_signalled(posted.overlapped.hEvent));
    CHECK_TEXT(receive(s, room, sizeof room), room, "not overlapped");
}

/* Rule R1 of lock_word.h: whoever held LOCK when data came serves it before anybody steps the lcore. */
SUITE_TEST(overlapped, what_comes_while_lock_is_held_is_served_by_the_holder) // D13 G08
{
    static struct operation first, second;
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    SOCKET s = open_socket(PORT);

    pend_event(s, &first, 16);
    pend_event(s, &second, 16);
    CHECK_EQ_I64(socket_lock(s, &reference), 0);
    wire_send_udp(HERE, PORT, "one", 3);
    for (unsigned i = 0; i < 4; i++)
        wire_step(dataplane_tsc());
    CHECK_EQ_U64(status_of(&first), STATUS_PENDING);
    socket_unlock(reference.endpoint, &batch);
    check_completed(&first, "one");
    CHECK_EQ_U64(status_of(&second), STATUS_PENDING);
    arrive_text(PORT, "two");
    check_completed(&second, "two");
}

#endif
