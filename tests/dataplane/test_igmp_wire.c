/* SPDX-License-Identifier: BSD-3-Clause */

/* IGMP messages from the wire: what is believed of them, and all that makes them nothing. */

#include "support/suite.h"

#include <stdlib.h>

#include "igmp_peer.h"

static uint8_t packet[512];
static size_t length;
static struct igmp_message message;

static void build(struct peer_query query)
{
    length = peer_query(packet, &query);
}

static enum igmp_kind parse(void)
{
    return igmp_parse(packet, length, &message);
}

/* Change a byte, and mend the checksums. */
static enum igmp_kind parse_with(size_t at, uint8_t value)
{
    uint8_t saved = packet[at];

    packet[at] = value;
    peer_seal(packet, length);
    enum igmp_kind kind = parse();
    packet[at] = saved;
    peer_seal(packet, length);
    return kind;
}

SUITE_TEST(igmp_wire, codes_beyond_127_have_an_exponent)
{
    CHECK_EQ_U64(igmp_decode(0), 0);
    CHECK_EQ_U64(igmp_decode(127), 127);
    CHECK_EQ_U64(igmp_decode(128), 128);
    CHECK_EQ_U64(igmp_decode(0x8f), 31 << 3);
    CHECK_EQ_U64(igmp_decode(0xa3), (16 | 3) << 5);
    CHECK_EQ_U64(igmp_decode(255), 31744);
}

SUITE_TEST(igmp_wire, the_length_and_the_code_tell_a_querys_version)
{
    build((struct peer_query){.version = IGMP_V1});
    CHECK_EQ_U64(parse(), IGMP_QUERY);
    CHECK_EQ_U64(message.version, IGMP_V1);
    CHECK_EQ_U64(message.response_tenths, 100);
    build((struct peer_query){.version = IGMP_V2, .code = 200});
    CHECK_EQ_U64(parse(), IGMP_QUERY);
    CHECK_EQ_U64(message.version, IGMP_V2);
    CHECK_EQ_U64(message.response_tenths, 200);
    build((struct peer_query){.version = IGMP_V3,
                              .code = 0x90,
                              .robustness = 3,
                              .interval_code = 0x8f,
                              .group = PEER_GROUP(1),
                              .sources_count = 2,
                              .sources = {PEER_SOURCE(1), PEER_SOURCE(2)}});
    CHECK_EQ_U64(parse(), IGMP_QUERY);
    CHECK_EQ_U64(message.version, IGMP_V3);
    CHECK_EQ_U64(message.response_tenths, 256);
    CHECK_EQ_U64(message.robustness, 3);
    CHECK_EQ_U64(message.interval, 248);
    CHECK_EQ_U64(message.group, PEER_GROUP(1));
    CHECK_EQ_U64(message.sources_count, 2);
    CHECK_EQ_U64(igmp_source(&message, 1), PEER_SOURCE(2));
    for (size_t bytes = 9; bytes < 12; bytes++) { /* RFC 3376, 7.1: silently ignored */
        length = peer_packet(packet, PEER_ROUTER, rte_cpu_to_be_32(IGMP_ALL_HOSTS), 0x11, bytes);
        peer_seal(packet, length);
        CHECK_EQ_U64(parse(), IGMP_NOTHING);
    }
}

SUITE_TEST(igmp_wire, what_is_not_as_the_rfc_has_it_is_nothing)
{
    build((struct peer_query){.version = IGMP_V3, .code = 10});
    CHECK_EQ_U64(parse(), IGMP_QUERY);
    CHECK_EQ_U64(parse_with(8, 2), IGMP_NOTHING);  /* a time to live of two */
    CHECK_EQ_U64(parse_with(9, 17), IGMP_NOTHING); /* not IGMP */
    CHECK_EQ_U64(parse_with(20, 1), IGMP_NOTHING); /* no router alert (9.1) */
    CHECK_EQ_U64(parse_with(21, 0), IGMP_NOTHING); /* an option without a length */
    CHECK_EQ_U64(parse_with(21, 5), IGMP_NOTHING);
    CHECK_EQ_U64(parse_with(19, 5), IGMP_NOTHING); /* a general one to 224.0.0.5 (9.1) */
    CHECK_EQ_U64(parse_with(24, 0x13), IGMP_NOTHING);
    CHECK_EQ_U64(parse_with(31, 9), IGMP_NOTHING); /* about 0.0.0.9 */
    CHECK_EQ_U64(parse_with(35, 1), IGMP_NOTHING); /* a source that is not there */
    packet[26] ^= 1;                               /* the checksum */
    CHECK_EQ_U64(parse(), IGMP_NOTHING);
}

SUITE_TEST(igmp_wire, a_query_of_version_1_needs_no_router_alert)
{
    build((struct peer_query){.version = IGMP_V1});
    CHECK_EQ_U64(parse_with(20, 1), IGMP_QUERY);
    build((struct peer_query){.version = IGMP_V2, .code = 1});
    CHECK_EQ_U64(parse_with(20, 1), IGMP_NOTHING);
}

SUITE_TEST(igmp_wire, a_query_about_a_group_may_come_to_it_or_to_one_host)
{
    build((struct peer_query){.version = IGMP_V3, .code = 10, .group = PEER_GROUP(0)});
    CHECK_EQ_U64(parse(), IGMP_QUERY);
    CHECK_EQ_U64(parse_with(19, 77), IGMP_NOTHING); /* to another group */
    CHECK_EQ_U64(parse_with(16, 10), IGMP_QUERY);
    CHECK_EQ_U64(message.destination & 0xff, 10);
}

SUITE_TEST(igmp_wire, reports_of_others_are_about_where_they_are_sent)
{
    for (unsigned type = 0x12; type <= 0x16; type += 4) {
        length = peer_packet(packet, PEER_ROUTER, PEER_GROUP(3), (uint8_t)type, 8);
        memcpy(packet + 28, &(uint32_t){PEER_GROUP(3)}, 4);
        peer_seal(packet, length);
        CHECK_EQ_U64(parse(), IGMP_REPORT);
        CHECK_EQ_U64(message.group, PEER_GROUP(3));
        CHECK_EQ_U64(parse_with(31, 9), IGMP_NOTHING);
    }
    CHECK_EQ_U64(parse_with(24, 0x17), IGMP_NOTHING); /* a leave is for routers */
    CHECK_EQ_U64(parse_with(24, 0x22), IGMP_NOTHING);
}

SUITE_TEST(igmp_wire, every_length_is_checked_before_it_is_believed)
{
    build((struct peer_query){.version = IGMP_V3,
                              .code = 10,
                              .group = PEER_GROUP(0),
                              .sources_count = 3,
                              .sources = {1, 2, 3}});
    for (size_t n = 0; n <= length; n++) {
        uint8_t *exact = malloc(n);

        CHECK(exact != NULL || n == 0);
        if (n != 0)
            memcpy(exact, packet, n);
        CHECK_EQ_U64(igmp_parse(exact, n, &message), n == length ? IGMP_QUERY : IGMP_NOTHING);
        free(exact);
    }
}
