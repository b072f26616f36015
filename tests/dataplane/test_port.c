/* SPDX-License-Identifier: BSD-3-Clause */

/* What a port's configuration makes of its frames, from the device to a socket. */

#include "support/suite.h"

#include <rte_mbuf.h>

#include "client.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000

static struct client c;

static void start(unsigned vlan, enum config_checksums checksums)
{
    struct config config = wire_config();

    config.ports[0].vlan = vlan;
    config.ports[0].checksums = checksums;
    wire_start(&config, &client_operations, true);
    c = client_joined(GROUP, PORT);
}

static void stop(void)
{
    client_close(&c);
    CHECK_EQ_U64(wire_free_buffers(), 4096);
    wire_stop();
}

/* Is it delivered? If not, it must be counted under this row. */
static void expect(const struct frame *frame, uint64_t ol_flags, uint16_t tci, const char *row)
{
    uint8_t bytes[256];
    size_t length = frame_build(frame, bytes, sizeof bytes);
    uint64_t before = wire_counter(row);

    wire_send_frame(&(struct wire_frame){
        .bytes = bytes, .length = length, .ol_flags = ol_flags, .vlan_tci = tci});
    wire_settle();
    CHECK_EQ_U64(wire_counter(row), before + 1);
    CHECK_EQ_U64(client_drain(&c), strcmp(row, "delivered") == 0 ? 1 : 0);
    wire_check_balance();
}

static const struct frame right = {.payload = "abc", .length = 3};
static const struct frame wrong = {.payload = "abc", .length = 3, .udp_checksum_off = 1};
static const struct frame absent = {.payload = "abc", .length = 3, .no_udp_checksum = true};
static const struct frame wrong_ip = {.payload = "abc", .length = 3, .ip_checksum_off = 1};

SUITE_TEST(port, verified_checksums)
{
    start(0, CONFIG_CHECKSUMS_VERIFY);
    expect(&right, 0, 0, "delivered");
    expect(&absent, 0, 0, "delivered");
    expect(&wrong, 0, 0, "drop.bad_udp_checksum");
    expect(&wrong_ip, 0, 0, "drop.bad_ip_checksum");
    expect(&right, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0, "drop.bad_udp_checksum");
    expect(&absent, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0, "delivered");
    expect(&wrong, RTE_MBUF_F_RX_L4_CKSUM_GOOD, 0, "delivered");
    expect(&right, RTE_MBUF_F_RX_IP_CKSUM_BAD, 0, "drop.bad_ip_checksum");
    expect(&wrong_ip, RTE_MBUF_F_RX_IP_CKSUM_GOOD, 0, "delivered");
    stop();
}

SUITE_TEST(port, ignored_udp_checksums)
{
    start(0, CONFIG_CHECKSUMS_IGNORE);
    expect(&right, 0, 0, "delivered");
    expect(&wrong, 0, 0, "delivered");
    expect(&right, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0, "delivered");
    expect(&wrong_ip, 0, 0, "drop.bad_ip_checksum"); /* these always count */
    stop();
}

SUITE_TEST(port, one_vlan)
{
    static const struct frame tagged = {
        .payload = "abc", .length = 3, .tags_count = 1, .tags = {{0, 100}}};
    static const struct frame other = {
        .payload = "abc", .length = 3, .tags_count = 1, .tags = {{0, 101}}};

    start(100, CONFIG_CHECKSUMS_VERIFY);
    expect(&tagged, 0, 0, "delivered");
    expect(&other, 0, 0, "drop.other_vlan");
    expect(&right, 0, 0, "drop.other_vlan");
    expect(&right, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, 100, "delivered");
    expect(&right, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, 101, "drop.other_vlan");
    stop();
}

SUITE_TEST(port, any_tagging)
{
    static const struct frame tagged = {
        .payload = "abc", .length = 3, .tags_count = 1, .tags = {{0, 7}}};
    static const struct frame stacked = {
        .payload = "abc", .length = 3, .tags_count = 2, .tags = {{0x88a8, 3}, {0, 7}}};

    start(0, CONFIG_CHECKSUMS_VERIFY);
    expect(&tagged, 0, 0, "delivered");
    expect(&stacked, 0, 0, "delivered");
    expect(&right, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, 9, "delivered");
    stop();
}

/* Each row of the table of fates that a frame by itself can reach. */
SUITE_TEST(port, every_reason_to_drop_has_its_row)
{
    static const struct {
        const char *row;
        struct frame frame;
    } rows[] = {
        {"drop.arp", {.ethertype = 0x0806}},
        {"drop.ipv6", {.ethertype = 0x86dd}},
        {"drop.other_ethertype", {.ethertype = 0x88cc}},
        {"drop.bad_ip_header", {.version_ihl = 0x65}},
        {"drop.truncated", {.total_length_off = 1}},
        {"drop.fragment", {.fragment = 0x2000, .payload = "no multiple of 8", .length = 15}},
        {"drop.icmp", {.protocol = 1}},
        {"drop.igmp", {.protocol = 2}},
        {"drop.tcp", {.protocol = 6}},
        {"drop.other_protocol", {.protocol = 132}},
        {"drop.bad_udp_length", {.udp_length_off = 1}},
        {"drop.not_joined", {.destination = GROUP + 1}},
        {"drop.not_joined", {.destination_port = PORT + 1}},
        {"drop.not_our_address", {.destination = WIRE_ADDRESS + 1}},
        {"drop.no_socket", {.destination = WIRE_ADDRESS, .destination_port = PORT + 1}},
    };

    start(0, CONFIG_CHECKSUMS_VERIFY);
    for (size_t i = 0; i < RTE_DIM(rows); i++)
        expect(&rows[i].frame, 0, 0, rows[i].row);
    wire_send("short", 5);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.short_frame"), 1);
    stop();
}

/* However a device cuts a frame in segments, the datagram arrives. */
SUITE_TEST(port, a_frame_cut_anywhere_is_delivered_whole)
{
    struct frame frame = {.tags_count = 2, .options = 8, .padding = 4, .length = 40};
    uint8_t payload[40], bytes[256];
    uint64_t number = 0;

    start(0, CONFIG_CHECKSUMS_VERIFY);
    frame.payload = payload;
    for (uint16_t first = 1; first < 90; first++)
        for (uint16_t second = 1; second <= 41; second += 20) {
            const uint16_t cuts[2] = {first, second};
            struct taken taken;

            frame_fill(payload, sizeof payload, number);
            size_t length = frame_build(&frame, bytes, sizeof bytes);
            wire_send_segments(bytes, length, cuts, first + second < (int)length ? 2 : 1);
            wire_step(dataplane_tsc());
            CHECK_MSG(client_take(&c, &taken), "lost when cut at %u and %u", first, second);
            CHECK_EQ_U64(taken.length, sizeof payload);
            CHECK_EQ_MEM(taken.bytes, payload, sizeof payload);
            number++;
        }
    CHECK(!client_take(&c, &(struct taken){0}));
    wire_settle();
    stop();
}

#endif
