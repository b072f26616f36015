/* SPDX-License-Identifier: BSD-3-Clause */
#include "route.h"

#include <rte_byteorder.h>

#include "ipv4.h"
#include "state.h"

/* All in host order from here on. */
struct found {
    enum route_kind kind;
    uint32_t address; /* ours, on the port */
    uint8_t port;
    uint8_t hop; /* of ROUTE_ROUTER only */
};

/* Our own addresses first: a broadcast of one network may be an address on another. */
static struct found look_up(uint32_t destination)
{
    const struct config *config = &dataplane.config;
    struct found best = {ROUTE_NONE, 0, 0, 0};

    for (unsigned p = 0; p < config->ports_count; p++)
        for (unsigned a = 0; a < config->ports[p].addresses_count; a++) {
            const struct config_address *address = &config->ports[p].addresses[a];
            enum route_kind kind = ROUTE_NONE;

            if (address->address == destination)
                kind = ROUTE_OWN;
            else if (destination == config_broadcast(address))
                kind = ROUTE_BROADCAST;
            else if ((address->address ^ destination) <= config_host_mask(address))
                kind = ROUTE_LINK;
            if (kind == ROUTE_OWN || (kind == ROUTE_BROADCAST && best.kind != ROUTE_BROADCAST) ||
                (kind == ROUTE_LINK && best.kind == ROUTE_NONE))
                best = (struct found){kind, address->address, (uint8_t)p, 0};
            if (kind == ROUTE_OWN)
                return best;
        }
    return best;
}

/* Ours on the network of a router. */
static uint32_t address_towards(const struct config_port *port, uint32_t router)
{
    for (unsigned a = 0; a < port->addresses_count; a++)
        if ((port->addresses[a].address ^ router) <= config_host_mask(&port->addresses[a]))
            return port->addresses[a].address;
    return 0;
}

/* The longest prefix of all ports' routes, and of several equally long ones the first; a gateway is one
 * for everything. A port has at most CONFIG_MAX_ROUTES, so they are gone through. */
static struct found look_up_router(uint32_t destination)
{
    const struct config *config = &dataplane.config;
    struct found best = {ROUTE_NONE, 0, 0, 0};
    uint32_t longest = 0;

    for (unsigned p = 0; p < config->ports_count; p++) {
        const struct config_port *port = &config->ports[p];

        if (port->gateway != 0 && best.kind == ROUTE_NONE)
            best = (struct found){ROUTE_ROUTER, address_towards(port, port->gateway), (uint8_t)p,
                                  ROUTE_TO_GATEWAY};
        for (unsigned r = 0; r < port->routes_count; r++) {
            const struct config_route *route = &port->routes[r];

            if ((route->destination.address ^ destination) >
                    config_host_mask(&route->destination) ||
                (best.kind != ROUTE_NONE && route->destination.prefix_length <= longest))
                continue;
            longest = route->destination.prefix_length;
            best = (struct found){ROUTE_ROUTER, address_towards(port, route->router), (uint8_t)p,
                                  (uint8_t)(ROUTE_TO_ROUTER + r)};
        }
    }
    return best;
}

/* The first address of a port; of any port, if it has none; 127.0.0.1 where nobody has one. */
static uint32_t first_address(uint8_t port)
{
    const struct config *config = &dataplane.config;

    if (config->ports[port].addresses_count != 0)
        return config->ports[port].addresses[0].address;
    for (unsigned p = 0; p < config->ports_count; p++)
        if (config->ports[p].addresses_count != 0)
            return config->ports[p].addresses[0].address;
    return IPV4_LOOPBACK;
}

static struct found by_interface(enum route_kind kind, uint32_t interface, uint32_t bound)
{
    struct found found = look_up(interface != 0 ? interface : bound);

    if (found.kind != ROUTE_OWN) /* none is named: the first port */
        found = (struct found){kind, first_address(0), 0, 0};
    found.kind = kind;
    return found;
}

static struct found find(uint32_t destination, uint32_t bound, uint32_t interface)
{
    if (ipv4_is_loopback(destination))
        return (struct found){
            destination == IPV4_LOOPBACK_NET || destination == IPV4_LOOPBACK_BROADCAST ? ROUTE_NONE
                                                                                       : ROUTE_OWN,
            IPV4_LOOPBACK, 0, 0};
    if (ipv4_is_multicast(destination))
        return by_interface(ROUTE_GROUP, interface, bound);
    if (destination == UINT32_MAX)
        return by_interface(ROUTE_BROADCAST, 0, bound);
    struct found found = look_up(destination);
    return found.kind != ROUTE_NONE ? found : look_up_router(destination);
}

static enum route_hop hop_of(const struct found *found)
{
    if (!dataplane.ports[found->port].transmits)
        return ROUTE_STAYS;
    switch (found->kind) {
    case ROUTE_LINK:
    case ROUTE_GROUP:
        return ROUTE_TO_DESTINATION;
    case ROUTE_BROADCAST:
        return ROUTE_TO_ALL;
    case ROUTE_ROUTER:
        return (enum route_hop)found->hop;
    case ROUTE_OWN:
    case ROUTE_NONE:
    default:
        return ROUTE_STAYS;
    }
}

uint32_t route_next_hop(const struct config_port *port, unsigned hop, uint32_t destination)
{
    switch (hop) {
    case ROUTE_STAYS:
    case ROUTE_TO_DESTINATION:
        return destination;
    case ROUTE_TO_ALL:
        return UINT32_MAX;
    case ROUTE_TO_GATEWAY:
        return rte_cpu_to_be_32(port->gateway);
    default:
        return rte_cpu_to_be_32(port->routes[hop - ROUTE_TO_ROUTER].router);
    }
}

struct route dataplane_route(uint32_t destination, uint32_t bound, uint32_t interface)
{
    struct found found =
        find(rte_be_to_cpu_32(destination), rte_be_to_cpu_32(bound), rte_be_to_cpu_32(interface));

    enum route_hop hop = hop_of(&found);

    return (struct route){
        .kind = found.kind,
        .source = bound != 0 ? bound : rte_cpu_to_be_32(found.address),
        .via = found.port,
        .hop = (uint8_t)hop,
        .mtu = hop != ROUTE_STAYS ? dataplane.config.ports[found.port].mtu : UINT32_MAX,
    };
}

unsigned dataplane_own_addresses(uint32_t *addresses, unsigned capacity)
{
    return dataplane_local_addresses(addresses, false, capacity);
}

int dataplane_is_own_address(uint32_t address)
{
    return look_up(rte_be_to_cpu_32(address)).kind == ROUTE_OWN;
}
