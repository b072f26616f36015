/* SPDX-License-Identifier: BSD-3-Clause */

/* Binding and joining, seen from the wire: who receives what, and what is refused. */

#include "support/suite.h"

#include <errno.h>
#include <rte_byteorder.h>

#include "client.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 1, 1)
#define OTHER_GROUP FRAME_IP(239, 1, 1, 2)
#define SECOND_ADDRESS FRAME_IP(198, 51, 100, 1)
#define PORT 5000

/* Two ports: 192.0.2.1/24 and 198.51.100.1/24. */
static void set_up(void)
{
    static struct config_address second = {SECOND_ADDRESS, 24};
    struct config config = wire_config();
    struct config_port ports[2] = {config.ports[0], config.ports[0]};
    char device[] = "vdev:net_ring1";

    ports[1].device = device;
    ports[1].addresses = &second;
    config.ports = ports;
    config.ports_count = 2;
    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(bindings, set_up, wire_stop);

static void send_on(unsigned port, uint32_t destination, uint16_t udp_port)
{
    uint8_t bytes[64];
    size_t length = frame_udp(bytes, sizeof bytes, destination, udp_port, "x", 1);

    wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .port = port});
    wire_settle();
}

/* How many of the clients' sockets got it: a digit for each, the first client's first. */
static unsigned receivers(uint32_t destination, unsigned port, const struct client *clients,
                          unsigned count)
{
    unsigned digits = 0;

    send_on(port, destination, PORT);
    for (unsigned i = 0; i < count; i++)
        digits = digits * 10 + client_drain(&clients[i]);
    return digits;
}

SUITE_TEST(bindings, a_group_arrives_only_while_it_is_joined)
{
    struct client c = client_bound(0, PORT);

    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    CHECK_EQ_I64(client_try_join(&c, GROUP, 0), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(OTHER_GROUP, 0, &c, 1), 0);
    CHECK_EQ_I64(client_leave(&c, GROUP, 0), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 3);
    CHECK_EQ_U64(wire_counter("delivered"), 1);
    client_close(&c);
}

SUITE_TEST(bindings, a_group_joined_before_the_bind_counts_from_the_bind)
{
    struct client c = client_open();

    CHECK_EQ_I64(client_try_join(&c, GROUP, 0), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 0);
    CHECK_EQ_I64(client_try_bind(&c, 0, PORT, false), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    client_close(&c);
}

SUITE_TEST(bindings, a_join_on_one_interface_takes_that_ports_frames_only)
{
    struct client c[2] = {client_bound(0, PORT), client_bound(0, PORT)};

    CHECK_EQ_I64(client_try_join(&c[0], GROUP, WIRE_ADDRESS), 0);
    CHECK_EQ_I64(client_try_join(&c[1], GROUP, 0), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, c, 2), 11);
    CHECK_EQ_U64(receivers(GROUP, 1, c, 2), 1);
    client_close(&c[1]);
    CHECK_EQ_U64(receivers(GROUP, 1, c, 1), 0);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_PORT, 1, "drop.not_joined"), 1);
    CHECK_EQ_I64(client_try_join(&c[0], GROUP, SECOND_ADDRESS), 0); /* now on both */
    CHECK_EQ_U64(receivers(GROUP, 1, c, 1), 1);
    CHECK_EQ_I64(client_leave(&c[0], GROUP, WIRE_ADDRESS), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, c, 1), 0);
    CHECK_EQ_U64(receivers(GROUP, 1, c, 1), 1);
    client_close(&c[0]);
}

SUITE_TEST(bindings, a_socket_bound_to_a_group_hears_no_other)
{
    struct client c = client_bound(GROUP, PORT);

    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 0); /* bound is not joined */
    CHECK_EQ_I64(client_try_join(&c, GROUP, 0), 0);
    CHECK_EQ_I64(client_try_join(&c, OTHER_GROUP, 0), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(OTHER_GROUP, 0, &c, 1), 0);
    CHECK_EQ_U64(receivers(WIRE_ADDRESS, 0, &c, 1), 0);
    CHECK_EQ_I64(client_leave(&c, OTHER_GROUP, 0), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    client_close(&c);
}

SUITE_TEST(bindings, unicast_goes_to_one_socket_exact_before_wildcard)
{
    struct client c[3] = {client_bound(0, PORT), client_bound(WIRE_ADDRESS, PORT),
                          client_bound(0, PORT)};

    CHECK_EQ_U64(receivers(WIRE_ADDRESS, 0, c, 3), 10);
    CHECK_EQ_U64(receivers(SECOND_ADDRESS, 0, c, 3), 1); /* the newest wildcard; any port */
    client_close(&c[1]);
    c[1] = client_bound(0, PORT + 1);
    CHECK_EQ_U64(receivers(WIRE_ADDRESS, 0, c, 3), 1);
    client_close(&c[2]);
    CHECK_EQ_U64(receivers(WIRE_ADDRESS, 0, c, 2), 10);
    for (unsigned i = 0; i < 2; i++)
        client_close(&c[i]);
    CHECK_EQ_U64(receivers(WIRE_ADDRESS, 0, NULL, 0), 0);
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 1);
    CHECK_EQ_U64(receivers(FRAME_IP(192, 0, 2, 77), 0, NULL, 0), 0);
    CHECK_EQ_U64(wire_counter("drop.not_our_address"), 1);
}

SUITE_TEST(bindings, broadcasts_go_to_every_wildcard)
{
    struct client c[3] = {client_bound(0, PORT), client_bound(0, PORT),
                          client_bound(WIRE_ADDRESS, PORT)};

    CHECK_EQ_U64(receivers(UINT32_MAX, 0, c, 3), 110);
    CHECK_EQ_U64(receivers(FRAME_IP(192, 0, 2, 255), 0, c, 3), 110);
    CHECK_EQ_U64(receivers(FRAME_IP(198, 51, 100, 255), 1, c, 3), 110);
    for (unsigned i = 0; i < 3; i++)
        client_close(&c[i]);
    CHECK_EQ_U64(receivers(UINT32_MAX, 0, NULL, 0), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
}

SUITE_TEST(bindings, what_cannot_be_bound_is_refused)
{
    struct client c = client_open(), other = client_bound(WIRE_ADDRESS, PORT);

    CHECK_EQ_I64(client_try_bind(&c, FRAME_IP(203, 0, 113, 9), PORT, false), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_try_bind(&c, WIRE_ADDRESS, PORT, false), -EADDRINUSE);
    CHECK_EQ_I64(client_try_bind(&c, WIRE_ADDRESS, PORT, true), 0);
    CHECK_EQ_I64(client_try_bind(&c, WIRE_ADDRESS, PORT + 1, false), -EINVAL);
    client_close(&other);
    struct client stale = c;
    client_close(&c);
    stale.endpoint = endpoint_at(0);
    CHECK_EQ_I64(client_try_bind(&stale, 0, PORT, false), -ENOTSOCK);
    CHECK_EQ_I64(client_try_join(&stale, GROUP, 0), -ENOTSOCK);
    CHECK_EQ_I64(client_leave(&stale, GROUP, 0), -ENOTSOCK);
}

SUITE_TEST(bindings, port_zero_takes_a_free_dynamic_port)
{
    struct client c[3];

    for (unsigned i = 0; i < 3; i++) {
        uint32_t address;
        uint16_t port;

        c[i] = client_open();
        CHECK_EQ_I64(client_try_bind(&c[i], 0, 0, false), 0);
        dataplane_binding(c[i].endpoint, &address, &port);
        CHECK_EQ_U64(rte_be_to_cpu_16(port), 49152 + i); /* RFC 6335's range, in turn */
        CHECK_EQ_U64(address, 0);
    }
    for (unsigned i = 0; i < 3; i++)
        client_close(&c[i]);
}

SUITE_TEST(bindings, a_filter_is_set_on_one_interface_or_on_all)
{
    const uint32_t sender = FRAME_IP(198, 51, 100, 7); /* of all frames here */
    struct source_filter other = client_filter_of(false, sender + 1, sender + 1);
    struct source_filter all_but = client_filter_of(true, sender, sender + 2), merged;
    struct client c = client_bound(0, PORT);

    CHECK_EQ_I64(client_set_filter(&c, GROUP, WIRE_ADDRESS, &SOURCE_FILTER_ANY), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(GROUP, 1, &c, 1), 0);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, WIRE_ADDRESS, &other), 0);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, SECOND_ADDRESS, &all_but), 0);
    CHECK(client_has_filter(&c, GROUP, 1, &other));
    CHECK(client_has_filter(&c, GROUP, 2, &all_but));
    merged = all_but;
    CHECK_EQ_I64(source_filter_remove(&merged, rte_cpu_to_be_32(sender + 1)), 0);
    CHECK(client_has_filter(&c, GROUP, 0, &merged)); /* on either of them */
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 0);
    CHECK_EQ_U64(receivers(GROUP, 1, &c, 1), 0);
    merged = client_filter_of(false, sender, sender + 9);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &merged), 0);
    CHECK(client_has_filter(&c, GROUP, 1, &merged));
    CHECK(client_has_filter(&c, GROUP, 2, &merged));
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(GROUP, 1, &c, 1), 1);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 2, &SOURCE_FILTER_NONE), 0);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(GROUP, 1, &c, 1), 0);
    CHECK(client_has_filter(&c, GROUP, 2, &SOURCE_FILTER_NONE));
    client_close(&c);
    wire_check_balance();
}

SUITE_TEST(bindings, filters_that_cannot_be_set_or_given_are_refused)
{
    struct client c = client_bound(0, PORT), stale = {c.endpoint, c.generation + 2};
    struct source_filter filter = client_filter_of(false, GROUP, GROUP), was = SOURCE_FILTER_ANY;
    const struct {
        const struct client *client;
        uint32_t group, interface;
        int error;
    } rows[] = {{&c, FRAME_IP(223, 255, 255, 255), 0, -EINVAL},
                {&c, GROUP, FRAME_IP(203, 0, 113, 9), -EADDRNOTAVAIL},
                {&c, GROUP, 3, -EADDRNOTAVAIL},
                {&stale, GROUP, 0, -ENOTSOCK}};

    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &was), 0);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &filter), -EINVAL); /* no source is a group */
    filter.sources[0] = 0;
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &filter), -EINVAL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_EQ_I64(client_set_filter(rows[i].client, rows[i].group, rows[i].interface,
                                       &SOURCE_FILTER_NONE),
                     rows[i].error);
        CHECK_EQ_I64(dataplane_filter(rows[i].client->endpoint, rows[i].client->generation,
                                      rte_cpu_to_be_32(rows[i].group),
                                      rte_cpu_to_be_32(rows[i].interface), &filter),
                     rows[i].error);
    }
    CHECK(client_has_filter(&c, GROUP, 0, &was));
    client_close(&c);
}

SUITE_TEST(bindings, what_cannot_be_joined_or_left_is_refused)
{
    struct client c = client_bound(0, PORT);

    CHECK_EQ_I64(client_try_join(&c, FRAME_IP(192, 0, 2, 1), 0), -EINVAL);
    CHECK_EQ_I64(client_try_join(&c, FRAME_IP(223, 255, 255, 255), 0), -EINVAL);
    CHECK_EQ_I64(client_try_join(&c, FRAME_IP(240, 0, 0, 0), 0), -EINVAL);
    CHECK_EQ_I64(client_try_join(&c, GROUP, FRAME_IP(203, 0, 113, 9)), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_leave(&c, GROUP, 0), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_try_join(&c, GROUP, WIRE_ADDRESS), 0);
    CHECK_EQ_I64(client_try_join(&c, GROUP, WIRE_ADDRESS), -EADDRINUSE);
    CHECK_EQ_I64(client_leave(&c, GROUP, SECOND_ADDRESS), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_leave(&c, GROUP, WIRE_ADDRESS), 0);
    CHECK_EQ_I64(client_leave(&c, GROUP, WIRE_ADDRESS), -EADDRNOTAVAIL);
    client_close(&c);
}

SUITE_TEST(bindings, more_sockets_than_configured_are_refused)
{
    struct client c[16];
    struct endpoint *one_more;

    for (unsigned i = 0; i < 16; i++)
        c[i] = client_joined(GROUP, PORT);
    CHECK_EQ_I64(dataplane_endpoint_open(&one_more), -EMFILE);
    client_close(&c[7]);
    c[7] = client_joined(GROUP, PORT);
    CHECK_EQ_PTR(c[7].endpoint, endpoint_at(7)); /* the slot is used again, */
    CHECK_EQ_U64(c[7].generation, 3);            /* under another generation */
    send_on(0, GROUP, PORT);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ_U64(client_drain(&c[i]), 1);
    for (unsigned i = 0; i < 16; i++)
        client_close(&c[i]);
}

SUITE_TEST(bindings, more_groups_than_the_table_holds_are_refused)
{
    struct client c = client_bound(0, PORT);
    uint32_t joined = 0;
    int result;

    while ((result = client_try_join(&c, GROUP + joined, 0)) == 0)
        joined++;
    CHECK_EQ_I64(result, -ENOBUFS);
    CHECK_GE_U64(joined, 4000);
    CHECK_EQ_U64(receivers(GROUP, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(GROUP + joined - 1, 0, &c, 1), 1);
    CHECK_EQ_U64(receivers(GROUP + joined, 0, &c, 1), 0);
    CHECK_EQ_I64(client_leave(&c, GROUP + 5, 0), 0);
    CHECK_EQ_U64(receivers(GROUP + 5, 0, &c, 1), 0);
    CHECK_EQ_I64(client_try_join(&c, GROUP + 5, 0), 0); /* room for it again */
    CHECK_EQ_U64(receivers(GROUP + 5, 0, &c, 1), 1);
    client_close(&c); /* and all of them are forgotten */
    CHECK_EQ_U64(receivers(GROUP, 0, NULL, 0), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 3);
}

#endif
