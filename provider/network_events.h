/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_NETWORK_EVENTS_PROVIDER_H
#define WIRERX_NETWORK_EVENTS_PROVIDER_H

/**
 * @file
 * Network events of a socket: what WSPEventSelect selects is recorded and the event set; what
 * WSPEnumNetworkEvents takes is cleared and the event reset (clauses M, K05).
 *
 * An event goes round: it is recorded, given by an enumeration, and then "reported", which means not
 * recorded again until
 *   FD_READ   more data comes than it was recorded for (M03), or a receive is tried (M04, M05)
 *   FD_WRITE  a send fails with WSAEWOULDBLOCK (M18)
 *   FD_CLOSE  never (M09)
 *
 * A receive also takes back an FD_READ that has not been given yet; if data is left behind it is
 * recorded anew. Selecting anew clears the record; what was in it and still holds is recorded anew
 * for the new selection (M06), what had been given is not (M07), until mask 0 forgets that too.
 *
 * The event is set after LOCK and reset before it (M13). So:
 *   - a record never is without its signal: an enumeration resets, takes LOCK, copies and clears. What
 *     is recorded before that LOCK is in its copy; what is recorded after it is set after the reset.
 *   - a signal may be without a record: what was recorded between the reset and the LOCK is given by
 *     this enumeration, and its signal ends the next wait, whose enumeration gives nothing. The same
 *     goes for who set the event a little late: it may come shortly after the enumeration that gave
 *     the record, after the selection was cancelled, or after the socket was closed.
 */

#include "pending_receive.h"
#include "socket.h"

/** Does what is selected depend on what the lcore delivers? Under LOCK. */
bool network_events_need_arrivals(const struct wsp_socket *socket);

/** Record what is selected, holds and has not been reported. Under LOCK. */
void network_events_record(struct endpoint *endpoint, struct wsp_socket *socket,
                           struct completion_batch *batch);

/** Let these events be recorded again, and take back those that have not been given. Under LOCK. */
void network_events_enable(struct wsp_socket *socket, LONG events);

/** Record all that is selected, with WSAENETDOWN. Under LOCK. */
void network_events_net_down(struct wsp_socket *socket, struct completion_batch *batch);

/** Nothing is selected, recorded or reported. Under LOCK. */
void network_events_reset(struct wsp_socket *socket);

#endif
