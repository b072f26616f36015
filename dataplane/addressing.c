/* SPDX-License-Identifier: BSD-3-Clause */
#include "addressing.h"

#include <string.h>

struct addressing addressing_copies[2];
_Atomic uint32_t addressing_version;

typedef uint32_t __attribute__((may_alias)) word;

_Static_assert(sizeof(struct addressing) % sizeof(word) == 0, "it is made of words");

static void store(struct addressing *to, const struct addressing *from)
{
    const word *source = (const word *)from;
    word *destination = (word *)to;

    for (size_t i = 0; i < sizeof *to / sizeof(word); i++)
        __atomic_store_n(&destination[i], source[i], __ATOMIC_RELEASE);
}

void addressing_publish(const struct addressing *next)
{
    uint32_t version = atomic_load_explicit(&addressing_version, memory_order_relaxed);

    atomic_store_explicit(&addressing_version, version + 1, memory_order_release);
    store(&addressing_copies[0], next);
    atomic_store_explicit(&addressing_version, version + 2, memory_order_release);
    store(&addressing_copies[1], next);
}

void addressing_of_config(struct addressing *addressing, const struct config *config)
{
    memset(addressing, 0, sizeof *addressing);
    addressing->ports_count = config->ports_count;
    for (unsigned p = 0; p < config->ports_count; p++) {
        const struct config_port *port = &config->ports[p];
        struct port_addressing *to = &addressing->ports[p];

        to->mtu = port->mtu;
        to->gateway = port->gateway;
        to->addresses_count = port->addresses_count;
        to->routes_count = port->routes_count;
        for (unsigned i = 0; i < port->addresses_count; i++)
            to->addresses[i] = port->addresses[i];
        for (unsigned i = 0; i < port->routes_count; i++)
            to->routes[i] =
                (struct addressing_route){port->routes[i].destination, port->routes[i].router, 0};
    }
}
