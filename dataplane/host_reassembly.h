/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_REASSEMBLY_H
#define WIRERX_HOST_REASSEMBLY_H

/**
 * @file
 * Reassembly of an lcore, between its core (reassembly.h) and what delivers frames. An lcore has the
 * fragments of its own queues, whichever port they belong to, also of ports that do not transmit: a device
 * that spreads frames does it by addresses alone where there are no ports to see, so all fragments of a
 * datagram come to one queue. The bytes stay where the device has put them.
 */

#include <rte_mbuf.h>
#include <stdint.h>

#include "counters.h"

struct lcore;
struct port;

/** Datagrams in progress, and buffers that they may hold: this part of those in the pools, shared by the
 *  lcores, or this many. */
#define HOST_REASSEMBLY_DATAGRAMS 256u
#define HOST_REASSEMBLY_POOL_DIVISOR 8u
#define HOST_REASSEMBLY_BUFFERS 8192u

/** On the service thread, when there are pools. @return 0, or -1: memory is short */
int host_reassembly_create(struct lcore *lcore);

/** What is held is lost and counted. On the service thread, when no lcore runs; harmless on one not made. */
void host_reassembly_destroy(struct lcore *lcore);

/**
 * A frame that classify() has refused with DROP_FRAGMENT, its rx_meta as it was left. On the lcore.
 * @param fate  receives the fragment's: a DROP_ fate leaves the frame to the caller
 * @return the whole datagram, which is the caller's, as a frame of several segments with the headers of the
 *         first fragment, as if it had come in one piece, and nothing said of its checksums; mostly NULL
 */
struct rte_mbuf *host_reassembly_take(struct lcore *lcore, const struct port *port,
                                      struct rte_mbuf *mbuf, uint64_t now, enum counter *fate);

#endif
