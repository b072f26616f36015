/* SPDX-License-Identifier: BSD-3-Clause */
#include "demux.h"

#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>

int demux_create(struct demux *demux, uint32_t self, uint32_t capacity, int numa_node)
{
    char name[RTE_HASH_NAMESIZE];
    struct rte_hash_parameters parameters = {
        .name = name,
        .entries = capacity,
        .key_len = sizeof(struct demux_key),
        .hash_func = rte_hash_crc,
        .socket_id = numa_node,
    };

    memset(demux, 0, sizeof *demux);
    snprintf(name, sizeof name, "wirerx_demux_%u", self);
    demux->self = self;
    demux->capacity = capacity;
    demux->hash = rte_hash_create(&parameters);
    demux->entries = rte_zmalloc_socket("demux", (size_t)capacity * sizeof *demux->entries,
                                        RTE_CACHE_LINE_SIZE, numa_node);
    if (demux->hash != NULL && demux->entries != NULL)
        return 0;
    demux_destroy(demux);
    return -1;
}

void demux_destroy(struct demux *demux)
{
    rte_hash_free(demux->hash);
    rte_free(demux->entries);
    memset(demux, 0, sizeof *demux);
}

const struct demux_cached *demux_look_slow(struct demux *demux, struct demux_key key)
{
    uint64_t bits = demux_key_bits(key);
    struct demux_cached *cached = &demux->cache[demux_line(bits)];
    int32_t at = rte_hash_lookup(demux->hash, &key);

    if (at < 0)
        return NULL;
    struct demux_entry *entry = &demux->entries[at];
    const struct demux_member *first = entry->members;

    *cached = (struct demux_cached){.key = bits, .entry = entry};
    if (first != NULL && first->next == NULL && first->filter == NULL && entry->homes == 0) {
        cached->only = first->endpoint;
        cached->ports = first->ports;
    }
    return cached;
}

static void forget_cached(struct demux *demux, struct demux_key key)
{
    uint64_t bits = demux_key_bits(key);
    struct demux_cached *cached = &demux->cache[demux_line(bits)];

    if (cached->key == bits)
        *cached = (struct demux_cached){.key = 0};
    demux->generation++;
}

static void count_homes(struct demux_entry *entry)
{
    entry->homes = 0;
    for (const struct demux_member *m = entry->elsewhere; m != NULL; m = m->next)
        entry->homes |= 1ull << m->home;
}

int demux_add(struct demux *demux, struct demux_key key, bool every_member,
              struct demux_member *member)
{
    int32_t at = rte_hash_lookup(demux->hash, &key);

    if (at < 0) {
        at = rte_hash_add_key(demux->hash, &key);
        if (at < 0)
            return -1;
        if ((uint32_t)at >= demux->capacity) {
            rte_hash_del_key(demux->hash, &key);
            return -1;
        }
        demux->entries[at] = (struct demux_entry){.key = key, .every_member = every_member};
    }
    struct demux_entry *entry = &demux->entries[at];
    struct demux_member **link = member->home == demux->self ? &entry->members : &entry->elsewhere;
    for (struct demux_member *m = *link; m != NULL; m = m->next)
        if (m->endpoint == member->endpoint) {
            struct demux_filter *old = m->filter;

            m->ports = member->ports;
            m->filter = member->filter;
            member->filter = old;
            forget_cached(demux, key);
            return 1;
        }
    /* The newest of its kind first, those bound to the very address before wildcards. */
    while (member->wildcard && *link != NULL && !(*link)->wildcard)
        link = &(*link)->next;
    member->next = *link;
    *link = member;
    count_homes(entry);
    forget_cached(demux, key);
    return 0;
}

static struct demux_member *unlink_member(struct demux_member **link,
                                          const struct endpoint *endpoint)
{
    for (; *link != NULL; link = &(*link)->next) {
        struct demux_member *member = *link;

        if (member->endpoint == endpoint) {
            *link = member->next;
            return member;
        }
    }
    return NULL;
}

struct demux_member *demux_remove(struct demux *demux, struct demux_key key,
                                  const struct endpoint *endpoint)
{
    int32_t at = rte_hash_lookup(demux->hash, &key);

    if (at < 0)
        return NULL;
    struct demux_entry *entry = &demux->entries[at];
    struct demux_member *member = unlink_member(&entry->members, endpoint);
    if (member == NULL)
        member = unlink_member(&entry->elsewhere, endpoint);
    count_homes(entry);
    if (entry->members == NULL && entry->elsewhere == NULL)
        rte_hash_del_key(demux->hash, &key);
    forget_cached(demux, key);
    return member;
}
