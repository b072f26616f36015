/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_ICMP_H
#define WIRERX_HOST_ICMP_H

/**
 * @file
 * ICMP of a port, between its core (icmp_answer.h) and the shell (host.h). Errors about what sockets here
 * have sent never come here: they are conditions of those sockets (icmp.h), or path MTUs (host_pmtu.h). On
 * the port's keeper, if nothing else is said.
 */

#include <rte_mbuf.h>
#include <stdint.h>

#include "counters.h"

struct host_port;
struct lcore;

/** An ICMP frame that is no condition. @return its fate; CONSUMED_ICMP: the frame is the callee's */
enum counter host_icmp_take(struct host_port *kept, struct rte_mbuf *mbuf, uint64_t now);

/**
 * Tell the sender of a frame, which stays the caller's, that there is nobody for it.
 * @param reason  DROP_NO_SOCKET, DROP_PROTOCOL or DROP_TCP
 */
void host_icmp_refuse(struct host_port *kept, struct rte_mbuf *mbuf, enum counter reason,
                      uint64_t now);

/** Tell the sender of a fragment, if it is its datagram's first, that the others have not come in time. On the
 *  lcore that has waited for them; the frame stays the caller's. */
void host_icmp_timed_out(struct lcore *lcore, const struct rte_mbuf *mbuf, uint64_t now);

#endif
