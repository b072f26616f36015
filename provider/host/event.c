/* SPDX-License-Identifier: BSD-3-Clause */
#include "event.h"

#include <limits.h>

#include "backoff.h"
#include "table.h"

#define SIGNALLED 0x1ull
#define MANUAL 0x2ull
#define CLAIMED 0x4ull
#define ONE_WAITER 0x8ull
#define WAITERS ((uint64_t)EVENT_MAX_WAITERS << 3)
#define GENERATION_SHIFT 17

/* A cache line each: an lcore that signals one event must not disturb the poller of another. */
struct event {
    _Alignas(64) struct table_entry entry;
    _Atomic uint64_t word;
};

#define CHUNK_SHIFT 10
_Static_assert(EVENT_MAX == TABLE_MAX_CHUNKS << CHUNK_SHIFT, "the table holds EVENT_MAX events");

static struct table events = TABLE_INITIALIZER(HANDLE_EVENT, struct event, CHUNK_SHIFT);

static uint32_t generation_of(uint64_t word)
{
    return (uint32_t)(word >> GENERATION_SHIFT);
}

static _Atomic uint32_t *low_half(struct event *e)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half comes first");
    return (_Atomic uint32_t *)(void *)&e->word;
}

/* The event and its word as it is now. @return NULL when the handle is stale. */
static struct event *find(HANDLE handle, uint64_t *seen)
{
    uint32_t generation;
    struct event *e = table_find(&events, handle, &generation);

    if (!e)
        return NULL;
    *seen = atomic_load_explicit(&e->word, memory_order_acquire);
    return generation_of(*seen) == generation ? e : NULL;
}

/* One attempt to change the word. On failure `seen` is what it is now, and the caller looks at it
 * again, its generation first: still_open(). */
static bool change(struct event *e, uint64_t *seen, uint64_t desired)
{
    return atomic_compare_exchange_weak_explicit(&e->word, seen, desired, memory_order_acq_rel,
                                                 memory_order_acquire);
}

static bool still_open(HANDLE handle, uint64_t seen)
{
    return generation_of(seen) == (uint32_t)((uintptr_t)handle >> 22);
}

static bool wait_for_claim(struct event *e, uint64_t *seen, unsigned *turn)
{
    if ((*seen & CLAIMED) == 0)
        return false;
    backoff(turn);
    *seen = atomic_load_explicit(&e->word, memory_order_acquire);
    return true;
}

HANDLE event_create(bool manual_reset, bool signalled)
{
    struct event *e = table_take(&events);

    if (!e)
        return NULL;
    uint32_t generation = generation_of(atomic_load_explicit(&e->word, memory_order_relaxed)) + 1;

    atomic_store_explicit(&e->word,
                          (uint64_t)generation << GENERATION_SHIFT | (manual_reset ? MANUAL : 0) |
                              (signalled ? SIGNALLED : 0),
                          memory_order_release);
    return table_handle(&events, &e->entry, generation);
}

bool event_close(HANDLE handle)
{
    uint64_t seen;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return false;
    uint32_t next = generation_of(seen) + 1;

    do {
        while (wait_for_claim(e, &seen, &turn))
            ;
        if (!still_open(handle, seen))
            return false;
    } while (!change(e, &seen, (uint64_t)next << GENERATION_SHIFT));
    if (seen & WAITERS)
        wake(low_half(e), INT_MAX);
    if (next != 0) /* a slot whose generations are used up stays out of use */
        table_give(&events, &e->entry);
    return true;
}

bool event_set(HANDLE handle)
{
    uint64_t seen;
    struct event *e = find(handle, &seen);

    if (!e)
        return false;
    /*
     * The word is written even when it is signalled already. Otherwise this could be the order: our
     * load finds the signal of an earlier set; a waiter consumes it and looks at what we announce,
     * before our store of that has left this processor; and nothing wakes it again.
     */
    do {
        if (!still_open(handle, seen))
            return false;
    } while (!change(e, &seen, seen | SIGNALLED));
    if ((seen & SIGNALLED) == 0 && (seen & WAITERS))
        wake(low_half(e), seen & MANUAL ? INT_MAX : 1);
    return true;
}

bool event_reset(HANDLE handle)
{
    uint64_t seen;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return false;
    do {
        while (wait_for_claim(e, &seen, &turn))
            ;
        if (!still_open(handle, seen))
            return false;
    } while (!change(e, &seen, seen & ~SIGNALLED));
    return true;
}

enum event_look event_look(HANDLE handle)
{
    uint64_t seen;

    if (!find(handle, &seen))
        return EVENT_STALE;
    return seen & SIGNALLED ? EVENT_SIGNALLED : EVENT_CLEAR;
}

enum event_look event_take(HANDLE handle)
{
    uint64_t seen;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return EVENT_STALE;
    do {
        if ((seen & MANUAL) == 0)
            while (wait_for_claim(e, &seen, &turn))
                ;
        if (!still_open(handle, seen))
            return EVENT_STALE;
        if ((seen & SIGNALLED) == 0)
            return EVENT_CLEAR;
        if (seen & MANUAL)
            return EVENT_SIGNALLED;
    } while (!change(e, &seen, seen & ~SIGNALLED));
    return EVENT_SIGNALLED;
}

enum event_look event_claim(HANDLE handle)
{
    uint64_t seen;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return EVENT_STALE;
    do {
        while (wait_for_claim(e, &seen, &turn))
            ;
        if (!still_open(handle, seen))
            return EVENT_STALE;
        if ((seen & SIGNALLED) == 0)
            return EVENT_CLEAR;
    } while (!change(e, &seen, seen | CLAIMED));
    return EVENT_SIGNALLED;
}

void event_settle(HANDLE handle, bool consume)
{
    uint64_t seen;
    struct event *e = find(handle, &seen);

    if (!e)
        return; /* not when it was claimed: nobody can close a claimed event */
    uint64_t gone = consume && (seen & MANUAL) == 0 ? CLAIMED | SIGNALLED : CLAIMED;

    atomic_fetch_and_explicit(&e->word, ~gone, memory_order_acq_rel);
}

enum event_look event_enlist(HANDLE handle, struct wake_word *word)
{
    uint64_t seen;
    struct event *e = find(handle, &seen);

    if (!e)
        return EVENT_STALE;
    do {
        if (!still_open(handle, seen))
            return EVENT_STALE;
        if (seen & SIGNALLED)
            return EVENT_SIGNALLED;
        if ((seen & WAITERS) == WAITERS)
            return EVENT_CROWDED;
    } while (!change(e, &seen, seen + ONE_WAITER));
    *word = (struct wake_word){low_half(e), (uint32_t)(seen + ONE_WAITER)};
    return EVENT_CLEAR;
}

void event_leave(HANDLE handle)
{
    uint64_t seen;
    struct event *e = find(handle, &seen);

    if (!e)
        return;
    do {
        if (!still_open(handle, seen))
            return;
    } while (!change(e, &seen, seen - ONE_WAITER));
    seen -= ONE_WAITER;
    /* The baton: the wake-up for this signal may have been ours, and we leave without it. */
    if ((seen & SIGNALLED) && (seen & MANUAL) == 0 && (seen & WAITERS))
        wake(low_half(e), 1);
}
