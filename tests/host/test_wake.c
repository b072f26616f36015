/* SPDX-License-Identifier: BSD-3-Clause */

/* Sleeping on words and waking (dataplane/wake.h). */

#include "support/suite.h"

#include "helpers.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

static _Atomic uint32_t words[WAKE_MAX_WORDS];

static void sleep_on_all(struct runner *self)
{
    unsigned count = *(unsigned *)self->argument;
    struct wake_word watched[WAKE_MAX_WORDS];

    for (unsigned i = 0; i < count; i++)
        watched[i] = (struct wake_word){&words[i], 0};
    errno = 77;
    while (atomic_load(&words[count - 1]) == 0)
        CHECK_EQ_U64(wake_sleep(watched, count, in_milliseconds(10000)), WAKE_WOKEN);
    CHECK_EQ_I64(errno, 77);
}

static void wake_a_sleeper_by_its_last_word(unsigned count)
{
    struct runner sleeper = {.thread = 0};

    run(&sleeper, sleep_on_all, &count);
    UNTIL(sleeps(&sleeper));
    atomic_store(&words[count - 1], 1);
    wake(&words[count - 1], 1);
    finish(&sleeper);
}

SUITE_TEST(wake, ends_a_sleep_on_one_word)
{
    wake_a_sleeper_by_its_last_word(1);
}

SUITE_TEST(wake, ends_a_sleep_on_66_words)
{
    wake_a_sleeper_by_its_last_word(WAKE_MAX_WORDS);
}

SUITE_TEST(wake, ends_a_sleep_on_66_words_without_futex_waitv)
{
    remove_futex_waitv();
    wake_a_sleeper_by_its_last_word(WAKE_MAX_WORDS);
}

static void sleep_ends_at_its_deadline(unsigned count)
{
    struct wake_word watched[2] = {{&words[0], 0}, {&words[1], 0}};
    uint64_t deadline = in_milliseconds(30);

    while (wake_sleep(watched, count, deadline) != WAKE_TIMEOUT)
        CHECK(wake_clock() < deadline + 5000000000ull);
    CHECK_GE_U64(wake_clock(), deadline);
}

SUITE_TEST(wake, sleep_ends_at_its_deadline)
{
    sleep_ends_at_its_deadline(1);
    sleep_ends_at_its_deadline(2);
    remove_futex_waitv();
    sleep_ends_at_its_deadline(2);
}

SUITE_TEST(wake, sleep_does_not_begin_when_a_word_has_changed)
{
    struct wake_word watched[2] = {{&words[0], 0}, {&words[1], 7}};

    CHECK_EQ_U64(wake_sleep(&watched[1], 1, WAKE_FOREVER), WAKE_WOKEN);
    CHECK_EQ_U64(wake_sleep(watched, 2, WAKE_FOREVER), WAKE_WOKEN);
    remove_futex_waitv();
    CHECK_EQ_U64(wake_sleep(watched, 2, WAKE_FOREVER), WAKE_WOKEN);
}

SUITE_TEST(wake, sleep_does_not_begin_after_its_deadline)
{
    struct wake_word watched[2] = {{&words[0], 0}, {&words[1], 0}};

    CHECK_EQ_U64(wake_sleep(watched, 1, 0), WAKE_TIMEOUT);
    CHECK_EQ_U64(wake_sleep(watched, 2, 0), WAKE_TIMEOUT);
}

static void do_nothing(int number)
{
    (void)number;
}

static void sleep_until_signal(struct runner *self)
{
    struct wake_word watched[2] = {{&words[0], 0}, {&words[1], 0}};

    atomic_store(&self->result, wake_sleep(watched, 2, in_milliseconds(10000)));
}

SUITE_TEST(wake, sleep_ends_with_a_signal)
{
    struct sigaction action = {.sa_handler = do_nothing};
    struct runner sleeper = {.thread = 0};

    sigaction(SIGUSR1, &action, NULL);
    run(&sleeper, sleep_until_signal, NULL);
    UNTIL(sleeps(&sleeper));
    pthread_kill(sleeper.thread, SIGUSR1);
    CHECK_EQ_U64(finish(&sleeper), WAKE_WOKEN);
}

/* --- the sink of a thread that counts its system calls ---------------------------------------- */

struct counting_sink {
    struct wake_sink sink;
    unsigned taken;
    unsigned room;
};

static bool take(struct wake_sink *sink, _Atomic uint32_t *word, int count)
{
    struct counting_sink *counting = (struct counting_sink *)sink;

    CHECK_EQ_PTR(word, &words[0]);
    CHECK_EQ_I64(count, INT_MAX);
    if (counting->taken == counting->room)
        return false;
    counting->taken++;
    return true;
}

SUITE_TEST(wake, goes_through_the_threads_sink_while_it_takes_any)
{
    struct counting_sink counting = {.sink.defer = take, .room = 2};

    wake_sink = &counting.sink;
    for (int i = 0; i < 5; i++)
        wake(&words[0], INT_MAX);
    CHECK_EQ_U64(counting.taken, 2);
    wake_sink = NULL;
    wake(&words[0], INT_MAX);
    CHECK_EQ_U64(counting.taken, 2);
}

/* --- other calls than a futex's ------------------------------------------------------------------ */

struct errand_sink {
    struct wake_sink sink;
    struct wake_errand *errand;
    unsigned room;
};

static bool may_call(struct wake_sink *sink)
{
    struct errand_sink *errands = (struct errand_sink *)sink;

    return errands->room > 0 && errands->room-- > 0;
}

static void hand_over(struct wake_sink *sink, struct wake_errand *errand)
{
    ((struct errand_sink *)sink)->errand = errand;
}

SUITE_TEST(wake, asks_the_threads_sink_for_other_calls_and_leaves_it_what_it_may_not_do)
{
    struct errand_sink errands = {.sink = {.may_call = may_call, .hand_over = hand_over},
                                  .room = 2};
    struct wake_errand errand = {.run = NULL};

    for (int i = 0; i < 5; i++)
        CHECK(wake_may_call());
    wake_sink = &errands.sink;
    CHECK(wake_may_call());
    CHECK(wake_may_call());
    CHECK(!wake_may_call());
    wake_hand_over(&errand);
    CHECK_EQ_PTR(errands.errand, &errand);
    wake_sink = NULL;
    CHECK(wake_may_call());
}
