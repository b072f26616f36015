/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_PMTU_H
#define WIRERX_HOST_PMTU_H

/**
 * @file
 * Path MTUs of an lcore, between their core (pmtu.h) and the messages that tell of them. An lcore knows those
 * of paths on which sockets at home there have sent packets that must not be cut: nobody else is told, and
 * no lcore needs what another one knows. It alone changes them; its sockets' clients read them.
 *
 * Who means ill and does not see our packets has to name a socket's address and port, of a socket that
 * sends packets that must not be cut, in a message about one that is no longer than the longest of these.
 */

#include <rte_mbuf.h>
#include <stdbool.h>

#include "counters.h"

struct lcore;

/**
 * A frame that icmp_to_path_mtu() has found to be a message. On the lcore.
 * @param may_hand_over  whether it may go to the lcores of sockets that are not at home here: a port has
 *                       brought it
 * @return its fate; CONSUMED_ICMP: the frame is the callee's
 */
enum counter host_pmtu_take(struct lcore *lcore, struct rte_mbuf *mbuf, bool may_hand_over);

#endif
