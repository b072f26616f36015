/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_KEYS_H
#define WIRERX_KEYS_H

/**
 * @file
 * An endpoint's keys in the demux tables of all lcores, kept in step with what control knows of its
 * binding. Control lock held; waits for the lcores to answer.
 *
 * Bound to any address, an endpoint has a key for every address that it stands for. For those of
 * 127.0.0.0/8, which are too many, the one of 127.0.0.0 stands, an address that nobody can be bound to:
 * it is looked up when the very address has no key.
 */

#include "rx_meta.h"
#include "state.h"

/** All ports, and what is looped, as a set of bits: struct joined_group, struct demux_member. */
#define KEYS_ALL_PORTS (UINT32_MAX & ~(1u << RX_PORT_CONDITION))

/** Every port's addresses, a directed broadcast for each, the limited one, and loopback's. */
#define KEYS_MAX_LOCAL (CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES * 2 + 2)

/** What a binding to any address stands for, network order. */
struct keys_wildcard {
    uint32_t addresses[KEYS_MAX_LOCAL];
    unsigned count;
};
void keys_wildcard(struct keys_wildcard *wildcard);

/** The ports have other addresses (addressing_now()) than when this was so: sockets bound to any address, or to
 *  one that has gone or come back, follow. */
void keys_readdress(const struct keys_wildcard *before);

/** Is this address, in network order, a multicast group? */
bool keys_is_group(uint32_t address);

/** The keys of the binding and of every joined group. @return 0; -ENOBUFS, and then none is there */
int keys_add_all(struct endpoint *e);
void keys_remove_all(struct endpoint *e);

/** The key of one group, as all that the binding has of it says now: there, with those ports and filters, or
 *  gone. @return 0; -ENOBUFS: it is not there, or as it was */
int keys_set_group(struct endpoint *e, uint32_t group);

#endif
