/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_ARP_H
#define WIRERX_HOST_ARP_H

/**
 * @file
 * ARP of a port, between its cores (arp.h, arp_claim.h) and the shell (host.h). On the port's keeper, but
 * for what is marked.
 */

#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdint.h>

#include "arp.h"
#include "arp_claim.h"
#include "config.h"
#include "counters.h"

struct host_port;
struct lcore;

struct host_arp {
    struct arp *table;
    struct arp_claims claims;
    struct arp_address ours[CONFIG_MAX_ADDRESSES];
    unsigned ours_count;
    struct arp_claim ours_claimed[CONFIG_MAX_ADDRESSES];
    bool stopping; /**< what waits is lost to the stop */
    /** A conflict that is still to be told of: 1 above the other's MAC in the lower 48 bits, and the address.
     *  Set by the keeper, the address first, when it is 0; set to 0 by the service thread, when it has both. */
    _Atomic uint64_t conflict;
    _Atomic uint32_t conflict_address;
};

/** Begin: tables, and the claim to the port's addresses. On the service thread. @return 0; -1: no memory */
int host_arp_create(struct host_port *kept);

/** The port's addresses, or its MAC, are others than they were (lcore->addressing, port->mac). */
void host_arp_changed(struct host_port *kept, uint64_t now);

/** The link is back. */
void host_arp_link_up(struct host_port *kept, uint64_t now);

/** What waits is lost and counted. On the service thread, when no lcore runs; harmless on one not made. */
void host_arp_destroy(struct host_port *kept);

/** An ARP frame of any number of segments. @return its fate; it remains the caller's */
enum counter host_arp_take(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now);

void host_arp_run(struct host_port *kept, uint64_t now);
uint64_t host_arp_due(const struct host_port *kept);

/** Log the conflicts of the ports that an lcore keeps. On the service thread. */
void host_arp_tell(struct lcore *lcore);

#endif
