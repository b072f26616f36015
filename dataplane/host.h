/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_DATAPLANE_HOST_H
#define WIRERX_DATAPLANE_HOST_H

/**
 * @file
 * The host side of an lcore: what is said on the network beside what sockets say, and the one way out for
 * both. With a poll-mode driver nobody else speaks for the host.
 *
 * Pure cores, thin shell. Each protocol is a core of its own: a function of its state, of a packet's bytes
 * and length, and of `now`. A core reads no clock, allocates nothing and calls no device; it emits frames
 * through a callback, and is told at its creation how many ticks a second has. So tests and fuzzers drive
 * it in virtual time. This file is the shell around them: it knows mbufs, ports and lcores.
 *
 * The keeper of a port is the lcore that polls its queue 0. It alone owns the port's protocol state and its
 * transmit queue 0. What comes in by another queue for a protocol, and what sockets at home on another lcore
 * send, goes to the keeper by the rings that datagrams are handed over by (rx_meta.h, RX_FOR_KEEPER and
 * RX_TO_TRANSMIT). Nothing else is shared.
 *
 * A port that does not transmit (the option `transmit`) has none of this: what would be for it is dropped
 * and counted.
 *
 * All of it runs on the lcore but for creation and destruction, never blocks and allocates only mbufs.
 */

#include <rte_mbuf.h>
#include <stdint.h>

#include "config.h"
#include "counters.h"
#include "host_arp.h"
#include "host_igmp.h"
#include "host_kernel.h"
#include "icmp_answer.h"
#include "ip_identification.h"
#include "pmtu.h"
#include "port.h"

struct lcore;
struct reassembly;

/** What a port's keeper keeps. */
struct host_port {
    struct lcore *lcore;
    struct port *port;
    struct rte_mbuf
        *waiting[PORT_BURST]; /**< for this pass's end, or for room in the device's queue */
    uint16_t waiting_count;
    struct host_arp arp;
    struct host_igmp igmp;
    struct icmp_answer icmp;
    struct host_kernel kernel;
};

/** What an lcore keeps. */
struct host {
    struct host_port *ports[CONFIG_MAX_PORTS]; /**< by index; NULL: not kept here, or silent */
    struct reassembly
        *reassembly;         /**< of all ports' fragments that come here (host_reassembly.h) */
    struct icmp_answer icmp; /**< how often senders of what was not made whole are told of it */
    struct pmtu paths;       /**< on which sockets at home here send (host_pmtu.h) */
    struct ip_identification identification; /**< of what sockets at home here send */
};

/** Make an lcore ready for the ports that it keeps, which are open. On the service thread, before the
 *  lcore runs. @return 0, or -1: memory is short */
int host_create(struct lcore *lcore, struct port *ports, unsigned count);

/** These ports (bits) have other addresses, routes or MACs than before (lcore->addressing, port->mac). */
void host_changed(struct lcore *lcore, uint32_t ports, uint64_t now);

/** The link of a port that is kept here is back, perhaps to another switch: say again who and what is here. */
void host_link_up(struct lcore *lcore, unsigned port, uint64_t now);

/** Say goodbye on the ports that it keeps, which are still open. On the service thread, when no lcore runs. */
void host_end(struct lcore *lcore);

/** Free everything, waiting frames included. On the service thread, when no lcore runs; harmless twice. */
void host_destroy(struct lcore *lcore);

/** Is this fate, by which lcore_deliver() leaves a frame to its caller, one that host_take() may change? */
static inline bool host_may_take(enum counter fate)
{
    return fate == COUNTER_DROP_NOT_JOINED || fate == COUNTER_DROP_NOT_OURS ||
           fate == COUNTER_DROP_NO_SOCKET;
}

/**
 * A frame that delivery has no use for.
 * @param port    the one that brought it
 * @param reason  why: DROP_ARP, DROP_ICMP, DROP_IGMP, DROP_FRAGMENT and the other reasons of classify(),
 *                whose rx_meta is as classify() leaves it, and those of host_may_take()
 * @param now     the pass's time-stamp counter
 * @return its fate: `reason` itself, and then it is the caller's to free, or one that keeps it
 */
enum counter host_take(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf,
                       enum counter reason, uint64_t now);

/** A frame from another lcore whose kind is RX_PATH_MTU or above. @return its fate */
enum counter host_take_over(struct lcore *lcore, struct rte_mbuf *mbuf, uint64_t now);

/** What is due: timers of the protocols, frames for the devices. Once in a pass, when `host_due` says so. */
void host_run(struct lcore *lcore, uint64_t now);

/** See that host_run() is called at this moment of the time-stamp counter, or earlier. */
void host_wake_at(struct lcore *lcore, uint64_t when);

/** Transmit a frame, complete from its Ethernet header on, by a port that transmits: at the pass's end, or
 *  handed over to the port's keeper. It is the callee's from now on. */
void host_transmit(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf);

/** The same of the bytes of an untagged frame, which are copied. Only on the port's keeper. */
void host_transmit_bytes(struct host_port *kept, const void *bytes, size_t length);

/** ... and on any lcore. */
void host_transmit_bytes_from(struct lcore *lcore, struct port *port, const void *bytes,
                              size_t length);

/** The last step for an untagged frame that is counted as `out` already. Only on the port's keeper. */
void host_put_out(struct host_port *kept, struct rte_mbuf *mbuf);

/**
 * The same for one that is too long: its fragments are sent (fragment.h). It is the callee's.
 * @param at     where its IPv4 header begins
 * @param limit  bytes of the longest packet on its way
 * @param tagged the frame has the port's VLAN tag already, or none is wanted
 */
void host_put_out_cut(struct host_port *kept, struct rte_mbuf *mbuf, uint32_t at, uint32_t limit,
                      bool tagged);

/** ... and on another lcore, of a frame whose MAC addresses the keeper shall fill in (host_send.h); without
 *  a next hop it has them. */
void host_to_keeper_or_lose(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf,
                            uint32_t next_hop);

/** Free a frame that was handed over and that nobody takes any more. When no lcore runs. */
void host_discard(struct lcore *lcore, struct rte_mbuf *mbuf);

#endif
