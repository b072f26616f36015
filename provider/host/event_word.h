/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_EVENT_WORD_H
#define WIRERX_HOST_EVENT_WORD_H

/**
 * @file
 * An event's slot and how its word is changed: what event.c and event_descriptor.c share, and nobody
 * else includes. What the bits mean is in event.h and event_descriptor.h.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "table.h"

#define SIGNALLED UINT64_C(0x1)
#define MANUAL UINT64_C(0x2)
#define CLAIMED UINT64_C(0x4)
#define ONE_WAITER UINT64_C(0x8)
#define WAITERS ((uint64_t)EVENT_MAX_WAITERS << 3)
#define GENERATION_SHIFT 17
#define MIRRORED (UINT64_C(1) << 49)
#define QUEUED (UINT64_C(1) << 50)
#define OWED (UINT64_C(1) << 51)
#define ONE_USER (UINT64_C(1) << 52)
#define USERS ((uint64_t)EVENT_MAX_USERS << 52)
#define MIRROR (MIRRORED | QUEUED | OWED | USERS)

/* A cache line each: an lcore that signals one event must not disturb the poller of another. */
struct event {
    _Alignas(64) struct table_entry entry;
    _Atomic uint64_t word;
    _Atomic int descriptor; /* of a MIRRORED event; written before that bit is set (M5) */
    struct wake_errand errand;
};
_Static_assert(sizeof(struct event) == 64, "one cache line");

extern struct table event_table;

static inline uint32_t generation_of(uint64_t word)
{
    return (uint32_t)(word >> GENERATION_SHIFT);
}

/* The event and its word as it is now. @return NULL when the handle is stale. */
static inline struct event *find(HANDLE handle, uint64_t *seen)
{
    uint32_t generation;
    struct event *e = table_find(&event_table, handle, &generation);

    if (!e)
        return NULL;
    *seen = atomic_load_explicit(&e->word, memory_order_acquire);
    return generation_of(*seen) == generation ? e : NULL;
}

/* One attempt to change the word. On failure `seen` is what it is now, and the caller looks at it
 * again, its generation first: still_open(). */
static inline bool change(struct event *e, uint64_t *seen, uint64_t desired)
{
    return atomic_compare_exchange_weak_explicit(&e->word, seen, desired, memory_order_acq_rel,
                                                 memory_order_acquire);
}

static inline bool still_open(HANDLE handle, uint64_t seen)
{
    return generation_of(seen) == (uint32_t)((uintptr_t)handle >> 22);
}

/* The word with another SIGNALLED, and the caller among the USERS where a descriptor wants to know
 * (M1, M7). */
static inline uint64_t with_signal(uint64_t seen, uint64_t signal)
{
    uint64_t desired = (seen & ~SIGNALLED) | signal;

    if ((seen & MIRRORED) == 0 || (desired == seen && (signal || (seen & USERS) == 0)))
        return desired;
    return (seen & USERS) == USERS ? desired | OWED : desired + ONE_USER;
}

/* Was the caller made one of the USERS? Then event_follow() is the next thing to do. */
static inline bool is_user(uint64_t seen, uint64_t desired)
{
    return (seen & USERS) != (desired & USERS);
}

/* Bring the descriptor in line with the word, as one of the USERS, and leave them. Never waits; on
 * an lcore within the budget of its wake-ups. */
void event_follow(struct event *e);

/* The last act of an event that was closed, when it has no USERS (any more): close the descriptor,
 * if it has one, and free the slot. Not on an lcore. */
void event_bury(struct event *e);

#endif
