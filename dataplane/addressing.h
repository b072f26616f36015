/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ADDRESSING_H
#define WIRERX_ADDRESSING_H

/**
 * @file
 * What the ports are on their networks at this moment: addresses, routes, MTU. For most ports that is what the
 * configuration says; that of a port with `address: from-kernel` changes while it runs (port_watch.h).
 *
 * Who reads it and how:
 *   an lcore               its own copy (struct lcore), replaced by a command
 *   under the control lock addressing_now(): it changes only under that lock
 *   a client, under LOCK   addressing_look(), and once more if addressing_changed() says so
 *
 * There are two copies, of which one is written while the other is read: a reader never waits. The version
 * is odd while the first one is written. Every word is stored with release and loaded with acquire, so that
 * neither moves past the version; a reader that is overtaken reads a mixture, whose counts are still within
 * their bounds, and reads again.
 *
 * Host byte order.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/** A network that is reached by a router, or beside the port's own on its link. */
struct addressing_route {
    struct config_address destination;
    uint32_t router; /**< 0: nobody, the destination is on the link itself */
    uint32_t
        source; /**< which of our addresses is used there; 0: the one on the router's network */
};

struct port_addressing {
    uint32_t mtu;
    uint32_t gateway; /**< 0: none */
    uint32_t addresses_count;
    uint32_t routes_count;
    struct config_address addresses[CONFIG_MAX_ADDRESSES];
    struct addressing_route routes[CONFIG_MAX_ROUTES];
};

struct addressing {
    uint32_t ports_count;
    struct port_addressing ports[CONFIG_MAX_PORTS];
};

/** What a configuration says. */
void addressing_of_config(struct addressing *addressing, const struct config *config);

/** Replace it. Under the control lock, on the service thread. */
void addressing_publish(const struct addressing *next);

extern struct addressing addressing_copies[2];
extern _Atomic uint32_t addressing_version;

/** Under the control lock. */
static inline const struct addressing *addressing_now(void)
{
    return &addressing_copies[0];
}

/** Begin to read, with ADDRESSING_LOAD(). */
static inline const struct addressing *addressing_look(uint32_t *version)
{
    *version = atomic_load_explicit(&addressing_version, memory_order_acquire);
    return &addressing_copies[*version & 1];
}

/** After reading: is it of no use, because it was replaced meanwhile? */
static inline bool addressing_changed(uint32_t version)
{
    return atomic_load_explicit(&addressing_version, memory_order_relaxed) != version;
}

#define ADDRESSING_LOAD(word) __atomic_load_n(&(word), __ATOMIC_ACQUIRE)

static inline struct config_address addressing_load(const struct config_address *address)
{
    return (struct config_address){ADDRESSING_LOAD(address->address),
                                   ADDRESSING_LOAD(address->prefix_length)};
}

#endif
