/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_SEND_H
#define WIRERX_HOST_SEND_H

/**
 * @file
 * IPv4 packets on their way to the network: UDP checksum, the next hop's MAC, the port's own, and the
 * port's VLAN tag. Then they go the way of all frames (host_transmit()).
 */

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdint.h>

#include "rx_meta.h"

struct host_port;
struct lcore;
struct port;

/**
 * Fill in the checksum of a UDP datagram, or leave it to the device where it offers that.
 * @param mbuf  Ethernet, an IPv4 header without options and UDP's, which lie in the first segment; the
 *              checksum of the former is right
 * @param limit  bytes of the longest packet on its way: no device sees a longer one whole
 */
void host_send_checksum(const struct port *port, struct rte_mbuf *mbuf, uint32_t limit);

/**
 * Send an untagged frame whose MAC addresses are still to be filled in. On any lcore; it is the callee's. One
 * that is too long is cut at the very end, so that it waits for its next hop's MAC as one.
 * @param limit     as above; a longer packet has no options
 * @param next_hop  network order: a neighbour's address, a group's, or 255.255.255.255
 */
void host_send(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf, uint32_t limit,
               uint32_t next_hop);

/** The same when it is counted as `out` already, and the limit is in its rx_meta. On the port's keeper. */
void host_send_kept(struct host_port *kept, struct rte_mbuf *mbuf, uint32_t next_hop, uint64_t now);

/** The same when the MAC is known. On the port's keeper. */
void host_send_addressed(struct host_port *kept, struct rte_mbuf *mbuf,
                         const struct rte_ether_addr *mac);

#endif
