/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PENDING_RECEIVE_H
#define WIRERX_PENDING_RECEIVE_H

/**
 * @file
 * Serving a socket: its posted receives and sends, and what watches it, by whoever holds LOCK; releasing
 * LOCK by rule R1; and what the dataplane calls.
 */

#include "posted.h"

/**
 * Match data with posted receives, and posted sends with room, until either is used up or the batch is
 * full; then, if the endpoint is watched, shutdown_discard() and watch_serve(). Under LOCK.
 * @return true: operations and what they wait for are left, and what watches has not been served
 */
bool pending_serve(struct endpoint *endpoint, struct completion_batch *batch);

/** Take LOCK and do all of that, if it still is the socket of this generation. Not on an lcore. */
void pending_serve_all(struct endpoint *endpoint, uint32_t generation);

/** Release LOCK by rule R1, serving what is owed, then signal. */
void socket_release(struct endpoint *endpoint, struct completion_batch *batch);

/** The baton: whoever leaves data behind wakes the next sleeper. */
void socket_pass_baton(struct endpoint *endpoint);

/** socket_unlock() of a holder that has nothing to signal, and found that it is owed more than LOCK. */
void socket_unlock_owing(struct endpoint *endpoint);

/** socket_release(), and pass the baton on. */
void socket_unlock(struct endpoint *endpoint, struct completion_batch *batch);

/** The dataplane's callbacks: see struct endpoint_operations. */
extern const struct endpoint_operations pending_operations;

/** A registered thread exits: its operations end as cancelled (F15, K07). */
void pending_thread_exit(const WSATHREADID *id);

#endif
