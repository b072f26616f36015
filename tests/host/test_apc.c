/* SPDX-License-Identifier: BSD-3-Clause */

/* APCs: where they run, in which order, nested, and what becomes of them with their thread. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/host/thread.h"

#include <setjmp.h>
#include <string.h>

static WSATHREADID me;
static WSPUPCALLTABLE upcalls;

static void setup(void)
{
    CHECK(host_current_thread(&me));
    upcalls = host_upcalls();
}

SUITE_FIXTURE(apc, setup, NULL);

/* Every test is a process: what has run, in order. */
static uintptr_t log_of_runs[64];
static unsigned runs;

static void note(DWORD_PTR context)
{
    CHECK(runs < 64);
    log_of_runs[runs++] = context;
}

static void queue(WSATHREADID *id, LPWSAUSERAPC routine, DWORD_PTR context)
{
    int error = 0;

    CHECK_EQ_I64(WPUQueueApc(id, routine, context, &error), 0);
}

static uint32_t places_taken(void)
{
    return (uint32_t)atomic_load(&thread_current()->apcs.reserved);
}

/* --- where they run ----------------------------------------------------------------------------- */

SUITE_TEST(apc, runs_in_an_alertable_wait_and_not_before) // F01 F02
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

static DWORD sleep_as_the_provider_does(void)
{
    static _Atomic uint32_t word;

    return host_sleep(&word, 0, WAKE_FOREVER, true) == HOST_APCS_RAN ? WAIT_IO_COMPLETION : 0;
}

static DWORD (*const alertable_waits[])(void) = {
    sleep_ex,           sleep_ex_0,          sleep_ex_forever,           wait_for_one_event,
    wait_for_any_event, wait_for_all_events, sleep_as_the_provider_does, look_at_one_event,
};

#define WAITS (sizeof(alertable_waits) / sizeof(alertable_waits[0]))

SUITE_TEST(apc, all_that_are_queued_run_in_one_wait_in_order) // F04 F05 F07 B08
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

/* --- which thread ------------------------------------------------------------------------------- */

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

static _Atomic unsigned runs_elsewhere;

static void count_elsewhere(DWORD_PTR context)
{
    atomic_fetch_add(&runs_elsewhere, (unsigned)context);
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
    struct wake_sink sink = {count_wakes};

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

/* --- bad arguments ------------------------------------------------------------------------------ */

static void do_nothing(struct runner *self)
{
    (void)self;
}

SUITE_TEST(apc, values_that_are_no_threads_are_refused) // F17 A22
{
    HANDLE event = WSACreateEvent();
    uintptr_t values[] = {0,
                          1,
                          UINTPTR_MAX,
                          UINTPTR_MAX - 1,
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

/* --- places ------------------------------------------------------------------------------------- */

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

SUITE_TEST(apc, routine_finds_its_own_place_free) // F08
{
    for (unsigned i = 0; i < APC_MAX; i++)
        CHECK_EQ_I64(host_reserve_apc(&me), 0);
    CHECK_EQ_I64(upcalls.lpWPUQueueApc(&me, reserve_again, 1, NULL), 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(places_taken(), APC_MAX - 1);
}

/* --- nesting ------------------------------------------------------------------------------------ */

#define SOCKET_1 0x100
#define SOCKET_2 0x200

static unsigned nested;     /* routines on the stack */
static unsigned per_key[3]; /* of each socket */

/* Context: socket, then what to note. */
static void routine(DWORD_PTR context)
{
    unsigned socket_number = (unsigned)context >> 8;

    if (!host_begin_routine(socket_number))
        return;
    CHECK_EQ_U64(++per_key[socket_number], 1); // F08
    nested++;
    note(context);
    if ((context & 0xff) == 1) { /* the first of a socket waits alertably itself */
        queue(&me, routine, (context & ~(DWORD_PTR)0xff) | 3);
        SleepEx(0, TRUE);
        note(context | 0xf0);
    }
    nested--;
    per_key[socket_number]--;
}

SUITE_TEST(apc, routines_of_one_socket_never_nest_and_lose_nothing) // F08
{
    static const uintptr_t order[] = {
        SOCKET_1 | 1,    /* runs, and waits alertably: */
        SOCKET_2 | 1,    /*   another socket's routine may nest, and waits: */
        SOCKET_2 | 0xf1, /*     nothing may run */
        SOCKET_2 | 2,    /*   what socket 2 deferred, as soon as its routine has returned */
        SOCKET_2 | 3,    //
        SOCKET_1 | 0xf1, /* now socket 1 has returned: */
        SOCKET_1 | 2,    SOCKET_1 | 3,
    };

    queue(&me, routine, SOCKET_1 | 1);
    queue(&me, routine, SOCKET_1 | 2);
    queue(&me, routine, SOCKET_2 | 1);
    queue(&me, routine, SOCKET_2 | 2);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 8);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ_U64(log_of_runs[i], order[i]);
    CHECK_EQ_U64(places_taken(), 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
}

static void wait_inside(DWORD_PTR context)
{
    if (!host_begin_routine(1))
        return;
    note(context);
    if (context == 1) {
        uint64_t start = wake_clock();

        queue(&me, wait_inside, 2);
        CHECK_EQ_U64(SleepEx(20, TRUE), 0); /* it slept, and did not spin round */
        CHECK_GE_U64(wake_clock() - start, 20000000);
        CHECK_EQ_U64(runs, 1);
    }
}

SUITE_TEST(apc, wait_inside_a_routine_is_not_ended_by_a_deferred_one) // F08
{
    queue(&me, wait_inside, 1);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 2);
}

static unsigned depth, deepest;

static void nest_deeply(DWORD_PTR left)
{
    note(left);
    if (++depth > deepest)
        deepest = depth;
    if (left > 0) {
        queue(&me, nest_deeply, left - 1);
        SleepEx(0, TRUE);
    }
    depth--;
}

SUITE_TEST(apc, nesting_is_bounded_and_loses_nothing)
{
    queue(&me, nest_deeply, 49);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 50);
    CHECK_EQ_U64(deepest, APC_MAX_DEPTH);
    CHECK_EQ_U64(places_taken(), 0);
}

/* --- routines that do not return ---------------------------------------------------------------- */

static jmp_buf out;

static void jump_out(DWORD_PTR context)
{
    if (context & 1)
        CHECK(host_begin_routine(context));
    note(context);
    longjmp(out, 1);
}

__attribute__((noinline)) static DWORD wait_here(void)
{
    return SleepEx(0, TRUE);
}

SUITE_TEST(apc, longjmp_out_of_a_routine_leaves_the_queue_in_order)
{
    for (volatile DWORD_PTR context = 1; context <= 2; context++) {
        for (volatile int i = 0; i < 30; i++) {
            runs = 0;
            queue(&me, jump_out, context);
            queue(&me, note, 7);
            if (setjmp(out) == 0)
                wait_here();
            CHECK_EQ_U64(runs, 1);
            CHECK_EQ_U64(wait_here(), WAIT_IO_COMPLETION);
            CHECK_EQ_U64(runs, 2);
            CHECK_EQ_U64(log_of_runs[1], 7);
            CHECK_EQ_U64(places_taken(), 0);
        }
    }
}

SUITE_TEST(apc, socket_is_free_again_after_longjmp_out_of_its_routine) // F08
{
    if (setjmp(out) == 0) {
        queue(&me, jump_out, 1);
        wait_here();
    }
    queue(&me, jump_out, 1);
    if (setjmp(out) == 0)
        wait_here();
    CHECK_EQ_U64(runs, 2);
}

static void jump_within(DWORD_PTR context)
{
    jmp_buf here;

    (void)context;
    memcpy(&here, &out, sizeof(here));
    if (setjmp(out) == 0) {
        queue(&me, jump_out, 2);
        SleepEx(0, TRUE);
    }
    note(9);
}

SUITE_TEST(apc, longjmp_from_a_nested_routine_to_the_outer_one_works)
{
    queue(&me, jump_within, 1);
    queue(&me, note, 10);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 3);
    CHECK_EQ_U64(places_taken(), 0);
}

static void end_the_thread(DWORD_PTR context)
{
    if (context & 1)
        CHECK(host_begin_routine(context));
    if (context & 2)
        pthread_exit(NULL);
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void die_in_a_routine(struct runner *self)
{
    WSATHREADID id = self->id;

    for (int i = 0; i < 10; i++)
        queue(&id, count_elsewhere, 1);
    SleepEx(0, TRUE);
    queue(&id, end_the_thread, *(DWORD_PTR *)self->argument);
    for (int i = 0; i < 10; i++)
        queue(&id, count_elsewhere, 1);
    SleepEx(0, TRUE);
    FAIL("the thread is still there");
}

static _Atomic unsigned exits;
static _Atomic(HANDLE) last_exit;

static void count_exit(const WSATHREADID *id)
{
    CHECK_EQ_I64(host_reserve_apc(id), WSAEINVAL); /* stale already */
    atomic_store(&last_exit, id->ThreadHandle);
    atomic_fetch_add(&exits, 1);
}

SUITE_TEST(apc, thread_may_end_in_a_routine)
{
    host_on_thread_exit(count_exit);
    for (DWORD_PTR how = 0; how < 4; how++) {
        struct runner runner = {.thread = 0};

        atomic_store(&runs_elsewhere, 0);
        run(&runner, die_in_a_routine, &how);
        finish(&runner);
        CHECK_EQ_U64(atomic_load(&runs_elsewhere), 10);
        CHECK_EQ_U64(atomic_load(&exits), how + 1);
    }
}

/* --- with the thread ---------------------------------------------------------------------------- */

static void wait_for_word(struct runner *self)
{
    while (!atomic_load(&self->go))
        sched_yield();
}

SUITE_TEST(apc, never_runs_once_its_thread_has_exited) // F15
{
    struct runner first = {.thread = 0};
    struct runner second = {.thread = 0};

    host_on_thread_exit(count_exit);
    run(&first, wait_for_word, NULL);
    for (int i = 0; i < 5; i++)
        queue(&first.id, count_elsewhere, 1);
    CHECK_EQ_I64(host_reserve_apc(&first.id), 0);
    atomic_store(&first.go, true);
    finish(&first);
    CHECK_EQ_U64(atomic_load(&exits), 1);
    CHECK_EQ_PTR(atomic_load(&last_exit), first.id.ThreadHandle);
    run(&second, wait_alertably, NULL); /* in the same slot */
    CHECK_EQ_U64(
        ((uintptr_t)first.id.ThreadHandle ^ (uintptr_t)second.id.ThreadHandle) >> 2 & 0xfffff, 0);
    CHECK_EQ_I64(upcalls.lpWPUQueueApc(&first.id, count_elsewhere, 1, NULL), SOCKET_ERROR);
    host_cancel_apc(&first.id);
    CHECK_EQ_U64(finish(&second), 1);
    CHECK_EQ_U64(atomic_load(&runs_elsewhere), 0);
}

/* --- races -------------------------------------------------------------------------------------- */

#define PUSHERS 4

static struct {
    WSATHREADID target;
    unsigned count;
    _Atomic uint64_t ran;
    uint64_t sum; /* by the target alone */
} pushing;

static void ran_one(DWORD_PTR context)
{
    pushing.sum += context;
    atomic_fetch_add_explicit(&pushing.ran, 1, memory_order_relaxed);
}

static void push_often(struct runner *self)
{
    uint64_t pushed = 0;

    for (unsigned i = 0; i < pushing.count; i++) {
        if (host_reserve_apc(&pushing.target) != 0)
            break;
        if (upcalls.lpWPUQueueApc(&pushing.target, ran_one, 3, NULL) == 0)
            pushed++;
    }
    atomic_store(&self->result, pushed);
}

static void push_to_me(uint64_t spin_ns)
{
    struct runner pushers[PUSHERS] = {{.thread = 0}};
    uint64_t pushed = 0;

    atomic_store(&host_spin_ns, spin_ns);
    pushing.target = me;
    pushing.count = ROUNDS(10000); /* all fit, should this thread not run for a while */
    for (int i = 0; i < PUSHERS; i++)
        run(&pushers[i], push_often, NULL);
    while (atomic_load(&pushing.ran) < PUSHERS * pushing.count)
        CHECK_EQ_U64(SleepEx(10000, TRUE), WAIT_IO_COMPLETION);
    for (int i = 0; i < PUSHERS; i++)
        pushed += finish(&pushers[i]);
    CHECK_EQ_U64(pushed, PUSHERS * pushing.count);
    CHECK_EQ_U64(pushing.sum, 3 * pushed);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    CHECK_EQ_U64(places_taken(), 0);
}

SUITE_TEST(apc, pushes_of_four_threads_all_run_once)
{
    push_to_me(50000);
}

static void push_and_wait(struct runner *self)
{
    for (unsigned i = 1; i <= pushing.count; i++) {
        queue(&pushing.target, ran_one, 1);
        UNTIL(atomic_load(&pushing.ran) >= i);
    }
    atomic_store(&self->result, 1);
}

SUITE_TEST(apc, no_wake_up_of_a_sleeping_thread_is_lost)
{
    struct runner pusher = {.thread = 0};
    HANDLE event = WSACreateEvent();

    atomic_store(&host_spin_ns, 0);
    pushing.target = me;
    pushing.count = ROUNDS(30000);
    run(&pusher, push_and_wait, NULL);
    while (atomic_load(&pushing.ran) < pushing.count)
        CHECK_EQ_U64(WaitForSingleObjectEx(event, 10000, TRUE), WAIT_IO_COMPLETION);
    finish(&pusher);
}

static void run_some_and_exit(struct runner *self)
{
    while (!atomic_load(&self->go))
        SleepEx(0, TRUE);
}

SUITE_TEST(apc, pushes_that_race_with_the_threads_exit_run_or_vanish)
{
    upcalls = host_upcalls();
    for (int i = 0; i < ROUNDS(300); i++) {
        struct runner target = {.thread = 0};
        struct runner pushers[PUSHERS] = {{.thread = 0}};
        uint64_t pushed = 0;

        atomic_store(&pushing.ran, 0);
        run(&target, run_some_and_exit, NULL);
        pushing.target = target.id;
        pushing.count = 400;
        for (int p = 0; p < PUSHERS; p++)
            run(&pushers[p], push_often, NULL);
        atomic_store(&target.go, true);
        finish(&target);
        for (int p = 0; p < PUSHERS; p++)
            pushed += finish(&pushers[p]);
        CHECK_LE_U64(atomic_load(&pushing.ran), pushed);

        /* Every node is at home again: the slot's next thread can use every place. */
        if (i % 50 == 0) {
            struct runner next = {.thread = 0};

            run(&next, wait_for_word, NULL);
            for (unsigned place = 0; place < 3000; place++)
                CHECK_EQ_I64(host_reserve_apc(&next.id), 0);
            for (unsigned place = 0; place < 3000; place++)
                CHECK_EQ_I64(upcalls.lpWPUQueueApc(&next.id, count_elsewhere, 0, NULL), 0);
            atomic_store(&next.go, true);
            finish(&next);
        }
    }
}

static void live_briefly(struct runner *self)
{
    (void)self;
}

SUITE_TEST(apc, threads_come_and_go_without_using_up_slots)
{
    HANDLE highest = NULL;

    for (int i = 0; i < ROUNDS(2000); i++) {
        struct runner runner = {.thread = 0};

        run(&runner, live_briefly, NULL);
        finish(&runner);
        uintptr_t slot = (uintptr_t)runner.id.ThreadHandle >> 2 & 0xfffff;

        CHECK_LE_U64(slot, 1);
        CHECK_NE_PTR(runner.id.ThreadHandle, highest);
        highest = runner.id.ThreadHandle;
    }
}
