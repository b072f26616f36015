/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROVIDER_CIRCUIT_H
#define WIRERX_PROVIDER_CIRCUIT_H

/**
 * @file
 * The ends of a circuit: what a protocol with connections (without XP1_CONNECTIONLESS) tells its peer
 * when one half ends. A message of the in-stack protocol that the tests have (provider_further_protocols)
 * takes the road of a datagram, and so does its end: a frame without payload, behind everything that was
 * sent before it. TCP will say it with a FIN.
 */

#include "../dataplane/dataplane.h"
#include "socket.h"

/**
 * Tell the peer that nothing follows (RX_END) or that the circuit is broken (RX_ABORT). Under LOCK.
 * @return 0, also where there is no peer to be told; WSAEWOULDBLOCK the send queue has no room for it,
 *         or sends are posted, and nothing has been said
 */
int circuit_end(const struct socket_reference *reference, enum rx_kind kind);

#endif
