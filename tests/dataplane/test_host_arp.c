/* SPDX-License-Identifier: BSD-3-Clause */

/* ARP and datagrams that leave, through a whole lcore. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_udp.h>
#include <string.h>

#include "arp_bench.h"
#include "client.h"
#include "network.h"
#include "port_watch.h"
#include "service.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define GROUP FRAME_IP(239, 129, 2, 3)
#define PORT 5000
#define REQUEST 1u
#define REPLY 2u

static uint64_t now;

static void start(void)
{
    struct config config = wire_config();

    network_start(&config, &client_operations);
    now = dataplane_tsc();
}

static void send_arp(unsigned operation, struct rte_ether_addr mac, uint32_t sender,
                     uint32_t target)
{
    uint8_t frame[60] = {[12] = 8, [13] = 6};

    memcpy(frame + 6, &mac, 6);
    bench_write(frame + 14, operation, mac, sender, target);
    wire_send(frame, sizeof frame);
    wire_step(now);
}

static const struct network_frame *take(void)
{
    wire_step(now);
    const struct network_frame *frame = network_take();
    CHECK(frame != NULL);
    return frame;
}

static void expect_arp(unsigned operation, uint32_t sender, uint32_t target)
{
    uint8_t wanted[ARP_PACKET_BYTES];
    const struct network_frame *frame = take();

    bench_write(wanted, operation, dataplane.ports[0].mac, sender, target);
    CHECK_EQ_U64(frame->length, 60);
    CHECK(memcmp(frame->bytes + 6, &dataplane.ports[0].mac, 6) == 0);
    CHECK(memcmp(frame->bytes + 14, wanted, 18) == 0);
    CHECK(memcmp(frame->bytes + 14 + 24, wanted + 24, 4) == 0);
}

/* A datagram of 100 bytes from us, with right checksums, to this MAC. */
static void expect_datagram(const uint8_t *mac, uint32_t destination, uint64_t sequence)
{
    const struct network_frame *frame = take();
    const uint8_t *ip = frame->bytes + 14;
    uint8_t pseudo[12] = {0};

    while (ip[9] == 2) /* a report of a join or a leave */
        ip = (frame = take())->bytes + 14;

    CHECK_EQ_U64(frame->length, 142);
    CHECK(memcmp(frame->bytes, mac, 6) == 0);
    CHECK(memcmp(frame->bytes + 6, &dataplane.ports[0].mac, 6) == 0);
    CHECK_EQ_U64(frame_sum(ip, 20, 0), 0xffff);
    CHECK_EQ_U64(FRAME_IP(ip[16], ip[17], ip[18], ip[19]), destination);
    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = 17;
    memcpy(pseudo + 10, ip + 24, 2);
    CHECK_EQ_U64(frame_sum(ip + 20, 108, frame_sum(pseudo, sizeof pseudo, 0)), 0xffff);
    CHECK(frame_is_filled(ip + 28, 100, sequence));
}

SUITE_TEST(host_arp, who_asks_for_our_address_is_answered)
{
    start();
    send_arp(REQUEST, bench_mac_of(9), NEIGHBOUR, WIRE_ADDRESS);
    expect_arp(REPLY, WIRE_ADDRESS, NEIGHBOUR);
    CHECK_EQ_U64(wire_counter("consumed.arp"), 1);
    CHECK_EQ_U64(wire_counter("arp.answered"), 1);
    send_arp(REQUEST, bench_mac_of(9), FRAME_IP(224, 0, 0, 1), WIRE_ADDRESS);
    CHECK(network_take() == NULL);
    CHECK_EQ_U64(wire_counter("drop.arp"), 1);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, the_address_is_probed_for_and_announced_in_the_first_ten_seconds)
{
    start();
    network_claim();
    uint64_t second = dataplane_tsc_hz();
    for (unsigned step = 0; step < 100; step++, now += second / 10)
        wire_step(now);
    for (unsigned i = 0; i < 3; i++)
        expect_arp(REQUEST, 0, WIRE_ADDRESS);
    for (unsigned i = 0; i < 2; i++)
        expect_arp(REQUEST, WIRE_ADDRESS, WIRE_ADDRESS);
    CHECK(network_take() == NULL);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, a_datagram_to_a_neighbour_waits_for_its_mac_and_leaves)
{
    struct rte_ether_addr mac = bench_mac_of(9);

    start();
    struct client c = client_bound(0, PORT);
    client_send(&c, NEIGHBOUR, PORT, 100, 1);
    expect_arp(REQUEST, WIRE_ADDRESS, NEIGHBOUR);
    CHECK(network_take() == NULL);
    send_arp(REPLY, mac, NEIGHBOUR, WIRE_ADDRESS);
    expect_datagram(mac.addr_bytes, NEIGHBOUR, 1);
    client_send(&c, NEIGHBOUR, PORT, 100, 2);
    expect_datagram(mac.addr_bytes, NEIGHBOUR, 2);
    client_close(&c);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, a_datagram_to_nobody_is_lost_after_three_questions_and_counted)
{
    start();
    struct client c = client_bound(0, PORT);
    client_send(&c, NEIGHBOUR, PORT, 100, 1);
    for (unsigned i = 0; i < 4; i++, now += dataplane_tsc_hz())
        wire_step(now);
    CHECK_EQ_U64(wire_counter("arp.asked"), 3);
    CHECK_EQ_U64(wire_counter("lost.unresolved"), 1);
    CHECK_EQ_U64(wire_counter("arp.unanswered"), 1);
    client_close(&c);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, a_datagram_to_a_group_leaves_and_reaches_our_members_too)
{
    static const uint8_t mac[] = {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03};

    start();
    struct client c = client_bound(0, PORT), member = client_joined(GROUP, PORT);
    client_send(&c, GROUP, PORT, 100, 7);
    expect_datagram(mac, GROUP, 7);
    client_expect(&member, 7, 1, 100);
    client_close(&member);
    client_send(&c, GROUP, PORT, 100, 8); /* nobody here any more */
    expect_datagram(mac, GROUP, 8);
    client_close(&c);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, a_broadcast_leaves_and_reaches_our_sockets_too)
{
    static const uint8_t mac[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint32_t destinations[] = {UINT32_MAX, FRAME_IP(192, 0, 2, 255)};

    start();
    struct client c = client_bound(0, PORT);
    for (unsigned i = 0; i < 2; i++) {
        client_send(&c, destinations[i], PORT, 100, i);
        expect_datagram(mac, destinations[i], i);
        client_expect(&c, i, 1, 100);
    }
    client_close(&c);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, frames_leave_with_the_tag_of_the_port_s_vlan)
{
    struct config config = wire_config();

    config.ports[0].vlan = 77;
    network_start(&config, &client_operations);
    now = dataplane_tsc();
    struct client c = client_bound(0, PORT);
    client_send(&c, GROUP, PORT, 100, 1);
    const struct network_frame *frame = take();
    CHECK_EQ_U64(frame->length, 146);
    CHECK(memcmp(frame->bytes + 12, "\x81\x00\x00\x4d\x08\x00", 6) == 0);
    client_send(&c, NEIGHBOUR, PORT, 100, 1);
    frame = take();
    CHECK(memcmp(frame->bytes + 12, "\x81\x00\x00\x4d\x08\x06", 6) == 0);
    client_close(&c);
    wire_stop();
}

static bool link_is_up;

static int tell_link(struct port *port, struct port_link *link)
{
    (void)port;
    *link = (struct port_link){.up = link_is_up};
    return 0;
}

static void look_at_link(bool up)
{
    link_is_up = up;
    CHECK_EQ_I64(service_call(port_watch_now, NULL), 0);
}

SUITE_TEST(host_arp, a_link_that_comes_back_has_addresses_announced_and_groups_reported_again)
{
    start();
    struct client c = client_joined(GROUP, PORT);
    struct port_operations operations = *dataplane.ports[0].operations;
    operations.link = tell_link;
    dataplane.ports[0].operations = &operations;
    for (unsigned i = 0; i < 100; i++, now += dataplane_tsc_hz() / 10)
        wire_step(now);
    network_forget();
    look_at_link(true);
    CHECK(network_take() == NULL); /* it was not down */
    look_at_link(false);
    wire_step(now);
    CHECK(network_take() == NULL);
    look_at_link(true);
    expect_arp(REQUEST, WIRE_ADDRESS, WIRE_ADDRESS);
    look_at_link(true);
    for (unsigned i = 0; i < 50; i++, now += dataplane_tsc_hz() / 10)
        wire_step(now);
    unsigned announced = 1, reported = 0;
    for (const struct network_frame *frame; (frame = network_take()) != NULL;) {
        announced += frame->bytes[13] == 6;
        reported += frame->bytes[13] == 0 && frame->bytes[14 + 9] == IPPROTO_IGMP;
    }
    CHECK_EQ_U64(announced, 2);
    CHECK_EQ_U64(reported, 1);
    client_close(&c);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, another_host_with_our_address_is_counted_and_logged)
{
    start();
    wire_capture_log();
    send_arp(REQUEST, bench_mac_of(9), WIRE_ADDRESS, WIRE_ADDRESS);
    expect_arp(REQUEST, WIRE_ADDRESS, WIRE_ADDRESS); /* in defence */
    CHECK_EQ_U64(wire_counter("arp.conflicts"), 1);
    CHECK_EQ_U64(wire_counter("drop.arp"), 1);
    wire_stop(); /* after the service thread has done what is due */
    CHECK(strstr(wire_captured_log(), "ports[0]: 192.0.2.1 is claimed by another host, too, whose "
                                      "MAC is 02:00:00:00:01:09") != NULL);
}

SUITE_TEST(host_arp, a_port_that_does_not_transmit_answers_nobody_and_sends_to_nobody)
{
    struct config config = wire_config();

    config.ports[0].transmit = CONFIG_TRANSMIT_OFF;
    network_start(&config, &client_operations);
    now = dataplane_tsc();
    struct client c = client_bound(0, PORT);
    CHECK(client_try_send(&c, NEIGHBOUR, PORT, "", 0) != 0);
    client_send(&c, GROUP, PORT, 100, 1);
    send_arp(REQUEST, bench_mac_of(9), NEIGHBOUR, WIRE_ADDRESS);
    for (unsigned i = 0; i < 90; i++, now += dataplane_tsc_hz() / 10)
        wire_step(now);
    CHECK(network_take() == NULL);
    CHECK_EQ_U64(wire_counter("drop.arp"), 1);
    CHECK_EQ_U64(wire_counter("out"), 0);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(host_arp, datagrams_to_other_networks_go_by_the_router_of_the_longest_prefix)
{
    struct config_route routes[] = {
        {{FRAME_IP(10, 0, 0, 0), 8}, NEIGHBOUR},
        {{FRAME_IP(10, 1, 0, 0), 16}, NEIGHBOUR + 1},
        {{FRAME_IP(10, 0, 0, 0), 9}, NEIGHBOUR + 2},
    };
    const struct {
        uint32_t destination, router;
    } rows[] = {
        {FRAME_IP(10, 200, 0, 1), NEIGHBOUR},   {FRAME_IP(10, 1, 0, 1), NEIGHBOUR + 1},
        {FRAME_IP(10, 2, 0, 1), NEIGHBOUR + 2}, {FRAME_IP(203, 0, 113, 1), NEIGHBOUR + 3},
        {NEIGHBOUR + 4, NEIGHBOUR + 4},
    };
    struct config config = wire_config();

    config.ports[0].routes = routes;
    config.ports[0].routes_count = 3;
    config.ports[0].gateway = NEIGHBOUR + 3;
    network_start(&config, &client_operations);
    now = dataplane_tsc();
    struct client c = client_bound(0, PORT);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rte_ether_addr mac = bench_mac_of(i);

        client_send(&c, rows[i].destination, PORT, 100, i);
        expect_arp(REQUEST, WIRE_ADDRESS, rows[i].router);
        send_arp(REPLY, mac, rows[i].router, WIRE_ADDRESS);
        expect_datagram(mac.addr_bytes, rows[i].destination, i);
    }
    client_close(&c);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host_arp, a_neighbour_of_the_configuration_is_not_asked_for_and_does_not_change)
{
    static struct config_neighbour neighbours[] = {
        {NEIGHBOUR, {0x52, 0x54, 0, 0x12, 0x34, 0x56}},
        {NEIGHBOUR + 1, {0x52, 0x54, 0, 0x12, 0x34, 0x57}},
    };
    struct config config = wire_config();

    config.ports[0].neighbours = neighbours;
    config.ports[0].neighbours_count = 2;
    network_start(&config, &client_operations);
    now = dataplane_tsc();
    struct client c = client_bound(0, PORT);
    for (unsigned i = 0; i < 2; i++) {
        client_send(&c, NEIGHBOUR + i, PORT, 100, i);
        expect_datagram(neighbours[i].mac, NEIGHBOUR + i, i);
    }
    send_arp(REPLY, bench_mac_of(9), NEIGHBOUR, WIRE_ADDRESS);
    client_send(&c, NEIGHBOUR, PORT, 100, 3);
    expect_datagram(neighbours[0].mac, NEIGHBOUR, 3);
    CHECK_EQ_U64(wire_counter("arp.asked"), 0);
    client_close(&c);
    network_check_balance();
    wire_stop();
}

#endif
