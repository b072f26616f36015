/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WAKE_H
#define WIRERX_WAKE_H

/**
 * @file
 * Sleeping on 32-bit words and waking whoever sleeps (futex, futex_waitv).
 *
 * Words may lie in memory that several processes share, so no FUTEX_PRIVATE. An lcore makes only a
 * bounded number of wake-up syscalls per pass and hands the rest to the service thread; callers of
 * wake() need not know on which kind of thread they are. What wakes by another syscall (a write to a
 * descriptor) asks wake_may_call(), and beyond the budget makes an errand of it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** A word and the value at which it is worth sleeping. */
struct wake_word {
    _Atomic uint32_t *word;
    uint32_t value;
};

/** Most words that one sleep can watch (64 event handles, the thread's APC word and one more). */
#define WAKE_MAX_WORDS 66u

/** "No deadline" for wake_sleep(). */
#define WAKE_FOREVER UINT64_MAX

/** Why a sleep ended. */
enum wake_reason {
    WAKE_WOKEN,  /**< a word changed, a wake-up came, or for no reason at all: look again */
    WAKE_TIMEOUT /**< the deadline passed */
};

/**
 * What a thread that counts its syscalls leaves to one that does not, where that is not to wake a
 * futex: embedded in what it is about.
 */
struct wake_errand {
    /** Do it, whatever that takes. On a thread without a sink. */
    void (*run)(struct wake_errand *errand);
    struct wake_errand *next; /**< while it is handed over */
};

/**
 * Where wake() takes its wake-ups on a thread that counts its syscalls: embedded in what the thread
 * owns, and installed by it in wake_sink.
 */
struct wake_sink {
    /**
     * @return true: the sink has seen to this wake-up, or somebody it was handed to will.
     *         false: wake() makes the syscall itself
     */
    bool (*defer)(struct wake_sink *sink, _Atomic uint32_t *word, int count);

    /** wake_may_call()'s part. */
    bool (*may_call)(struct wake_sink *sink);

    /** wake_hand_over()'s part: always takes it. */
    void (*hand_over)(struct wake_sink *sink, struct wake_errand *errand);
};

/** The calling thread's sink; NULL, as on every client thread: wake() makes the syscall. */
extern _Thread_local struct wake_sink *wake_sink;

/**
 * Wake up to `count` threads that sleep on `word`. Never blocks. Safe on an lcore: costs one
 * syscall, or, beyond the pass's budget, one entry in the service thread's queue.
 */
void wake(_Atomic uint32_t *word, int count);

/**
 * To be asked before a syscall that wakes, and is not on a futex. It must not block.
 * @return true: make it; it is off the budget. false: there is a sink, and the budget is used up
 */
bool wake_may_call(void);

/**
 * On a thread that has a sink: let one that has none run() this. Never blocks.
 * @param errand  not handed over already; it may be again as soon as run() begins
 */
void wake_hand_over(struct wake_errand *errand);

/**
 * Sleep until a word no longer has its value, a wake-up arrives or the deadline passes. A signal
 * whose handler was installed without SA_RESTART ends it early (WAKE_WOKEN); with SA_RESTART it may
 * go on. errno is preserved. No cancellation point. Never on an lcore.
 *
 * @param words     1 to WAKE_MAX_WORDS words
 * @param deadline  CLOCK_MONOTONIC nanoseconds, or WAKE_FOREVER
 */
enum wake_reason wake_sleep(const struct wake_word *words, unsigned count, uint64_t deadline);

/**
 * The same as a cancellation point (pthread_cancel(), deferred): a thread that is cancelled before or
 * while it sleeps ends here, and undo(argument) is called on its way out. It may have taken a wake-up
 * with it, which is then for undo() to pass on. No client code may run between, and undo() must not be
 * left by longjmp().
 */
enum wake_reason wake_sleep_or_end(const struct wake_word *words, unsigned count, uint64_t deadline,
                                   void (*undo)(void *argument), void *argument);

/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t wake_clock(void);

#endif
