/* SPDX-License-Identifier: BSD-3-Clause */

/* Waits for several events that end otherwise than by their events: by APCs, by a close, or not for a
 * long time. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/host/event.h"
#include "provider/host/wait.h"

static _Atomic unsigned routines;

static void CALLBACK count_routine(ULONG_PTR unused)
{
    (void)unused;
    atomic_fetch_add(&routines, 1);
}

static void queue(const WSATHREADID *id)
{
    CHECK(QueueUserAPC(count_routine, id->ThreadHandle, 0));
}

static bool is_signalled(HANDLE event)
{
    return event_look(event) == EVENT_SIGNALLED;
}

static struct {
    WSAEVENT events[64]; /* auto-reset; their number in the wait: */
    DWORD count;
    BOOL all;
    DWORD milliseconds;
    BOOL alertable;
} wanted;

static void make_events(DWORD count, BOOL all)
{
    wanted.count = count;
    wanted.all = all;
    wanted.milliseconds = WSA_INFINITE;
    wanted.alertable = TRUE;
    for (DWORD i = 0; i < count; i++)
        wanted.events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    atomic_store(&host_spin_ns, 0);
}

static void close_events(void)
{
    for (DWORD i = 0; i < wanted.count; i++)
        CHECK(CloseHandle(wanted.events[i]));
}

static void wait_as_wanted(struct runner *self)
{
    DWORD result = WSAWaitForMultipleEvents(wanted.count, wanted.events, wanted.all,
                                            wanted.milliseconds, wanted.alertable);

    atomic_store(&self->result,
                 result == WSA_WAIT_FAILED ? 0x100000000u | (unsigned)WSAGetLastError() : result);
}

static void fall_asleep(struct runner *sleeper)
{
    run(sleeper, wait_as_wanted, NULL);
    UNTIL(sleeps(sleeper));
}

/* As many handles as there may be, and the thread's APCs beside them. */
SUITE_TEST(wait_several, alertable_sleep_on_64_events_ends_by_any_of_them_and_by_an_apc) // F04
{
    for (DWORD i = 0; i < 64; i += 63) {
        struct runner sleeper = {.thread = 0};

        make_events(64, FALSE);
        fall_asleep(&sleeper);
        CHECK(SetEvent(wanted.events[i]));
        CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_EVENT_0 + i);
        close_events();
    }
    struct runner sleeper = {.thread = 0};

    make_events(64, FALSE);
    fall_asleep(&sleeper);
    queue(&sleeper.id);
    CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_IO_COMPLETION);
    CHECK_EQ_U64(atomic_load(&routines), 1);
}

SUITE_TEST(wait_several, apc_that_ends_a_wait_for_all_leaves_the_signals_there) // F04 F20
{
    struct runner sleeper = {.thread = 0};

    make_events(64, TRUE);
    for (DWORD i = 0; i < 63; i++)
        CHECK(SetEvent(wanted.events[i]));
    fall_asleep(&sleeper);
    queue(&sleeper.id);
    CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_IO_COMPLETION);
    for (DWORD i = 0; i < 64; i++)
        CHECK_EQ_U64(is_signalled(wanted.events[i]), i < 63);
    CHECK(SetEvent(wanted.events[63]));
    CHECK_EQ_U64(WSAWaitForMultipleEvents(64, wanted.events, TRUE, 0, TRUE), WSA_WAIT_EVENT_0);
    for (DWORD i = 0; i < 64; i++)
        CHECK(!is_signalled(wanted.events[i]));
}

SUITE_TEST(wait_several, events_that_satisfy_it_at_once_come_before_apcs)
{
    WSATHREADID me;

    CHECK(host_current_thread(&me));
    for (BOOL all = FALSE; all <= TRUE; all++) {
        make_events(2, all);
        CHECK(SetEvent(wanted.events[0]));
        CHECK(SetEvent(wanted.events[1]));
        queue(&me);
        CHECK_EQ_U64(WSAWaitForMultipleEvents(2, wanted.events, all, WSA_INFINITE, TRUE),
                     WSA_WAIT_EVENT_0);
        CHECK_EQ_U64(is_signalled(wanted.events[1]), !all);
        CHECK_EQ_U64(atomic_load(&routines), (unsigned)all);
        CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        close_events();
    }
}

SUITE_TEST(wait_several, plain_sleep_on_several_is_not_ended_by_an_apc) // F01
{
    for (BOOL all = FALSE; all <= TRUE; all++) {
        struct runner sleeper = {.thread = 0};

        make_events(2, all);
        wanted.alertable = FALSE;
        fall_asleep(&sleeper);
        queue(&sleeper.id);
        Sleep(20);
        CHECK(!atomic_load(&sleeper.ended));
        CHECK(SetEvent(wanted.events[0]));
        CHECK(SetEvent(wanted.events[1]));
        CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_EVENT_0);
        CHECK_EQ_U64(atomic_load(&routines), 0);
        close_events();
    }
}

SUITE_TEST(wait_several, close_of_one_ends_the_sleep_on_several, .timeout = 20)
{
    for (BOOL all = FALSE; all <= TRUE; all++) {
        struct runner sleeper = {.thread = 0};

        make_events(3, all);
        fall_asleep(&sleeper);
        CHECK(CloseHandle(wanted.events[0])); /* for all: the one that it sleeps on */
        CHECK_EQ_U64(finish(&sleeper), 0x100000000u | WSA_INVALID_HANDLE);
        wanted.events[0] = WSACreateEvent();
        close_events();
    }
}

/* Just below WSA_INFINITE: 49 days, which must neither overflow nor be taken for no limit or for 0. */
SUITE_TEST(wait_several, longest_time_out_is_a_long_one)
{
    struct runner sleeper = {.thread = 0};

    make_events(2, FALSE);
    wanted.milliseconds = WSA_INFINITE - 1;
    fall_asleep(&sleeper);
    Sleep(20);
    CHECK(!atomic_load(&sleeper.ended));
    CHECK(SetEvent(wanted.events[1]));
    CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_EVENT_0 + 1);
    CHECK_GE_U64(wait_deadline(WSA_INFINITE - 1) - wake_clock(), 4294967293000000ull);
    CHECK_LE_U64(wait_deadline(WSA_INFINITE - 1) - wake_clock(), 4294967294000000ull);
}
