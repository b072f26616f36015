/* SPDX-License-Identifier: BSD-3-Clause */
#include "route.h"

#include <rte_byteorder.h>

#include "addressing.h"
#include "ipv4.h"
#include "state.h"

/* All in host order but in what others call. */
struct found {
    enum route_kind kind;
    uint32_t address; /* ours, on the port */
    uint8_t port;
    uint8_t hop; /* of ROUTE_ROUTER only */
};

/* Our own addresses first: a broadcast of one network may be an address on another. */
static struct found look_up(const struct addressing *all, uint32_t destination)
{
    struct found best = {ROUTE_NONE, 0, 0, 0};
    unsigned ports_count = ADDRESSING_LOAD(all->ports_count);

    for (unsigned p = 0; p < ports_count; p++) {
        const struct port_addressing *port = &all->ports[p];
        unsigned count = ADDRESSING_LOAD(port->addresses_count);

        for (unsigned a = 0; a < count; a++) {
            struct config_address address = addressing_load(&port->addresses[a]);
            enum route_kind kind = ROUTE_NONE;

            if (address.address == destination)
                kind = ROUTE_OWN;
            else if (destination == config_broadcast(&address))
                kind = ROUTE_BROADCAST;
            else if ((address.address ^ destination) <= config_host_mask(&address))
                kind = ROUTE_LINK;
            if (kind == ROUTE_OWN || (kind == ROUTE_BROADCAST && best.kind != ROUTE_BROADCAST) ||
                (kind == ROUTE_LINK && best.kind == ROUTE_NONE))
                best = (struct found){kind, address.address, (uint8_t)p, 0};
            if (kind == ROUTE_OWN)
                return best;
        }
    }
    return best;
}

/* Ours on the network of a router. */
static uint32_t address_towards(const struct port_addressing *port, uint32_t router)
{
    unsigned count = ADDRESSING_LOAD(port->addresses_count);

    for (unsigned a = 0; a < count; a++) {
        struct config_address address = addressing_load(&port->addresses[a]);

        if ((address.address ^ router) <= config_host_mask(&address))
            return address.address;
    }
    return 0;
}

/* The port's first address, if it has any. */
static uint32_t first_of_port(const struct port_addressing *port)
{
    return ADDRESSING_LOAD(port->addresses_count) != 0 ? ADDRESSING_LOAD(port->addresses[0].address)
                                                       : 0;
}

/* Which of our addresses a route is taken from. */
static uint32_t address_for_route(const struct port_addressing *port,
                                  const struct addressing_route *route)
{
    uint32_t source = ADDRESSING_LOAD(route->source), router = ADDRESSING_LOAD(route->router);

    if (source == 0 && router != 0)
        source = address_towards(port, router);
    return source != 0 ? source : first_of_port(port);
}

/* Does it lead there? */
static bool leads_to(const struct addressing_route *route, uint32_t destination, uint32_t *length)
{
    struct config_address network = addressing_load(&route->destination);

    *length = network.prefix_length;
    return (network.address ^ destination) <= config_host_mask(&network);
}

/* The longest prefix of all ports' routes, and of several equally long ones the first; a gateway is one
 * for everything. A port has at most CONFIG_MAX_ROUTES, so they are gone through. */
static struct found look_up_router(const struct addressing *all, uint32_t destination)
{
    struct found best = {ROUTE_NONE, 0, 0, 0};
    uint32_t longest = 0, length;
    unsigned ports_count = ADDRESSING_LOAD(all->ports_count);

    for (unsigned p = 0; p < ports_count; p++) {
        const struct port_addressing *port = &all->ports[p];
        uint32_t gateway = ADDRESSING_LOAD(port->gateway);
        unsigned count = ADDRESSING_LOAD(port->routes_count);

        if (gateway != 0 && best.kind == ROUTE_NONE)
            best = (struct found){ROUTE_ROUTER, address_towards(port, gateway), (uint8_t)p,
                                  ROUTE_TO_GATEWAY};
        for (unsigned r = 0; r < count; r++) {
            if (!leads_to(&port->routes[r], destination, &length) ||
                (best.kind != ROUTE_NONE && length <= longest))
                continue;
            longest = length;
            best = (struct found){ROUTE_ROUTER, address_for_route(port, &port->routes[r]),
                                  (uint8_t)p, (uint8_t)(ROUTE_TO_ROUTER + r)};
        }
    }
    return best;
}

/* The first address of a port; of any port, if it has none; 127.0.0.1 where nobody has one. */
static uint32_t first_address(const struct addressing *all, uint8_t port)
{
    uint32_t first = first_of_port(&all->ports[port]);
    unsigned ports_count = ADDRESSING_LOAD(all->ports_count);

    for (unsigned p = 0; p < ports_count && first == 0; p++)
        first = first_of_port(&all->ports[p]);
    return first != 0 ? first : IPV4_LOOPBACK;
}

static struct found by_interface(const struct addressing *all, enum route_kind kind,
                                 uint32_t interface, uint32_t bound)
{
    struct found found = look_up(all, interface != 0 ? interface : bound);

    if (found.kind != ROUTE_OWN) /* none is named: the first port */
        found = (struct found){kind, first_address(all, 0), 0, 0};
    found.kind = kind;
    return found;
}

static struct found find(const struct addressing *all, uint32_t destination, uint32_t bound,
                         uint32_t interface)
{
    if (ipv4_is_loopback(destination))
        return (struct found){
            destination == IPV4_LOOPBACK_NET || destination == IPV4_LOOPBACK_BROADCAST ? ROUTE_NONE
                                                                                       : ROUTE_OWN,
            IPV4_LOOPBACK, 0, 0};
    if (ipv4_is_multicast(destination))
        return by_interface(all, ROUTE_GROUP, interface, bound);
    if (destination == UINT32_MAX)
        return by_interface(all, ROUTE_BROADCAST, 0, bound);
    struct found found = look_up(all, destination);
    return found.kind != ROUTE_NONE ? found : look_up_router(all, destination);
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

/* The router of a route, or of the one that leads there now that another has its place. */
static uint32_t router_to(const struct port_addressing *port, unsigned index, uint32_t destination)
{
    const struct addressing_route *best = NULL;
    uint32_t longest = 0, length;

    if (index < port->routes_count && leads_to(&port->routes[index], destination, &length))
        best = &port->routes[index];
    for (unsigned r = 0; r < port->routes_count && best == NULL; r++)
        if (leads_to(&port->routes[r], destination, &length) &&
            (best == NULL || length > longest)) {
            best = &port->routes[r];
            longest = length;
        }
    if (best == NULL)
        return port->gateway;
    return best->router != 0 ? best->router : destination;
}

uint32_t route_next_hop(const struct port_addressing *port, unsigned hop, uint32_t destination)
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
        return rte_cpu_to_be_32(
            router_to(port, hop - ROUTE_TO_ROUTER, rte_be_to_cpu_32(destination)));
    }
}

static bool is_own(const struct addressing *all, uint32_t address)
{
    return ipv4_is_loopback(address) || look_up(all, address).kind == ROUTE_OWN;
}

static struct route route(const struct addressing *all, uint32_t destination, uint32_t bound,
                          uint32_t interface)
{
    struct found found = find(all, destination, bound, interface);
    enum route_hop hop = hop_of(&found);
    bool lost = bound != 0 && !ipv4_is_multicast(bound) && !is_own(all, bound);

    return (struct route){
        .kind = lost ? ROUTE_NO_SOURCE : found.kind,
        .source = rte_cpu_to_be_32(bound != 0 ? bound : found.address),
        .via = found.port,
        .hop = (uint8_t)(lost ? ROUTE_STAYS : hop),
        .mtu = hop != ROUTE_STAYS ? ADDRESSING_LOAD(all->ports[found.port].mtu) : UINT32_MAX,
    };
}

struct route dataplane_route(uint32_t destination, uint32_t bound, uint32_t interface)
{
    const struct addressing *all;
    struct route result;
    uint32_t version;

    do {
        all = addressing_look(&version);
        result = route(all, rte_be_to_cpu_32(destination), rte_be_to_cpu_32(bound),
                       rte_be_to_cpu_32(interface));
    } while (addressing_changed(version));
    return result;
}

unsigned dataplane_own_addresses(uint32_t *addresses, unsigned capacity)
{
    const struct addressing *all;
    uint32_t version;
    unsigned count;

    do {
        all = addressing_look(&version);
        count = dataplane_local_addresses(all, addresses, false, capacity);
    } while (addressing_changed(version));
    return count;
}

int dataplane_is_own_address(uint32_t address)
{
    const struct addressing *all;
    uint32_t version;
    int own;

    do {
        all = addressing_look(&version);
        own = look_up(all, rte_be_to_cpu_32(address)).kind == ROUTE_OWN;
    } while (addressing_changed(version));
    return own;
}
