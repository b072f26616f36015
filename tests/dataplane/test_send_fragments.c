/* SPDX-License-Identifier: BSD-3-Clause */

/* Datagrams that are too long for one frame, through a whole lcore: what leaves, what it is counted as, and
 * that our own reassembly makes the same of it again. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>

#include "arp_bench.h"
#include "client.h"
#include "network.h"
#include "send_queue.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define GROUP FRAME_IP(239, 129, 2, 3)
#define PORT 5000

static void start(unsigned mtu, uint16_t vlan)
{
    struct config config = wire_config();

    config.ports[0].mtu = mtu;
    config.ports[0].vlan = vlan;
    network_start(&config, &client_operations);
}

static void step(void)
{
    wire_step(dataplane_tsc());
}

/* The neighbour answers whoever asks for it. */
static void answer_arp(void)
{
    uint8_t frame[60] = {[12] = 8, [13] = 6};
    struct rte_ether_addr mac = bench_mac_of(9);

    step();
    memcpy(frame + 6, &mac, 6);
    bench_write(frame + 14, 2, mac, NEIGHBOUR, WIRE_ADDRESS);
    wire_send(frame, sizeof frame);
    step();
    step();
}

/* The next frame that has IPv4 in it, behind its tag if it has one. */
static const struct network_frame *take_ipv4(size_t at)
{
    const struct network_frame *frame;

    while ((frame = network_take()) != NULL)
        if (frame->bytes[at - 2] == 8 && frame->bytes[at - 1] == 0 && frame->bytes[at + 9] == 17)
            break;
    return frame;
}

/* What has left comes back as if the neighbour had sent it to us: no sum depends on who is who. */
static unsigned reflect(unsigned queue)
{
    static uint8_t bytes[FRAME_MAX];
    const struct network_frame *frame;
    unsigned count = 0;

    for (; (frame = take_ipv4(14)) != NULL; count++) {
        CHECK_EQ_U64(frame->offloads, 0);
        memcpy(bytes, frame->bytes, frame->length);
        memcpy(bytes, frame->bytes + 6, 6);
        memcpy(bytes + 6, frame->bytes, 6);
        memcpy(bytes + 26, frame->bytes + 30, 4);
        memcpy(bytes + 30, frame->bytes + 26, 4);
        wire_send_frame(
            &(struct wire_frame){.bytes = bytes, .length = frame->length, .queue = queue});
        step();
    }
    return count;
}

SUITE_TEST(send_fragments, what_leaves_in_fragments_is_whole_again_here)
{
    static const struct {
        size_t length;
        unsigned frames;
    } rows[] = {{1472, 1}, {1473, 2}, {1480, 2}, {2952, 2}, {2953, 3}, {20000, 14}, {65507, 45}};
    unsigned fragments = 0, cut = 0;

    start(1500, 0);
    struct client c = client_bound(0, PORT);
    unsigned all = wire_free_buffers();
    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        client_send(&c, NEIGHBOUR, PORT, rows[i].length, i);
        answer_arp(); /* all of the first waits for it */
        CHECK_EQ_U64(reflect(0), rows[i].frames);
        client_expect(&c, i, 1, rows[i].length);
        cut += rows[i].frames > 1;
        fragments += rows[i].frames > 1 ? rows[i].frames : 0;
    }
    CHECK_EQ_U64(wire_counter("fragmented"), cut);
    CHECK_EQ_U64(wire_counter("fragmented.fragments"), fragments);
    CHECK_EQ_U64(wire_counter("reassembled.fragments"), fragments);
    CHECK_EQ_U64(wire_counter("drop.bad_udp_checksum"), 0);
    network_check_balance();
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), all);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(send_fragments, they_leave_by_the_port_s_keeper_and_are_whole_again_on_any_lcore)
{
    static unsigned cores[2];
    struct config config = wire_config();

    if (wire_cpus() < 2)
        SKIP("this takes two CPUs");
    cores[0] = wire_cpu(1);
    cores[1] = wire_cpu(0);
    config.cores = cores;
    config.cores_count = 2;
    config.ports[0].queues = 2;
    config.buffers = 8192;
    network_start(&config, &client_operations);
    struct client at_0 = client_joined(GROUP, PORT), at_1 = client_joined(GROUP, PORT + 1);
    CHECK_EQ_U64(atomic_load(&at_0.endpoint->home), 0);
    CHECK_EQ_U64(atomic_load(&at_1.endpoint->home), 1);
    client_send(&at_1, NEIGHBOUR, PORT, 20000, 5);
    wire_settle();
    answer_arp();
    CHECK_EQ_U64(wire_counter("to_transmit"), 1); /* as one */
    CHECK_EQ_U64(reflect(1), 14);
    wire_settle();
    client_expect(&at_0, 5, 1, 20000);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 0, "fragmented"), 1);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 1, "reassembled"), 1);
    network_check_balance();
    wire_check_balance();
    client_close(&at_0);
    client_close(&at_1);
    wire_stop();
}

SUITE_TEST(send_fragments, the_checksum_of_the_whole_is_not_left_to_the_device)
{
    start(1500, 0);
    dataplane.ports[0].transmit_offloads |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    struct client c = client_bound(0, PORT);
    client_send(&c, NEIGHBOUR, PORT, 4000, 7);
    answer_arp();
    CHECK_EQ_U64(reflect(0), 3);
    client_expect(&c, 7, 1, 4000);
    client_send(&c, NEIGHBOUR, PORT, 1472, 8);
    step();
    const struct network_frame *frame = take_ipv4(14);
    CHECK(frame != NULL && (frame->offloads & RTE_MBUF_F_TX_UDP_CKSUM) != 0);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(send_fragments, each_has_the_tag_of_the_port_s_vlan)
{
    const struct network_frame *frame;
    unsigned count = 0;

    start(1500, 77);
    struct client c = client_bound(0, PORT);
    client_send(&c, GROUP, PORT, 4000, 1);
    step();
    for (; (frame = take_ipv4(18)) != NULL; count++)
        CHECK(memcmp(frame->bytes + 12, "\x81\x00\x00\x4d\x08\x00", 6) == 0);
    CHECK_EQ_U64(count, 3);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(send_fragments, a_group_s_is_whole_for_those_here)
{
    const struct network_frame *frame;
    unsigned count = 0;

    start(576, 0);
    struct client c = client_joined(GROUP, PORT);
    client_send(&c, GROUP, PORT, 60000, 3);
    step();
    client_expect(&c, 3, 1, 60000);
    for (; (frame = take_ipv4(14)) != NULL; count++)
        CHECK(frame->length <= 576 + 14 && frame->bytes[0] == 1);
    CHECK_EQ_U64(count, 109);
    network_check_balance();
    client_close(&c);
    wire_stop();
}

SUITE_TEST(send_fragments, the_smallest_mtu_gives_the_most_fragments)
{
    start(68, 0);
    struct client c = client_bound(0, PORT);
    client_send(&c, GROUP, PORT, 65507, 3);
    step();
    CHECK_EQ_U64(network_forget(), 1365);
    CHECK_EQ_U64(wire_counter("lost.send_too_long"), 0);
    network_check_balance();
    client_close(&c);
    wire_stop();
}

/* What a device has no room for is lost frame by frame, as all frames are. */
SUITE_TEST(send_fragments, fragments_that_the_device_does_not_take_are_counted_one_by_one)
{
    start(1500, 0);
    struct client c = client_bound(0, PORT);
    network_room(3);
    client_send(&c, GROUP, PORT, 65507, 3);
    step();
    CHECK_EQ_U64(wire_counter("sent.frames"), 3);
    CHECK_EQ_U64(wire_counter("lost.transmit_full"), 45 - 3 - 32);
    network_room(1000);
    step();
    network_check_balance();
    client_close(&c);
    wire_stop();
}

SUITE_TEST(send_fragments, without_buffers_nothing_of_a_datagram_leaves_and_it_is_counted_once)
{
    struct rte_mbuf *held[4096 + 1]; /* and the NULL that ends them */
    unsigned count = 0;

    start(1500, 0);
    struct client c = client_bound(0, PORT);
    unsigned left = 33 + 44; /* the whole, and one fragment too few */
    while ((held[count] = rte_pktmbuf_alloc(dataplane.ports[0].pool)) != NULL)
        count++;
    while (left-- != 0)
        rte_pktmbuf_free(held[--count]);
    client_send(&c, GROUP, PORT, 65507, 3);
    step();
    CHECK_EQ_U64(network_forget(), 0);
    CHECK_EQ_U64(wire_counter("lost.transmit_no_buffer"), 1);
    CHECK_EQ_U64(wire_counter("out"), 1);
    network_check_balance();
    rte_pktmbuf_free(held[--count]);
    client_send(&c, GROUP, PORT, 65507, 3);
    step();
    CHECK_EQ_U64(network_forget(), 45);
    network_check_balance();
    rte_pktmbuf_free_bulk(held, count);
    client_close(&c);
    wire_stop();
}

static const struct network_frame *send_record(const struct client *c, struct send_record record)
{
    uint8_t payload[2000];

    record.destination = RTE_BE32(GROUP);
    record.destination_port = RTE_BE16(PORT);
    record.ttl = 64;
    frame_fill(payload, sizeof payload, 1);
    CHECK_EQ_I64(client_try_send_record(c, record, payload), 0);
    step();
    return take_ipv4(14);
}

SUITE_TEST(send_fragments, one_that_must_not_be_cut_says_so_and_has_no_number)
{
    start(1500, 0);
    struct client c = client_bound(0, PORT);
    const struct network_frame *frame =
        send_record(&c, (struct send_record){.length = 1472, .cutting = SEND_UNCUT});
    CHECK(frame != NULL);
    CHECK_EQ_MEM(frame->bytes + 18, "\0\0\x40\0", 4);
    CHECK(send_record(&c, (struct send_record){.length = 1473, .cutting = SEND_UNCUT}) == NULL);
    CHECK_EQ_U64(wire_counter("lost.send_too_long"), 1);
    uint8_t last[2] = {0, 0};
    for (unsigned i = 0; i < 100; i++) {
        frame = send_record(&c, (struct send_record){.length = 100});
        CHECK(frame != NULL && frame->bytes[20] == 0 && frame->bytes[21] == 0);
        CHECK(memcmp(frame->bytes + 18, last, 2) != 0); /* which a router can cut */
        memcpy(last, frame->bytes + 18, 2);
    }
    network_check_balance();
    client_close(&c);
    wire_stop();
}

#endif
