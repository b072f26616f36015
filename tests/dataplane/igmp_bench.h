/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_IGMP_BENCH_H
#define WIRERX_TESTS_DATAPLANE_IGMP_BENCH_H

/**
 * @file
 * IGMP's core by itself in virtual time, one a file of tests, with a router that hears it (igmp_peer.h). A tick
 * is a millisecond. Behind support/suite.h.
 */

#include <stdlib.h>

#include "igmp_peer.h"

#define HZ 1000u

static struct peer peer;
static struct igmp *igmp;
static void *memory;
static uint64_t now;

static inline void begin(uint32_t groups, uint32_t sources, uint16_t mtu, uint64_t seed)
{
    static const uint32_t addresses[] = {0x0a0200c0u}; /* PEER_US */

    free(memory);
    memory = malloc(igmp_bytes(groups, sources));
    CHECK(memory != NULL);
    memset(&peer, 0, sizeof peer);
    peer.mtu = mtu;
    now = 1000000;
    igmp = igmp_create(memory, &(struct igmp_settings){
                                   .groups = groups,
                                   .sources = sources,
                                   .mtu = mtu,
                                   .ticks_per_second = HZ,
                                   .seed = seed,
                                   .addresses = addresses,
                                   .addresses_count = 1,
                                   .emit = peer_hear,
                                   .context = &peer,
                               });
}

static inline void igmp_bench_begin(void)
{
    begin(64, 1024, 1500, 7);
}

static inline void igmp_bench_end(void)
{
    free(memory);
    memory = NULL;
}

static inline void pass(uint64_t milliseconds)
{
    uint64_t until = now + milliseconds;

    for (unsigned runs = 0; igmp_due(igmp) <= until; runs++) {
        CHECK(runs < 100000);
        if (igmp_due(igmp) > now)
            now = igmp_due(igmp);
        igmp_run(igmp, now);
    }
    now = until;
}

static inline struct source_filter filter(bool exclude, unsigned first, unsigned count)
{
    struct source_filter made = {.exclude = exclude};

    for (unsigned i = 0; i < count; i++)
        CHECK_EQ_U64(source_filter_add(&made, PEER_SOURCE(first + i)), 0);
    return made;
}

static inline void want(unsigned group, struct source_filter wanted)
{
    CHECK_EQ_U64(igmp_set(igmp, PEER_GROUP(group), &wanted, now), 0);
}

static inline void join(unsigned group)
{
    want(group, SOURCE_FILTER_ANY);
}

static inline void leave(unsigned group)
{
    want(group, SOURCE_FILTER_NONE);
}

static inline void ask(struct peer_query query)
{
    uint8_t packet[400];

    CHECK(igmp_take(igmp, packet, peer_query(packet, &query), now));
}

static inline void hear_report(uint8_t type, unsigned group)
{
    uint8_t packet[64];
    size_t length = peer_packet(packet, rte_cpu_to_be_32(0xc0000263u), PEER_GROUP(group), type, 8);

    memcpy(packet + 28, &(uint32_t){PEER_GROUP(group)}, 4);
    peer_seal(packet, length);
    CHECK(igmp_take(igmp, packet, length, now));
}

static inline void forget(void)
{
    memset(&peer.records, 0, sizeof peer.records);
    memset(&peer.records_of, 0, sizeof peer.records_of);
    peer.packets = peer.v3 = peer.v2 = peer.v1 = peer.leaves = 0;
}

#endif
