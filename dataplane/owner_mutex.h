/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_OWNER_MUTEX_H
#define WIRERX_OWNER_MUTEX_H

/**
 * @file
 * The lock of everything that is not the road of a datagram: control, the host's tables, starting up.
 * A mutex that knows its owner without a gap, as the lock word of a socket does, so that
 *
 *   - a signal handler that calls what the thread it interrupted is in the middle of is refused
 *     instead of waiting for itself;
 *   - a thread is not cancelled (pthread_cancel(), deferred) while it holds one;
 *   - a fork() finds it free, or held by the thread that forks.
 *
 * Zero is a free one. Client threads and the service thread, never an lcore.
 *
 *     31            8 7      3   2     1    0
 *     +--------------+--------+-------+---+----+
 *     |  owner tid   | unused |WAITERS| 0 |LOCK|
 *     +--------------+--------+-------+---+----+
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct owner_mutex {
    _Atomic uint32_t word;
    int cancel_state; /**< the owner's, to be put back */
    bool kept;        /**< fork(): the thread that forks had it already */
};

#define OWNER_MUTEX_INITIALIZER \
    {                           \
        0                       \
    }

/** Take it, waiting as long as another thread holds it. @return 0; -EDEADLK the caller holds it */
int owner_mutex_lock(struct owner_mutex *mutex);

/** Take it if nobody has it. @return false: somebody has */
bool owner_mutex_try_lock(struct owner_mutex *mutex);

void owner_mutex_unlock(struct owner_mutex *mutex);

/** Does the calling thread hold it? Then it is in a signal handler, or further down its own stack. */
bool owner_mutex_is_mine(const struct owner_mutex *mutex);

/**
 * fork() takes the mutexes in the order in which everybody takes them, the outermost first, and that
 * is the one whose handlers were registered last: priorities of the constructors that register them.
 */
#define FORK_HANDLERS_INNERMOST 1001
#define FORK_HANDLERS_STARTUP 1002     /**< WSPStartup's */
#define FORK_HANDLERS_API_STARTUP 1003 /**< WSAStartup's */

/** Handlers for pthread_atfork(): what the mutex guards is whole in the child. */
void owner_mutex_before_fork(struct owner_mutex *mutex);
void owner_mutex_after_fork_in_parent(struct owner_mutex *mutex);
void owner_mutex_after_fork_in_child(struct owner_mutex *mutex);

/** In the child: forget who held it. For what the child is not going to look at. */
void owner_mutex_reset(struct owner_mutex *mutex);

#endif
