/* SPDX-License-Identifier: BSD-3-Clause */

/* Events with descriptors under many threads: no wait is missed, and when it is quiet the descriptor
 * says what the event says. */

#include "support/suite.h"

#include "helpers.h"

#include "descriptor_helpers.h"
#include "provider/host/event.h"
#include "wirerx/wirerx.h"

#include <sys/epoll.h>
#include <unistd.h>

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- a thread that counts its calls, and one that makes them for it --------------------------- */

/* As an lcore and the service thread have it. */
static struct {
    _Atomic(struct wake_errand *) errands;
    _Atomic bool end;
} service;

static _Thread_local unsigned calls_left;

static bool may_call(struct wake_sink *sink)
{
    (void)sink;
    return calls_left > 0 && calls_left-- > 0;
}

static void hand_over(struct wake_sink *sink, struct wake_errand *errand)
{
    (void)sink;
    errand->next = atomic_load(&service.errands);
    while (!atomic_compare_exchange_weak(&service.errands, &errand->next, errand))
        continue;
}

static struct wake_sink counting = {.may_call = may_call, .hand_over = hand_over};

static void run_errands(struct runner *self)
{
    bool end;

    do {
        end = atomic_load(&service.end); /* what was handed over before is run */
        struct wake_errand *errand = atomic_exchange(&service.errands, NULL);

        while (errand) {
            struct wake_errand *next = errand->next;

            errand->run(errand);
            errand = next;
            atomic_fetch_add(&self->result, 1);
        }
        sched_yield();
    } while (!end);
}

static void end_service(struct runner *runner)
{
    atomic_store(&service.end, true);
    CHECK_GE_U64(finish(runner), 1);
}

/* --- whatever comes: the books balance when it is quiet --------------------------------------- */

#define CHANGERS 3
#define EVENTS 2
#define MELEE_ROUNDS ROUNDS(20000)

static struct {
    HANDLE events[EVENTS]; /* one auto-reset, one manual-reset */
    int descriptors[EVENTS];
    _Atomic unsigned round, quiet;
    _Atomic bool end;
} melee;

static void change_one(HANDLE event, uint64_t random, bool counts)
{
    calls_left = (unsigned)(random >> 32) % 2;
    if (counts || random % 4 < 2)
        CHECK(SetEvent(event));
    else if (random % 4 == 2)
        CHECK(ResetEvent(event));
    else
        CHECK(WaitForSingleObject(event, 0) != WAIT_FAILED);
}

static void change_them(struct runner *self)
{
    unsigned number = *(unsigned *)self->argument, round = 0;
    uint64_t random = 88172645463325252ull + number;

    if (number == 0)
        wake_sink = &counting;
    for (;;) {
        /* Spinning, so that they begin together; but there may be fewer processors than threads. */
        for (unsigned looks = 1; atomic_load(&melee.round) == round && !atomic_load(&melee.end);
             looks++)
            if (looks % 256 == 0)
                sched_yield();
        if (atomic_load(&melee.end))
            break;
        round++;
        for (unsigned i = next_random(&random) % 4; i-- > 0;)
            change_one(melee.events[next_random(&random) % EVENTS], random >> 8, number == 0);
        if (number == 1)
            WSAWaitForMultipleEvents(EVENTS, melee.events, TRUE, 0, FALSE);
        atomic_fetch_add(&melee.quiet, 1);
    }
    wake_sink = NULL;
}

static bool service_is_idle(void)
{
    return atomic_load(&service.errands) == NULL;
}

SUITE_TEST(descriptor_races, word_and_descriptor_agree_whenever_it_is_quiet, .timeout = 100)
{
    struct runner changers[CHANGERS] = {{.thread = 0}}, errands = {.thread = 0};
    unsigned numbers[CHANGERS], seen[2] = {0};

    for (unsigned i = 0; i < EVENTS; i++) {
        melee.events[i] = CreateEventW(NULL, i == 1, FALSE, NULL);
        melee.descriptors[i] = wirerx_event_descriptor(melee.events[i]);
    }
    run(&errands, run_errands, NULL);
    for (unsigned i = 0; i < CHANGERS; i++) {
        numbers[i] = i;
        run(&changers[i], change_them, &numbers[i]);
    }
    for (unsigned round = 1; round <= MELEE_ROUNDS; round++) {
        atomic_store(&melee.round, round);
        UNTIL(atomic_load(&melee.quiet) == round * CHANGERS);
        for (unsigned i = 0; i < EVENTS; i++) {
            bool signalled = event_look(melee.events[i]) == EVENT_SIGNALLED;

            /* The errand may be on its way: its thread is in a call, too. */
            UNTIL(service_is_idle() && is_readable(melee.descriptors[i]) == signalled);
            seen[signalled]++;
        }
    }
    atomic_store(&melee.end, true);
    for (unsigned i = 0; i < CHANGERS; i++)
        finish(&changers[i]);
    end_service(&errands);
    CHECK_GE_U64(seen[0], MELEE_ROUNDS / 10);
    CHECK_GE_U64(seen[1], MELEE_ROUNDS / 10);
}

/* --- no wait is missed ------------------------------------------------------------------------ */

#define CONSUMERS 3

/* One signal, and the answer that it was taken: if a wait were missed nothing would move any more. */
static struct {
    HANDLE signal;
    HANDLE answer;
    uint32_t watched; /* EPOLLET or 0 */
    _Atomic bool end;
} exchange;

static void answer_signals(struct runner *self)
{
    int watch =
        watch_descriptor(wirerx_event_descriptor(exchange.signal), EPOLLIN | exchange.watched);

    while (!atomic_load(&exchange.end)) {
        struct epoll_event event;
        int count = epoll_wait(watch, &event, 1, 10000);

        CHECK_MSG(count == 1, "a signal was missed");
        if (WaitForSingleObject(exchange.signal, 0) != WAIT_OBJECT_0)
            continue;
        if (!atomic_load(&exchange.end)) {
            atomic_fetch_add(&self->result, 1);
            CHECK(SetEvent(exchange.answer));
        }
    }
    close(watch);
}

static void check_exchange(unsigned consumers, uint32_t watched, unsigned rounds)
{
    struct runner runners[CONSUMERS] = {{.thread = 0}}, errands = {.thread = 0};
    uint64_t taken = 0, random = 88172645463325252ull;

    exchange.signal = CreateEventW(NULL, FALSE, FALSE, NULL);
    exchange.answer = CreateEventW(NULL, FALSE, FALSE, NULL);
    exchange.watched = watched;
    run(&errands, run_errands, NULL);
    for (unsigned i = 0; i < consumers; i++)
        run(&runners[i], answer_signals, NULL);
    for (unsigned i = 0; i < rounds; i++) {
        calls_left = next_random(&random) % 4 != 0; /* sometimes the errand brings it */
        wake_sink = &counting;
        CHECK(SetEvent(exchange.signal));
        wake_sink = NULL;
        CHECK_EQ_U64(WaitForSingleObject(exchange.answer, 10000), WAIT_OBJECT_0);
    }
    CHECK_EQ_U64(WaitForSingleObject(exchange.answer, 0), WAIT_TIMEOUT);
    atomic_store(&exchange.end, true);
    for (unsigned i = 0; i < consumers; i++) {
        while (!atomic_load(&runners[i].ended)) {
            CHECK(SetEvent(exchange.signal));
            sched_yield();
        }
        taken += finish(&runners[i]);
    }
    end_service(&errands);
    CHECK_EQ_U64(taken, rounds);
}

SUITE_TEST(descriptor_races, no_signal_is_missed_by_a_level_triggered_wait)
{
    check_exchange(1, 0, ROUNDS(20000));
}

SUITE_TEST(descriptor_races, no_signal_is_missed_by_an_edge_triggered_wait)
{
    check_exchange(1, EPOLLET, ROUNDS(20000));
}

SUITE_TEST(descriptor_races, each_signal_is_taken_once_by_several_edge_triggered_waits)
{
    check_exchange(CONSUMERS, EPOLLET, ROUNDS(20000));
}

/* --- asking ----------------------------------------------------------------------------------- */

static void ask(struct runner *self)
{
    while (!atomic_load(&self->go))
        sched_yield();
    atomic_store(&self->result, (uint64_t)wirerx_event_descriptor(self->argument));
}

SUITE_TEST(descriptor_races, threads_that_ask_at_once_get_the_same)
{
    for (int round = 0; round < ROUNDS(300); round++) {
        struct runner askers[3] = {{.thread = 0}};
        HANDLE event = WSACreateEvent();
        int first = dup(STDIN_FILENO);

        for (int i = 0; i < 3; i++)
            run(&askers[i], ask, event);
        for (int i = 0; i < 3; i++)
            atomic_store(&askers[i].go, true);
        CHECK(SetEvent(event));
        int descriptor = (int)finish(&askers[0]);

        CHECK_EQ_U64(finish(&askers[1]), descriptor);
        CHECK_EQ_U64(finish(&askers[2]), descriptor);
        CHECK(is_readable(descriptor));
        CHECK(CloseHandle(event));
        int last = dup(STDIN_FILENO);

        CHECK_EQ_I64(last, first + 1); /* no other was made, or it was closed */
        close(first);
        close(last);
    }
}

/* --- closing under the feet of others --------------------------------------------------------- */

#define STRANGERS 8

static struct {
    _Atomic(HANDLE) current;
    _Atomic bool end;
} reuse;

static void use_whatever_it_is(struct runner *self)
{
    unsigned number = *(unsigned *)self->argument;
    uint64_t random = 88172645463325252ull + number;

    if (number == 0)
        wake_sink = &counting;
    while (!atomic_load(&reuse.end)) {
        HANDLE event = atomic_load(&reuse.current);

        calls_left = (unsigned)(next_random(&random) >> 32) % 2;
        if (number == 0 || random % 4 == 0)
            event_set(event);
        else if (random % 4 == 1)
            event_reset(event);
        else if (random % 4 == 2)
            event_take(event);
        else
            wirerx_event_descriptor(event);
        atomic_fetch_add(&self->result, 1);
    }
    wake_sink = NULL;
}

/* Files of the client, which take the numbers that are free: nobody else may write to them. */
static void open_strangers(int pipes[STRANGERS][2])
{
    for (int i = 0; i < STRANGERS; i++)
        CHECK_EQ_I64(pipe(pipes[i]), 0);
}

static void close_strangers(int pipes[STRANGERS][2])
{
    for (int i = 0; i < STRANGERS; i++) {
        CHECK(!is_readable(pipes[i][0]));
        CHECK_EQ_I64(close(pipes[i][0]), 0);
        CHECK_EQ_I64(close(pipes[i][1]), 0);
    }
}

SUITE_TEST(descriptor_races, no_late_call_reaches_another_event_or_file, .timeout = 60)
{
    struct runner users[4] = {{.thread = 0}}, errands = {.thread = 0};
    unsigned numbers[4];
    int first = dup(STDIN_FILENO), pipes[STRANGERS][2];
    uint64_t end = in_milliseconds(2000);

    close(first);
    atomic_store(&reuse.current, WSACreateEvent());
    run(&errands, run_errands, NULL);
    for (unsigned i = 0; i < 4; i++) {
        numbers[i] = i;
        run(&users[i], use_whatever_it_is, &numbers[i]);
    }
    for (unsigned round = 0; wake_clock() < end; round++) {
        HANDLE next = CreateEventW(NULL, round % 2, FALSE, NULL); /* nobody else knows it */
        HANDLE old = atomic_load(&reuse.current);
        uint64_t used = atomic_load(&users[0].result);

        UNTIL(atomic_load(&users[0].result) > used + 10); /* by the one that counts, too */
        wirerx_event_descriptor(old);
        CHECK(CloseHandle(old));
        open_strangers(pipes);
        int descriptor = wirerx_event_descriptor(next);

        for (int look = 0; look < 5; look++) {
            CHECK(event_look(next) == EVENT_CLEAR);
            CHECK(!is_readable(descriptor));
        }
        close_strangers(pipes);
        atomic_store(&reuse.current, next);
    }
    atomic_store(&reuse.end, true);
    for (unsigned i = 0; i < 4; i++)
        CHECK_GE_U64(finish(&users[i]), 1);
    end_service(&errands);
    CHECK(CloseHandle(atomic_load(&reuse.current)));
    int last = dup(STDIN_FILENO);

    CHECK_EQ_I64(last, first); /* every descriptor has been closed */
    close(last);
}
