/* SPDX-License-Identifier: BSD-3-Clause */

/* Clients that read what the ports are on their networks, while it is replaced. */

#include "support/suite.h"

#include <pthread.h>
#include <rte_byteorder.h>
#include <stdatomic.h>

#include "addressing.h"
#include "route.h"
#include "state.h"
#include "support/frames.h"

#define DESTINATION FRAME_IP(10, 1, 2, 3)

static _Atomic bool stop;

/* Two states that have nothing in common: in either the destination has one way, from one address. */
static struct addressing make(unsigned which)
{
    struct addressing made = {.ports_count = 1};
    struct port_addressing *port = &made.ports[0];

    port->mtu = 1000 + which;
    port->addresses_count = which == 0 ? 1 : CONFIG_MAX_ADDRESSES;
    for (unsigned i = 0; i < port->addresses_count; i++)
        port->addresses[i] = (struct config_address){FRAME_IP(192, 0, which, 10 + i), 24};
    port->routes_count = which == 0 ? CONFIG_MAX_ROUTES : 1;
    for (unsigned i = 0; i < port->routes_count; i++)
        port->routes[i] = (struct addressing_route){.destination = {FRAME_IP(10, 0, 0, 0), 8},
                                                    .router = FRAME_IP(192, 0, which, 254)};
    return made;
}

static void *write_both(void *unused)
{
    const struct addressing states[] = {make(0), make(1)};

    (void)unused;
    for (unsigned i = 0; !atomic_load(&stop); i++)
        addressing_publish(&states[i % 2]);
    return NULL;
}

SUITE_TEST(addressing, is_read_whole_while_it_is_replaced)
{
    const struct addressing first = make(0);
    unsigned seen[2] = {0};
    pthread_t writer;

    dataplane.ports[0].transmits = true;
    addressing_publish(&first);
    CHECK(pthread_create(&writer, NULL, write_both, NULL) == 0);
    for (unsigned i = 0; i < 200000 || ((seen[0] == 0 || seen[1] == 0) && i < 20000000); i++) {
        struct route route = dataplane_route(rte_cpu_to_be_32(DESTINATION), 0, 0);
        unsigned which = route.source == rte_cpu_to_be_32(FRAME_IP(192, 0, 1, 10));

        CHECK_EQ_I64(route.kind, ROUTE_ROUTER);
        CHECK_EQ_U64(route.source, rte_cpu_to_be_32(FRAME_IP(192, 0, which, 10)));
        CHECK_EQ_U64(route.hop, ROUTE_TO_ROUTER);
        CHECK_EQ_U64(route.mtu, 1000 + which);
        seen[which]++;
    }
    atomic_store(&stop, true);
    pthread_join(writer, NULL);
    CHECK(seen[0] != 0 && seen[1] != 0);
}

SUITE_TEST(addressing, a_route_is_taken_from_the_address_that_it_names_or_from_that_on_its_network)
{
    struct addressing made = make(1);
    struct port_addressing *port = &made.ports[0];

    port->addresses[1] = (struct config_address){FRAME_IP(198, 51, 100, 1), 24};
    port->routes_count = 4;
    port->routes[0] = (struct addressing_route){
        {FRAME_IP(10, 1, 0, 0), 16}, FRAME_IP(192, 0, 1, 254), FRAME_IP(198, 51, 100, 1)};
    port->routes[1] =
        (struct addressing_route){{FRAME_IP(10, 2, 0, 0), 16}, FRAME_IP(198, 51, 100, 254), 0};
    port->routes[2] = (struct addressing_route){{FRAME_IP(10, 3, 0, 0), 16}, 0, 0};
    port->routes[3] = (struct addressing_route){{0, 0}, FRAME_IP(192, 0, 1, 253), 0};
    dataplane.ports[0].transmits = true;
    addressing_publish(&made);
    const struct {
        uint32_t destination, source, router;
    } rows[] = {
        {FRAME_IP(10, 1, 0, 1), FRAME_IP(198, 51, 100, 1), FRAME_IP(192, 0, 1, 254)},
        {FRAME_IP(10, 2, 0, 1), FRAME_IP(198, 51, 100, 1), FRAME_IP(198, 51, 100, 254)},
        {FRAME_IP(10, 3, 0, 1), FRAME_IP(192, 0, 1, 10), FRAME_IP(10, 3, 0, 1)},
        {FRAME_IP(203, 0, 113, 1), FRAME_IP(192, 0, 1, 10), FRAME_IP(192, 0, 1, 253)},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t destination = rte_cpu_to_be_32(rows[i].destination);
        struct route route = dataplane_route(destination, 0, 0);

        CHECK_EQ_U64(route.source, rte_cpu_to_be_32(rows[i].source));
        CHECK_EQ_U64(route.hop, ROUTE_TO_ROUTER + i);
        CHECK_EQ_U64(route_next_hop(port, route.hop, destination),
                     rte_cpu_to_be_32(rows[i].router));
        /* Its place is another's by now, or nobody's. */
        CHECK_EQ_U64(route_next_hop(port, ROUTE_TO_ROUTER + (i + 1) % 3, destination),
                     rte_cpu_to_be_32(rows[i].router));
        CHECK_EQ_U64(route_next_hop(port, ROUTE_TO_ROUTER + 31, destination),
                     rte_cpu_to_be_32(rows[i].router));
    }
    CHECK_EQ_I64(dataplane_route(rte_cpu_to_be_32(rows[0].destination),
                                 rte_cpu_to_be_32(FRAME_IP(192, 0, 2, 1)), 0)
                     .kind,
                 ROUTE_NO_SOURCE);
}
