/* SPDX-License-Identifier: BSD-3-Clause */
#include "event.h"

#include <limits.h>
#include <pthread.h>

#include "backoff.h"
#include "event_word.h"

#define CHUNK_SHIFT 10
_Static_assert(EVENT_MAX == TABLE_MAX_CHUNKS << CHUNK_SHIFT, "the table holds EVENT_MAX events");

struct table event_table = TABLE_INITIALIZER(HANDLE_EVENT, struct event, CHUNK_SHIFT);

static _Atomic uint32_t *low_half(struct event *e)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half comes first");
    return (_Atomic uint32_t *)(void *)&e->word;
}

/* After a change of the word: the descriptor, if that is ours to see to now. */
static void mirror(struct event *e, uint64_t seen, uint64_t desired)
{
    if (is_user(seen, desired))
        event_follow(e);
}

/* Events that the thread has claimed, or is about to. */
static _Thread_local unsigned claims;

bool event_claiming(void)
{
    return claims != 0;
}

static bool wait_for_claim(struct event *e, uint64_t *seen, unsigned *turn)
{
    if ((*seen & CLAIMED) == 0)
        return false;
    backoff(turn);
    *seen = atomic_load_explicit(&e->word, memory_order_acquire);
    return true;
}

/* @return false: not to be waited for. A signal handler of a thread that has claims of its own would
 * wait for itself, or for somebody who waits for it */
static bool wait_out_claim(struct event *e, uint64_t *seen, unsigned *turn)
{
    do {
        if ((*seen & CLAIMED) && event_claiming())
            return false;
    } while (wait_for_claim(e, seen, turn));
    return true;
}

HANDLE event_create(bool manual_reset, bool signalled)
{
    struct event *e = table_take(&event_table);

    if (!e)
        return NULL;
    uint32_t generation = generation_of(atomic_load_explicit(&e->word, memory_order_relaxed)) + 1;

    atomic_store_explicit(&e->word,
                          (uint64_t)generation << GENERATION_SHIFT | (manual_reset ? MANUAL : 0) |
                              (signalled ? SIGNALLED : 0),
                          memory_order_release);
    return table_handle(&event_table, &e->entry, generation);
}

bool event_close(HANDLE handle)
{
    uint64_t seen, ended;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return false;
    uint32_t next = generation_of(seen) + 1;

    do {
        if (!wait_out_claim(e, &seen, &turn) || !still_open(handle, seen))
            return false;
        ended = (uint64_t)next << GENERATION_SHIFT | (seen & MIRROR);
    } while (!change(e, &seen, ended));
    if (seen & WAITERS)
        wake(low_half(e), INT_MAX);
    if ((seen & USERS) == 0) /* else the last one does it (M4) */
        event_bury(e);
    return true;
}

bool event_set(HANDLE handle)
{
    uint64_t seen, desired;
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
        desired = with_signal(seen, SIGNALLED);
    } while (!change(e, &seen, desired));
    if ((seen & SIGNALLED) == 0 && (seen & WAITERS))
        wake(low_half(e), seen & MANUAL ? INT_MAX : 1);
    mirror(e, seen, desired);
    return true;
}

bool event_reset(HANDLE handle)
{
    uint64_t seen, desired;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return false;
    do {
        if (!wait_out_claim(e, &seen, &turn) || !still_open(handle, seen))
            return false;
        desired = with_signal(seen, 0);
    } while (!change(e, &seen, desired));
    mirror(e, seen, desired);
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
    uint64_t seen, desired;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return EVENT_STALE;
    do {
        if ((seen & MANUAL) == 0 && !wait_out_claim(e, &seen, &turn))
            return EVENT_CLEAR;
        if (!still_open(handle, seen))
            return EVENT_STALE;
        if ((seen & (SIGNALLED | USERS)) == 0)
            return EVENT_CLEAR;
        if ((seen & MANUAL) && (seen & SIGNALLED))
            return EVENT_SIGNALLED;
        desired = with_signal(seen, 0);
    } while (!change(e, &seen, desired));
    mirror(e, seen, desired);
    return seen & SIGNALLED ? EVENT_SIGNALLED : EVENT_CLEAR;
}

enum event_look event_claim(HANDLE handle)
{
    uint64_t seen;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    if (!e)
        return EVENT_STALE;
    claims++; /* before there is a claim for a signal handler to meet */
    do {
        while (wait_for_claim(e, &seen, &turn))
            ;
        if (!still_open(handle, seen) || (seen & SIGNALLED) == 0) {
            claims--;
            return still_open(handle, seen) ? EVENT_CLEAR : EVENT_STALE;
        }
    } while (!change(e, &seen, seen | CLAIMED));
    return EVENT_SIGNALLED;
}

void event_settle(HANDLE handle, bool consume)
{
    uint64_t seen, desired;
    struct event *e = find(handle, &seen);

    if (!e)
        return; /* not when it was claimed: nobody can close a claimed event */
    uint64_t signal = consume && (seen & MANUAL) == 0 ? 0 : SIGNALLED;

    do
        desired =
            with_signal(seen & ~CLAIMED, signal); /* claimed, it has been signalled all along */
    while (!change(e, &seen, desired));
    claims--;
    mirror(e, seen, desired);
}

/* --- fork ----------------------------------------------------------------------------------------- */

static void before_fork(void)
{
    table_before_fork(&event_table);
}

static void after_fork_in_parent(void)
{
    table_after_fork_in_parent(&event_table);
}

static void forget_claim(struct table_entry *entry)
{
    struct event *e = (struct event *)(void *)entry;

    atomic_fetch_and_explicit(&e->word, ~CLAIMED, memory_order_relaxed);
}

/* Claims of threads that are not there would never be settled. */
static void after_fork_in_child(void)
{
    table_after_fork_in_child(&event_table);
    if (!event_claiming())
        table_for_each(&event_table, forget_claim);
}

__attribute__((constructor(FORK_HANDLERS_INNERMOST))) static void handle_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
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
