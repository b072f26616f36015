/* SPDX-License-Identifier: BSD-3-Clause */

/* What the kernel says of an interface, in a namespace of the test's own. */

#include "support/suite.h"

#include <net/if.h>
#include <string.h>

#include "kernel_interface.h"
#include "support/frames.h"
#include "veth.h"

static int index_of_interface;

static void start(void)
{
    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    index_of_interface = (int)if_nametoindex("wtest1");
}

static struct kernel_interface read_interface(void)
{
    struct kernel_interface interface;

    CHECK_EQ_I64(kernel_interface_read(index_of_interface, &interface), 0);
    return interface;
}

static void check_route(const struct addressing_route *route, uint32_t network, unsigned prefix,
                        uint32_t router, uint32_t source)
{
    CHECK_EQ_U64(route->destination.address, network);
    CHECK_EQ_U64(route->destination.prefix_length, prefix);
    CHECK_EQ_U64(route->router, router);
    CHECK_EQ_U64(route->source, source);
}

SUITE_TEST(kernel_interface, says_its_mac_its_mtu_and_its_addresses)
{
    start();
    veth_must_run(
        "ip link set wtest1 address 52:54:00:12:34:56 mtu 1400 && "
        "ip addr add 192.0.2.1/24 dev wtest1 && ip addr add 192.0.2.7/24 dev wtest1 && "
        "ip addr add 198.51.100.1/31 dev wtest1 && ip addr add 203.0.113.1/24 dev wtest0");
    struct kernel_interface interface = read_interface();
    CHECK(interface.present);
    CHECK(memcmp(&interface.mac, "\x52\x54\0\x12\x34\x56", 6) == 0);
    CHECK_EQ_U64(interface.has.mtu, 1400);
    CHECK_EQ_U64(interface.has.addresses_count, 3);
    CHECK_EQ_U64(interface.has.addresses[0].address, FRAME_IP(192, 0, 2, 1));
    CHECK_EQ_U64(interface.has.addresses[0].prefix_length, 24);
    CHECK_EQ_U64(interface.has.addresses[1].address, FRAME_IP(198, 51, 100, 1));
    CHECK_EQ_U64(interface.has.addresses[1].prefix_length, 31);
    CHECK_EQ_U64(interface.has.addresses[2].address, FRAME_IP(192, 0, 2, 7)); /* a secondary one */
    CHECK_EQ_U64(interface.addresses_left, 0);
    CHECK_EQ_U64(interface.has.routes_count, 0); /* but for those to its own networks */
}

SUITE_TEST(kernel_interface, says_its_routes_the_longest_prefix_first_and_of_equal_ones_the_best)
{
    start();
    veth_must_run("ip addr add 192.0.2.1/24 dev wtest1 && ip addr add 192.0.2.7/24 dev wtest1 && "
                  "ip addr add 203.0.113.1/24 dev wtest0 && "
                  "ip route add default via 192.0.2.254 && "
                  "ip route add 10.0.0.0/8 via 192.0.2.253 metric 20 && "
                  "ip route add 10.0.0.0/8 via 192.0.2.252 metric 10 && "
                  "ip route add 10.1.0.0/16 via 192.0.2.251 src 192.0.2.7 && "
                  "ip route add 10.2.0.0/16 dev wtest1 && "
                  "ip route add 10.3.0.0/16 nexthop via 203.0.113.9 nexthop via 192.0.2.250 && "
                  "ip route add 10.4.0.0/16 via 203.0.113.9 && "
                  "ip route add blackhole 10.5.0.0/16 && "
                  "ip route add 10.6.0.0/16 via 192.0.2.254 table 77");
    struct kernel_interface interface = read_interface();
    const struct addressing_route *routes = interface.has.routes;
    CHECK_EQ_U64(interface.has.routes_count, 5);
    check_route(&routes[0], FRAME_IP(10, 1, 0, 0), 16, FRAME_IP(192, 0, 2, 251),
                FRAME_IP(192, 0, 2, 7));
    check_route(&routes[1], FRAME_IP(10, 2, 0, 0), 16, 0, 0);
    check_route(&routes[2], FRAME_IP(10, 3, 0, 0), 16, FRAME_IP(192, 0, 2, 250), 0);
    check_route(&routes[3], FRAME_IP(10, 0, 0, 0), 8, FRAME_IP(192, 0, 2, 252), 0);
    check_route(&routes[4], 0, 0, FRAME_IP(192, 0, 2, 254), 0);
    CHECK_EQ_U64(interface.routes_left, 0);
}

SUITE_TEST(kernel_interface, with_more_than_there_is_room_for_says_how_many_are_left_out)
{
    start();
    veth_must_run(
        "ip addr add 192.0.2.1/24 dev wtest1 && "
        "for i in $(seq 2 34); do ip addr add 192.0.2.$i/24 dev wtest1 || exit 1; done && "
        "ip addr add 198.51.100.0/24 dev wtest1 && " /* is its network's own */
        "for i in $(seq 1 32); do ip route add 10.$i.0.0/16 via 192.0.2.254 || exit 1; done && "
        "ip route add default via 192.0.2.254");
    struct kernel_interface interface = read_interface();
    CHECK_EQ_U64(interface.has.addresses_count, CONFIG_MAX_ADDRESSES);
    CHECK_EQ_U64(interface.addresses_left, 3);
    CHECK_EQ_U64(interface.has.routes_count, CONFIG_MAX_ROUTES);
    CHECK_EQ_U64(interface.routes_left, 1);
    CHECK_EQ_U64(interface.has.routes[31].destination.prefix_length, 16);
}

SUITE_TEST(kernel_interface, that_is_not_there_is_no_error)
{
    start();
    index_of_interface += 1000;
    CHECK(!read_interface().present);
}

SUITE_TEST(kernel_interface, has_news_when_it_changes_and_not_when_another_does)
{
    start();
    struct kernel_news *news = kernel_news_open();
    CHECK(news != NULL);
    CHECK(!kernel_news_take(news, &index_of_interface, 1));
    veth_must_run("ip addr add 203.0.113.1/24 dev wtest0 && ip route add 10.9.0.0/16 dev wtest0 && "
                  "ip link set wtest0 alias other");
    CHECK(!kernel_news_take(news, &index_of_interface, 1));
    veth_must_run("ip addr add 192.0.2.1/24 dev wtest1");
    CHECK(kernel_news_take(news, &index_of_interface, 1));
    CHECK(!kernel_news_take(news, &index_of_interface, 1));
    veth_must_run("ip route add 10.0.0.0/8 via 192.0.2.254");
    CHECK(kernel_news_take(news, &index_of_interface, 1));
    veth_must_run("ip link set wtest1 mtu 1400");
    CHECK(kernel_news_take(news, &index_of_interface, 1));
    kernel_news_close(news);
}

SUITE_TEST(kernel_interface, with_more_news_than_the_socket_holds_has_news)
{
    start();
    struct kernel_news *news = kernel_news_open();
    CHECK(news != NULL);
    /* Of the other interface, so that nothing but the overflow is news. */
    veth_must_run("for i in $(seq 1000); do echo link set dev wtest0 mtu $((1000 + i)); done | "
                  "ip -batch -");
    CHECK(kernel_news_take(news, &index_of_interface, 1));
    CHECK(!kernel_news_take(news, &index_of_interface, 1));
    kernel_news_close(news);
}
