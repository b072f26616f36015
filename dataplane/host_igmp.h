/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_IGMP_H
#define WIRERX_HOST_IGMP_H

/**
 * @file
 * IGMP of a port, between its core (igmp.h) and the shell (host.h). On the port's keeper, but for what is
 * marked.
 */

#include <rte_mbuf.h>
#include <stdint.h>

#include "counters.h"
#include "source_filter.h"

struct host_port;
struct igmp;
struct lcore;

struct host_igmp {
    struct igmp *core;
};

/** Groups that a port can be a member of, and sources that their filters can list together. */
#define HOST_IGMP_GROUPS 6144u
#define HOST_IGMP_SOURCES 8192u

/** On the service thread. @return 0; -1: no memory */
int host_igmp_create(struct host_port *kept);

/** Leave all groups, before the port is closed. On the service thread, when no lcore runs. */
void host_igmp_end(struct host_port *kept);

/** On the service thread, when no lcore runs; harmless on one not made. */
void host_igmp_destroy(struct host_port *kept);

/** An IGMP frame as classify() leaves it, of any number of segments. @return its fate; it remains the
 *  caller's */
enum counter host_igmp_take(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now);

/** What all sockets together want of a group on a port; nothing happens on one that does not transmit.
 *  @return 0; -ENOBUFS: too many groups */
int host_igmp_set(struct lcore *lcore, unsigned port, uint32_t group,
                  const struct source_filter *filter);

/** The port's addresses are others than they were (lcore->addressing). */
void host_igmp_changed(struct host_port *kept);

/** The link is back. */
void host_igmp_link_up(struct host_port *kept, uint64_t now);

void host_igmp_run(struct host_port *kept, uint64_t now);
uint64_t host_igmp_due(const struct host_port *kept);

#endif
