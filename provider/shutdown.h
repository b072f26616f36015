/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SHUTDOWN_H
#define WIRERX_SHUTDOWN_H

/**
 * @file
 * What is left to do for a socket whose receiving half has been shut down (I16, J11, J12).
 *
 * New receives are refused, and those that were pending go on: posted ones stand in their list, blocked
 * ones know that they have waited. Arrivals are accepted as before, so that nobody is told that the
 * port is closed. What nobody is going to receive may not hold buffers: the endpoint stays watched
 * (watch.h), so that the lcore has it served after every burst, and serving ends in shutdown_discard().
 *
 * Who waits in a blocked receive is known while it sleeps (endpoint.sleepers), and not while it spins
 * or wakes up; nor can it be counted, because client code may leave the call at any time (blocking.h).
 * So where one has ever waited the newest datagram stays, for the one that may still come for it.
 */

#include "socket.h"

/** Discard, counted, what nobody is going to receive. Under LOCK, while attached. */
void shutdown_discard(struct endpoint *endpoint, struct wsp_socket *socket);

#endif
