/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WATCH_H
#define WIRERX_WATCH_H

/**
 * @file
 * What waits for a socket to become ready, beside posted and blocked receives: a selection of network
 * events (network_events.h) and calls of WSPSelect (select.h). Both see it in the same place. So is a
 * socket that may not receive any more, whose arrivals are discarded (shutdown.h).
 *
 * While one of them has to see arrivals the endpoint is watched: ENDPOINT_WATCHED stands in
 * endpoint.posted, and the home lcore treats every burst as one that a posted receive waits for. It
 * makes its one attempt at LOCK and serves, or leaves AGAIN to the holder (lock_word.h, R1 to R3); for
 * a foreign host the service thread serves. pending_serve() ends in watch_serve(), so an arrival
 * cannot be missed:
 *
 *   watcher  F2: WATCHED set (locked)  | fence |  load ring tail (watch_serve() or a look of its own)
 *   lcore    F1: ring tail published   | fence |  load posted, then attempt and watch_serve()
 *
 * All of struct wsp_socket that this concerns is LOCK's. What is seen under LOCK is signalled after it,
 * by a row of the completion batch.
 */

#include "pending_receive.h"
#include "select.h"
#include "socket.h"

/** Record network events and have selects rung for, as far as the socket is ready. Under LOCK. */
void watch_serve(struct endpoint *endpoint, struct wsp_socket *socket,
                 struct completion_batch *batch);

/** Set or clear ENDPOINT_WATCHED after something that needs it has begun or ended. Under LOCK. Where
 *  something begins, fence F2 and a look are to follow. */
void watch_settle(struct endpoint *endpoint, struct wsp_socket *socket);

/** A receive has ended within its call, with this WSA error or 0: it may have enabled FD_READ again
 *  (M04, M05). Under LOCK; has an effect only where network events are selected. */
void watch_received(struct endpoint *endpoint, struct wsp_socket *socket, int error,
                    struct completion_batch *batch);

/** The socket has been bound, perhaps by connecting or sending: it is writable now (M18). Takes LOCK. */
void watch_bound(const struct socket_reference *reference);

/** A send fails with WSAEWOULDBLOCK: FD_WRITE is enabled again, for watch_writable(). Under LOCK; fence F5
 *  and a look (send_serve()) are to follow. */
void watch_send_blocked(struct endpoint *endpoint, struct wsp_socket *socket);

/** There is room for a send again. Under LOCK. */
void watch_writable(struct endpoint *endpoint, struct wsp_socket *socket,
                    struct completion_batch *batch);

/** The dataplane has stopped: every event selected is recorded with WSAENETDOWN, selects end. Under
 *  LOCK, after the state has changed. */
void watch_net_down(struct endpoint *endpoint, struct wsp_socket *socket,
                    struct completion_batch *batch);

/** The socket is being closed: nothing is recorded any more (K05). Under LOCK. @return a bell to ring
 *  when the handle is stale, or NULL */
struct select_bell *watch_close(struct endpoint *endpoint, struct wsp_socket *socket);

#endif
