/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_EVENT_H
#define WIRERX_HOST_EVENT_H

/**
 * @file
 * Event objects. An event is one 64-bit word, and everything that happens to it is one
 * compare-and-swap on that word, generation included:
 *
 *     63   49 48          17 16       3 2       1      0
 *     +------+--------------+----------+-------+------+---------+
 *     |mirror|  generation  | waiters  |CLAIMED|MANUAL|SIGNALLED|
 *     +------+--------------+----------+-------+------+---------+
 *
 * So a set that comes too late, after the event was closed and its slot is another event, changes
 * nothing; and no fence is needed between "somebody waits" and "it is signalled": both are in the
 * word, and of enlisting and setting one sees the other. The futex is the word's low half, which
 * includes generation bits, so that nobody falls asleep on the slot's next event.
 *
 * CLAIMED makes waiting for all atomic: such a waiter claims its events one after the other, in the
 * order of their handles, and when it has them all consumes them all. Nothing may make a claimed
 * event non-signalled: whoever wants to (a reset, another waiter, a close) waits the few
 * instructions out. Setting one never waits; it is signalled already.
 *
 * The mirror bits are those of an event that somebody waits for by a file descriptor: see
 * event_descriptor.h. They are 0 for all others.
 *
 * From a signal handler: event_set() and event_look() always. event_reset(), event_take() and
 * event_close() of a claimed event say that it is stale (event_take(): clear) where the handler has
 * interrupted a wait for all, instead of waiting for themselves; event_create() gives NULL where it has
 * interrupted another one.
 *
 * The number of events is bounded (EVENT_MAX). No function but event_create() and event_close()
 * takes a lock; only those say who may call them, the others any thread. "Stale" means: never an
 * event, or closed.
 */

#include <stdbool.h>

#include "host.h"

#define EVENT_MAX (1u << 19)

/** Waiters that one event counts. */
#define EVENT_MAX_WAITERS 0x3fffu

/** Threads that may be at one event's descriptor at the same time. */
#define EVENT_MAX_USERS 0xfffu

enum event_look {
    EVENT_CLEAR,     /**< not signalled */
    EVENT_SIGNALLED, /**< signalled (and, where the function consumes, consumed) */
    EVENT_STALE,     /**< no event */
    EVENT_CROWDED,   /**< EVENT_MAX_WAITERS threads wait for it already */
};

/** Make an event. Client threads. @return NULL: no memory, or EVENT_MAX events are open */
HANDLE event_create(bool manual_reset, bool signalled);

/** Close it; waiters find it stale. Client threads. @return false: it was stale */
bool event_close(HANDLE handle);

/**
 * Signal it. Never waits, allocates or locks: the one that lcores use. One atomic operation, and,
 * when it was not signalled, one wake() if somebody waits and one write if it has a descriptor.
 * What the caller wrote before is visible to whoever then finds it signalled or consumes it.
 * @return false: it was stale, nothing happened
 */
bool event_set(HANDLE handle);

/** Make it non-signalled. Client threads: it may wait for a claim. @return false: it was stale */
bool event_reset(HANDLE handle);

/** Look without consuming. One load. */
enum event_look event_look(HANDLE handle);

/** Look, and consume the signal of an auto-reset event. Client threads. */
enum event_look event_take(HANDLE handle);

/** Claim a signalled event for event_settle(). Client threads, one thread's in ascending order. */
enum event_look event_claim(HANDLE handle);

/** Has the calling thread claims? Then this is a signal handler, and another wait for all has to go on
 *  without looking. */
bool event_claiming(void);

/** End a claim. @param consume  true: the signal of an auto-reset event is gone with it */
void event_settle(HANDLE handle, bool consume);

/**
 * Count the caller among the waiters of a non-signalled event.
 *
 * @param word  receives what to sleep on
 * @return EVENT_CLEAR: enlisted, to be ended by event_leave(); anything else: not enlisted
 */
enum event_look event_enlist(HANDLE handle, struct wake_word *word);

/** End event_enlist(). A waiter that leaves a signal behind wakes the next one for it. */
void event_leave(HANDLE handle);

#endif
