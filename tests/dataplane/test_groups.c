/* SPDX-License-Identifier: BSD-3-Clause */

/* Joining, leaving and filtering: what the network is told, and what a socket gets. */

#include "support/suite.h"

#include <errno.h>
#include <rte_byteorder.h>

#include "client.h"
#include "igmp_peer.h"
#include "network.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP 0xefff0001u /* PEER_GROUP(0), host order */
#define PORT 5000
#define SENDER(n) (0x0a000001u + (n)) /* PEER_SOURCE(n), host order */

static struct peer peer;

static void set_up(void)
{
    struct config config = wire_config();

    network_start(&config, &client_operations);
    memset(&peer, 0, sizeof peer);
    peer.mtu = 1500;
}

SUITE_FIXTURE(groups, set_up, wire_stop);

/* Let time pass, by steps that lie within it, and hear what is told. */
static void pass(double seconds)
{
    static uint64_t now;
    uint64_t step = dataplane_tsc_hz() / 100;

    if (now == 0)
        now = dataplane_tsc();
    for (uint64_t until = now + (uint64_t)(seconds * (double)dataplane_tsc_hz()); now < until;
         now += step)
        wire_step(now);
    for (const struct network_frame *frame; (frame = network_take()) != NULL;) {
        if (frame->bytes[12] != 8 || frame->bytes[13] != 0)
            continue; /* ARP */
        uint32_t to = rte_be_to_cpu_32(igmp_destination(frame->bytes + 14));

        CHECK_EQ_U64(frame->bytes[0] << 16 | frame->bytes[1] << 8 | frame->bytes[2], 0x01005e);
        CHECK_EQ_U64(frame->bytes[3] << 16 | frame->bytes[4] << 8 | frame->bytes[5], to & 0x7fffff);
        /* The model's host has another address. */
        uint8_t packet[1500];
        memcpy(packet, frame->bytes + 14, frame->length - 14);
        CHECK_EQ_U64(memcmp(packet + 12, &(uint32_t){rte_cpu_to_be_32(WIRE_ADDRESS)}, 4), 0);
        memcpy(packet + 12, &(uint32_t){PEER_US}, 4);
        peer_seal(packet, frame->length - 14);
        peer_hear(&peer, packet, frame->length - 14);
    }
}

static int change(const struct client *client, enum dataplane_source_change kind, unsigned sender)
{
    return dataplane_change_group(client->endpoint, client->generation, kind, PEER_GROUP(0), 0,
                                  PEER_SOURCE(sender));
}

static void arrive(unsigned sender, uint32_t group)
{
    uint8_t bytes[200];
    struct frame frame = {.source = SENDER(sender),
                          .source_port = 9,
                          .destination = group,
                          .destination_port = PORT,
                          .payload = "quote",
                          .length = 5};

    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    wire_settle();
}

static void expect_from(const struct client *client, unsigned sender)
{
    struct taken taken;

    CHECK(client_take(client, &taken));
    CHECK_EQ_U64(taken.source, SENDER(sender));
    CHECK_EQ_U64(client_queued(client), 0);
}

SUITE_TEST(groups, the_network_is_told_of_the_first_member_and_of_the_last)
{
    struct client a = client_joined(GROUP, PORT);

    pass(2);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 2);
    struct client b = client_joined(GROUP, PORT + 1);
    client_close(&a);
    pass(2);
    CHECK_EQ_U64(peer.packets, 2); /* nothing has changed for the interface */
    CHECK_EQ_U64(client_leave(&b, GROUP, 0), 0);
    pass(2);
    CHECK_EQ_U64(peer.records[RECORD_TO_IN], 2);
    CHECK(source_filter_is_none(&peer.known[0]));
    client_close(&b);
    network_check_balance();
}

SUITE_TEST(groups, a_join_before_the_bind_is_told_with_it)
{
    struct client c = client_open();

    CHECK_EQ_U64(client_try_join(&c, GROUP, 0), 0);
    pass(2);
    CHECK_EQ_U64(peer.packets, 0);
    CHECK_EQ_U64(client_try_bind(&c, 0, PORT, false), 0);
    pass(2);
    CHECK(source_filter_is_any(&peer.known[0]));
    client_close(&c);
    pass(2);
    CHECK(source_filter_is_none(&peer.known[0]));
}

SUITE_TEST(groups, a_query_on_the_wire_is_answered)
{
    struct client c = client_joined(GROUP, PORT);
    uint8_t frame[400] = {0x01, 0x00, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0};
    struct peer_query query = {.version = IGMP_V3, .code = 10, .robustness = 2};

    pass(2);
    size_t length = 14 + peer_query(frame + 14, &query);
    wire_send(frame, length);
    pass(2);
    CHECK_EQ_U64(peer.records[RECORD_IS_EX], 1);
    CHECK_EQ_U64(wire_counter("consumed.igmp"), 1);
    frame[14 + 26] ^= 1;
    wire_send(frame, length);
    uint16_t cut = 40;
    frame[14 + 26] ^= 1;
    wire_send_segments(frame, length, &cut, 1);
    pass(2);
    CHECK_EQ_U64(peer.records[RECORD_IS_EX], 2);
    CHECK_EQ_U64(wire_counter("drop.igmp"), 1);
    client_close(&c);
}

SUITE_TEST(groups, interfaces_merge_what_their_sockets_want)
{
    struct client a = client_bound(0, PORT), b = client_bound(0, PORT);

    CHECK_EQ_U64(change(&a, DATAPLANE_JOIN_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&b, DATAPLANE_JOIN_SOURCE, 2), 0);
    pass(2);
    CHECK_EQ_U64(peer.known[0].count, 2);
    CHECK(!peer.known[0].exclude);
    CHECK_EQ_U64(change(&b, DATAPLANE_LEAVE_SOURCE, 2), 0);
    CHECK_EQ_U64(change(&b, DATAPLANE_JOIN, 0), 0);
    CHECK_EQ_U64(change(&b, DATAPLANE_BLOCK_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&b, DATAPLANE_BLOCK_SOURCE, 3), 0);
    pass(2);
    CHECK(peer.known[0].exclude); /* all but 3: the other socket wants 1 */
    CHECK_EQ_U64(peer.known[0].count, 1);
    CHECK(source_filter_lists(&peer.known[0], PEER_SOURCE(3)));
    client_close(&a);
    pass(2);
    CHECK_EQ_U64(peer.known[0].count, 2);
    client_close(&b);
    pass(2);
    CHECK(source_filter_is_none(&peer.known[0]));
}

SUITE_TEST(groups, a_socket_gets_what_the_sources_it_named_have_sent)
{
    struct client some = client_bound(0, PORT), others = client_bound(0, PORT);

    CHECK_EQ_U64(change(&some, DATAPLANE_JOIN_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&others, DATAPLANE_JOIN, 0), 0);
    CHECK_EQ_U64(change(&others, DATAPLANE_BLOCK_SOURCE, 1), 0);
    arrive(1, GROUP);
    expect_from(&some, 1);
    CHECK_EQ_U64(client_queued(&others), 0);
    arrive(2, GROUP);
    expect_from(&others, 2);
    CHECK_EQ_U64(client_queued(&some), 0);
    CHECK_EQ_U64(change(&some, DATAPLANE_JOIN_SOURCE, 2), 0);
    CHECK_EQ_U64(change(&some, DATAPLANE_LEAVE_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&others, DATAPLANE_BLOCK_SOURCE, 2), 0);
    arrive(1, GROUP);
    CHECK_EQ_U64(wire_counter("drop.source_filtered"), 1);
    arrive(2, GROUP);
    expect_from(&some, 2);
    CHECK_EQ_U64(change(&others, DATAPLANE_UNBLOCK_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&others, DATAPLANE_UNBLOCK_SOURCE, 2), 0);
    arrive(1, GROUP);
    expect_from(&others, 1);
    client_close(&some);
    arrive(2, GROUP);
    expect_from(&others, 2);
    client_close(&others);
}

SUITE_TEST(groups, a_lone_socket_with_a_filter_is_filtered_too)
{
    struct client c = client_bound(0, PORT);

    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, 1), 0);
    arrive(2, GROUP);
    CHECK_EQ_U64(client_queued(&c), 0);
    arrive(1, GROUP);
    expect_from(&c, 1);
    client_close(&c);
}

SUITE_TEST(groups, changes_that_contradict_are_refused)
{
    struct client c = client_bound(0, PORT);

    CHECK_EQ_U64(change(&c, DATAPLANE_BLOCK_SOURCE, 1), -EADDRNOTAVAIL);
    CHECK_EQ_U64(change(&c, DATAPLANE_LEAVE_SOURCE, 1), -EADDRNOTAVAIL);
    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, 1), -EADDRINUSE);
    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN, 1), -EADDRINUSE);
    CHECK_EQ_U64(change(&c, DATAPLANE_BLOCK_SOURCE, 1), -EINVAL);
    CHECK_EQ_U64(change(&c, DATAPLANE_LEAVE_SOURCE, 2), -EADDRNOTAVAIL);
    for (unsigned i = 2; i <= SOURCE_FILTER_SOURCES; i++)
        CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, i), 0);
    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, 99), -ENOBUFS);
    CHECK_EQ_U64(change(&c, DATAPLANE_LEAVE, 0), 0);
    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN, 0), 0);
    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, 1), -EINVAL);
    CHECK_EQ_U64(change(&c, DATAPLANE_UNBLOCK_SOURCE, 1), -EADDRNOTAVAIL);
    client_close(&c);
}

/* Set it, and hear the reports. @return how many there were: each is sent twice (RFC 3376, 8.1) */
static unsigned reports_of(const struct client *client, bool exclude, unsigned first, unsigned last)
{
    struct source_filter filter = client_filter_of(exclude, SENDER(first), SENDER(last));
    unsigned before = peer.packets;

    CHECK_EQ_I64(client_set_filter(client, GROUP, 0, &filter), 0);
    CHECK(client_has_filter(client, GROUP, 0, &filter));
    pass(2);
    CHECK(source_filter_equal(&peer.known[0], &filter));
    return peer.packets - before;
}

SUITE_TEST(groups, a_filter_is_set_with_one_report)
{
    struct client c = client_bound(0, PORT);

    CHECK_EQ_U64(reports_of(&c, false, 1, 0), 0); /* not joined, and so not left */
    CHECK_EQ_U64(reports_of(&c, false, 1, 30), 2);
    CHECK_EQ_U64(reports_of(&c, false, 1, 30), 0);
    memset(peer.records, 0, sizeof peer.records);
    CHECK_EQ_U64(reports_of(&c, false, 11, 40), 2); /* ten come and ten go */
    CHECK_EQ_U64(peer.records[RECORD_ALLOW], 2);
    CHECK_EQ_U64(peer.records[RECORD_BLOCK], 2);
    CHECK_EQ_U64(reports_of(&c, true, 2, 1 + SOURCE_FILTER_SOURCES), 2);
    CHECK_EQ_U64(reports_of(&c, true, 1, 0), 2);
    CHECK_EQ_U64(reports_of(&c, false, 7, 7), 2);
    CHECK_EQ_U64(reports_of(&c, false, 1, 0), 2);
    CHECK_EQ_U64(reports_of(&c, false, 1, 0), 0);
    CHECK_EQ_I64(client_leave(&c, GROUP, 0), -EADDRNOTAVAIL);
    client_close(&c);
    network_check_balance();
}

SUITE_TEST(groups, a_filter_that_is_set_before_the_bind_is_told_with_it)
{
    struct source_filter filter = client_filter_of(true, SENDER(3), SENDER(5));
    struct client c = client_open();

    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &filter), 0);
    pass(2);
    CHECK_EQ_U64(peer.packets, 0);
    CHECK_EQ_U64(client_try_bind(&c, 0, PORT, false), 0);
    pass(2);
    CHECK(source_filter_equal(&peer.known[0], &filter));
    client_close(&c);
}

/* Whom a socket takes from, of eight senders: a bit for each. */
static unsigned senders_of(const struct client *client)
{
    unsigned bits = 0;

    for (unsigned sender = 0; sender < 8; sender++) {
        arrive(sender, GROUP);
        bits |= client_drain(client) << sender;
    }
    return bits;
}

SUITE_TEST(groups, a_filter_that_is_set_is_what_is_delivered)
{
    struct client c = client_bound(0, PORT), other = client_joined(GROUP, PORT);
    const struct {
        bool exclude;
        unsigned first, last, taken;
    } rows[] = {{false, 1, 3, 0x0e}, {false, 3, 5, 0x38}, {true, 3, 5, 0xc7},  {true, 0, 6, 0x80},
                {false, 6, 6, 0x40}, {true, 1, 0, 0xff},  {false, 1, 0, 0x00}, {false, 0, 7, 0xff}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source_filter filter =
            client_filter_of(rows[i].exclude, SENDER(rows[i].first), SENDER(rows[i].last));

        CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &filter), 0);
        CHECK_EQ_U64(senders_of(&c), rows[i].taken);
        CHECK_EQ_U64(client_drain(&other), 8); /* is not disturbed */
    }
    client_close(&c);
    client_close(&other);
    network_check_balance();
}

SUITE_TEST(groups, a_filter_follows_on_what_options_have_changed)
{
    struct source_filter filter = client_filter_of(true, SENDER(1), SENDER(3));
    struct client c = client_bound(0, PORT);

    CHECK_EQ_I64(change(&c, DATAPLANE_JOIN_SOURCE, 9), 0);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &filter), 0);
    CHECK_EQ_I64(change(&c, DATAPLANE_JOIN_SOURCE, 9), -EINVAL);
    CHECK_EQ_I64(change(&c, DATAPLANE_BLOCK_SOURCE, 2), -EADDRINUSE);
    CHECK_EQ_I64(change(&c, DATAPLANE_UNBLOCK_SOURCE, 3), 0);
    filter = client_filter_of(true, SENDER(1), SENDER(2));
    CHECK(client_has_filter(&c, GROUP, 0, &filter));
    CHECK_EQ_I64(change(&c, DATAPLANE_LEAVE, 0), 0);
    CHECK(client_has_filter(&c, GROUP, 0, &SOURCE_FILTER_NONE));
    client_close(&c);
}

SUITE_TEST(groups, what_no_filter_lets_through_is_counted_apart_from_what_nobody_has_joined)
{
    struct client c = client_bound(0, PORT), other = client_bound(0, PORT);

    CHECK_EQ_U64(change(&c, DATAPLANE_JOIN_SOURCE, 1), 0);
    CHECK_EQ_U64(change(&other, DATAPLANE_JOIN, 0), 0);
    CHECK_EQ_U64(change(&other, DATAPLANE_BLOCK_SOURCE, 2), 0);
    arrive(2, GROUP); /* neither wants it */
    arrive(2, GROUP + 1);
    CHECK_EQ_U64(wire_counter("drop.source_filtered"), 1);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    arrive(3, GROUP); /* one of them does */
    expect_from(&other, 3);
    client_set_bytes(&other, 1);
    arrive(3, GROUP);
    arrive(3, GROUP); /* ... and has no room: what it is to the other does not count */
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 1);
    CHECK_EQ_U64(wire_counter("drop.source_filtered"), 1);
    wire_check_balance();
    client_close(&c);
    client_close(&other);
}

/* RFC 1112, 6.4: 32 groups share each. */
SUITE_TEST(groups, a_group_that_shares_the_mac_address_is_not_ours)
{
    struct client c = client_joined(GROUP, PORT);

    arrive(1, GROUP ^ 0x00800000u); /* 239.127.0.1 */
    arrive(1, GROUP ^ 0x01000000u); /* 238.255.0.1 */
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 2);
    CHECK_EQ_U64(client_queued(&c), 0);
    arrive(1, GROUP);
    expect_from(&c, 1);
    client_close(&c);
}

SUITE_TEST(groups, a_stop_leaves_all)
{
    struct client c = client_joined(GROUP, PORT);

    pass(2);
    uint64_t before = wire_counter("sent.frames");
    dataplane_stop();
    CHECK_EQ_U64(wire_counter("sent.frames"), before + 1);
    client_close(&c);
    set_up();
}

#endif
