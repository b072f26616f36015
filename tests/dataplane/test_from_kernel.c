/* SPDX-License-Identifier: BSD-3-Clause */

/* A port that has what the kernel's interface has, by net_af_xdp, with a Linux host in a namespace of its own at
 * the other end. By hand but for the last test, so that nothing is a matter of time but the kernel's share. */

#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <rte_byteorder.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "network.h"
#include "port_watch.h"
#include "service.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "veth.h"

#define PEER FRAME_IP(192, 0, 2, 9)
#define OURS FRAME_IP(192, 0, 2, 1)
#define OTHER FRAME_IP(198, 51, 100, 1)
#define FAR FRAME_IP(203, 0, 113, 5)
#define PORT 5000

static char log_of_start[4096];

static void start(bool by_hand, const char *commands)
{
    struct config config = wire_config_device("vdev:net_af_xdp0,iface=wtest1");
    struct config_error error;

    config.buffers = 16384;
    config.ports[0].address = CONFIG_ADDRESS_FROM_KERNEL;
    config.ports[0].addresses_count = 0;
    if (!veth_lay_apart())
        SKIP("this machine gives no two network namespaces with a veth pair between them");
    veth_make_peer("192.0.2.9/24");
    veth_must_run_at_peer(
        "ip addr add 203.0.113.5/32 dev lo && ip route add 198.51.100.0/24 dev wtest0");
    veth_must_run("ip link set wtest1 up");
    veth_must_run(commands);
    wire_capture_log();
    int result = wire_try_start(&config, &client_operations, by_hand, &error);
    snprintf(log_of_start, sizeof log_of_start, "%s", wire_captured_log());
    if (result != 0)
        SKIP("this machine has no AF_XDP: %s", error.text);
}

/* Change something, and let it be noticed. */
static void change(const char *commands)
{
    veth_must_run(commands);
    CHECK_EQ_I64(service_call(port_watch_now, NULL), 0);
}

static bool has_address(uint32_t address)
{
    return dataplane_is_own_address(rte_cpu_to_be_32(address));
}

static struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = rte_cpu_to_be_32(address),
                                .sin_port = rte_cpu_to_be_16(port)};
}

static int open_peer(uint16_t port)
{
    struct sockaddr_in name = name_of(0, port);
    int s = veth_socket_at_peer(AF_INET, SOCK_DGRAM, 0);

    CHECK(bind(s, (struct sockaddr *)&name, sizeof name) == 0);
    return s;
}

static void send_from_peer(int s, uint32_t address, uint16_t port)
{
    struct sockaddr_in to = name_of(address, port);

    CHECK_EQ_I64(sendto(s, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
}

static void step(unsigned times)
{
    while (times-- != 0)
        wire_step(dataplane_tsc());
}

static bool await_ours(const struct client *c, unsigned tries)
{
    struct taken taken;

    while (tries-- != 0) {
        step(1);
        if (client_take(c, &taken))
            return taken.length == 5 && taken.source == PEER;
    }
    return false;
}

static bool await_peer(int s, uint32_t source)
{
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char bytes[2048];

    for (unsigned i = 0; i < 200000; i++) {
        step(1);
        if (recvfrom(s, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length) >= 0)
            return from.sin_addr.s_addr == rte_cpu_to_be_32(source);
    }
    return false;
}

#define LONG 200000u
#define SHORT 20000u

static void end(void)
{
    network_check_balance();
    wire_capture_log(); /* libxdp says something in any case */
    wire_stop();
    CHECK(strstr(wire_captured_log(), "not returned") == NULL);
}

SUITE_TEST(from_kernel, a_port_has_the_address_and_the_mac_and_speaks_for_the_host)
{
    uint8_t asked[64] = {ICMP_ECHO}, got[128];
    struct sockaddr_in to = name_of(OURS, 0);

    start(true,
          "ip link set wtest1 address 52:54:00:12:34:56 && ip addr add 192.0.2.1/24 dev wtest1");
    CHECK(strstr(log_of_start, "ports[0]: the kernel's wtest1 has 192.0.2.1/24\n") != NULL);
    CHECK(has_address(OURS));
    CHECK(memcmp(&dataplane.ports[0].mac, "\x52\x54\0\x12\x34\x56", 6) == 0);
    int s = veth_socket_at_peer(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    uint16_t sum = (uint16_t)~frame_sum(asked, sizeof asked, 0);
    asked[2] = (uint8_t)(sum >> 8);
    asked[3] = (uint8_t)sum;
    CHECK_EQ_I64(sendto(s, asked, sizeof asked, 0, (struct sockaddr *)&to, sizeof to), 64);
    ssize_t length = -1;
    for (unsigned i = 0; i < LONG && length < 0; i++) {
        step(1);
        length = recv(s, got, sizeof got, 0);
    }
    CHECK_EQ_I64(length, 84);
    CHECK_EQ_U64(got[20], ICMP_ECHOREPLY);
    CHECK_EQ_U64(wire_counter("icmp.echoes"), 1);
    close(s);
    end();
}

SUITE_TEST(from_kernel, sockets_follow_addresses_that_come_and_go)
{
    start(true, "ip addr add 192.0.2.1/24 dev wtest1");
    struct client any = client_bound(0, PORT), bound = client_bound(OURS, PORT + 1);
    CHECK(client_try_bind(&any, OTHER, PORT + 2, false) != 0);
    int s = open_peer(6000);
    send_from_peer(s, OURS, PORT);
    CHECK(await_ours(&any, LONG));
    send_from_peer(s, OURS, PORT + 1);
    CHECK(await_ours(&bound, LONG));

    change("ip addr add 198.51.100.1/24 dev wtest1");
    CHECK(has_address(OTHER));
    send_from_peer(s, OTHER, PORT);
    CHECK(await_ours(&any, LONG));
    struct client second = client_bound(OTHER, PORT + 2);
    client_send(&second, PEER, 6000, 5, 1);
    CHECK(await_peer(s, OTHER));

    change("ip addr del 192.0.2.1/24 dev wtest1");
    CHECK(!has_address(OURS));
    CHECK_EQ_I64(client_try_send(&bound, PEER, 6000, "x", 1), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_try_send(&any, PEER, 6000, "x", 1), -ENETUNREACH);
    send_from_peer(s, OURS, PORT);
    send_from_peer(s, OURS, PORT + 1);
    CHECK(!await_ours(&any, SHORT));
    CHECK(!await_ours(&bound, SHORT));
    CHECK(wire_counter("drop.not_our_address") >= 2);

    change("ip addr add 192.0.2.1/24 dev wtest1");
    send_from_peer(s, OURS, PORT);
    CHECK(await_ours(&any, LONG));
    send_from_peer(s, OURS, PORT + 1);
    CHECK(await_ours(&bound, LONG));
    client_send(&bound, PEER, 6000, 5, 2);
    CHECK(await_peer(s, OURS));
    close(s);
    client_close(&any);
    client_close(&bound);
    client_close(&second);
    end();
}

SUITE_TEST(from_kernel, a_port_that_starts_without_an_address_waits_for_one)
{
    start(true, "true");
    CHECK(strstr(log_of_start, "ports[0]: the kernel's wtest1 has no IPv4 address; the port "
                               "waits for one\n") != NULL);
    struct client c = client_bound(0, PORT);
    CHECK_EQ_I64(client_try_send(&c, PEER, 6000, "x", 1), -ENETUNREACH);
    change("ip addr add 192.0.2.1/24 dev wtest1");
    int s = open_peer(6000);
    send_from_peer(s, OURS, PORT);
    CHECK(await_ours(&c, LONG));
    client_send(&c, PEER, 6000, 5, 1);
    CHECK(await_peer(s, OURS));
    close(s);
    client_close(&c);
    end();
}

SUITE_TEST(from_kernel, routes_are_followed)
{
    start(true, "ip addr add 192.0.2.1/24 dev wtest1");
    struct client c = client_bound(0, PORT);
    int s = open_peer(6000);
    CHECK_EQ_I64(client_try_send(&c, FAR, 6000, "x", 1), -ENETUNREACH);
    change("ip route add default via 192.0.2.9");
    client_send(&c, FAR, 6000, 5, 1);
    CHECK(await_peer(s, OURS));
    change("ip route del default");
    CHECK_EQ_I64(client_try_send(&c, FAR, 6000, "x", 1), -ENETUNREACH);
    change("ip addr add 198.51.100.1/24 dev wtest1 && "
           "ip route add 203.0.113.5 via 192.0.2.9 src 198.51.100.1");
    client_send(&c, FAR, 6000, 5, 2);
    CHECK(await_peer(s, OTHER));
    change("ip route del 203.0.113.5 && ip route add 203.0.113.0/24 dev wtest1");
    client_send(&c, FAR, 6000, 5, 3); /* on the link: who has it is asked by ARP */
    CHECK(await_peer(s, OURS));
    close(s);
    client_close(&c);
    end();
}

SUITE_TEST(from_kernel, a_datagram_whose_route_goes_before_it_leaves_is_counted)
{
    start(true, "ip addr add 192.0.2.1/24 dev wtest1 && ip route add default via 192.0.2.9");
    struct client c = client_bound(0, PORT);
    client_send(&c, FAR, 6000, 5, 1); /* and the lcore has not looked yet */
    struct addressing without = *addressing_now();
    without.ports[0].routes_count = 0;
    lcore_set_addressing(&dataplane.lcores[0], &without);
    step(1);
    CHECK_EQ_U64(wire_counter("lost.send_no_route"), 1);
    client_close(&c);
    end();
}

SUITE_TEST(from_kernel, the_mtu_and_the_mac_are_followed)
{
    start(true, "ip addr add 192.0.2.1/24 dev wtest1");
    int s = open_peer(6000);
    struct client c = client_bound(0, PORT);
    client_send(&c, PEER, 6000, 5, 1);
    CHECK(await_peer(s, OURS));
    CHECK_EQ_U64(dataplane_route(rte_cpu_to_be_32(PEER), 0, 0).mtu, 1500);
    change("ip link set wtest1 mtu 1400 && ip link set wtest1 address 52:54:00:12:34:57");
    CHECK_EQ_U64(dataplane_route(rte_cpu_to_be_32(PEER), 0, 0).mtu, 1400);
    CHECK(memcmp(&dataplane.ports[0].mac, "\x52\x54\0\x12\x34\x57", 6) == 0);
    step(SHORT); /* it is announced */
    send_from_peer(s, OURS, PORT);
    CHECK(await_ours(&c, LONG));
    veth_must_run_at_peer("ip neigh show 192.0.2.1 dev wtest0 | grep -q 52:54:00:12:34:57");
    close(s);
    client_close(&c);
    end();
}

SUITE_TEST(from_kernel, the_service_thread_hears_of_a_change_and_tells_a_running_lcore)
{
    struct taken taken;
    bool come = false;

    start(false, "ip addr add 192.0.2.1/24 dev wtest1");
    struct client c = client_bound(0, PORT);
    int s = open_peer(6000);
    veth_must_run("ip addr add 198.51.100.1/24 dev wtest1");
    for (unsigned i = 0; i < 500 && !has_address(OTHER); i++)
        usleep(10000);
    CHECK(has_address(OTHER));
    for (unsigned i = 0; i < 50 && !come; i++) {
        send_from_peer(s, OTHER, PORT);
        for (unsigned k = 0; k < 10 && !come; k++) {
            usleep(10000);
            come = client_take(&c, &taken);
        }
    }
    CHECK(come);
    close(s);
    client_close(&c);
    wire_capture_log();
    wire_stop();
    CHECK(strstr(wire_captured_log(), "not returned") == NULL);
}
