/* SPDX-License-Identifier: BSD-3-Clause */
#include "lock_word.h"

#include <limits.h>
#include <pthread.h>
#include <rte_pause.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wake.h"

/** Looks at a held lock before a client sleeps: a locked section is one bounded copy. */
#define SPINS_BEFORE_SLEEP 200

_Thread_local uint64_t lock_word_self_cached;

/* The child of a fork has another thread id than the thread it was forked from. */
static void forget_self(void)
{
    lock_word_self_cached = 0;
}

static void register_fork_handler(void)
{
    pthread_atfork(NULL, NULL, forget_self);
}

uint64_t lock_word_register_self(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t self = ((uint64_t)syscall(SYS_gettid) << LOCK_WORD_OWNER_SHIFT) & LOCK_WORD_OWNER_MASK;

    pthread_once(&once, register_fork_handler);
    lock_word_self_cached = self;
    return self;
}

/* The futex is the word's low half, owner and flags: this is little-endian code. */
static _Atomic uint32_t *low_half(_Atomic uint64_t *word)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half must come first");
    return (_Atomic uint32_t *)(void *)word;
}

enum lock_result lock_word_acquire_slow(_Atomic uint64_t *word, uint32_t generation)
{
    uint64_t self = lock_word_self();
    uint64_t announced = 0; /* WAITERS once this thread may have left others asleep behind it */
    unsigned spins = 0;

    for (;;) {
        uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);

        if (lock_word_generation(seen) != generation) {
            /* The futex compares the low half only: this thread may have slept on a later life's
             * lock and taken a wake-up that was meant for one of its waiters. */
            if (announced)
                wake(low_half(word), 1);
            return LOCK_STALE;
        }
        if ((seen & LOCK_WORD_LOCK) == 0) {
            uint64_t desired = seen | self | LOCK_WORD_LOCK | announced;

            if (atomic_compare_exchange_weak_explicit(word, &seen, desired, memory_order_acquire,
                                                      memory_order_relaxed))
                return LOCK_ACQUIRED;
            continue;
        }
        if ((seen & LOCK_WORD_OWNER_MASK) == self)
            return LOCK_OWN_THREAD;
        if (++spins < SPINS_BEFORE_SLEEP) {
            rte_pause();
            continue;
        }
        if ((seen & LOCK_WORD_WAITERS) == 0) {
            if (!atomic_compare_exchange_weak_explicit(word, &seen, seen | LOCK_WORD_WAITERS,
                                                       memory_order_relaxed, memory_order_relaxed))
                continue;
            seen |= LOCK_WORD_WAITERS;
        }
        announced = LOCK_WORD_WAITERS;
        struct wake_word held = {low_half(word), (uint32_t)seen};
        wake_sleep(&held, 1, WAKE_FOREVER);
        spins = 0;
    }
}

bool lock_word_release_slow(_Atomic uint64_t *word)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);

    for (;;) {
        if (seen & LOCK_WORD_AGAIN) {
            /* Cleared before the caller looks: data published later sets it anew. */
            atomic_fetch_and_explicit(word, ~LOCK_WORD_AGAIN, memory_order_acq_rel);
            return false;
        }
        if (atomic_compare_exchange_weak_explicit(word, &seen, seen & LOCK_WORD_GENERATION_MASK,
                                                  memory_order_release, memory_order_relaxed))
            break;
    }
    if (seen & LOCK_WORD_WAITERS)
        wake(low_half(word), 1);
    return true;
}

void lock_word_hand_back(_Atomic uint64_t *word)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t handed;

    do
        handed = (seen & LOCK_WORD_GENERATION_MASK) | LOCK_WORD_AGAIN;
    while (!atomic_compare_exchange_weak_explicit(word, &seen, handed, memory_order_release,
                                                  memory_order_relaxed));
    if (seen & LOCK_WORD_WAITERS)
        wake(low_half(word), 1);
}

void lock_word_retire(_Atomic uint64_t *word)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t next = (uint64_t)(lock_word_generation(seen) + 1) << LOCK_WORD_GENERATION_SHIFT;

    atomic_store_explicit(word, next, memory_order_release);
    /* All of them, and unconditionally: WAITERS is gone with the store, and whoever sleeps now
     * waits for a life that has ended. */
    wake(low_half(word), INT_MAX);
}

void lock_word_release_from_lcore(_Atomic uint64_t *word, bool more)
{
    uint64_t keep = LOCK_WORD_GENERATION_MASK | (more ? LOCK_WORD_AGAIN : 0);
    uint64_t before = atomic_fetch_and_explicit(word, keep, memory_order_release);

    if (before & LOCK_WORD_WAITERS)
        wake(low_half(word), 1);
}
