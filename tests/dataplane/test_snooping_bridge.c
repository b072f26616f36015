/* SPDX-License-Identifier: BSD-3-Clause */

/* A Linux bridge with IGMP snooping and a querier of its own, between a sender and our port by net_af_xdp:
 * it learns of our groups and sources, and we get what it lets through. By hand; the bridge's time is real. */

#include "support/suite.h"

#include <errno.h>
#include <net/if.h>
#include <rte_byteorder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "client.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "veth.h"

#define SENDER FRAME_IP(192, 0, 2, 9)
#define GROUP FRAME_IP(239, 1, 2, 3)
#define PORT 5000
#define SECONDS 10 /* patience with the bridge */

/* wsend0 (the sender) - wsend1 = bridge = wtest0 - wtest1 (ours). The bridge answers a leave within 0.2 s. */
static const char lay_bridge[] =
    "ip link add wbridge type bridge mcast_snooping 1 mcast_igmp_version 3"
    " mcast_query_response_interval 10 mcast_last_member_interval 10 mcast_last_member_count 2"
    " mcast_hash_max 16384 forward_delay 0 2>/dev/null &&"
    "ip link set wbridge type bridge mcast_querier 1 &&" /* which looks at the intervals above */
    "ip link add wsend0 type veth peer name wsend1 &&"
    "ip link set wtest0 master wbridge && ip link set wsend1 master wbridge &&"
    "ip link set wbridge up && ip link set wsend1 up && ip link set wsend0 up &&"
    "ip addr add 192.0.2.9/24 dev wsend0 && ip link set lo up && bridge mdb show >/dev/null";

static int sender;

static void start(void)
{
    struct config config = wire_config_device("vdev:net_af_xdp0,iface=wtest1");
    struct ip_mreqn from = {.imr_address.s_addr = RTE_BE32(SENDER)};
    struct config_error error;

    config.buffers = 16384;
    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    if (!veth_run(lay_bridge))
        SKIP("this machine has no bridge with IGMP snooping, or no `bridge` to look at it");
    if (wire_try_start(&config, &client_operations, true, &error) != 0)
        SKIP("this machine has no AF_XDP: %s", error.text);
    veth_compute_checksums("wsend0");
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(sender >= 0);
    CHECK(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from) == 0);
}

static void end(struct client *client)
{
    close(sender);
    client_close(client);
    network_check_balance();
    wire_capture_log(); /* libxdp says something in any case */
    wire_stop();
    CHECK(strstr(wire_captured_log(), "not returned") == NULL);
}

static void pass(double seconds)
{
    uint64_t until = dataplane_tsc() + (uint64_t)(seconds * (double)dataplane_tsc_hz());

    do
        wire_step(dataplane_tsc());
    while (dataplane_tsc() < until);
}

/* --- what the bridge has learned ---------------------------------------------------------------------- */

/* What the bridge's database says now; to be closed. */
static FILE *database(const char *options)
{
    char path[] = "/tmp/wirerx-mdb-XXXXXX", command[128];
    int descriptor = mkstemp(path);

    CHECK(descriptor >= 0);
    snprintf(command, sizeof command, "bridge %s mdb show dev wbridge >%s", options, path);
    veth_must_run(command);
    CHECK_EQ_I64(unlink(path), 0);
    FILE *lines = fdopen(descriptor, "r");
    CHECK(lines != NULL);
    return lines;
}

/* A line of the bridge's database about a group at our port; "" when there is none. Those of single sources
 * are other lines. */
static void look_up(uint32_t group, char *line, size_t size)
{
    char wanted[64];
    FILE *lines = database("-d");

    snprintf(wanted, sizeof wanted, "port wtest0 grp %u.%u.%u.%u ", group >> 24, group >> 16 & 255,
             group >> 8 & 255, group & 255);
    line[0] = '\0';
    while (fgets(line, (int)size, lines) != NULL)
        if (strstr(line, wanted) != NULL && strstr(line, " src ") == NULL)
            break;
        else
            line[0] = '\0';
    fclose(lines);
}

static unsigned count_groups(void)
{
    FILE *lines = database("");
    unsigned count = 0;
    char line[512];

    while (fgets(line, sizeof line, lines) != NULL)
        count += strstr(line, "port wtest0 grp 239.") != NULL;
    fclose(lines);
    return count;
}

/* Until the group's line has this text; NULL: until there is no line. */
static void await_line(uint32_t group, const char *text)
{
    char line[4096];

    for (unsigned tries = 0; tries < SECONDS * 20; tries++) {
        pass(0.05);
        look_up(group, line, sizeof line);
        if (text == NULL ? line[0] == '\0' : strstr(line, text) != NULL)
            return;
    }
    FAIL("the bridge has \"%s\" and not \"%s\"", line, text != NULL ? text : "nothing");
}

/* --- what comes through ------------------------------------------------------------------------------- */

static void send_numbered(uint32_t group, uint32_t number)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = rte_cpu_to_be_32(group),
                             .sin_port = RTE_BE16(PORT)};

    CHECK_EQ_I64(sendto(sender, &number, sizeof number, 0, (struct sockaddr *)&to, sizeof to),
                 sizeof number);
}

/* What a socket has got must go on where it was, without gap or duplicate. */
static void expect_numbers(const struct client *client, uint32_t *next)
{
    struct taken taken;
    uint32_t number;

    while (client_take(client, &taken)) {
        CHECK_EQ_U64(taken.length, sizeof number);
        CHECK_EQ_U64(taken.source, SENDER);
        memcpy(&number, taken.bytes, sizeof number);
        CHECK_EQ_U64(number, (*next)++);
    }
}

static void await_numbers(const struct client *client, uint32_t *next, uint32_t end_number)
{
    for (unsigned i = 0; i < 1000 && *next != end_number; i++) {
        pass(0.001);
        expect_numbers(client, next);
    }
    CHECK_EQ_U64(*next, end_number);
}

SUITE_TEST(snooping_bridge, lets_a_group_through_from_the_join_to_the_leave)
{
    uint32_t next = 100;

    start();
    struct client c = client_bound(0, PORT);
    pass(1.5); /* the bridge trusts its own querier once a query would have been answered */
    for (uint32_t i = 0; i < 10; i++)
        send_numbered(GROUP, i);
    pass(0.1);
    CHECK_EQ_U64(client_queued(&c), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 0); /* it did not even come */
    CHECK_EQ_I64(client_try_join(&c, GROUP, 0), 0);
    await_line(GROUP, "filter_mode exclude");
    for (uint32_t i = 100; i < 200; i++)
        send_numbered(GROUP, i);
    await_numbers(&c, &next, 200);
    CHECK_EQ_I64(client_leave(&c, GROUP, 0), 0);
    await_line(GROUP, NULL);
    send_numbered(GROUP, 200);
    pass(0.1);
    CHECK_EQ_U64(client_queued(&c), 0);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 0);
    end(&c);
}

SUITE_TEST(snooping_bridge, learns_our_sources_and_what_becomes_of_them)
{
    uint32_t next = 0;

    start();
    struct client c = client_bound(0, PORT);
    pass(1.5);
    CHECK_EQ_I64(client_change_group(&c, DATAPLANE_JOIN_SOURCE, GROUP, SENDER + 1), 0);
    await_line(GROUP, "filter_mode include source_list 192.0.2.10");
    send_numbered(GROUP, 99);
    pass(0.1);
    CHECK_EQ_U64(wire_counter("drop.source_filtered"), 0); /* the bridge knows */
    CHECK_EQ_I64(client_change_group(&c, DATAPLANE_JOIN_SOURCE, GROUP, SENDER), 0);
    await_line(GROUP, "192.0.2.9/");
    for (uint32_t i = 0; i < 50; i++)
        send_numbered(GROUP, i);
    await_numbers(&c, &next, 50);
    CHECK_EQ_I64(client_change_group(&c, DATAPLANE_LEAVE_SOURCE, GROUP, SENDER + 1), 0);
    for (uint32_t i = 50; i < 100; i++)
        send_numbered(GROUP, i);
    await_numbers(&c, &next, 100);
    CHECK_EQ_I64(client_change_group(&c, DATAPLANE_LEAVE, GROUP, 0), 0);
    await_line(GROUP, NULL);
    end(&c);
}

SUITE_TEST(snooping_bridge, a_second_subscriber_that_leaves_makes_neither_gap_nor_duplicate)
{
    uint32_t next = 0, sent = 0;

    start();
    struct client c = client_joined(GROUP, PORT);
    pass(1.5);
    await_line(GROUP, "filter_mode exclude");
    for (unsigned round = 0; round < 5; round++) {
        struct client second = client_joined(GROUP, PORT);

        for (unsigned i = 0; i < 100; i++) {
            if (i == 50)
                CHECK_EQ_I64(client_leave(&second, GROUP, 0), 0);
            send_numbered(GROUP, sent++);
            wire_step(dataplane_tsc());
            expect_numbers(&c, &next);
        }
        /* As long as a bridge that took the group for left would go on: it asks twice. */
        for (unsigned i = 0; i < 50; i++) {
            send_numbered(GROUP, sent++);
            pass(0.01);
            expect_numbers(&c, &next);
        }
        await_numbers(&c, &next, sent);
        CHECK_EQ_U64(client_drain(&second) >= 40, true);
        client_close(&second);
    }
    end(&c);
}

SUITE_TEST(snooping_bridge, lists_five_thousand_groups_and_none_when_they_are_left)
{
    unsigned count = 0;

    start();
    struct client c = client_bound(0, PORT);
    for (uint32_t i = 0; i < 5000; i++)
        CHECK_EQ_I64(client_try_join(&c, GROUP + i, 0), 0);
    for (unsigned tries = 0; tries < SECONDS * 4 && count != 5000; tries++) {
        pass(0.25);
        count = count_groups();
    }
    CHECK_EQ_U64(count, 5000);
    end(&c);
    for (unsigned tries = 0; tries < SECONDS * 4 && count != 0; tries++) {
        usleep(250000);
        count = count_groups();
    }
    CHECK_EQ_U64(count, 0); /* the stop has left them */
}
