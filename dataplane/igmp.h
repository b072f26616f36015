/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IGMP_H
#define WIRERX_IGMP_H

/**
 * @file
 * The host's side of IGMP on one interface: version 3 (RFC 3376), and versions 2 and 1 where a querier of
 * theirs is heard (RFC 2236; RFC 1112, appendix I).
 *
 * A core as host.h has it: a function of its state, of calls and packets, and of `now`, which never goes
 * back. It reads no clock, allocates nothing and knows no device; packets leave by a callback. All tables
 * have a size that is given at creation:
 *
 *  - a group beyond that is refused;
 *  - sources beyond it are given up in favour of more traffic: the interface then wants all sources of a
 *    group, and each socket's own filter still decides;
 *  - what a querier asks beyond it is answered for the whole group.
 *
 * One call emits at most IGMP_PACKETS_PER_RUN packets, but for igmp_leave_all(); what is left over is due at
 * once. Time is in ticks. Addresses are in network order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp_wire.h"
#include "source_filter.h"

#define IGMP_PACKETS_PER_RUN 8u
#define IGMP_ADDRESSES 16u

struct igmp;

struct igmp_settings {
    uint32_t groups;  /**< most that are joined, or left and not yet done with, at once */
    uint32_t sources; /**< most that are listed, of all groups together */
    uint16_t mtu;     /**< of the interface: longest IPv4 packet */
    uint64_t ticks_per_second;
    uint64_t
        seed; /**< of the delays, which hosts choose at random so as not to speak all at once */
    const uint32_t *addresses; /**< the interface's; reports come from the first, or from 0.0.0.0 */
    unsigned addresses_count;  /**< at most IGMP_ADDRESSES are looked at */
    /** Send a packet that begins with its IPv4 header, to the group igmp_destination(). It is lent. */
    void (*emit)(void *context, const uint8_t *packet, size_t length);
    void *context;
};

/** What has happened so far. */
struct igmp_counts {
    uint64_t queries;    /**< heard, and well-formed */
    uint64_t reports;    /**< packets sent, leaves included */
    uint64_t suppressed; /**< reports not sent because another host has said it */
    uint64_t bad;        /**< packets refused */
};

/** Bytes that igmp_create() needs, aligned as malloc() does. */
size_t igmp_bytes(uint32_t groups, uint32_t sources);

/** Begin in this memory, which is all that it needs and can be freed at any time. */
struct igmp *igmp_create(void *memory, const struct igmp_settings *settings);

/**
 * What the interface wants of a group from now on, all its sockets taken together: SOURCE_FILTER_NONE to leave
 * it. Reports follow by igmp_run(); 224.0.0.1 is never reported.
 * @return 0; -ENOBUFS there are too many groups
 */
int igmp_set(struct igmp *igmp, uint32_t group, const struct source_filter *filter, uint64_t now);

/** Another MTU, or other addresses: as in its settings. */
void igmp_set_interface(struct igmp *igmp, uint16_t mtu, const uint32_t *addresses, unsigned count);

/** The link is back, perhaps to another switch: report all groups, as if a querier had asked for it. */
void igmp_report_again(struct igmp *igmp, uint64_t now);

/** A packet has come, of IP protocol 2. @return false: it is bad, or none for a host */
bool igmp_take(struct igmp *igmp, const uint8_t *packet, size_t length, uint64_t now);

/** When igmp_run() has something to do next; UINT64_MAX: nothing, until another call. */
uint64_t igmp_due(const struct igmp *igmp);

/** Do what is due. */
void igmp_run(struct igmp *igmp, uint64_t now);

/** Leave all groups at once, as far as one report each can tell. Everything pending is forgotten. */
void igmp_leave_all(struct igmp *igmp, uint64_t now);

/** The version that is spoken now. */
enum igmp_version igmp_version(const struct igmp *igmp);

const struct igmp_counts *igmp_counts(const struct igmp *igmp);

/** Groups and sources in use, for tests of the bounds. */
uint32_t igmp_groups_used(const struct igmp *igmp);
uint32_t igmp_sources_used(const struct igmp *igmp);

#endif
