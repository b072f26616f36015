/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_STATE_H
#define WIRERX_STATE_H

/**
 * @file
 * The one dataplane of this process, as its control functions see it. All of it is guarded by
 * `control`, but for what is atomic and for the lcores' own insides.
 */

#include "addressing.h"
#include "dataplane.h"
#include "impair.h"
#include "lcore.h"
#include "membership.h"
#include "owner_mutex.h"

/** What control knows of an endpoint, by slot. */
struct binding {
    bool open;
    bool bound;
    enum dataplane_sharing sharing;
    _Atomic uint64_t name; /**< address | port << 32, network order; 0: unbound */
    uint32_t address;      /**< network order */
    uint16_t port;         /**< network order */
    struct joined_group *groups;
};

struct dataplane {
    struct owner_mutex control;
    _Atomic bool running;
    bool by_hand;
    struct config config;
    const struct endpoint_operations *operations;
    struct port ports[CONFIG_MAX_PORTS];
    unsigned ports_count;
    struct lcore *lcores; /**< kept after a stop: counters stay readable */
    unsigned lcores_count;
    struct port_statistics last_statistics[CONFIG_MAX_PORTS];
    struct impair_figures last_impaired[CONFIG_MAX_PORTS];
    unsigned buffers_kept[CONFIG_MAX_PORTS]; /**< by their drivers, after a stop */
    struct binding bindings[CONFIG_MAX_SOCKETS];
    uint32_t slots_used; /**< slots below this have been open at some time */
    uint32_t open_count;
    uint16_t next_dynamic_port; /**< host order */
};

extern struct dataplane dataplane;

/** What control knows of an endpoint. */
struct binding *binding_of(const struct endpoint *e);

/** Is the slot still the caller's socket, and can it be used? @return 0, -ENOTSOCK, -ENETDOWN */
int binding_check(const struct endpoint *e, uint32_t generation);

/** Tell replays that a socket was bound or has joined. */
void binding_note_replays(void);

/** Broadcast addresses and the address of every port: what a wildcard binding stands for. Network order.
 *  @param all  read as addressing.h has it */
unsigned dataplane_local_addresses(const struct addressing *all, uint32_t *addresses,
                                   bool broadcast, unsigned capacity);

#endif
