/* SPDX-License-Identifier: BSD-3-Clause */

/* Path MTUs through whole lcores: whose messages are believed, and what is sent from then on. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <string.h>

#include "client.h"
#include "host.h"
#include "network.h"
#include "pmtu.h"
#include "send_queue.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define REMOTE FRAME_IP(203, 0, 113, 5)
#define ROUTER FRAME_IP(192, 0, 2, 254)
#define GROUP FRAME_IP(239, 129, 2, 3)
#define PORT 5000
#define REMOTE_PORT 7777

static unsigned cores[2];

/* Two lcores where there are CPUs for them. */
static void start(unsigned lcores)
{
    struct config config = wire_config();

    if (wire_cpus() < lcores)
        SKIP("this takes two CPUs");
    cores[0] = wire_cpu(1);
    cores[1] = wire_cpu(0);
    if (lcores == 2) {
        config.cores = cores;
        config.cores_count = 2;
        config.ports[0].queues = 2;
        config.buffers = 8192;
    }
    config.ports[0].gateway = ROUTER;
    network_start(&config, &client_operations);
}

/* A packet of this length to the remote host leaves, for the router, whose MAC nobody has told yet. */
static void send_packet(const struct client *c, uint32_t packet, enum send_cutting cutting)
{
    static uint8_t payload[65507];
    struct send_record record = {
        .destination = RTE_BE32(REMOTE),
        .destination_port = RTE_BE16(REMOTE_PORT),
        .length = (uint16_t)(packet - 28),
        .ttl = 64,
        .cutting = (uint8_t)cutting,
    };

    CHECK_EQ_I64(client_try_send_record(c, record, payload), 0);
    wire_settle();
}

static const uint8_t zeros[1472];

static struct frame packet_of(uint16_t port, size_t length)
{
    return (struct frame){
        .source = WIRE_ADDRESS,
        .source_port = port,
        .destination = REMOTE,
        .destination_port = REMOTE_PORT,
        .payload = zeros,
        .length = length - 28,
        .fragment = 0x4000,
    };
}

static void arrive(const struct frame *quoted, uint16_t mtu, unsigned queue, int checksum_off)
{
    struct frame_icmp icmp = {.type = 3,
                              .code = 4,
                              .reporter = ROUTER,
                              .quoted = quoted,
                              .mtu = mtu,
                              .checksum_off = checksum_off};
    uint8_t bytes[2048];
    size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes);

    wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .queue = queue});
    wire_settle();
}

static void tell(uint16_t port, size_t length, uint16_t mtu)
{
    struct frame quoted = packet_of(port, length);

    arrive(&quoted, mtu, 0, 0);
}

static uint32_t known_to(const struct client *c)
{
    return dataplane_path_mtu(c->endpoint, RTE_BE32(REMOTE));
}

SUITE_TEST(host_pmtu, a_socket_whose_packet_was_too_long_knows_how_long_one_may_be)
{
    start(1);
    struct client c = client_bound(0, PORT);
    CHECK_EQ_U64(known_to(&c), PMTU_UNKNOWN);
    send_packet(&c, 1500, SEND_UNCUT);
    tell(PORT, 1500, 1400);
    CHECK_EQ_U64(known_to(&c), 1400);
    tell(PORT, 1500, 1400);
    tell(PORT, 1400, 0);
    CHECK_EQ_U64(known_to(&c), 1006);
    CHECK_EQ_U64(wire_counter("consumed.icmp"), 3);
    CHECK_EQ_U64(wire_counter("icmp.path_mtus"), 2);
    CHECK_EQ_U64(client_queued(&c), 0); /* it is no error of a receive */
    wire_step(dataplane_tsc() + 601 * dataplane_tsc_hz());
    CHECK_EQ_U64(known_to(&c), PMTU_UNKNOWN);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(host_pmtu, lies_are_not_believed)
{
    start(1);
    struct client c = client_bound(0, PORT), cutting = client_bound(0, PORT + 1);
    struct client silent = client_bound(0, PORT + 2);
    send_packet(&c, 1000, SEND_UNCUT);
    send_packet(&cutting, 1500, SEND_CUT);
    tell(PORT, 1001, 900);     /* longer than any that it has sent */
    tell(PORT, 1000, 1000);    /* which would have gone through */
    tell(PORT, 1000, 67);      /* which no link can have */
    tell(PORT + 1, 1500, 900); /* sends nothing that must not be cut */
    tell(PORT + 2, 1000, 900);
    tell(PORT + 9, 1000, 900);
    struct frame quoted = packet_of(PORT, 1000);
    quoted.fragment = 0; /* that a router could have cut */
    arrive(&quoted, 900, 0, 0);
    quoted.fragment = 0x6000;
    arrive(&quoted, 900, 0, 0);
    quoted = packet_of(PORT, 1000);
    quoted.source = FRAME_IP(192, 0, 2, 7); /* it has come to another's address as well */
    arrive(&quoted, 900, 0, 0);
    quoted = packet_of(PORT, 1000);
    quoted.destination = GROUP;
    arrive(&quoted, 900, 0, 0);
    quoted = packet_of(PORT, 1000);
    quoted.protocol = 6;
    arrive(&quoted, 900, 0, 0);
    quoted = packet_of(PORT, 1000);
    arrive(&quoted, 900, 0, 1);
    CHECK_EQ_U64(known_to(&c), PMTU_UNKNOWN);
    CHECK_EQ_U64(wire_counter("icmp.path_mtus"), 0);
    CHECK_EQ_U64(wire_counter("drop.icmp"), 12);
    wire_check_balance();
    tell(PORT, 1000, 900);
    CHECK_EQ_U64(known_to(&c), 900);
    client_close(&c);
    client_close(&cutting);
    client_close(&silent);
    wire_stop();
}

SUITE_TEST(host_pmtu, a_new_socket_has_sent_nothing_of_its_slot_s_last_one)
{
    start(1);
    struct client c = client_bound(0, PORT);
    send_packet(&c, 1500, SEND_UNCUT);
    client_close(&c);
    c = client_bound(0, PORT);
    tell(PORT, 1500, 900);
    CHECK_EQ_U64(known_to(&c), PMTU_UNKNOWN);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(host_pmtu, it_is_the_home_lcore_that_learns_whichever_is_told)
{
    start(2);
    struct client at_0 = client_joined(GROUP, PORT), at_1 = client_joined(GROUP, PORT + 1);
    CHECK_EQ_U64(atomic_load(&at_0.endpoint->home), 0);
    CHECK_EQ_U64(atomic_load(&at_1.endpoint->home), 1);
    send_packet(&at_0, 1500, SEND_UNCUT);
    send_packet(&at_1, 1500, SEND_UNCUT);
    struct frame quoted = packet_of(PORT + 1, 1500);
    arrive(&quoted, 1200, 0, 0);
    CHECK_EQ_U64(known_to(&at_1), 1200);
    CHECK_EQ_U64(known_to(&at_0), PMTU_UNKNOWN);
    quoted = packet_of(PORT, 1500);
    arrive(&quoted, 1100, 1, 0);
    CHECK_EQ_U64(known_to(&at_1), 1200);
    CHECK_EQ_U64(known_to(&at_0), 1100);
    quoted = packet_of(PORT, 1500);
    arrive(&quoted, 20, 1, 0); /* refused at home */
    CHECK_EQ_U64(wire_counter("handed_over"), 3);
    CHECK_EQ_U64(wire_counter("consumed.icmp"), 2);
    CHECK_EQ_U64(wire_counter("drop.icmp"), 1);
    wire_check_balance();
    client_close(&at_0);
    client_close(&at_1);
    wire_stop();
}

/* The router answers whoever asks for it. */
static void answer_arp(void)
{
    uint8_t frame[60] = {[6] = 2, [11] = 9, [12] = 8, [13] = 6};
    static const uint8_t reply[] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 9, 192, 0, 2, 254};
    static const uint8_t ours[] = {192, 0, 2, 1};

    memcpy(frame + 14, reply, sizeof reply);
    memcpy(frame + 32, &dataplane.ports[0].mac, 6);
    memcpy(frame + 38, ours, sizeof ours);
    wire_send(frame, sizeof frame);
    wire_settle();
}

/* @return how many have left since it was last called; and the longest packet's bytes */
static unsigned take_packets(size_t *longest)
{
    const struct network_frame *frame;
    unsigned count = 0;

    *longest = 0;
    while ((frame = network_take()) != NULL)
        if (frame->bytes[12] == 8 && frame->bytes[13] == 0 && frame->bytes[23] == 17) {
            *longest = RTE_MAX(*longest, frame->length - 14);
            count++;
        }
    return count;
}

SUITE_TEST(host_pmtu, from_then_on_datagrams_are_cut_to_it_but_those_that_are_cut_to_the_link)
{
    size_t longest;

    start(1);
    struct client c = client_bound(0, PORT);
    send_packet(&c, 1500, SEND_UNCUT);
    answer_arp();
    CHECK_EQ_U64(take_packets(&longest), 1);
    tell(PORT, 1500, 600);
    send_packet(&c, 4028, SEND_CUT);
    CHECK_EQ_U64(take_packets(&longest), 7); /* of 576 bytes each behind the header, but the last */
    CHECK_EQ_U64(longest, 596);
    send_packet(&c, 600, SEND_CUT);
    CHECK_EQ_U64(take_packets(&longest), 1);
    send_packet(&c, 4028, SEND_CUT_TO_LINK);
    CHECK_EQ_U64(take_packets(&longest), 3);
    CHECK_EQ_U64(longest, 1500);
    send_packet(&c, 1500, SEND_UNCUT); /* a probe */
    CHECK_EQ_U64(take_packets(&longest), 1);
    send_packet(&c, 1501, SEND_UNCUT);
    CHECK_EQ_U64(take_packets(&longest), 0);
    CHECK_EQ_U64(wire_counter("lost.send_too_long"), 1);
    network_check_balance();
    client_close(&c);
    wire_stop();
}

#endif
