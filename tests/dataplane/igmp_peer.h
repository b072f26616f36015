/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_IGMP_PEER_H
#define WIRERX_TESTS_DATAPLANE_IGMP_PEER_H

/**
 * @file
 * The other end of IGMP: queries to ask, and a router that hears reports, checks every byte of them, and knows
 * what they have told it about a few groups. Addresses are in network order; groups are PEER_GROUP(n).
 */

#include <rte_byteorder.h>
#include <stdlib.h>
#include <string.h>

#include "igmp.h"

#define PEER_GROUPS 16u
#define PEER_GROUP(n) rte_cpu_to_be_32(0xefff0001u + (n))
#define PEER_SOURCE(n) rte_cpu_to_be_32(0x0a000001u + (n))
#define PEER_ROUTER rte_cpu_to_be_32(0xc0000201u)
#define PEER_US rte_cpu_to_be_32(0xc000020au)

static inline void peer_require(bool holds)
{
    if (!holds)
        abort();
}

/** A number below `most`, in a sequence that `state` begins. */
static inline unsigned peer_random(uint64_t *state, unsigned most)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(*state >> 33) % most;
}

static inline uint16_t peer_sum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/** Write both checksums of a packet anew. */
static inline void peer_seal(uint8_t *packet, size_t length)
{
    size_t header = (size_t)(packet[0] & 15) * 4;

    if (length < header + 4)
        return;
    packet[10] = packet[11] = packet[header + 2] = packet[header + 3] = 0;
    uint16_t ip = peer_sum(packet, header), igmp = peer_sum(packet + header, length - header);
    packet[10] = (uint8_t)(ip >> 8);
    packet[11] = (uint8_t)ip;
    packet[header + 2] = (uint8_t)(igmp >> 8);
    packet[header + 3] = (uint8_t)igmp;
}

/** A header with router alert and a message of `bytes` zeros, which the caller fills and seals. */
static inline size_t peer_packet(uint8_t *packet, uint32_t source, uint32_t destination,
                                 uint8_t type, size_t bytes)
{
    memset(packet, 0, 24 + bytes);
    packet[0] = 0x46;
    packet[1] = 0xc0;
    packet[2] = (uint8_t)((24 + bytes) >> 8);
    packet[3] = (uint8_t)(24 + bytes);
    packet[8] = 1;
    packet[9] = 2;
    memcpy(packet + 12, &source, 4);
    memcpy(packet + 16, &destination, 4);
    packet[20] = 148;
    packet[21] = 4;
    packet[24] = type;
    return 24 + bytes;
}

struct peer_query {
    enum igmp_version version;
    uint32_t group; /**< 0: general */
    uint8_t code;
    uint8_t robustness;
    uint8_t interval_code;
    unsigned sources_count;
    uint32_t sources[64];
};

/** @return its length; at most 400 */
static inline size_t peer_query(uint8_t *packet, const struct peer_query *query)
{
    size_t bytes = query->version == IGMP_V3 ? 12 + query->sources_count * 4u : 8u;
    size_t length = peer_packet(packet, PEER_ROUTER,
                                query->group != 0 ? query->group : rte_cpu_to_be_32(IGMP_ALL_HOSTS),
                                0x11, bytes);

    packet[25] = query->version == IGMP_V1 ? 0 : query->code;
    memcpy(packet + 28, &query->group, 4);
    if (query->version == IGMP_V3) {
        packet[32] = query->robustness;
        packet[33] = query->interval_code;
        packet[35] = (uint8_t)query->sources_count;
        memcpy(packet + 36, query->sources, query->sources_count * 4u);
    }
    peer_seal(packet, length);
    return length;
}

/** What a router has been told. */
struct peer {
    size_t mtu;
    uint32_t us; /**< where reports come from; 0: PEER_US */
    unsigned packets, v3, v2, v1, leaves;
    unsigned records[7]; /**< by type */
    unsigned records_of[PEER_GROUPS];
    struct source_filter known[PEER_GROUPS];   /**< by state-change records of version 3 */
    struct source_filter current[PEER_GROUPS]; /**< the last current-state record */
    uint32_t last_group;
};

static inline void peer_take_record(struct peer *peer, unsigned type, uint32_t group,
                                    const uint8_t *sources, unsigned count)
{
    struct source_filter list = {.exclude = false};
    uint32_t n = rte_be_to_cpu_32(group) - 0xefff0001u;

    peer_require(type >= 1 && type <= 6);
    peer_require(rte_be_to_cpu_32(group) >> 28 == 0xe);
    peer_require(group != rte_cpu_to_be_32(IGMP_ALL_HOSTS));
    peer->records[type]++;
    peer->last_group = group;
    for (unsigned i = 0; i < count; i++) {
        uint32_t source;

        memcpy(&source, sources + (size_t)i * 4, 4);
        /* The parts of a longer record, or of more sources than a filter has, are not modelled. */
        peer_require(source_filter_add(&list, source) != -17);
    }
    if (n >= PEER_GROUPS)
        return;
    peer->records_of[n]++;
    struct source_filter *known = &peer->known[n];
    switch (type) {
    case RECORD_IS_IN:
    case RECORD_IS_EX:
        peer->current[n] = list;
        peer->current[n].exclude = type == RECORD_IS_EX;
        break;
    case RECORD_TO_IN:
    case RECORD_TO_EX:
        *known = list;
        known->exclude = type == RECORD_TO_EX;
        break;
    default:
        for (unsigned i = 0; i < list.count; i++)
            if ((type == RECORD_ALLOW) == known->exclude)
                source_filter_remove(known, list.sources[i]);
            else
                source_filter_add(known, list.sources[i]);
    }
}

/** igmp_settings.emit; the context is a struct peer. */
static inline void peer_hear(void *context, const uint8_t *packet, size_t length)
{
    struct peer *peer = context;
    uint32_t to = igmp_destination(packet), group, us = peer->us != 0 ? peer->us : PEER_US;

    peer->packets++;
    peer_require(length >= 32 && length <= peer->mtu);
    peer_require(packet[0] == 0x46 && packet[1] == 0xc0 && packet[8] == 1 && packet[9] == 2);
    peer_require((size_t)packet[2] << 8 == (length & 0xff00) && packet[3] == (length & 0xff));
    peer_require(packet[20] == 148 && packet[21] == 4 && packet[22] == 0 && packet[23] == 0);
    peer_require(memcmp(packet + 12, &us, 4) == 0);
    peer_require(peer_sum(packet, 24) == 0 && peer_sum(packet + 24, length - 24) == 0);
    memcpy(&group, packet + 28, 4);
    switch (packet[24]) {
    case 0x12:
    case 0x16:
        peer_require(length == 32 && to == group);
        *(packet[24] == 0x12 ? &peer->v1 : &peer->v2) += 1;
        peer->last_group = group;
        return;
    case 0x17:
        peer_require(length == 32 && to == rte_cpu_to_be_32(IGMP_ALL_ROUTERS));
        peer->leaves++;
        peer->last_group = group;
        return;
    default:
        break;
    }
    peer_require(packet[24] == 0x22 && to == rte_cpu_to_be_32(IGMP_ALL_V3_ROUTERS));
    peer->v3++;
    unsigned records = (unsigned)packet[30] << 8 | packet[31];
    peer_require(records != 0);
    size_t at = 32;
    for (; records != 0; records--) {
        peer_require(at + 8 <= length && packet[at + 1] == 0);
        unsigned count = (unsigned)packet[at + 2] << 8 | packet[at + 3];
        peer_require(at + 8 + count * 4u <= length);
        memcpy(&group, packet + at + 4, 4);
        peer_take_record(peer, packet[at], group, packet + at + 8, count);
        at += 8 + count * 4u;
    }
    peer_require(at == length);
}

#endif
