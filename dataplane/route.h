/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ROUTE_H
#define WIRERX_ROUTE_H

/**
 * @file
 * Where a datagram goes and which address it comes from, by what the ports are on their networks at the moment
 * (addressing.h). For whoever holds LOCK of an open endpoint that is not ENDPOINT_NET_DOWN: a stop has to take
 * that LOCK.
 *
 * What is not for this stack leaves by a port that transmits (the option `transmit`). By one that does not
 * it has a route only to be refused by its name.
 */

#include <stdint.h>

struct port_addressing;

enum route_kind {
    ROUTE_NONE,      /**< no port's network has that address */
    ROUTE_NO_SOURCE, /**< the bound address is no port's any more */
    ROUTE_LINK,      /**< a neighbour on a port's network */
    ROUTE_ROUTER,    /**< another network, by a router on a port's */
    ROUTE_OWN,       /**< an address of ours, or of 127.0.0.0/8 */
    ROUTE_BROADCAST, /**< 255.255.255.255, or a port's directed broadcast */
    ROUTE_GROUP,     /**< multicast: our own members, and the network */
};

/** Who takes a datagram on the network of the port that it leaves by. */
enum route_hop {
    ROUTE_STAYS,          /**< nobody: it does not leave */
    ROUTE_TO_DESTINATION, /**< a neighbour, or a group */
    ROUTE_TO_ALL,         /**< a broadcast, to whichever address */
    ROUTE_TO_GATEWAY,     /**< the port's gateway */
    ROUTE_TO_ROUTER,      /**< and from here on: the router of the port's route of that number */
};

struct route {
    enum route_kind kind;
    uint32_t source; /**< network order: the bound address, or the one that is chosen for it */
    uint8_t via;     /**< index of the port that it leaves by, or would */
    uint8_t hop;     /**< enum route_hop */
    uint32_t
        mtu; /**< bytes of an IPv4 packet that the port takes; of one that stays, more than any has */
};

/**
 * @param destination  network order, not 0
 * @param bound        network order: what the socket is bound to; 0: any
 * @param interface    network order: IP_MULTICAST_IF; 0: the port of the bound address, or the first
 */
struct route dataplane_route(uint32_t destination, uint32_t bound, uint32_t interface);

/** Whose MAC address the frame of a datagram takes that leaves: of a neighbour, of a router, of a group, or
 *  of all (255.255.255.255). Network order. 0: nobody, as the route has gone meanwhile. On an lcore, by its own
 *  copy. */
uint32_t route_next_hop(const struct port_addressing *port, unsigned hop, uint32_t destination);

/** The addresses of all ports, network order. Same condition. @return how many, at most `capacity` */
unsigned dataplane_own_addresses(uint32_t *addresses, unsigned capacity);

/** Is this, in network order, the address of a port (not a loopback address)? Same condition. */
int dataplane_is_own_address(uint32_t address);

#endif
