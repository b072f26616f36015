/* SPDX-License-Identifier: BSD-3-Clause */

/* What a port answers by ICMP, through a whole lcore. Frames are made and checked by hand. */

#include "support/suite.h"

#include <rte_mbuf.h>
#include <string.h>

#include "client.h"
#include "icmp_answer.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define PEER FRAME_IP(192, 0, 2, 9)
#define PORT 5000

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 1, 9};
static const uint8_t all_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void start(void)
{
    struct config config = wire_config();

    config.ports[0].mtu = 4000;
    network_start(&config, &client_operations);
}

/* A frame of the peer's for us, by our MAC or another. */
static size_t build(const struct frame *frame, const uint8_t *to, uint8_t *bytes)
{
    size_t length = frame_build(frame, bytes, FRAME_MAX);

    memcpy(bytes, to != NULL ? to : dataplane.ports[0].mac.addr_bytes, 6);
    memcpy(bytes + 6, peer_mac, 6);
    return length;
}

/* An echo request with this many bytes behind ICMP's header: put over a frame that has as many. */
static size_t build_echo(const struct frame *frame, const uint8_t *to, uint8_t *bytes)
{
    size_t length = build(frame, to, bytes);
    uint8_t *icmp = bytes + length - 8 - frame->length;

    memset(icmp, 0, 8);
    icmp[0] = 8;
    icmp[5] = 77; /* identifier */
    uint16_t sum = (uint16_t)~frame_sum(icmp, 8 + frame->length, 0);
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    return length;
}

static struct frame echo_of(size_t length)
{
    static uint8_t payload[4000];

    frame_fill(payload, sizeof payload, 3);
    return (struct frame){.source = PEER,
                          .destination = WIRE_ADDRESS,
                          .protocol = 1,
                          .payload = payload,
                          .length = length};
}

/* The next IPv4 packet: ARP has its own times. */
static const struct network_frame *take_packet(void)
{
    const struct network_frame *frame;

    while ((frame = network_take()) != NULL)
        if (frame->bytes[12] == 8 && frame->bytes[13] == 0)
            break;
    return frame;
}

static const struct network_frame *answer(void)
{
    wire_step(dataplane_tsc());
    wire_step(dataplane_tsc());
    return take_packet();
}

static void check_addresses(const struct network_frame *reply)
{
    const uint8_t *ip = reply->bytes + 14;

    CHECK(memcmp(reply->bytes, peer_mac, 6) == 0);
    CHECK(memcmp(reply->bytes + 6, &dataplane.ports[0].mac, 6) == 0);
    CHECK_EQ_U64(FRAME_IP(ip[12], ip[13], ip[14], ip[15]), WIRE_ADDRESS);
    CHECK_EQ_U64(FRAME_IP(ip[16], ip[17], ip[18], ip[19]), PEER);
    CHECK_EQ_U64(frame_sum(ip, 20, 0), 0xffff);
    CHECK_EQ_U64(frame_sum(ip + 20, reply->length - 34, 0), 0xffff);
}

SUITE_TEST(host_icmp, an_echo_request_of_any_size_and_any_segments_is_answered)
{
    static const size_t lengths[] = {0, 1, 56, 1472, 3972};
    const uint16_t cut[] = {100, 1};
    uint8_t bytes[FRAME_MAX];

    start();
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct frame frame = echo_of(lengths[i]);
        size_t length = build_echo(&frame, NULL, bytes);

        if (length > 200)
            wire_send_segments(bytes, length, cut, 2);
        else
            wire_send(bytes, length);
        const struct network_frame *reply = answer();
        CHECK(reply != NULL);
        CHECK_EQ_U64(reply->length, length);
        check_addresses(reply);
        CHECK_EQ_U64(reply->bytes[34], 0);
        CHECK(memcmp(reply->bytes + 38, bytes + 38, length - 38) == 0);
    }
    CHECK_EQ_U64(wire_counter("consumed.icmp"), 5);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_icmp, echo_requests_to_many_or_wrong_ones_are_not_answered)
{
    struct frame rows[] = {echo_of(10), echo_of(10), echo_of(10), echo_of(10)};
    uint8_t bytes[FRAME_MAX];

    start();
    rows[0].destination = FRAME_IP(192, 0, 2, 255);
    rows[1].destination = FRAME_IP(224, 0, 0, 1);
    rows[2].source = FRAME_IP(224, 0, 0, 1);
    rows[3].options = 4;
    for (unsigned i = 0; i < 4; i++)
        wire_send(bytes, build_echo(&rows[i], NULL, bytes));
    struct frame frame = echo_of(10);
    wire_send(bytes, build_echo(&frame, all_mac, bytes));
    size_t length = build_echo(&frame, NULL, bytes);
    bytes[length - 1] ^= 1; /* its checksum is wrong */
    wire_send(bytes, length);
    CHECK(answer() == NULL);
    CHECK_EQ_U64(wire_counter("drop.icmp"), 5);
    CHECK_EQ_U64(wire_counter("drop.martian"), 1); /* from a group */
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_icmp, a_flood_of_echo_requests_is_cut)
{
    uint8_t bytes[FRAME_MAX];

    start();
    struct frame frame = echo_of(10);
    size_t length = build_echo(&frame, NULL, bytes);
    uint64_t now = dataplane_tsc();
    for (unsigned i = 0; i < 2 * ICMP_ECHO_AT_ONCE; i++) {
        wire_send(bytes, length);
        wire_step(now);
    }
    CHECK_EQ_U64(network_forget(), ICMP_ECHO_AT_ONCE);
    CHECK_EQ_U64(wire_counter("icmp.over_rate"), ICMP_ECHO_AT_ONCE);
    wire_send(bytes, length);
    wire_step(now + dataplane_tsc_hz() / ICMP_ECHO_RATE);
    CHECK_EQ_U64(network_forget(), 1);
    network_check_balance();
    wire_stop();
}

static void expect_error_of(unsigned type, unsigned code, const uint8_t *sent, size_t quoted)
{
    const struct network_frame *error = answer();

    CHECK(error != NULL);
    check_addresses(error);
    CHECK_EQ_U64(error->bytes[34], type);
    CHECK_EQ_U64(error->bytes[35], code);
    CHECK_EQ_U64(error->length, 14 + 28 + quoted);
    CHECK(memcmp(error->bytes + 42, sent + 14, quoted) == 0);
    CHECK(take_packet() == NULL);
}

static void expect_error(unsigned code, const uint8_t *sent, size_t quoted)
{
    expect_error_of(3, code, sent, quoted);
}

SUITE_TEST(host_icmp, a_port_and_a_protocol_that_nobody_has_are_told_of)
{
    uint8_t bytes[FRAME_MAX], payload[1000] = {1};

    start();
    struct frame frame = {.source = PEER, .destination = WIRE_ADDRESS, .destination_port = PORT};
    wire_send(bytes, build(&frame, NULL, bytes));
    expect_error(3, bytes, 28);
    frame.payload = payload;
    frame.length = sizeof payload;
    wire_send(bytes, build(&frame, NULL, bytes));
    expect_error(3, bytes, 548); /* an error is a packet of 576 bytes at most */
    frame.length = 20;
    frame.protocol = 132;
    wire_send(bytes, build(&frame, NULL, bytes));
    expect_error(2, bytes, 20 + 8 + 20);
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 2);
    CHECK_EQ_U64(wire_counter("drop.other_protocol"), 1);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 3);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_icmp, what_many_hosts_get_or_nobody_can_have_sent_is_not_told_of)
{
    const struct frame rows[] = {
        {.source = PEER, .destination = FRAME_IP(192, 0, 2, 255)},
        {.source = PEER, .destination = FRAME_IP(239, 1, 1, 1)},
        {.source = PEER, .destination = FRAME_IP(192, 0, 2, 77)},
        {.source = FRAME_IP(224, 0, 0, 1), .destination = WIRE_ADDRESS},
        {.source = UINT32_MAX, .destination = WIRE_ADDRESS},
        {.source = PEER, .destination = WIRE_ADDRESS, .udp_checksum_off = 1},
        {.source = PEER, .destination = WIRE_ADDRESS, .fragment = 1},
        {.source = PEER, .destination = WIRE_ADDRESS, .protocol = 1},
    };
    struct frame one = {.source = PEER, .destination = WIRE_ADDRESS};
    uint8_t bytes[FRAME_MAX];

    start();
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        wire_send(bytes, build(&rows[i], NULL, bytes));
    wire_send(bytes, build(&one, all_mac, bytes));
    CHECK(answer() == NULL);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 0);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_icmp, errors_have_a_rate)
{
    struct frame one = {.source = PEER, .destination = WIRE_ADDRESS};
    uint8_t bytes[FRAME_MAX];

    start();
    size_t length = build(&one, NULL, bytes);
    uint64_t now = dataplane_tsc();
    for (unsigned i = 0; i < 100; i++) {
        wire_send(bytes, length);
        wire_step(now);
    }
    CHECK_EQ_U64(network_forget(), ICMP_ERROR_AT_ONCE);
    CHECK_EQ_U64(wire_counter("icmp.over_rate"), 100 - ICMP_ERROR_AT_ONCE);
    network_check_balance();
    wire_stop();
}

/* A fragment of a datagram of which no more comes. @return the frame's length */
static size_t build_fragment(uint32_t destination, unsigned place, size_t length, uint8_t *bytes)
{
    static const uint8_t payload[1000];
    struct frame frame = {.source = PEER,
                          .destination = destination,
                          .destination_port = PORT,
                          .payload = payload,
                          .length = length - 8,
                          .fragment = (uint16_t)place};

    return build(&frame, NULL, bytes);
}

static void pass_time(void)
{
    wire_step(dataplane_tsc() + 31 * dataplane_tsc_hz());
}

SUITE_TEST(host_icmp, a_datagram_whose_rest_has_not_come_is_told_of)
{
    uint8_t bytes[FRAME_MAX];

    start();
    wire_send(bytes, build_fragment(WIRE_ADDRESS, 0x2000 | 125, 8, bytes)); /* no first: silence */
    wire_step(dataplane_tsc());
    pass_time();
    CHECK(take_packet() == NULL);
    wire_send(bytes, build_fragment(WIRE_ADDRESS | 0xff, 0x2000, 1000, bytes)); /* a broadcast */
    wire_step(dataplane_tsc());
    pass_time();
    CHECK(take_packet() == NULL);
    wire_send(bytes, build_fragment(WIRE_ADDRESS, 0x2000 | 125, 8, bytes));
    wire_step(dataplane_tsc());
    wire_send(bytes, build_fragment(WIRE_ADDRESS, 0x2000, 1000, bytes));
    wire_step(dataplane_tsc());
    CHECK(take_packet() == NULL);
    pass_time();
    expect_error_of(11, 1, bytes, 548);
    CHECK_EQ_U64(wire_counter("lost.reassembly_timeout"), 4);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 1);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_icmp, and_of_many_of_them_only_some_are)
{
    uint8_t bytes[FRAME_MAX];
    unsigned told = 2 * ICMP_ERROR_AT_ONCE;

    start();
    for (unsigned i = 0; i < told; i++) {
        size_t length = build_fragment(WIRE_ADDRESS, 0x2000, 8, bytes);

        bytes[18] = (uint8_t)i; /* another datagram's */
        bytes[24] = bytes[25] = 0;
        uint16_t sum = (uint16_t)~frame_sum(bytes + 14, 20, 0);
        bytes[24] = (uint8_t)(sum >> 8);
        bytes[25] = (uint8_t)sum;
        wire_send(bytes, length);
        wire_step(dataplane_tsc());
    }
    pass_time();
    CHECK_EQ_U64(wire_counter("lost.reassembly_timeout"), told);
    unsigned count = 0;
    while (take_packet() != NULL)
        count++;
    CHECK_EQ_U64(count, ICMP_ERROR_AT_ONCE);
    CHECK_EQ_U64(wire_counter("icmp.over_rate"), told - ICMP_ERROR_AT_ONCE);
    network_check_balance();
    wire_stop();
}

static void start_two(void)
{
    static unsigned cores[2];
    struct config config = wire_config();

    if (wire_cpus() < 2)
        SKIP("this takes two CPUs");
    cores[0] = wire_cpu(0);
    cores[1] = wire_cpu(1);
    config.cores = cores;
    config.cores_count = 2;
    config.ports[0].queues = 2;
    config.buffers = 8192;
    network_start(&config, &client_operations);
}

SUITE_TEST(host_icmp, which_the_lcore_says_that_has_waited_by_the_port_s_keeper)
{
    uint8_t bytes[FRAME_MAX];

    start_two();
    size_t length = build_fragment(WIRE_ADDRESS, 0x2000, 8, bytes);
    wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .queue = 1});
    wire_settle();
    pass_time();
    wire_settle();
    expect_error_of(11, 1, bytes, 28);
    CHECK_EQ_U64(wire_counter("to_transmit"), 1);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_icmp, the_keeper_answers_what_another_lcore_was_brought)
{
    struct config config = wire_config();
    unsigned cores[] = {wire_cpu(0), wire_cpu(1)};
    struct frame frame = echo_of(10), one = {.source = PEER, .destination = WIRE_ADDRESS};
    uint8_t bytes[FRAME_MAX];

    if (wire_cpus() < 2)
        SKIP("this takes two CPUs");
    config.cores = cores;
    config.cores_count = 2;
    config.ports[0].queues = 2;
    config.buffers = 8192;
    config.ports[0].device = (char *)(uintptr_t) "vdev:net_ring0";
    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    network_start(&config, &client_operations);
    for (unsigned i = 0; i < 2; i++) {
        size_t length = i == 0 ? build_echo(&frame, NULL, bytes) : build(&one, NULL, bytes);

        wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .queue = 1});
        wire_settle();
        const struct network_frame *reply = network_take();
        CHECK(reply != NULL);
        check_addresses(reply);
    }
    CHECK_EQ_U64(wire_counter("handed_over"), 2);
    CHECK_EQ_U64(wire_counter("consumed.icmp"), 1);
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 1);
    network_check_balance();
    wire_stop();
}

#endif
