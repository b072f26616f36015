/* SPDX-License-Identifier: BSD-3-Clause */

/* Cutting a packet: where, what each fragment's header says, and that nothing is left of a try without
 * buffers. */

#include "support/suite.h"

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "fragment.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define TAGGED 18u
#define UNTAGGED 14u

static uint8_t sent[FRAME_MAX], payload[65507];
static struct rte_mbuf *fragments[FRAGMENT_MOST];

static void set_up(void)
{
    struct config config = wire_config();

    network_start(&config, &client_operations);
}

SUITE_FIXTURE(fragment, set_up, wire_stop);

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Of any number of buffers, the first of which ends behind `first` bytes. */
static struct rte_mbuf *chain(const uint8_t *bytes, size_t length, size_t first)
{
    struct rte_mbuf *head = NULL, *last = NULL;

    for (size_t at = 0; at < length;) {
        struct rte_mbuf *next = rte_pktmbuf_alloc(dataplane.ports[0].pool);
        size_t part = RTE_MIN(head == NULL ? first : (size_t)1777, length - at);

        CHECK(next != NULL);
        memcpy(rte_pktmbuf_append(next, (uint16_t)part), bytes + at, part);
        at += part;
        if (head == NULL)
            head = next;
        else
            CHECK_EQ_I64(rte_pktmbuf_chain(head, next), 0);
        last = next;
    }
    CHECK(last != NULL);
    return head;
}

/* A UDP datagram whose IPv4 packet has this length. @return the frame's */
static size_t build(uint32_t at, size_t packet)
{
    struct frame frame = {.payload = payload,
                          .length = packet - 28,
                          .tags_count = at == TAGGED,
                          .tags = {{.tci = 77}},
                          .padding = packet % 3};

    frame_fill(payload, packet - 28, packet);
    size_t length = frame_build(&frame, sent, sizeof sent);
    sent[at + 4] = 0xab;
    sent[at + 5] = 0xcd;
    return length;
}

/* @return bytes of the payload that it has */
static size_t check_one(const uint8_t *frame, size_t length, uint32_t at, uint32_t limit,
                        size_t offset, size_t packet)
{
    const uint8_t *ip = frame + at;
    size_t part = length - at - 20;
    bool last = offset + part == packet - 20;

    CHECK(length - at <= limit);
    CHECK_EQ_MEM(frame, sent, at);
    CHECK_EQ_U64(get16(ip + 2), length - at);
    CHECK_EQ_U64(get16(ip + 4), 0xabcd);
    CHECK_EQ_U64(get16(ip + 6), offset / 8 | (last ? 0 : 0x2000));
    CHECK_EQ_U64(frame_sum(ip, 20, 0), 0xffff);
    CHECK(last || part % 8 == 0);
    CHECK(last || part + 20 + 8 > limit); /* none is shorter than it could be */
    CHECK_EQ_MEM(ip + 8, sent + at + 8, 2);
    CHECK_EQ_MEM(ip + 12, sent + at + 12, 8);
    CHECK_EQ_MEM(ip + 20, sent + at + 20 + offset, part);
    return part;
}

static void cut_and_check(uint32_t at, size_t packet, uint32_t limit, size_t first, unsigned count)
{
    static uint8_t gathered[FRAME_MAX];
    struct rte_mbuf *whole = chain(sent, build(at, packet), first);
    size_t offset = 0;

    CHECK_EQ_U64(fragment_cut(dataplane.ports[0].pool, whole, at, limit, fragments), count);
    for (unsigned i = 0; i < count; i++) {
        uint32_t length = rte_pktmbuf_pkt_len(fragments[i]);
        const uint8_t *frame = rte_pktmbuf_read(fragments[i], 0, length, gathered);

        CHECK_EQ_U64(fragments[i]->ol_flags, 0);
        offset += check_one(frame, length, at, limit, offset, packet);
        rte_pktmbuf_free(fragments[i]);
    }
    CHECK_EQ_U64(offset, packet - 20);
    rte_pktmbuf_free(whole);
}

SUITE_TEST(fragment, a_packet_is_cut_at_the_last_multiple_of_eight_that_fits)
{
    static const struct {
        size_t packet;
        uint32_t limit;
        unsigned count;
    } rows[] = {
        {1501, 1500, 2},   {1508, 1500, 2},   {2980, 1500, 2},   {2981, 1500, 3},
        {1501, 1493, 2},   {2972, 1499, 3},   {2971, 1499, 2},   {577, 576, 2},
        {69, 68, 2},       {116, 68, 2},      {117, 68, 3},      {65535, 1500, 45},
        {65535, 576, 119}, {65535, 68, 1365}, {65535, 65534, 2}, {65535, 9000, 8},
    };
    unsigned all = wire_free_buffers();

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        cut_and_check(UNTAGGED, rows[i].packet, rows[i].limit, 1777, rows[i].count);
        cut_and_check(TAGGED, rows[i].packet, rows[i].limit, TAGGED + 28, rows[i].count);
    }
    CHECK_EQ_U64(wire_free_buffers(), all);
}

SUITE_TEST(fragment, every_length_and_limit_gives_all_bytes_once)
{
    unsigned all = wire_free_buffers();

    for (uint32_t limit = 68; limit < 100; limit++)
        for (size_t packet = limit + 1; packet < 4 * limit; packet += 3) {
            size_t each = (limit - 20) / 8 * 8, left = packet - 20;
            unsigned count = 1;

            for (; left > limit - 20; left -= each)
                count++;
            cut_and_check(UNTAGGED, packet, limit, 50, count);
        }
    CHECK_EQ_U64(wire_free_buffers(), all);
}

SUITE_TEST(fragment, without_buffers_for_all_none_is_made)
{
    struct rte_mempool *pool = dataplane.ports[0].pool;
    struct rte_mbuf *whole = chain(sent, build(UNTAGGED, 65535), 1777), *held[4096];
    unsigned count = 0;

    while ((held[count] = rte_pktmbuf_alloc(pool)) != NULL)
        count++;
    for (unsigned given = 0; given < 45; given++) {
        CHECK_EQ_U64(fragment_cut(pool, whole, UNTAGGED, 1500, fragments), 0);
        CHECK_EQ_U64(wire_free_buffers(), given);
        rte_pktmbuf_free(held[--count]);
    }
    CHECK_EQ_U64(fragment_cut(pool, whole, UNTAGGED, 1500, fragments), 45);
    rte_pktmbuf_free_bulk(fragments, 45);
    rte_pktmbuf_free_bulk(held, count);
    rte_pktmbuf_free(whole);
}

#endif
