/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_DEMUX_H
#define WIRERX_DEMUX_H

/**
 * @file
 * Which endpoints want a datagram: destination address and port -> members.
 *
 * Every lcore has a table of its own and is the only one that reads or writes it. Each table knows
 * every key: members that are at home here by endpoint, the others by the set of lcores to hand the
 * frame to. Members are allocated by whoever sends the command; the lcore only links and unlinks.
 */

#include <rte_hash.h>
#include <stdbool.h>
#include <stdint.h>

#include "source_filter.h"

struct endpoint;

/** Destination of a datagram; network byte order, no padding (it is hashed as bytes). */
struct demux_key {
    uint32_t address;
    uint16_t port;
    uint16_t protocol; /**< IP protocol number, host order */
};

/** Whose datagrams to a group are for a member, by port; never changed while a table has it. */
struct demux_filter {
    unsigned count;
    struct {
        uint32_t ports; /**< a bit each; a port is in one part at most */
        struct source_filter filter;
    } parts[];
};

/** One endpoint's interest in one key, as one lcore keeps it. */
struct demux_member {
    struct demux_member *next;
    struct endpoint *endpoint;
    uint32_t home;  /**< index of the endpoint's lcore */
    bool wildcard;  /**< bound to any address: comes after those bound to this very one */
    uint32_t ports; /**< ports whose frames it wants, a bit each */
    struct demux_filter
        *filter; /**< NULL: from any source. A member with one is never alone (`only`) */
};

struct demux_entry {
    struct demux_key key;
    bool every_member;            /**< multicast, broadcast: all members; unicast: the first */
    struct demux_member *members; /**< at home on this lcore */
    struct demux_member *elsewhere;
    uint64_t homes; /**< the other lcores that have members, as a bit set */
};

/** Entries in front of the hash. A power of two: 128 KiB, which thousands of groups fit into. */
#define DEMUX_CACHE_BITS 12u
#define DEMUX_CACHE_SIZE (1u << DEMUX_CACHE_BITS)

/** A key that was looked for lately, with what most frames need to know of it. */
struct demux_cached {
    uint64_t key; /**< demux_key_bits(); 0: unused */
    struct demux_entry *entry;
    /** Whom alone frames that come in by `ports` are for: one member, at home here. NULL: see the entry */
    struct endpoint *only;
    uint32_t ports;
};

struct demux {
    struct rte_hash *hash;
    struct demux_entry *entries;
    uint32_t capacity;
    uint32_t self;
    uint32_t generation; /**< another one whenever a member has come or gone */
    struct demux_cached cache[DEMUX_CACHE_SIZE];
};

/** @return 0, or -1 when memory is short. Called off the lcore, before it runs. */
int demux_create(struct demux *demux, uint32_t self, uint32_t capacity, int numa_node);
void demux_destroy(struct demux *demux);

static inline uint64_t demux_key_bits(struct demux_key key)
{
    return (uint64_t)key.address | (uint64_t)key.port << 32 | (uint64_t)key.protocol << 48;
}

/** Where a key is in the cache, if it is there. */
static inline uint32_t demux_line(uint64_t key_bits)
{
    return (uint32_t)(key_bits * 0x9e3779b97f4a7c15ull >> (64 - DEMUX_CACHE_BITS));
}

/** The uncommon part of demux_look(). */
const struct demux_cached *demux_look_slow(struct demux *demux, struct demux_key key);

/** What is known of a key; NULL: nobody has it. Valid until one of its members comes or goes. */
static inline const struct demux_cached *demux_look(struct demux *demux, struct demux_key key)
{
    uint64_t bits = demux_key_bits(key);
    const struct demux_cached *cached = &demux->cache[demux_line(bits)];

    return cached->key == bits ? cached : demux_look_slow(demux, key);
}

/** Does a member want what this source has sent to a group by this port? */
static inline bool demux_accepts(const struct demux_member *member, unsigned port, uint32_t source)
{
    if (likely(member->filter == NULL))
        return true;
    for (unsigned i = 0; i < member->filter->count; i++)
        if ((member->filter->parts[i].ports >> port & 1) != 0)
            return source_filter_accepts(&member->filter->parts[i].filter, source);
    return true;
}

/** The entry of a key, or NULL. */
static inline struct demux_entry *demux_find(struct demux *demux, struct demux_key key)
{
    const struct demux_cached *cached = demux_look(demux, key);

    return cached != NULL ? cached->entry : NULL;
}

/** The endpoint that a frame which came in by this port is for; NULL: several, or none, or elsewhere. */
static inline struct endpoint *demux_only(const struct demux_cached *cached, unsigned port)
{
    return (cached->ports & 1u << port) != 0 ? cached->only : NULL;
}

/**
 * Link a member. An endpoint that is there already only takes over `ports` and `filter`, at one moment;
 * its old filter is in `member` then.
 * @return 0; 1: it was there, `member` is not linked; -1: the table is full, nothing is linked
 */
int demux_add(struct demux *demux, struct demux_key key, bool every_member,
              struct demux_member *member);

/** Unlink the member of `endpoint` under `key`. @return it, to be freed off the lcore, or NULL. */
struct demux_member *demux_remove(struct demux *demux, struct demux_key key,
                                  const struct endpoint *endpoint);

#endif
