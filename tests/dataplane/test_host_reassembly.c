/* SPDX-License-Identifier: BSD-3-Clause */

/* Fragments through the whole dataplane: what a socket gets, what is counted, and that buffers come home. */

#include "support/suite.h"

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "host_reassembly.h"
#include "pool.h"
#include "reassembly.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000

/* A frame and where its parts are. */
static struct {
    uint8_t bytes[FRAME_MAX], payload[65536];
    size_t headers, header, ip; /* bytes before the IPv4 payload, of the IPv4 header, before that */
    size_t data;                /* behind it */
} whole;

static void build(struct frame frame, size_t length, uint64_t number, uint16_t identification)
{
    frame_fill(whole.payload, length, number);
    frame.payload = whole.payload;
    frame.length = length;
    frame_build(&frame, whole.bytes, sizeof whole.bytes);
    whole.headers = frame_payload_offset(&frame) - 8;
    whole.header = 20 + (size_t)frame.options;
    whole.ip = whole.headers - whole.header;
    whole.data = length + 8;
    whole.bytes[whole.ip + 4] = (uint8_t)(identification >> 8);
    whole.bytes[whole.ip + 5] = (uint8_t)identification;
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The bytes of the datagram from `offset` on, as a fragment in a frame that a device has cut at `cut`. */
static void send_piece_cut(size_t offset, size_t length, bool more, uint16_t cut)
{
    static uint8_t bytes[FRAME_MAX];
    uint8_t *ip = bytes + whole.ip;
    size_t frame = whole.headers + length, padded = RTE_MAX(frame, (size_t)60);

    memset(bytes, 0xa5, padded);
    memcpy(bytes, whole.bytes, whole.headers);
    memcpy(bytes + whole.headers, whole.bytes + whole.headers + offset, length);
    put16(ip + 2, (unsigned)(whole.header + length));
    put16(ip + 6, (unsigned)(offset / 8) | (more ? 0x2000u : 0));
    put16(ip + 10, 0);
    put16(ip + 10, (uint16_t)~frame_sum(ip, whole.header, 0));
    if (cut == 0)
        wire_send(bytes, padded);
    else
        wire_send_segments(bytes, padded, &cut, 1);
    wire_step(dataplane_tsc());
}

static void send_piece(size_t offset, size_t length, bool more)
{
    send_piece_cut(offset, length, more, 0);
}

/* All of it in pieces of `size` bytes, in an order by the seed. */
static void send_shuffled(size_t size, unsigned seed, uint16_t cut)
{
    unsigned count = (unsigned)((whole.data + size - 1) / size), order[REASSEMBLY_PARTS];

    CHECK(count <= REASSEMBLY_PARTS);
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    for (unsigned i = count; i > 1; i--) {
        seed = seed * 1664525u + 1013904223u;
        RTE_SWAP(order[i - 1], order[(seed >> 16) % i]);
    }
    for (unsigned i = 0; i < count; i++) {
        size_t offset = order[i] * size;

        send_piece_cut(offset, RTE_MIN(size, whole.data - offset), order[i] + 1 < count, cut);
    }
}

static void start(void)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
}

SUITE_TEST(host_reassembly, fragments_in_any_order_are_one_datagram /* I01 */)
{
    static const struct {
        size_t length, size;
    } rows[] = {{17, 8},      {1000, 8},     {1473, 1480}, {4000, 1480},
                {8000, 1480}, {65507, 1480}, {65507, 552}, {65507, 1960}};

    start();
    struct client client = client_joined(GROUP, PORT);
    unsigned all = wire_free_buffers();
    for (unsigned i = 0; i < RTE_DIM(rows); i++)
        for (unsigned seed = 0; seed < 3; seed++) {
            build((struct frame){0}, rows[i].length, i, (uint16_t)(i * 3 + seed));
            send_shuffled(rows[i].size, seed, 0);
            client_expect(&client, i, 1, rows[i].length);
        }
    CHECK_EQ_U64(wire_counter("reassembled"), RTE_DIM(rows) * 3);
    CHECK_EQ_U64(wire_counter("delivered"), RTE_DIM(rows) * 3);
    CHECK_EQ_U64(wire_counter("reassembled.fragments"), wire_counter("queued.reassembly"));
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), all);
    client_close(&client);
    wire_stop();
}

SUITE_TEST(host_reassembly, however_a_device_cuts_fragments_and_whatever_is_in_front /* I01 */)
{
    struct frame frame = {.tags_count = 2, .options = 8};
    uint16_t number = 0;

    start();
    struct client client = client_joined(GROUP, PORT);
    for (uint16_t cut = 1; cut < 60; cut++, number++) {
        build(frame, 100, number, number);
        send_shuffled(56, cut, cut);
        client_expect(&client, number, 1, 100);
    }
    client_close(&client);
    wire_stop();
}

SUITE_TEST(host_reassembly, a_wrong_checksum_of_the_whole_is_found)
{
    start();
    struct client client = client_joined(GROUP, PORT);
    build((struct frame){.udp_checksum_off = 1}, 3000, 1, 1);
    send_shuffled(1480, 1, 0);
    CHECK_EQ_U64(wire_counter("drop.bad_udp_checksum"), 1);
    build((struct frame){.no_udp_checksum = true}, 3000, 2, 2);
    send_shuffled(1480, 2, 0);
    client_expect(&client, 2, 1, 3000);
    client_close(&client);
    wire_stop();
}

SUITE_TEST(host_reassembly, duplicates_and_overlaps_have_their_rows)
{
    start();
    struct client client = client_joined(GROUP, PORT);
    build((struct frame){0}, 3000, 1, 1);
    send_piece(0, 1480, true);
    send_piece(0, 1480, true);
    send_piece(1480, 1480, true);
    send_piece(2960, 48, false);
    client_expect(&client, 1, 1, 3000);
    CHECK_EQ_U64(wire_counter("drop.fragment_duplicate"), 1);
    build((struct frame){0}, 3000, 2, 2);
    send_piece(0, 1480, true);
    send_piece(1472, 1480, true);
    send_piece(1480, 1480, true);
    send_piece(2960, 48, false);
    CHECK_EQ_U64(wire_counter("drop.fragment_overlap"), 3);
    CHECK_EQ_U64(wire_counter("lost.reassembly_overlap"), 1);
    send_piece(16, 15, true);
    CHECK_EQ_U64(wire_counter("drop.fragment"), 1);
    client_expect(&client, 0, 0, 0);
    client_close(&client);
    wire_stop();
}

SUITE_TEST(host_reassembly, what_is_not_whole_is_given_back_after_30_seconds)
{
    start();
    unsigned all = wire_free_buffers();
    build((struct frame){0}, 3000, 1, 1);
    uint64_t before = dataplane_tsc();
    send_piece(0, 1480, true);
    send_piece(2960, 48, false);
    uint64_t after = dataplane_tsc();
    wire_check_balance();
    wire_step(before + 30 * dataplane_tsc_hz() - 1);
    CHECK_EQ_U64(wire_counter("lost.reassembly_timeout"), 0);
    CHECK_EQ_U64(wire_free_buffers(), all - 2);
    wire_step(after + 30 * dataplane_tsc_hz());
    CHECK_EQ_U64(wire_counter("lost.reassembly_timeout"), 2);
    CHECK_EQ_U64(wire_free_buffers(), all);
    wire_stop();
}

/* First fragments of ever new datagrams, from a host that means ill. */
SUITE_TEST(host_reassembly, a_flood_is_bounded_and_counted_and_a_whole_datagram_still_gets_through)
{
    start();
    struct client client = client_joined(GROUP, PORT);
    unsigned all = wire_free_buffers(), flood = 2000;
    unsigned share = pool_total() / HOST_REASSEMBLY_POOL_DIVISOR;

    build((struct frame){0}, 3000, 1, 0);
    for (unsigned i = 0; i < flood; i++) {
        put16(whole.bytes + whole.ip + 4, 100 + i / 2);
        send_piece(i % 2 * 1480, 1480, true);
        CHECK(wire_free_buffers() >= all - share);
    }
    CHECK_EQ_U64(wire_counter("queued.reassembly"), flood);
    CHECK_EQ_U64(wire_counter("lost.reassembly_full"), flood - 2 * HOST_REASSEMBLY_DATAGRAMS);
    build((struct frame){0}, 3000, 5, 7);
    send_shuffled(1480, 3, 0);
    client_expect(&client, 5, 1, 3000);
    wire_settle();
    CHECK(wire_free_buffers() >= all - share);
    wire_check_balance();
    client_close(&client);
    wire_stop();
    CHECK(wire_counter("lost.reassembly_stopped") > HOST_REASSEMBLY_DATAGRAMS);
    CHECK_EQ_U64(wire_counter("reassembled.fragments"), 3);
    CHECK_EQ_U64(wire_counter("queued.reassembly"), flood + 3);
    CHECK_EQ_U64(wire_counter("lost.reassembly_full") + wire_counter("lost.reassembly_stopped"),
                 flood);
}

SUITE_TEST(host_reassembly, fragments_for_others_are_not_kept)
{
    start();
    unsigned all = wire_free_buffers();
    build((struct frame){.destination = WIRE_ADDRESS + 1}, 3000, 1, 1);
    send_piece(0, 1480, true);
    CHECK_EQ_U64(wire_counter("drop.not_our_address"), 1);
    CHECK_EQ_U64(wire_free_buffers(), all);
    build((struct frame){.destination = WIRE_ADDRESS | 0xff}, 3000, 1, 1); /* the broadcast */
    send_piece(0, 1480, true);
    build((struct frame){.destination = WIRE_ADDRESS}, 3000, 1, 1);
    send_piece(0, 1480, true);
    CHECK_EQ_U64(wire_counter("queued.reassembly"), 2);
    wire_stop();
}

SUITE_TEST(host_reassembly, an_address_without_a_network_has_no_broadcast)
{
    struct config config = wire_config();

    config.ports[0].addresses[0].prefix_length = 32;
    wire_start(&config, &client_operations, true);
    build((struct frame){.destination = WIRE_ADDRESS | 0xff}, 3000, 1, 1);
    send_piece(0, 1480, true);
    CHECK_EQ_U64(wire_counter("drop.not_our_address"), 1);
    build((struct frame){.destination = WIRE_ADDRESS}, 3000, 1, 1);
    send_piece(0, 1480, true);
    CHECK_EQ_U64(wire_counter("queued.reassembly"), 1);
    wire_stop();
}
