/* SPDX-License-Identifier: BSD-3-Clause */

/* APCs within APCs, and routines that do not return. */

#include "support/suite.h"

#include "apc_helpers.h"

#include <setjmp.h>
#include <string.h>

SUITE_FIXTURE(nesting, find_me, NULL);

/* --- nesting ---------------------------------------------------------------------------------- */

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

SUITE_TEST(nesting, routines_of_one_socket_never_nest_and_lose_nothing) // F08
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

SUITE_TEST(nesting, wait_inside_a_routine_is_not_ended_by_a_deferred_one) // F08
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

SUITE_TEST(nesting, nesting_is_bounded_and_loses_nothing)
{
    queue(&me, nest_deeply, 49);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 50);
    CHECK_EQ_U64(deepest, APC_MAX_DEPTH);
    CHECK_EQ_U64(places_taken(), 0);
}

/* --- routines that do not return -------------------------------------------------------------- */

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

SUITE_TEST(nesting, longjmp_out_of_a_routine_leaves_the_queue_in_order)
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

SUITE_TEST(nesting, socket_is_free_again_after_longjmp_out_of_its_routine) // F08
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

SUITE_TEST(nesting, longjmp_from_a_nested_routine_to_the_outer_one_works)
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

SUITE_TEST(nesting, thread_may_end_in_a_routine)
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
