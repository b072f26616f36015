/* SPDX-License-Identifier: BSD-3-Clause */

/* What a device is told of groups, when it takes a list, when it takes a short one and when it takes none;
 * and that our own tables decide in any case. */

#include "support/suite.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <string.h>

#include "client.h"
#include "network.h"
#include "port.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 0, 0)
#define PORT 5000

/* A device's filter. It forgets the old list before it takes the new one, as some drivers do. */
static struct {
    struct rte_ether_addr list[MULTICAST_FILTER_MOST];
    uint32_t count;
    bool all;
    uint32_t room;  /* for addresses */
    int refuses;    /* lists, with this error */
    int has_no_all; /* mode: the error */
    unsigned lists, changes_of_all;
    struct port_operations operations;
} device;

static int take_list(struct port *port, struct rte_ether_addr *list, uint32_t count)
{
    (void)port;
    device.lists++;
    if (device.count != 0 && device.has_no_all == 0)
        CHECK(device.all); /* or what runs would have a gap now */
    if (device.refuses != 0)
        return device.refuses;
    if (count > device.room)
        return -ENOSPC;
    memcpy(device.list, list, count * sizeof *list);
    device.count = count;
    return 0;
}

static int take_all(struct port *port, bool on)
{
    (void)port;
    device.changes_of_all++;
    if (device.has_no_all != 0)
        return device.has_no_all;
    device.all = on;
    return 0;
}

static bool lets_through(uint32_t group)
{
    struct rte_ether_addr address = {
        {0x01, 0x00, 0x5e, (group >> 16) & 0x7f, (group >> 8) & 0xff, group & 0xff}};

    for (uint32_t i = 0; i < device.count; i++)
        if (memcmp(&device.list[i], &address, sizeof address) == 0)
            return true;
    return device.all;
}

static struct port *make_port(uint32_t room)
{
    static struct config_port config = {.device = (char *)(uintptr_t) "test"};
    static struct port port;

    memset(&device, 0, sizeof device);
    device.room = room;
    device.operations =
        (struct port_operations){.name = "test", .multicast = take_list, .all_multicast = take_all};
    port = (struct port){.operations = &device.operations, .config = &config};
    return &port;
}

static void set(struct port *port, uint32_t group, bool wanted)
{
    CHECK_EQ_I64(multicast_filter_set(port, rte_cpu_to_be_32(group), wanted), 0);
}

SUITE_TEST(multicast_filter, the_device_lets_through_what_is_wanted_and_nothing_else)
{
    struct port *port = make_port(100);

    CHECK_EQ_I64(multicast_filter_start(port), 0);
    CHECK_EQ_I64(port->multicast.mode, MULTICAST_LISTED);
    CHECK(!device.all && device.count == 1 && lets_through(FRAME_IP(224, 0, 0, 1)));
    for (uint32_t i = 0; i < 50; i++)
        set(port, GROUP + i * 7, true);
    CHECK_EQ_U64(device.count, 51);
    for (uint32_t i = 0; i < 50; i += 2)
        set(port, GROUP + i * 7, false);
    CHECK_EQ_U64(device.count, 26);
    for (uint32_t i = 0; i < 50; i++)
        CHECK_EQ_U64(lets_through(GROUP + i * 7), i % 2);
    CHECK_EQ_U64(port->multicast.refusals + port->multicast.overflows, 0);
    multicast_filter_end(port);
}

/* RFC 1112, 6.4 */
SUITE_TEST(multicast_filter,
           an_address_stays_until_the_last_of_the_32_groups_that_share_it_has_gone)
{
    struct port *port = make_port(100);

    CHECK_EQ_I64(multicast_filter_start(port), 0);
    for (uint32_t i = 0; i < 32; i++) {
        set(port, FRAME_IP(224, 1, 2, 3) + (i << 23), true);
        set(port, FRAME_IP(224, 1, 2, 3) + (i << 23), true);
    }
    CHECK_EQ_U64(device.lists, 2);
    CHECK_EQ_U64(device.count, 2);
    for (uint32_t i = 0; i < 32; i++) {
        CHECK(lets_through(FRAME_IP(224, 1, 2, 3)));
        set(port, FRAME_IP(224, 1, 2, 3) + ((i * 5 & 31) << 23), false);
        set(port, FRAME_IP(224, 1, 2, 3) + ((i * 5 & 31) << 23), false);
    }
    CHECK(!lets_through(FRAME_IP(224, 1, 2, 3)));
    CHECK_EQ_U64(device.lists, 3);
    set(port, FRAME_IP(224, 128, 0, 1), true); /* 224.0.0.1's */
    set(port, FRAME_IP(224, 128, 0, 1), false);
    set(port, FRAME_IP(224, 0, 0, 1), true);
    set(port, FRAME_IP(224, 0, 0, 1), false);
    CHECK(lets_through(FRAME_IP(224, 0, 0, 1)));
    CHECK_EQ_U64(device.lists, 3);
    multicast_filter_end(port);
}

SUITE_TEST(multicast_filter, a_device_that_knows_no_list_lets_all_through_and_is_asked_once)
{
    struct port *port = make_port(0);

    device.refuses = -ENOTSUP;
    CHECK_EQ_I64(multicast_filter_start(port), 0);
    for (uint32_t i = 0; i < 50; i++)
        set(port, GROUP + i, true);
    for (uint32_t i = 0; i < 50; i++)
        set(port, GROUP + i, false);
    CHECK(device.all && device.lists == 1 && device.changes_of_all == 1);
    CHECK_EQ_I64(port->multicast.mode, MULTICAST_ALL);
    CHECK_EQ_I64(port->multicast.refusal, -ENOTSUP);
    CHECK_EQ_U64(port->multicast.refusals, 1);
    multicast_filter_end(port);
}

SUITE_TEST(multicast_filter, a_full_device_lets_all_through_until_the_list_is_shorter)
{
    struct port *port = make_port(10);

    wire_capture_log();
    CHECK_EQ_I64(multicast_filter_start(port), 0);
    for (uint32_t i = 0; i < 9; i++)
        set(port, GROUP + i, true);
    CHECK(!device.all);
    for (uint32_t i = 9; i < 20; i++) {
        set(port, GROUP + i, true);
        CHECK(device.all && lets_through(GROUP + i));
    }
    CHECK_EQ_U64(device.lists, 11); /* after one refusal longer ones are not tried */
    CHECK_EQ_I64(port->multicast.refusal, -ENOSPC);
    for (uint32_t i = 0; i < 10; i++) {
        set(port, GROUP + i, false);
        CHECK(device.all);
    }
    set(port, GROUP + 10, false);
    CHECK(!device.all && device.count == 10 && lets_through(GROUP + 19));
    CHECK_EQ_I64(port->multicast.mode, MULTICAST_LISTED);
    CHECK_EQ_U64(port->multicast.refusals, 1);
    set(port, GROUP, true);
    CHECK(device.all);
    const char *log = wire_captured_log();
    const char *line = strstr(log, "ports[0]: test lets all multicast through");
    CHECK(line != NULL && strchr(line, '\n') == line + strlen(line) - 1); /* once */
    multicast_filter_end(port);
}

SUITE_TEST(multicast_filter, a_list_that_is_too_long_is_not_given_to_a_device)
{
    struct port *port = make_port(UINT32_MAX);

    wire_capture_log();
    CHECK_EQ_I64(multicast_filter_start(port), 0);
    for (uint32_t i = 0; i < 6000; i++)
        set(port, GROUP + i, true);
    CHECK(device.all && device.count == MULTICAST_FILTER_MOST);
    CHECK_EQ_U64(device.lists, MULTICAST_FILTER_MOST);
    CHECK_EQ_U64(port->multicast.overflows, 1);
    for (uint32_t i = 0; i < 6000 - MULTICAST_FILTER_MOST; i++)
        set(port, GROUP + i, false);
    CHECK(device.all);
    set(port, GROUP + 5999, false);
    CHECK(!device.all && device.count == MULTICAST_FILTER_MOST && lets_through(GROUP + 5998));
    CHECK_EQ_U64(port->multicast.refusals, 0);
    CHECK(strstr(wire_captured_log(), "1025 addresses") != NULL);
    multicast_filter_end(port);
}

SUITE_TEST(multicast_filter, a_device_without_the_mode_for_all_has_its_list)
{
    struct port *port = make_port(3);

    wire_capture_log();
    device.has_no_all = -ENOTSUP;
    CHECK_EQ_I64(multicast_filter_start(port), 0);
    set(port, GROUP, true);
    set(port, GROUP + 1, true);
    CHECK_EQ_I64(port->multicast.mode, MULTICAST_LISTED);
    CHECK(lets_through(GROUP + 1));
    set(port, GROUP + 2, true);
    CHECK_EQ_I64(port->multicast.mode, MULTICAST_UNKNOWN);
    set(port, GROUP + 2, false);
    CHECK_EQ_I64(port->multicast.mode, MULTICAST_LISTED);
    CHECK(strstr(wire_captured_log(), "groups may not arrive") != NULL);
    multicast_filter_end(port);
}

SUITE_TEST(multicast_filter, a_device_is_given_no_list_where_the_configuration_asks_for_all)
{
    static const struct config_port configs[] = {
        {.device = (char *)(uintptr_t) "test", .multicast = CONFIG_MULTICAST_ALL},
        {.device = (char *)(uintptr_t) "test", .kernel = (char *)(uintptr_t) "wrx0"},
    };

    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        struct port *port = make_port(100);

        port->config = &configs[i];
        CHECK_EQ_I64(multicast_filter_start(port), 0);
        set(port, GROUP, true);
        set(port, GROUP, false);
        CHECK(device.all && device.lists == 0 && device.changes_of_all == 1);
        CHECK_EQ_U64(port->multicast.refusals, 0);
        multicast_filter_end(port);
    }
}

/* --- the dataplane ---------------------------------------------------------------------------------- */

static void start(uint32_t room)
{
    struct config config = wire_config();

    config.ports[0].transmit = CONFIG_TRANSMIT_OFF;
    wire_start(&config, &client_operations, true);
    make_port(room);
    struct port_operations operations = port_rte_eth;
    operations.multicast = take_list;
    operations.all_multicast = take_all;
    device.operations = operations;
    multicast_filter_end(&dataplane.ports[0]);
    dataplane.ports[0].operations = &device.operations;
    CHECK_EQ_I64(multicast_filter_start(&dataplane.ports[0]), 0);
}

static unsigned arrive(const struct client *client, uint32_t group)
{
    wire_send_udp(group, PORT, "quote", 5);
    wire_settle();
    return client_drain(client);
}

SUITE_TEST(multicast_filter, follows_what_all_sockets_together_have_joined)
{
    start(100);
    struct client early = client_open(), a = client_joined(GROUP, PORT), b = client_bound(0, PORT);

    CHECK_EQ_I64(client_try_join(&early, GROUP + 1, 0), 0);
    CHECK(lets_through(GROUP) && !lets_through(GROUP + 1));
    CHECK_EQ_I64(client_try_bind(&early, 0, PORT + 1, true), 0);
    CHECK(lets_through(GROUP + 1));
    CHECK_EQ_I64(client_try_join(&b, GROUP, 0), 0);
    client_close(&a);
    CHECK(lets_through(GROUP));
    CHECK_EQ_I64(client_leave(&b, GROUP, 0), 0);
    CHECK(!lets_through(GROUP));
    CHECK_EQ_U64(wire_counter("device.multicast_listed"), 2); /* and 224.0.0.1 */
    CHECK_EQ_U64(wire_counter("device.multicast_all"), 0);
    client_close(&b);
    client_close(&early);
    CHECK_EQ_U64(wire_counter("device.multicast_listed"), 1);
    CHECK(!lets_through(GROUP + 1));
    wire_stop();
}

/* RFC 1112, 6.4: and so what the device lets through is not believed. */
SUITE_TEST(multicast_filter, groups_that_share_an_address_or_come_unasked_are_dropped_and_counted)
{
    wire_capture_log();
    start(2);
    struct client c = client_joined(GROUP, PORT);

    CHECK(lets_through(GROUP + (1u << 23)));
    CHECK_EQ_U64(arrive(&c, GROUP + (1u << 23)), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    CHECK_EQ_U64(arrive(&c, GROUP), 1);
    CHECK_EQ_I64(client_try_join(&c, GROUP + 1, 0), 0);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_PORT, 0, "device.multicast_all"), 1);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_PORT, 0, "device.multicast_refused"), 1);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_PORT, 0, "device.multicast_overflow"), 0);
    CHECK(lets_through(GROUP + 2));
    CHECK_EQ_U64(arrive(&c, GROUP + 2), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 2);
    CHECK_EQ_U64(arrive(&c, GROUP), 1);
    CHECK_EQ_U64(arrive(&c, GROUP + 1), 1);
    wire_captured_log();
    client_close(&c);
    wire_stop();
}

#endif
