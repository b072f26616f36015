/* SPDX-License-Identifier: BSD-3-Clause */

/* APCs and threads: exits, races, sleep. */

#include "support/suite.h"

#include "apc_helpers.h"

#include <stdlib.h>

SUITE_FIXTURE(apc_threads, find_me, NULL);

/* --- with the thread -------------------------------------------------------------------------- */

static void wait_alertably(struct runner *self)
{
    CHECK_EQ_U64(SleepEx(20, TRUE), 0);
    atomic_store(&self->result, 1);
}

static void wait_for_word(struct runner *self)
{
    while (!atomic_load(&self->go))
        sched_yield();
}

SUITE_TEST(apc_threads, never_runs_once_its_thread_has_exited) // F15
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

/* --- races ------------------------------------------------------------------------------------ */

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

SUITE_TEST(apc_threads, pushes_of_four_threads_all_run_once)
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

SUITE_TEST(apc_threads, no_wake_up_of_a_sleeping_thread_is_lost)
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

SUITE_TEST(apc_threads, pushes_that_race_with_the_threads_exit_run_or_vanish)
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

static unsigned dropped;

static void note_dropped(LPWSAUSERAPC routine_of_it, DWORD_PTR context)
{
    CHECK(routine_of_it == count_elsewhere);
    CHECK_EQ_U64(atomic_load(&exits), 0); /* before the thread's exit is announced */
    CHECK_EQ_U64(context, ++dropped);
}

static void exit_with_one_running(DWORD_PTR context)
{
    (void)context;
    pthread_exit(NULL);
}

static void exit_in_an_apc(struct runner *self)
{
    queue(&self->id, exit_with_one_running, 0);
    for (DWORD_PTR context = 1; context <= 5; context++)
        queue(&self->id, count_elsewhere, context);
    SleepEx(0, TRUE);
}

SUITE_TEST(apc_threads, provider_is_told_of_each_that_is_dropped_and_of_no_other) // F15
{
    struct runner runner = {.thread = 0};

    host_on_thread_exit(count_exit);
    host_on_dropped_apc(note_dropped);
    run(&runner, exit_in_an_apc, NULL);
    finish(&runner);
    CHECK_EQ_U64(dropped, 5);
    CHECK_EQ_U64(atomic_load(&exits), 1);
}

SUITE_TEST(apc_threads, sleep_does_not_begin_when_something_is_queued)
{
    struct apc_queue *q = &thread_current()->apcs;
    struct wake_word word;

    CHECK(apc_prepare_sleep(q, &word));
    CHECK_EQ_U64(atomic_load(word.word), word.value);
    apc_finish_sleep(q);
    CHECK_NE_U64(atomic_load(word.word), word.value);
    queue(&me, note, 1);
    CHECK(!apc_prepare_sleep(q, &word));
    SleepEx(0, TRUE);
    CHECK(apc_prepare_sleep(q, &word));
    queue(&me, note, 2); /* what a pusher does while this thread is about to sleep */
    CHECK_NE_U64(atomic_load(word.word), word.value);
    apc_finish_sleep(q);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
}

/* The same below the threads, where lives are short: thousands a second in one queue. */
static struct apc_queue brief;
static _Atomic uint32_t brief_life;
static _Atomic bool lives_ended;
static uint64_t brief_runs;

static void check_life(DWORD_PTR generation)
{
    CHECK_EQ_U64(generation, atomic_load_explicit(&brief_life, memory_order_relaxed));
    brief_runs++;
}

/* A few for each life: apc_run() goes on for as long as something is queued. */
static void push_to_whoever_lives(struct runner *self)
{
    uint64_t pushed = 0;
    uint32_t life = 0;

    for (unsigned left = 0; !atomic_load(&lives_ended);) {
        uint32_t generation = atomic_load(&brief_life);

        if (generation != life)
            left = 5;
        life = generation;
        if (left == 0 || apc_reserve(&brief, generation) != 0) {
            sched_yield();
            continue;
        }
        if (--left % 3 == 2)
            apc_cancel(&brief, generation);
        else if (!apc_push(&brief, generation, check_life, generation))
            CHECK(atomic_load(&brief_life) != generation || !apc_is_open(&brief, generation));
        pushed++;
    }
    atomic_store(&self->result, pushed);
}

SUITE_TEST(apc_threads, push_for_an_earlier_thread_of_the_slot_never_arrives) // F15
{
    struct runner pushers[PUSHERS] = {{.thread = 0}};
    uint64_t end = in_milliseconds(1000);

    atomic_store(&brief_life, apc_open(&brief));
    for (int p = 0; p < PUSHERS; p++)
        run(&pushers[p], push_to_whoever_lives, NULL);
    while (wake_clock() < end) {
        for (int i = 0; i < 3; i++)
            apc_run(&brief);
        apc_close(&brief);
        atomic_store(&brief_life, apc_open(&brief));
    }
    atomic_store(&lives_ended, true);
    for (int p = 0; p < PUSHERS; p++)
        finish(&pushers[p]);
    apc_run(&brief);
    CHECK_GE_U64(brief_runs, 1);
    apc_close(&brief);

    /* No node was lost or is there twice. */
    uint32_t nodes = atomic_load(&brief.nodes);
    bool *seen = calloc(nodes + 1, sizeof(*seen));
    uint32_t found = 0;

    for (uint32_t name = (uint32_t)atomic_load(&brief.free); name; found++) {
        CHECK(name <= nodes && !seen[name]);
        seen[name] = true;
        uint32_t at = name - 1;
        uint32_t log2 = at >> 7 ? 31 - (uint32_t)__builtin_clz(at) : 6;

        name = atomic_load(&brief.chunks[log2 - 6][at - (at >> 7 ? 1u << log2 : 0)].next);
    }
    CHECK_EQ_U64(found, nodes);
    free(seen);
}

static void live_briefly(struct runner *self)
{
    (void)self;
}

SUITE_TEST(apc_threads, threads_come_and_go_without_using_up_slots)
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
