/* SPDX-License-Identifier: BSD-3-Clause */

/* APCs: where they run, in which order, on which thread, and their places. */

#include "support/suite.h"

#include "apc_helpers.h"

#include <string.h>

SUITE_FIXTURE(apc, find_me, NULL);

/* --- where they run --------------------------------------------------------------------------- */

SUITE_TEST(apc, runs_in_an_alertable_wait_and_not_before) // F01 F20
{
    HANDLE event = WSACreateEvent();

    queue(&me, note, 1);
    CHECK_EQ_U64(runs, 0);
    CHECK_EQ_U64(WaitForSingleObject(event, 2), WAIT_TIMEOUT);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, 2, FALSE), WAIT_TIMEOUT);
    CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &event, FALSE, 2, FALSE), WSA_WAIT_TIMEOUT);
    CHECK_EQ_U64(SleepEx(2, FALSE), 0);
    Sleep(2);
    CHECK_EQ_U64(runs, 0);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, 1000, TRUE), WAIT_IO_COMPLETION); // F20
    CHECK_EQ_U64(runs, 1);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, 2, TRUE), WAIT_TIMEOUT);
    CHECK_EQ_U64(runs, 1);
    CHECK_EQ_U64(places_taken(), 0);
}

static DWORD sleep_ex(void)
{
    return SleepEx(1000, TRUE);
}

static DWORD sleep_ex_0(void)
{
    return SleepEx(0, TRUE);
}

static DWORD sleep_ex_forever(void)
{
    return SleepEx(INFINITE, TRUE);
}

static DWORD wait_for_one_event(void)
{
    return WaitForSingleObjectEx(WSACreateEvent(), INFINITE, TRUE);
}

static DWORD look_at_one_event(void)
{
    return WaitForSingleObjectEx(WSACreateEvent(), 0, TRUE);
}

static DWORD wait_for_any_event(void)
{
    WSAEVENT events[2] = {WSACreateEvent(), WSACreateEvent()};

    return WSAWaitForMultipleEvents(2, events, FALSE, WSA_INFINITE, TRUE);
}

static DWORD wait_for_all_events(void)
{
    WSAEVENT events[2] = {WSACreateEvent(), WSACreateEvent()};

    WSASetEvent(events[0]);
    return WSAWaitForMultipleEvents(2, events, TRUE, WSA_INFINITE, TRUE);
}

static void nothing_to_undo(void *unused)
{
    (void)unused;
}

static DWORD sleep_as_the_provider_does(void)
{
    static _Atomic uint32_t word;
    static _Atomic bool stop;
    struct wake_word words[] = {{&word, 0}};

    return host_sleep(words, 1, WAKE_FOREVER, &stop, nothing_to_undo, NULL) == HOST_APCS_QUEUED &&
                   host_run_apcs()
               ? WAIT_IO_COMPLETION
               : 0;
}

static DWORD (*const alertable_waits[])(void) = {
    sleep_ex,           sleep_ex_0,          sleep_ex_forever,           wait_for_one_event,
    wait_for_any_event, wait_for_all_events, sleep_as_the_provider_does, look_at_one_event,
};

#define WAITS (sizeof(alertable_waits) / sizeof(alertable_waits[0]))

SUITE_TEST(apc, all_that_are_queued_run_in_one_wait_in_order) // F04 F07
{
    for (size_t i = 0; i < WAITS; i++) {
        runs = 0;
        for (DWORD_PTR context = 10; context < 15; context++)
            queue(&me, note, context);
        CHECK_EQ_U64(alertable_waits[i](), WAIT_IO_COMPLETION);
        CHECK_EQ_U64(runs, 5);
        for (unsigned run_ = 0; run_ < 5; run_++)
            CHECK_EQ_U64(log_of_runs[run_], 10 + run_);
        CHECK_EQ_U64(places_taken(), 0);
    }
}

SUITE_TEST(apc, does_not_run_in_a_wait_that_is_satisfied_at_once)
{
    HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL);

    queue(&me, note, 1);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_OBJECT_0);
    CHECK_EQ_U64(runs, 0);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 1);
}

static void set_the_event(DWORD_PTR context)
{
    CHECK(WSASetEvent((HANDLE)context));
    note(context);
}

SUITE_TEST(apc, wait_that_its_apc_satisfies_still_reports_the_apc)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);

    queue(&me, set_the_event, (DWORD_PTR)event);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(WaitForSingleObjectEx(event, 0, TRUE), WAIT_OBJECT_0);
}

static void queue_another(DWORD_PTR left)
{
    note(left);
    if (left > 1)
        queue(&me, queue_another, left - 1);
}

SUITE_TEST(apc, those_that_a_routine_queues_run_in_the_same_wait)
{
    queue(&me, queue_another, 60);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 60);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
}

SUITE_TEST(apc, context_is_as_wide_as_a_pointer) // F18
{
    DWORD_PTR wide = 0xfedcba9876543210;

    queue(&me, note, wide);
    CHECK_EQ_U64(QueueUserAPC(note, me.ThreadHandle, ~wide) != 0, true);
    SleepEx(0, TRUE);
    CHECK_EQ_U64(log_of_runs[0], wide);
    CHECK_EQ_U64(log_of_runs[1], ~wide);
}

/* --- which thread ----------------------------------------------------------------------------- */

static void wait_alertably(struct runner *self)
{
    CHECK_EQ_U64(SleepEx(20, TRUE), 0);
    atomic_store(&self->result, 1);
}

SUITE_TEST(apc, runs_on_its_own_thread_only) // F03
{
    struct runner other = {.thread = 0};

    queue(&me, note, 1);
    run(&other, wait_alertably, NULL);
    CHECK_EQ_U64(finish(&other), 1);
    CHECK_EQ_U64(runs, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 1);
}

static void wait_by(struct runner *self)
{
    DWORD (*wait)(void) = *(DWORD(*const *)(void))self->argument;

    atomic_store(&self->result, wait());
}

SUITE_TEST(apc, wakes_its_sleeping_thread_from_every_alertable_wait) // F17
{
    atomic_store(&host_spin_ns, 0);
    for (size_t i = 0; i < WAITS; i++) {
        struct runner sleeper = {.thread = 0};

        if (alertable_waits[i] == sleep_ex_0 || alertable_waits[i] == look_at_one_event)
            continue; /* they do not sleep */
        run(&sleeper, wait_by, (void *)(uintptr_t)&alertable_waits[i]);
        UNTIL(sleeps(&sleeper));
        queue(&sleeper.id, count_elsewhere, 1);
        CHECK_EQ_U64(finish(&sleeper), WAIT_IO_COMPLETION);
    }
    CHECK_EQ_U64(atomic_load(&runs_elsewhere), WAITS - 2);
}

static void sleep_plainly(struct runner *self)
{
    uint64_t start = wake_clock();

    CHECK_EQ_U64(SleepEx(30, FALSE), 0);
    CHECK_EQ_U64(WaitForSingleObject(self->argument, 30), WAIT_TIMEOUT);
    CHECK_GE_U64(wake_clock() - start, 60000000);
    CHECK_EQ_U64(atomic_load(&runs_elsewhere), 0);
}

SUITE_TEST(apc, does_not_disturb_a_plain_sleep) // F01
{
    struct runner sleeper = {.thread = 0};

    run(&sleeper, sleep_plainly, WSACreateEvent());
    UNTIL(sleeps(&sleeper));
    queue(&sleeper.id, count_elsewhere, 1);
    finish(&sleeper);
}

static unsigned wakes;

static bool count_wakes(struct wake_sink *sink, _Atomic uint32_t *word, int count)
{
    (void)sink;
    (void)word;
    (void)count;
    wakes++;
    return false;
}

SUITE_TEST(apc, push_to_a_thread_that_is_awake_makes_no_system_call)
{
    struct wake_sink sink = {.defer = count_wakes};

    for (int i = 0; i < 3; i++)
        CHECK_EQ_I64(host_reserve_apc(&me), 0);
    wake_sink = &sink;
    for (int i = 0; i < 3; i++)
        CHECK_EQ_I64(upcalls.lpWPUQueueApc(&me, note, 1, NULL), 0);
    CHECK_EQ_U64(wakes, 0);
    wake_sink = NULL;
    SleepEx(0, TRUE);
    CHECK_EQ_U64(runs, 3);
}

/* --- bad arguments ---------------------------------------------------------------------------- */

static void do_nothing(struct runner *self)
{
    (void)self;
}

SUITE_TEST(apc, values_that_are_no_threads_are_refused) // F17
{
    HANDLE event = WSACreateEvent();
    uintptr_t values[] = {0,
                          1,
                          UINTPTR_MAX,
                          UINTPTR_MAX - 2, /* - 1 is GetCurrentThread() */
                          (uintptr_t)&me,
                          (uintptr_t)event,
                          (uintptr_t)me.ThreadHandle ^ (uintptr_t)1 << 22,
                          (uintptr_t)me.ThreadHandle + ((uintptr_t)2 << 22)};
    struct runner gone = {.thread = 0};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        WSATHREADID id = {.ThreadHandle = (HANDLE)values[i]};
        int error = 0;

        CHECK_EQ_I64(WPUQueueApc(&id, note, 1, &error), SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAEFAULT);
        CHECK_EQ_I64(upcalls.lpWPUQueueApc(&id, note, 1, NULL), SOCKET_ERROR);
        CHECK_EQ_U64(QueueUserAPC(note, id.ThreadHandle, 1), 0);
        CHECK_EQ_I64(WSAGetLastError(), ERROR_INVALID_HANDLE);
        CHECK_EQ_I64(host_reserve_apc(&id), WSAEINVAL);
        host_cancel_apc(&id);
        CHECK(!host_thread_is_current(&id));
        CHECK_EQ_I64(WPUCloseThread(&id, NULL), SOCKET_ERROR);
    }
    run(&gone, do_nothing, NULL);
    finish(&gone);
    CHECK_EQ_I64(host_reserve_apc(&gone.id), WSAEINVAL);
    CHECK_EQ_I64(WPUCloseThread(&gone.id, NULL), 0); // it was one
    CHECK_EQ_I64(WPUQueueApc(NULL, note, 1, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WPUQueueApc(&me, NULL, 1, NULL), SOCKET_ERROR);
    CHECK_EQ_U64(QueueUserAPC(NULL, me.ThreadHandle, 1), 0);
    CHECK_EQ_I64(WSAGetLastError(), ERROR_INVALID_PARAMETER);
}

SUITE_TEST(apc, identity_is_copied) // F16
{
    WSATHREADID id = {.Reserved = 0};
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&id, &error), 0);
    CHECK(host_thread_is_current(&id));
    queue(&id, note, 1);
    CHECK_EQ_I64(WPUCloseThread(&id, &error), 0);
    memset(&id, 0xff, sizeof(id));
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_I64(WPUOpenCurrentThread(NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
}

/* --- places ----------------------------------------------------------------------------------- */

SUITE_TEST(apc, places_are_bounded_and_can_be_given_back) // C08
{
    for (unsigned i = 0; i < APC_MAX; i++)
        CHECK_EQ_I64(host_reserve_apc(&me), 0);
    CHECK_EQ_I64(host_reserve_apc(&me), WSAEWOULDBLOCK);
    CHECK_EQ_U64(QueueUserAPC(note, me.ThreadHandle, 1), 0);
    CHECK_EQ_I64(WSAGetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    host_cancel_apc(&me);
    CHECK_EQ_I64(host_reserve_apc(&me), 0);
    CHECK_EQ_I64(host_reserve_apc(&me), WSAEWOULDBLOCK);
    for (unsigned i = 0; i < APC_MAX; i++)
        host_cancel_apc(&me);
    CHECK_EQ_U64(places_taken(), 0);
}

static unsigned sum;

static void add(DWORD_PTR context)
{
    sum += (unsigned)context;
}

SUITE_TEST(apc, every_reserved_place_can_be_used)
{
    for (int round = 0; round < 2; round++) {
        sum = 0;
        for (unsigned i = 0; i < APC_MAX; i++)
            CHECK_EQ_I64(host_reserve_apc(&me), 0);
        for (unsigned i = 0; i < APC_MAX; i++)
            CHECK_EQ_I64(upcalls.lpWPUQueueApc(&me, add, 1, NULL), 0);
        CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQ_U64(sum, APC_MAX);
        CHECK_EQ_U64(places_taken(), 0);
    }
}

static void reserve_again(DWORD_PTR context)
{
    CHECK(host_begin_routine(context));
    CHECK_EQ_I64(host_reserve_apc(&me), 0); /* the place of this one is free again */
    CHECK_EQ_I64(host_reserve_apc(&me), WSAEWOULDBLOCK);
    host_cancel_apc(&me);
}

SUITE_TEST(apc, routine_finds_its_own_place_free)
{
    for (unsigned i = 0; i < APC_MAX; i++)
        CHECK_EQ_I64(host_reserve_apc(&me), 0);
    CHECK_EQ_I64(upcalls.lpWPUQueueApc(&me, reserve_again, 1, NULL), 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(places_taken(), APC_MAX - 1);
}
