/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_LOCK_WORD_H
#define WIRERX_LOCK_WORD_H

/**
 * @file
 * The lock word of a socket slot: one 64-bit word that is handle check, lock and mailbox.
 *
 *     63            32 31         8 7      3  2       1      0
 *     +---------------+------------+--------+-------+-----+----+
 *     |  generation   | owner tid  | unused |WAITERS|AGAIN|LOCK|
 *     +---------------+------------+--------+-------+-----+----+
 *
 * Generation: odd while the slot is an open socket, even while it is free or closing. A SOCKET
 * carries the generation it was made with; taking LOCK by compare-and-swap on that generation is
 * also the check that the SOCKET still means this socket.
 *
 * Who may do what
 *   client   waits: bounded spin, then sets WAITERS and sleeps on the low 32 bits (futex).
 *   lcore    never waits: one fetch_or(LOCK | AGAIN). LOCK was clear: it owns the lock. LOCK was
 *            set: it has left AGAIN behind and keeps the endpoint on its private ready list.
 *
 * AGAIN means "a service is owed": data was published that a posted receive may want, and nobody
 * has looked since. Rules, which tests/model checks:
 *   R1 Whoever unlocks does it by a compare-and-swap that fails if AGAIN is set, then clears AGAIN
 *      (before looking), serves, and tries again; after a bounded number of completions it may
 *      release LOCK and set AGAIN in the same step, for the lcore. One locked section posts at most
 *      as many receives as it can complete.
 *   R2 The lcore keeps its ready-list entry while LOCK or AGAIN is set. It looks at the word once
 *      per pass: LOCK set, it goes on; both clear, the holder served everything and the entry goes;
 *      AGAIN alone, it makes its one attempt again.
 *   R3 The lcore releases by fetch_and: it is the only one who sets AGAIN and does not publish
 *      while it serves. With work left beyond its budget it releases LOCK and leaves AGAIN.
 *
 * The fences (both are full: a store must be visible before a later load of another field)
 *   lcore    F1: ring tail published   | fence |  load posted, load sleepers
 *   poster   F2: posted set (locked)   | fence |  load ring tail; so does whoever watches (endpoint.h)
 *   sleeper  F3: sleepers incremented  | fence |  load ring tail, then sleep on the wake sequence
 * Sends posted and senders that sleep have three of their own, F4 to F6: send_queue.h.
 * F1 with F2: either the lcore sees the post or the poster sees the data. F1 with F3 likewise.
 * Baton: a receiver that leaves data behind, or leaves its sleep without consuming (APC, time-out,
 * cancel, close), wakes the next sleeper.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCK_WORD_LOCK 0x1ull
#define LOCK_WORD_AGAIN 0x2ull
#define LOCK_WORD_WAITERS 0x4ull
#define LOCK_WORD_OWNER_SHIFT 8
#define LOCK_WORD_OWNER_MASK 0xffffff00ull
#define LOCK_WORD_GENERATION_SHIFT 32
#define LOCK_WORD_GENERATION_MASK 0xffffffff00000000ull

/** Result of lock_word_acquire(). */
enum lock_result {
    LOCK_ACQUIRED,   /**< the caller holds LOCK */
    LOCK_STALE,      /**< the slot no longer has that generation: not a socket */
    LOCK_OWN_THREAD, /**< this thread holds it already (a call from a signal handler) */
};

/** Generation stored in a lock word value. */
static inline uint32_t lock_word_generation(uint64_t word)
{
    return (uint32_t)(word >> LOCK_WORD_GENERATION_SHIFT);
}

/** This thread's identity in the owner field; registered on the thread's first lock. */
extern _Thread_local uint64_t lock_word_self_cached;
uint64_t lock_word_register_self(void);

static inline uint64_t lock_word_self(void)
{
    uint64_t self = lock_word_self_cached;
    return self != 0 ? self : lock_word_register_self();
}

/** The uncommon part of lock_word_acquire(): somebody holds the word, or it is stale. */
enum lock_result lock_word_acquire_slow(_Atomic uint64_t *word, uint32_t generation);

/**
 * Take LOCK for the calling client thread, waiting as long as somebody else holds it.
 * Never called on an lcore. Does not fail for any other reason than the two it returns.
 *
 * @param word        the slot's lock word
 * @param generation  the generation that the caller's handle carries
 */
static inline enum lock_result lock_word_acquire(_Atomic uint64_t *word, uint32_t generation)
{
    uint64_t expected = (uint64_t)generation << LOCK_WORD_GENERATION_SHIFT;
    uint64_t desired = expected | lock_word_self() | LOCK_WORD_LOCK;

    if (atomic_compare_exchange_strong_explicit(word, &expected, desired, memory_order_acquire,
                                                memory_order_relaxed))
        return LOCK_ACQUIRED;
    return lock_word_acquire_slow(word, generation);
}

/** The uncommon part of lock_word_release(): AGAIN or WAITERS is set. */
bool lock_word_release_slow(_Atomic uint64_t *word);

/**
 * Release LOCK unless a service is owed (R1).
 * @return true: released (and one waiter woken). false: AGAIN was set and is now cleared; LOCK is
 *         still held and the caller must serve and call again.
 */
static inline bool lock_word_release(_Atomic uint64_t *word)
{
    uint64_t expected = atomic_load_explicit(word, memory_order_relaxed);

    if ((expected & (LOCK_WORD_AGAIN | LOCK_WORD_WAITERS)) == 0 &&
        atomic_compare_exchange_strong_explicit(word, &expected,
                                                expected & LOCK_WORD_GENERATION_MASK,
                                                memory_order_release, memory_order_relaxed))
        return true;
    return lock_word_release_slow(word);
}

/**
 * Release LOCK with AGAIN set: the lcore shall do the rest (R1). Only after lock_word_release() has
 * returned false under this same LOCK: then the lcore's ready list still has the endpoint (R2).
 */
void lock_word_hand_back(_Atomic uint64_t *word);

/**
 * End the handle's life: release LOCK and move to the next generation in one store, and wake every
 * waiter (each finds its handle stale). AGAIN is dropped: whoever closes owes nothing any more.
 */
void lock_word_retire(_Atomic uint64_t *word);

/** The lcore's single attempt. @return true: LOCK is held; false: AGAIN was left behind. */
static inline bool lock_word_try_from_lcore(_Atomic uint64_t *word)
{
    uint64_t before =
        atomic_fetch_or_explicit(word, LOCK_WORD_LOCK | LOCK_WORD_AGAIN, memory_order_acq_rel);
    return (before & LOCK_WORD_LOCK) == 0;
}

/**
 * The lcore's release (R3). Wakes one waiter if there is one (within the pass's wake-up budget).
 * @param more  work is left: AGAIN stays set
 */
void lock_word_release_from_lcore(_Atomic uint64_t *word, bool more);

#endif
