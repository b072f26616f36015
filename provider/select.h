/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SELECT_H
#define WIRERX_SELECT_H

/**
 * @file
 * How calls of WSPSelect wait.
 *
 * A call that finds nothing ready marks each of its sockets as awaited, under LOCK, and sleeps. Whoever
 * then finds an awaited socket ready clears the mark and, after LOCK, rings the socket's bell; every
 * call that sleeps on it looks at its sockets anew, and marks those again that it has to go on
 * waiting for. So a call needs no place in any list, has nothing to take back when it leaves, and
 * consumes no baton of blocked receivers. A mark may outlive the call that made it: then the bell
 * rings once for nobody.
 *
 * Bells are few, and sockets share them, so that one sleep can watch the bells of any number of
 * sockets. Of up to SELECT_BELLS sockets that were opened together each has its own.
 *
 *   select   bell's sequence loaded -> LOCK: mark, F2 (watch.h), look -> sleep while it is unchanged
 *   ringer   LOCK: finds it ready, clears the mark -> sequence incremented -> wakes who sleeps
 *
 * A mark that is cleared after the sequence was loaded changes the sequence afterwards, so the sleep
 * ends, or does not begin. `sleepers` saves the wake-up of nobody: the caller counts itself before the
 * kernel compares the sequence, the ringer looks after it has incremented it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "blocking.h"
#include "socket.h"

#define SELECT_BELLS HOST_SLEEP_MAX_WORDS

/** What a call waits for, in wsp_socket.awaited. */
#define SELECT_READ 1u
#define SELECT_WRITE 2u
#define SELECT_EXCEPT 4u

/** Any thread; no lock. */
struct select_bell {
    _Alignas(64) _Atomic uint32_t sequence;
    _Atomic uint32_t sleepers;
};

/** The bell of an endpoint's slot. */
struct select_bell *select_bell_of(const struct endpoint *endpoint);

/** End the sleep of every call that waits on the bell. Not under LOCK; lcores, too. */
void select_ring(struct select_bell *bell);

/** Would a receive not block? Under LOCK. */
bool select_readable(struct endpoint *endpoint, struct wsp_socket *socket);

/** Would a send not block? Under LOCK. */
bool select_writable(struct endpoint *endpoint, const struct wsp_socket *socket);

/** The bells of one call's sockets. */
struct select_sleep {
    unsigned count;
    uint64_t members; /**< bit i: bell i is among them */
    struct wake_word words[SELECT_BELLS];
};

/** Add a socket's bell. */
void select_sleep_add(struct select_sleep *sleep, const struct endpoint *endpoint);

/** Load the bells' sequences: before the sockets are marked. */
void select_sleep_prepare(struct select_sleep *sleep);

/** Wait until a bell rings: spin for this time, then sleep; see blocking.h. */
enum blocking_wake select_sleep_wait(const struct select_sleep *sleep, uint32_t spin_us,
                                     uint64_t deadline, struct blocking_call *call);

#endif
