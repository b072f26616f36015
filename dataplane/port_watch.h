/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PORT_WATCH_H
#define WIRERX_PORT_WATCH_H

/**
 * @file
 * What happens to ports while they run: a link that comes back, and what the kernel says of the interface of a
 * port with `address: from-kernel`. The lcores are told by commands.
 *
 * A link that was down may be back at another switch, which has to learn where we are: the addresses are
 * announced and the groups reported again.
 *
 * Of the kernel's interface a port takes the IPv4 addresses, the routes of the main table, the MAC address and
 * the MTU. Its neighbours are not taken: the frames of this interface come to us, so the kernel hears no ARP. It
 * answers none either, nor any ICMP or IGMP: this stack goes on speaking for the host, with the same addresses
 * and the same MAC, so that where both do speak (net_af_packet copies frames) they say the same by ARP. The
 * addresses are not probed for, as whoever gave them to the kernel has seen to that, but are announced.
 *
 * All of it on the service thread.
 */

#include "config.h"

/** The ports are open, and no lcore runs yet: take what the kernel has. @return 0, or -1 with the reason */
int port_watch_begin(struct config_error *error);

/** Look, if it is time to, and if nobody changes anything just now; some 20 times a second. Not by hand. */
void port_watch(void);

/** Look now: for service_call(), by hand. @return 0 */
int port_watch_now(void *unused);

/** Before the ports are closed; harmless twice. */
void port_watch_end(void);

#endif
