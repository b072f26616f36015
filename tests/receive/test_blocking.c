/* SPDX-License-Identifier: BSD-3-Clause */

/* Non-overlapped receives that wait, or do not: clauses B, and SO_RCVTIMEO. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(blocking, open_quiet, close_all);

SUITE_TEST(blocking, receive_waits_for_a_datagram) // B01 B12
{
    SOCKET s = open_socket(PORT); /* overlapped, but the call is not */
    static struct runner blocked;

    run_blocked(&blocked, s);
    Sleep(300);
    CHECK(!atomic_load(&blocked.ended));
    arrive_text(PORT, "at last");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "at last");
    CHECK_EQ_U64(sleepers_of(s), 0);
}

SUITE_TEST(blocking, thread_id_of_a_non_overlapped_call_is_ignored) // B01
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    WSATHREADID nobody = {.ThreadHandle = (HANDLE)0x1234};
    DWORD bytes = 0, flags = 0;
    int error = 0;

    arrive_text(PORT, "abc");
    arrive_text(PORT, "de");
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, &nobody, &error), 0);
    CHECK_EQ_U64(bytes, 3);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, (LPWSATHREADID)1, &error),
                 0);
    CHECK_EQ_U64(bytes, 2);
}

SUITE_TEST(blocking, routine_without_an_overlapped_is_never_called) // B02
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    DWORD bytes = 0, flags = 0;
    int error = 0;

    arrive_text(PORT, "abc");
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, note_completion, NULL, &error),
                 0);
    CHECK_EQ_U64(bytes, 3);
    set_nonblocking(s, true);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, note_completion, NULL, &error),
                 -1);
    CHECK_EQ_I64(error, WSAEWOULDBLOCK);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0); /* the routine would fail the test */
}

SUITE_TEST(blocking, nonblocking_receive_says_that_it_would_block) // B06
{
    SOCKET s = open_socket(PORT);
    char room[16];

    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    arrive_text(PORT, "abc");
    CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    set_nonblocking(s, false);
    static struct runner blocked;
    run_blocked(&blocked, s);
    arrive_text(PORT, "waited");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "waited");
}

static _Atomic unsigned apcs_run;
static _Atomic DWORD apc_thread;

static void CALLBACK count_apc(ULONG_PTR n)
{
    atomic_store(&apc_thread, GetCurrentThreadId());
    atomic_fetch_add(&apcs_run, (unsigned)n);
}

static void note_thread_and_receive(struct runner *self)
{
    atomic_store(&self->step, GetCurrentThreadId());
    receive_once(self);
}

static void check_runs_apcs_and_waits_on(SOCKET s, bool sleeps)
{
    static struct runner blocked;

    run(&blocked, note_thread_and_receive, s, NULL);
    if (sleeps)
        UNTIL(sleepers_of(s) == 1);
    for (unsigned i = 1; i <= 3; i++) {
        CHECK(QueueUserAPC(count_apc, blocked.id.ThreadHandle, 1));
        UNTIL(atomic_load(&apcs_run) == i);
        CHECK_EQ_U64(atomic_load(&apc_thread), atomic_load(&blocked.step));
        Sleep(20);
        CHECK(!atomic_load(&blocked.ended));
    }
    arrive_text(PORT, "after all");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "after all");
}

SUITE_TEST(blocking, sleeping_receive_runs_apcs_and_waits_on) // B08
{
    check_runs_apcs_and_waits_on(open_socket(PORT), true);
}

static SOCKET watched;

static void CALLBACK count_completion(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                      DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    atomic_fetch_add(&apcs_run, 1);
}

static void post_there_and_receive_here(struct runner *self)
{
    struct operation *operations = self->argument;

    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ_I64(post_with(watched, &operations[i], 16, 0, count_completion), WSA_IO_PENDING);
    note_thread_and_receive(self);
}

SUITE_TEST(blocking, sleeping_receive_runs_completion_routines_and_waits_on) // B08 F10
{
    SOCKET s = open_socket(PORT);
    static struct operation operations[2];
    static struct runner blocked;

    watched = open_socket(OTHER_PORT);
    run(&blocked, post_there_and_receive_here, s, operations);
    UNTIL(sleepers_of(s) == 1);
    for (unsigned i = 0; i < 2; i++) {
        arrive_text(OTHER_PORT, "abc");
        UNTIL(atomic_load(&apcs_run) == i + 1);
        UNTIL(sleepers_of(s) == 1);
        CHECK(!atomic_load(&blocked.ended));
    }
    arrive_text(PORT, "after all");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "after all");
    for (unsigned i = 0; i < 2; i++) {
        check_completed(&operations[i], "abc");
        CHECK_EQ_U64(operations[i].calls, 1);
        CHECK_EQ_U64(operations[i].thread, atomic_load(&blocked.step));
    }
}

static void open_spinning(void)
{
    struct config config = wire_config();

    config.sockets.spin_us = 3600000000u;
    open_quiet_with(&config);
}

SUITE_FIXTURE(spinning, open_spinning, close_all);

SUITE_TEST(spinning, receive_runs_apcs_and_waits_on) // B08
{
    check_runs_apcs_and_waits_on(open_socket(PORT), false);
}

SUITE_TEST(spinning, receive_ends_in_time) // L01
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 50), 0);
    uint64_t before = wake_clock();
    CHECK_REFUSED(receive(s, room, sizeof room), WSAETIMEDOUT);
    CHECK_GE_U64(milliseconds_since(before), 50);
    CHECK_LE_U64(milliseconds_since(before), 5000);
}

SUITE_TEST(spinning, receive_is_released_by_close) // B11
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked;

    run(&blocked, receive_once, s, NULL);
    Sleep(20);
    close_socket(s);
    finish(&blocked);
    CHECK(blocked.outcome.error == WSA_OPERATION_ABORTED);
}

SUITE_TEST(blocking, no_apc_runs_when_data_is_there) // B09
{
    SOCKET s = open_socket(PORT);
    WSATHREADID me;
    char room[16];
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&me, &error), 0);
    CHECK(QueueUserAPC(count_apc, me.ThreadHandle, 1));
    arrive_text(PORT, "there");
    CHECK_TEXT(receive(s, room, sizeof room), room, "there");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_U64(atomic_load(&apcs_run), 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(atomic_load(&apcs_run), 1);
}

SUITE_TEST(blocking, each_call_returns_one_whole_message) // B10 G07 Q04
{
    SOCKET s = open_socket(PORT);
    char room[64];

    arrive_text(PORT, "one");
    arrive_text(PORT, "");
    arrive_text(PORT, "two and a half");
    arrive_text(PORT, "3");
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    struct outcome empty = receive(s, room, sizeof room);
    CHECK_EQ_I64(empty.result, 0);
    CHECK_EQ_U64(empty.bytes, 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "two and a half");
    CHECK_TEXT(receive(s, room, sizeof room), room, "3");
}

/* What lies behind the last one is one of the lap before. */
SUITE_TEST(blocking, emptied_ring_that_has_gone_round_gives_nothing_twice) // B01 L01
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 20), 0);
    for (unsigned i = 0; i < 200; i++) {
        arrive_text(PORT, i % 2 == 0 ? "even" : "odd");
        CHECK_TEXT(receive(s, room, sizeof room), room, i % 2 == 0 ? "even" : "odd");
    }
    CHECK_REFUSED(receive(s, room, sizeof room), WSAETIMEDOUT);
    arrive_text(PORT, "next");
    CHECK_TEXT(receive(s, room, sizeof room), room, "next");
}

SUITE_TEST(blocking, close_releases_every_blocked_receiver) // B11
{
    enum {
        COUNT = 4
    };
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct runner blocked[COUNT], spared;

    for (unsigned i = 0; i < COUNT; i++)
        run_blocked(&blocked[i], s);
    run_blocked(&spared, other);
    uint64_t before = wake_clock();
    close_socket(s);
    for (unsigned i = 0; i < COUNT; i++) {
        finish(&blocked[i]);
        CHECK_REFUSED(blocked[i].outcome, WSA_OPERATION_ABORTED);
    }
    CHECK_LE_U64(milliseconds_since(before), 2000);
    CHECK(!atomic_load(&spared.ended));
    /* The slot is used again at once: nobody mistakes the new socket for the old one. */
    SOCKET again = open_socket(PORT);
    CHECK_EQ_U64(sleepers_of(again), 0);
    arrive_text(OTHER_PORT, "spared");
    finish(&spared);
    CHECK_TEXT(spared.outcome, spared.data, "spared");
}

/* Each datagram wakes a reader, and every reader gets one. */
SUITE_TEST(blocking, several_blocked_receivers_share_a_socket) // B10
{
    enum {
        COUNT = 4
    };
    SOCKET s = open_socket(PORT);
    static struct runner blocked[COUNT];
    char seen[COUNT] = {0};

    for (unsigned i = 0; i < COUNT; i++)
        run_blocked(&blocked[i], s);
    for (unsigned i = 0; i < COUNT; i++)
        wire_send_udp(HERE, PORT, (char[]){(char)i}, 1);
    wire_settle(); /* all in one burst */
    for (unsigned i = 0; i < COUNT; i++) {
        finish(&blocked[i]);
        CHECK_EQ_I64(blocked[i].outcome.result, 0);
        CHECK_EQ_U64(blocked[i].outcome.bytes, 1);
        seen[(unsigned)blocked[i].data[0] % COUNT]++;
    }
    for (unsigned i = 0; i < COUNT; i++)
        CHECK_EQ_I64(seen[i], 1);
}

SUITE_TEST(blocking, blocked_receiver_does_not_overtake_posted_ones) // G12
{
    SOCKET s = open_socket(PORT);
    static struct operation posted[2];
    static struct runner blocked;
    char room[16];

    pend_event(s, &posted[0], 16);
    run_blocked(&blocked, s);
    pend_event(s, &posted[1], 16);
    arrive_text(PORT, "first");
    check_completed(&posted[0], "first");
    Sleep(20);
    CHECK(!atomic_load(&blocked.ended));
    arrive_text(PORT, "second");
    check_completed(&posted[1], "second");
    Sleep(20);
    CHECK(!atomic_load(&blocked.ended));
    arrive_text(PORT, "third");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "third");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
}

/* --- SO_RCVTIMEO -------------------------------------------------------------------------------------- */

SUITE_TEST(blocking, time_limit_ends_a_blocked_receive) // L01 L04 A12
{
    SOCKET s = open_socket(PORT);
    char room[16] = "untouched";

    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 100), 0);
    uint64_t before = wake_clock();
    CHECK_REFUSED(receive(s, room, sizeof room), WSAETIMEDOUT);
    CHECK_GE_U64(milliseconds_since(before), 100);
    CHECK_LE_U64(milliseconds_since(before), 5000);
    CHECK_EQ_STR(room, "untouched");
    CHECK_EQ_U64(sleepers_of(s), 0);
    arrive_text(PORT, "later");
    CHECK_TEXT(receive(s, room, sizeof room), room, "later");
    set_nonblocking(s, true);
    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 60000), 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
}

static void CALLBACK do_nothing(ULONG_PTR unused)
{
    (void)unused;
}

/* The limit is for the call, however often it is interrupted. */
static void receive_under_apcs(struct runner *self)
{
    uint64_t before = wake_clock();

    receive_once(self);
    atomic_store(&self->step, (unsigned)milliseconds_since(before));
}

SUITE_TEST(blocking, time_limit_is_not_prolonged_by_apcs) // L01
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked;

    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 150), 0);
    run(&blocked, receive_under_apcs, s, NULL);
    for (unsigned i = 0; i < 1000 && !atomic_load(&blocked.ended); i++) {
        QueueUserAPC(do_nothing, blocked.id.ThreadHandle, 0);
        Sleep(10);
    }
    finish(&blocked);
    CHECK_REFUSED(blocked.outcome, WSAETIMEDOUT);
    CHECK_GE_U64(atomic_load(&blocked.step), 150);
    CHECK_LE_U64(atomic_load(&blocked.step), 5000);
}

SUITE_TEST(blocking, time_limit_does_not_apply_to_overlapped_receives) // L03
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 20), 0);
    pend_event(s, &posted, 16);
    CHECK_EQ_U64(WaitForSingleObject(posted.overlapped.hEvent, 100), WAIT_TIMEOUT);
    CHECK_EQ_U64(status_of(&posted), STATUS_PENDING);
    arrive_text(PORT, "in the end");
    check_completed(&posted, "in the end");
}
