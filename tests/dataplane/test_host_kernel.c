/* SPDX-License-Identifier: BSD-3-Clause */

/* What goes to the kernel and what comes from it, with a real TAP interface in a namespace of the test's own,
 * and with the test at both ends: on the wire, and on the interface. By hand, but for the thread that reads
 * and writes it. */

#include "support/suite.h"

#include <rte_mbuf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arp_bench.h"
#include "client.h"
#include "host.h"
#include "kernel_end.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "veth.h"
#include "wake.h"

#define ETHERTYPE_OTHER 0x88b5
#define TCP 6
#define GROUP FRAME_IP(239, 1, 2, 3)
#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define ANOTHER FRAME_IP(192, 0, 2, 77)

/* To the port's own MAC. @return its length */
static size_t send_frame(struct frame frame, uint8_t *bytes, size_t size)
{
    size_t length = frame_build(&frame, bytes, size);

    memcpy(bytes, &dataplane.ports[0].mac, 6);
    bytes[6] = 2; /* from one host */
    wire_send(bytes, length);
    wire_step(dataplane_tsc());
    return length;
}

static void expect_given(const uint8_t *wanted, size_t length)
{
    uint8_t got[2048];

    CHECK_EQ_U64(kernel_end_await(got, sizeof got), length);
    CHECK(memcmp(got, wanted, length) == 0);
}

SUITE_TEST(host_kernel, lldp_comes_to_the_interface_and_other_ethertypes_do_not)
{
    uint8_t got[256];

    kernel_end_start();
    kernel_end_send_ethertype(ETHERTYPE_OTHER);
    kernel_end_send_ethertype(KERNEL_END_LLDP);
    CHECK_EQ_U64(kernel_end_await(got, sizeof got), 60);
    CHECK_EQ_U64(got[13], KERNEL_END_LLDP & 0xff);
    CHECK_EQ_U64(got[14], 42);
    kernel_end_await_counter("kernel.received", 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    CHECK_EQ_U64(wire_counter("drop.other_ethertype"), 1);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, rules_choose_ports_and_what_they_leave_is_answered_as_before)
{
    static struct config_kernel_rule ssh = {true, TCP, 22, 22};
    struct config config = kernel_end_config();
    struct frame frame = {.destination = WIRE_ADDRESS, .protocol = TCP, .destination_port = 23};
    uint8_t bytes[256];

    config.ports[0].kernel_rules = &ssh;
    config.ports[0].kernel_rules_count = 1;
    kernel_end_start_with(config);
    send_frame(frame, bytes, sizeof bytes);
    CHECK_EQ_U64(wire_counter("drop.tcp"), 1);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 1);
    frame.destination_port = 22;
    size_t length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 1);
    kernel_end_send_ethertype(KERNEL_END_LLDP); /* which only the default names */
    CHECK_EQ_U64(wire_counter("drop.other_ethertype"), 1);
    network_forget();
    kernel_end_stop();
}

SUITE_TEST(host_kernel, sockets_come_before_rules_and_other_hosts_frames_are_nobodys)
{
    static struct config_kernel_rule udp = {true, 17, 0, 65535};
    struct config config = kernel_end_config();
    struct frame frame = {
        .destination = WIRE_ADDRESS, .destination_port = 5000, .payload = "abc", .length = 3};
    uint8_t bytes[256];

    config.ports[0].kernel_rules = &udp;
    config.ports[0].kernel_rules_count = 1;
    kernel_end_start_with(config);
    struct client c = client_bound(0, 5000);
    send_frame(frame, bytes, sizeof bytes);
    CHECK_EQ_U64(client_drain(&c), 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 0);
    frame.destination_port = 5001; /* nobody's, so the kernel's */
    size_t length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 0);
    frame.destination = ANOTHER; /* which may be an address of the kernel's */
    length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    frame.destination = GROUP;
    length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("to_kernel"), 3);
    bytes[5] ^= 1; /* to another host's MAC, as in promiscuous mode */
    wire_send(bytes, length);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("to_kernel"), 3);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    client_close(&c);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, more_frames_than_the_rate_permits_are_dropped_and_counted)
{
    struct config config = kernel_end_config();

    config.ports[0].kernel_rate = 5;
    kernel_end_start_with(config);
    for (unsigned i = 0; i < 8; i++)
        kernel_end_send_ethertype(KERNEL_END_LLDP); /* within much less than a fifth of a second */
    CHECK_EQ_U64(wire_counter("to_kernel"), 5);
    CHECK_EQ_U64(wire_counter("drop.kernel_rate"), 3);
    kernel_end_await_counter("kernel.received", 5);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, the_way_there_holds_so_many_buffers_and_no_more)
{
    struct config config = kernel_end_config();
    struct lcore *lcore;

    config.ports[0].kernel_rate = 1000000;
    kernel_end_start_with(config);
    lcore = &dataplane.lcores[0];
    for (unsigned i = 0; i < CONFIG_KERNEL_BUFFERS + 1; i++) {
        static const uint8_t lldp[60] = {0x01, 0x80, 0xc2, [12] = 0x88, [13] = 0xcc};
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(dataplane.ports[0].pool);

        CHECK(mbuf != NULL);
        memcpy(rte_pktmbuf_append(mbuf, sizeof lldp), lldp, sizeof lldp);
        enum counter fate =
            host_take(lcore, &dataplane.ports[0], mbuf, COUNTER_DROP_ETHERTYPE, dataplane_tsc());
        bool is_last = i == CONFIG_KERNEL_BUFFERS;
        CHECK_EQ_I64(fate, is_last ? COUNTER_DROP_KERNEL_FULL : COUNTER_TO_KERNEL);
        if (is_last)
            rte_pktmbuf_free(mbuf);
    }
    kernel_end_await_counter("kernel.received", CONFIG_KERNEL_BUFFERS);
    kernel_end_send_ethertype(KERNEL_END_LLDP); /* there is room again */
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    kernel_end_await_counter("kernel.received", CONFIG_KERNEL_BUFFERS + 1);
    close(kernel_end_socket());
    wire_stop();
}

SUITE_TEST(host_kernel, a_frame_in_several_buffers_comes_in_one_piece)
{
    static const uint16_t segments[] = {20, 1, 300};
    struct frame frame = {.destination = WIRE_ADDRESS, .protocol = TCP};
    uint8_t payload[1000], bytes[1200];

    kernel_end_start();
    frame_fill(payload, sizeof payload, 1);
    frame.payload = payload;
    frame.length = sizeof payload;
    size_t length = frame_build(&frame, bytes, sizeof bytes);
    memcpy(bytes, &dataplane.ports[0].mac, 6);
    wire_send_segments(bytes, length, segments, 3);
    wire_step(dataplane_tsc());
    expect_given(bytes, length);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, what_the_kernel_sends_leaves_by_the_port)
{
    uint8_t bytes[1514] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    kernel_end_start();
    for (size_t length = 14; length <= sizeof bytes; length += 250) {
        frame_fill(bytes + 14, length - 14, length);
        CHECK_EQ_I64(send(kernel_end_socket(), bytes, length, 0), (int64_t)length);
        const struct network_frame *frame = kernel_end_await_sent();
        CHECK_EQ_U64(frame->length, length);
        CHECK(memcmp(frame->bytes, bytes, length) == 0);
    }
    CHECK_EQ_U64(wire_counter("kernel.sent"), 7);
    CHECK_GE_U64(wire_counter("out"), 7);
    network_check_balance();
    kernel_end_stop();
}

SUITE_TEST(host_kernel, jumbo_frames_leave_in_as_many_buffers_as_it_takes)
{
    struct config config = kernel_end_config();
    uint8_t bytes[9014] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    config.ports[0].mtu = 9000;
    kernel_end_start_with(config);
    for (size_t length = 2000; length <= sizeof bytes; length += 1169) {
        frame_fill(bytes + 14, length - 14, length);
        CHECK_EQ_I64(send(kernel_end_socket(), bytes, length, 0), (int64_t)length);
        const struct network_frame *frame = kernel_end_await_sent();
        CHECK_EQ_U64(frame->length, length);
        CHECK(memcmp(frame->bytes, bytes, length) == 0);
    }
    kernel_end_stop();
}

SUITE_TEST(host_kernel, a_frame_over_the_port_s_mtu_does_not_leave)
{
    uint8_t bytes[1523] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    kernel_end_start();
    CHECK(veth_run("ip link set wtap0 mtu 2000"));
    CHECK_EQ_I64(send(kernel_end_socket(), bytes, sizeof bytes, 0), sizeof bytes);
    kernel_end_await_counter("lost.kernel_too_long", 1);
    CHECK_EQ_I64(send(kernel_end_socket(), bytes, sizeof bytes - 1, 0),
                 sizeof bytes - 1); /* with two tags */
    CHECK_EQ_U64(kernel_end_await_sent()->length, sizeof bytes - 1);
    CHECK_EQ_U64(wire_counter("kernel.sent"), 2);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, what_the_kernel_sends_faster_than_the_rate_waits_and_is_not_lost)
{
    struct config config = kernel_end_config();
    uint8_t bytes[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    config.ports[0].kernel_rate = 2;
    kernel_end_start_with(config);
    uint64_t began = wake_clock();
    for (bytes[14] = 0; bytes[14] < 5; bytes[14]++)
        CHECK_EQ_I64(send(kernel_end_socket(), bytes, sizeof bytes, 0), sizeof bytes);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ_U64(kernel_end_await_sent()->bytes[14], i);
    CHECK_GE_U64(wake_clock() - began,
                 UINT64_C(1400000000)); /* two at once, and three half seconds */
    CHECK_GE_U64(wire_counter("kernel.held_back"), 1);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, on_a_port_of_one_vlan_the_kernel_sees_no_tags)
{
    struct config config = kernel_end_config();
    struct frame frame = {.destination = WIRE_ADDRESS,
                          .protocol = TCP,
                          .tags = {{.type = 0x88a8, .tci = 7}, {.tci = 100}},
                          .tags_count = 2};
    uint8_t bytes[256];

    config.ports[0].vlan = 100;
    kernel_end_start_with(config);
    size_t length = send_frame(frame, bytes, sizeof bytes);
    memmove(bytes + 8, bytes, 12);
    expect_given(bytes + 8, length - 8);
    CHECK_EQ_I64(send(kernel_end_socket(), bytes + 8, length - 8, 0), (int64_t)length - 8);
    const struct network_frame *left = kernel_end_await_sent();
    CHECK_EQ_U64(left->length, length - 4);
    CHECK(memcmp(left->bytes + 12, "\x81\x00\x00\x64\x08\x00", 6) == 0);
    kernel_end_stop();
}

static void send_arp(unsigned operation, uint32_t target)
{
    struct rte_ether_addr mac = {{2, 0, 0, 0, 0, 9}};
    uint8_t frame[60] = {[0] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 8, [13] = 6};

    memcpy(frame + 6, &mac, 6);
    bench_write(frame + 14, operation, mac, NEIGHBOUR, target);
    wire_send(frame, sizeof frame);
    wire_step(dataplane_tsc());
}

SUITE_TEST(host_kernel, the_kernel_has_copies_of_arp_but_for_what_is_answered_here)
{
    uint8_t got[256];

    kernel_end_start();
    send_arp(1, WIRE_ADDRESS);
    CHECK_EQ_U64(wire_counter("consumed.arp"), 1);
    CHECK_EQ_U64(wire_counter("kernel.copies"), 0);
    send_arp(2, WIRE_ADDRESS);
    CHECK_EQ_U64(kernel_end_await(got, sizeof got), 60);
    CHECK_EQ_U64(got[21], 2);
    send_arp(1, ANOTHER);
    CHECK_EQ_U64(kernel_end_await(got, sizeof got), 60);
    CHECK_EQ_U64(got[21], 1);
    CHECK_EQ_U64(wire_counter("consumed.arp"), 3);
    CHECK_EQ_U64(wire_counter("kernel.copies"), 2);
    CHECK_EQ_U64(wire_counter("to_kernel"), 0);
    network_forget();
    kernel_end_stop();
}

/* A general query of IGMPv2 (RFC 2236), from a router. */
static void send_query(void)
{
    static const uint8_t query[46] = {
        0x01, 0x00, 0x5e, 0,  0,        1, 2,          [11] = 9, [12] = 8, [13] = 0,
        0x46, 0xc0, 0,    32, [22] = 1, 2, [26] = 192, 0,        2,        9,
        224,  0,    0,    1,  0x94,     4, 0,          0,        0x11,     100};
    uint8_t bytes[sizeof query];

    memcpy(bytes, query, sizeof bytes);
    uint16_t sum = (uint16_t)~frame_sum(bytes + 14, 24, 0);
    bytes[24] = (uint8_t)(sum >> 8);
    bytes[25] = (uint8_t)sum;
    sum = (uint16_t)~frame_sum(bytes + 38, 8, 0);
    bytes[40] = (uint8_t)(sum >> 8);
    bytes[41] = (uint8_t)sum;
    wire_send(bytes, sizeof bytes);
    wire_step(dataplane_tsc());
}

SUITE_TEST(host_kernel, the_kernel_has_copies_of_igmp_if_a_rule_names_it)
{
    static struct config_kernel_rule igmp = {true, 2, 0, 65535};
    struct config config = kernel_end_config();
    uint8_t got[256];

    kernel_end_start_with(config);
    send_query();
    CHECK_EQ_U64(wire_counter("consumed.igmp"), 1);
    CHECK_EQ_U64(wire_counter("kernel.copies"), 0);
    kernel_end_stop();
    config.ports[0].kernel_rules = &igmp;
    config.ports[0].kernel_rules_count = 1;
    kernel_end_start_with(config);
    send_query();
    CHECK_EQ_U64(kernel_end_await(got, sizeof got), 46);
    CHECK_EQ_U64(wire_counter("consumed.igmp"), 1);
    CHECK_EQ_U64(wire_counter("kernel.copies"), 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 0);
    kernel_end_stop();
}

SUITE_TEST(host_kernel, icmp_about_nothing_sent_here_is_the_kernel_s_if_a_rule_names_it)
{
    static struct config_kernel_rule lldp = {false, KERNEL_END_LLDP, 0, 65535};
    struct config config = kernel_end_config();
    struct frame quoted = {.source = WIRE_ADDRESS, .destination_port = 53};
    struct frame_icmp icmp = {.type = 3, .code = 3, .quoted = &quoted};
    uint8_t bytes[256];

    kernel_end_start_with(config);
    size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes);
    memcpy(bytes, &dataplane.ports[0].mac, 6);
    wire_send(bytes, length); /* about what no socket here has sent: so the kernel may have */
    wire_step(dataplane_tsc());
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    kernel_end_stop();
    config.ports[0].kernel_rules = &lldp;
    config.ports[0].kernel_rules_count = 1;
    kernel_end_start_with(config);
    wire_send(bytes, length);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("drop.icmp"), 1);
    kernel_end_stop();
}
