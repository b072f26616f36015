/* SPDX-License-Identifier: BSD-3-Clause */

/* From bytes to a verdict: every reason to drop, every length, every way to cut a frame. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <stdio.h>

#include "classify.h"
#include "handmade.h"
#include "support/frames.h"

static const uint8_t text[] = "the payload of a datagram";
#define TEXT_BYTES (sizeof text - 1)

static const struct classify_rules any_rules = {0};

static const char *name_of(enum counter verdict)
{
    return verdict == FATE_UNDECIDED ? "accepted" : counter_rows[verdict].name;
}

/* The verdict on exactly these bytes, in an allocation that ends where they do. */
static enum counter verdict_on(const uint8_t *bytes, size_t length,
                               const struct classify_rules *rules, struct rx_meta *meta)
{
    uint8_t *exact = malloc(length);

    CHECK(exact != NULL || length == 0);
    if (length != 0)
        memcpy(exact, bytes, length);
    enum counter verdict = classify_headers(exact, length, length, rules, false, -1, meta);
    free(exact);
    return verdict;
}

static void expect(const struct frame *frame, const struct classify_rules *rules,
                   enum counter expected, const char *what)
{
    uint8_t bytes[4096];
    size_t length = frame_build(frame, bytes, sizeof bytes);
    struct rx_meta meta;
    enum counter verdict = verdict_on(bytes, length, rules, &meta);

    CHECK_MSG(verdict == expected, "%s: %s, wanted %s", what, name_of(verdict), name_of(expected));
}

SUITE_TEST(classify, finds_the_datagram_in_the_frame)
{
    struct frame frame = {.source = FRAME_IP(192, 0, 2, 1),
                          .destination = FRAME_IP(239, 9, 8, 7),
                          .source_port = 1234,
                          .destination_port = 4321,
                          .payload = text,
                          .length = TEXT_BYTES};
    uint8_t bytes[256];
    struct rx_meta meta;

    for (unsigned tags = 0; tags <= 2; tags++)
        for (unsigned options = 0; options <= 40; options += 4)
            for (unsigned padding = 0; padding <= 18; padding += 9) {
                frame.tags_count = tags;
                frame.options = (uint8_t)options;
                frame.padding = padding;
                size_t length = frame_build(&frame, bytes, sizeof bytes);
                CHECK_EQ_U64(verdict_on(bytes, length, &any_rules, &meta), FATE_UNDECIDED);
                CHECK_EQ_U64(rte_be_to_cpu_32(meta.source), FRAME_IP(192, 0, 2, 1));
                CHECK_EQ_U64(rte_be_to_cpu_32(meta.destination), FRAME_IP(239, 9, 8, 7));
                CHECK_EQ_U64(rte_be_to_cpu_16(meta.source_port), 1234);
                CHECK_EQ_U64(rte_be_to_cpu_16(meta.destination_port), 4321);
                CHECK_EQ_U64(meta.payload_length, TEXT_BYTES);
                CHECK_EQ_MEM(bytes + meta.payload_offset, text, TEXT_BYTES);
            }
}

SUITE_TEST(classify, names_the_reason_for_every_other_frame)
{
    static const struct {
        const char *what;
        struct frame frame;
        enum counter expected;
    } rows[] = {
        {"right", {.payload = text, .length = TEXT_BYTES}, FATE_UNDECIDED},
        {"an empty datagram", {.length = 0}, FATE_UNDECIDED},
        {"no UDP checksum", {.no_udp_checksum = true}, FATE_UNDECIDED},
        {"the wrong UDP checksum, which is not looked at here",
         {.udp_checksum_off = 1},
         FATE_UNDECIDED},
        {"don't fragment", {.fragment = 0x4000}, FATE_UNDECIDED},
        {"ARP", {.ethertype = 0x0806}, COUNTER_DROP_ARP},
        {"IPv6", {.ethertype = 0x86dd}, COUNTER_DROP_IPV6},
        {"LLDP", {.ethertype = 0x88cc}, COUNTER_DROP_ETHERTYPE},
        {"an 802.3 length", {.ethertype = 64}, COUNTER_DROP_ETHERTYPE},
        {"a tagged ARP", {.ethertype = 0x0806, .tags_count = 1}, COUNTER_DROP_ARP},
        {"three tags", {.tags_count = 3}, COUNTER_DROP_ETHERTYPE},
        {"IP version 5", {.version_ihl = 0x55}, COUNTER_DROP_IP_HEADER},
        {"IP version 0", {.version_ihl = 0x05}, COUNTER_DROP_IP_HEADER},
        {"a header of 16 bytes", {.version_ihl = 0x44}, COUNTER_DROP_IP_HEADER},
        {"a header of no bytes", {.version_ihl = 0x40}, COUNTER_DROP_IP_HEADER},
        {"a total length below the header's", {.total_length_off = -9}, COUNTER_DROP_IP_HEADER},
        {"a total length of 0", {.total_length_off = -28}, COUNTER_DROP_IP_HEADER},
        {"a header of 60 bytes in a frame of 42",
         {.version_ihl = 0x4f, .total_length_off = 40},
         COUNTER_DROP_TRUNCATED},
        {"the wrong header checksum", {.ip_checksum_off = 1}, COUNTER_DROP_IP_CHECKSUM},
        {"a total length one above the frame's", {.total_length_off = 1}, COUNTER_DROP_TRUNCATED},
        {"a first fragment", {.fragment = 0x2000}, COUNTER_DROP_FRAGMENT},
        {"a middle fragment", {.fragment = 0x2001}, COUNTER_DROP_FRAGMENT},
        {"a last fragment", {.fragment = 0x1fff}, COUNTER_DROP_FRAGMENT},
        {"a fragment of ICMP", {.fragment = 0x2000, .protocol = 1}, COUNTER_DROP_FRAGMENT},
        {"ICMP", {.protocol = 1}, COUNTER_DROP_ICMP},
        {"IGMP", {.protocol = 2}, COUNTER_DROP_IGMP},
        {"TCP", {.protocol = 6}, COUNTER_DROP_TCP},
        {"GRE", {.protocol = 47}, COUNTER_DROP_PROTOCOL},
        {"UDP-Lite", {.protocol = 136}, COUNTER_DROP_PROTOCOL},
        {"no room for the UDP header", {.total_length_off = -1}, COUNTER_DROP_UDP_LENGTH},
        {"a UDP length of 7", {.udp_length_off = -1}, COUNTER_DROP_UDP_LENGTH},
        {"a UDP length of 0", {.udp_length_off = -8}, COUNTER_DROP_UDP_LENGTH},
        {"a UDP length one above the packet's", {.udp_length_off = 1}, COUNTER_DROP_UDP_LENGTH},
        {"the same where padding would hold it",
         {.udp_length_off = 1, .padding = 18},
         COUNTER_DROP_UDP_LENGTH},
        {"a UDP length of 65535", {.udp_length_off = 65527}, COUNTER_DROP_UDP_LENGTH},
    };

    for (size_t i = 0; i < RTE_DIM(rows); i++)
        expect(&rows[i].frame, &any_rules, rows[i].expected, rows[i].what);
}

SUITE_TEST(classify, bytes_behind_the_udp_length_are_not_payload)
{
    struct frame frame = {
        .payload = text, .length = TEXT_BYTES, .udp_length_off = -5, .udp_checksum_off = 0};
    uint8_t bytes[256];
    size_t length = frame_build(&frame, bytes, sizeof bytes);
    struct rte_mbuf *mbuf = handmade_chain(bytes, length, NULL, 0);

    CHECK_EQ_U64(classify(mbuf, &any_rules), FATE_UNDECIDED);
    CHECK_EQ_U64(rx_meta(mbuf)->payload_length, TEXT_BYTES - 5);
    CHECK(classify_udp_checksum(mbuf)); /* over what the UDP length says */
    handmade_free(mbuf);
}

SUITE_TEST(classify, a_port_with_a_vlan_takes_that_vlan_only)
{
    static const struct classify_rules vlan_100 = {.vlan = 100};
    static const struct {
        const char *what;
        struct frame frame;
        enum counter expected;
    } rows[] = {
        {"untagged", {0}, COUNTER_DROP_VLAN},
        {"its tag", {.tags_count = 1, .tags = {{0, 100}}}, FATE_UNDECIDED},
        {"its tag with a priority and DEI",
         {.tags_count = 1, .tags = {{0, 0xf064}}},
         FATE_UNDECIDED},
        {"another tag", {.tags_count = 1, .tags = {{0, 101}}}, COUNTER_DROP_VLAN},
        {"a priority tag", {.tags_count = 1, .tags = {{0, 0xe000}}}, COUNTER_DROP_VLAN},
        {"its tag as 802.1ad", {.tags_count = 1, .tags = {{0x88a8, 100}}}, FATE_UNDECIDED},
        {"inside another", {.tags_count = 2, .tags = {{0x88a8, 7}, {0, 100}}}, FATE_UNDECIDED},
        {"another inside it",
         {.tags_count = 2, .tags = {{0x88a8, 100}, {0, 7}}},
         COUNTER_DROP_VLAN},
        {"two 802.1Q tags", {.tags_count = 2, .tags = {{0, 7}, {0, 100}}}, FATE_UNDECIDED},
        {"ARP of another VLAN",
         {.ethertype = 0x0806, .tags_count = 1, .tags = {{0, 7}}},
         COUNTER_DROP_VLAN},
        {"ARP of its VLAN",
         {.ethertype = 0x0806, .tags_count = 1, .tags = {{0, 100}}},
         COUNTER_DROP_ARP},
    };

    for (size_t i = 0; i < RTE_DIM(rows); i++)
        expect(&rows[i].frame, &vlan_100, rows[i].expected, rows[i].what);
}

static enum counter verdict_on_stripped(uint16_t tci, const struct frame *frame,
                                        const struct classify_rules *rules)
{
    uint8_t bytes[256];
    size_t length = frame_build(frame, bytes, sizeof bytes);
    struct rte_mbuf *mbuf = handmade_chain(bytes, length, NULL, 0);

    mbuf->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    mbuf->vlan_tci = tci;
    enum counter verdict = classify(mbuf, rules);
    handmade_free(mbuf);
    return verdict;
}

SUITE_TEST(classify, a_tag_that_the_device_stripped_counts)
{
    static const struct classify_rules vlan_100 = {.vlan = 100};
    static const struct frame untagged = {0};
    static const struct frame tagged = {.tags_count = 1, .tags = {{0, 100}}};
    static const struct frame tagged_otherwise = {.tags_count = 1, .tags = {{0, 7}}};

    CHECK_EQ_U64(verdict_on_stripped(100, &untagged, &vlan_100), FATE_UNDECIDED);
    CHECK_EQ_U64(verdict_on_stripped(0xe064, &untagged, &vlan_100), FATE_UNDECIDED);
    CHECK_EQ_U64(verdict_on_stripped(7, &untagged, &vlan_100), COUNTER_DROP_VLAN);
    /* The stripped one was the outer tag: the inner one still decides. */
    CHECK_EQ_U64(verdict_on_stripped(7, &tagged, &vlan_100), FATE_UNDECIDED);
    CHECK_EQ_U64(verdict_on_stripped(100, &tagged_otherwise, &vlan_100), COUNTER_DROP_VLAN);
    CHECK_EQ_U64(verdict_on_stripped(7, &untagged, &any_rules), FATE_UNDECIDED);
}

/* A frame that ends after n bytes: too short for its headers, then truncated, then whole. */
SUITE_TEST(classify, frame_cut_after_every_byte)
{
    for (unsigned tags = 0; tags <= 2; tags++)
        for (unsigned options = 0; options <= 40; options += 20) {
            struct frame frame = {.payload = text,
                                  .length = TEXT_BYTES,
                                  .tags_count = tags,
                                  .options = (uint8_t)options,
                                  .padding = 6};
            uint8_t bytes[256];
            size_t length = frame_build(&frame, bytes, sizeof bytes);
            size_t header_end = 14 + tags * 4 + 20;

            for (size_t cut = 0; cut <= length; cut++) {
                struct rx_meta meta;
                enum counter expected = cut < header_end               ? COUNTER_DROP_SHORT_FRAME
                                        : cut < length - frame.padding ? COUNTER_DROP_TRUNCATED
                                                                       : FATE_UNDECIDED;
                enum counter verdict = verdict_on(bytes, cut, &any_rules, &meta);
                CHECK_MSG(verdict == expected, "%u tags, %u options, %zu bytes: %s, wanted %s",
                          tags, options, cut, name_of(verdict), name_of(expected));
                struct rte_mbuf *mbuf = handmade_chain(bytes, cut, NULL, 0);
                CHECK_EQ_U64(classify(mbuf, &any_rules), expected);
                handmade_free(mbuf);
            }
        }
}

static uint32_t random_state = 12345;

static uint32_t random_number(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

/* Whatever the bytes are, what is accepted lies inside the frame. Reads beyond are ASan's to find. */
SUITE_TEST(classify, mutated_frames_stay_inside_their_bounds)
{
    unsigned accepted = 0;

    for (unsigned round = 0; round < 100000; round++) {
        struct frame frame = {.payload = text,
                              .length = random_number(TEXT_BYTES),
                              .tags_count = random_number(4),
                              .options = (uint8_t)(random_number(11) * 4),
                              .padding = random_number(10)};
        uint8_t bytes[256];
        size_t length = frame_build(&frame, bytes, sizeof bytes);
        struct rx_meta meta;

        for (unsigned changes = random_number(4); changes > 0; changes--)
            bytes[12 + random_number((uint32_t)length - 12)] ^= (uint8_t)(1 + random_number(255));
        length -= random_number(4) == 0 ? random_number((uint32_t)length) : 0;
        uint8_t *exact = malloc(length);
        memcpy(exact, bytes, length);
        bool known_good = random_number(2) != 0; /* lets broken headers through to the rest */
        if (classify_headers(exact, length, length, &any_rules, known_good, -1, &meta) ==
            FATE_UNDECIDED) {
            accepted++;
            CHECK((size_t)meta.payload_offset + meta.payload_length <= length);
        }
        free(exact);
    }
    CHECK_GE_U64(accepted, 10000); /* it did test something */
}

/* The same frame in other segments must mean the same. */
static void expect_same(const uint8_t *bytes, size_t length, const uint16_t *lengths,
                        unsigned count, const struct rx_meta *expected, bool checksum_is_right)
{
    struct rte_mbuf *mbuf = handmade_chain(bytes, length, lengths, count);

    CHECK_EQ_U64(classify(mbuf, &any_rules), FATE_UNDECIDED);
    const struct rx_meta *meta = rx_meta(mbuf);
    CHECK_EQ_U64(meta->destination, expected->destination);
    CHECK_EQ_U64(meta->destination_port, expected->destination_port);
    CHECK_EQ_U64(meta->payload_offset, expected->payload_offset);
    CHECK_EQ_U64(meta->payload_length, expected->payload_length);
    CHECK_MSG(classify_udp_checksum(mbuf) == checksum_is_right,
              "the checksum is %s, %u cuts at %u..", checksum_is_right ? "right" : "wrong", count,
              count != 0 ? lengths[0] : 0u);
    handmade_free(mbuf);
}

SUITE_TEST(classify, headers_and_checksum_across_every_split)
{
    struct frame frame = {
        .payload = text, .length = TEXT_BYTES, .tags_count = 2, .options = 40, .padding = 3};

    for (int off = 0; off <= 1; off++) {
        uint8_t bytes[256];
        struct rx_meta expected;
        uint16_t ones[256];

        frame.udp_checksum_off = off;
        size_t length = frame_build(&frame, bytes, sizeof bytes);
        CHECK_EQ_U64(verdict_on(bytes, length, &any_rules, &expected), FATE_UNDECIDED);
        expect_same(bytes, length, NULL, 0, &expected, off == 0);
        for (uint16_t first = 0; first < (uint16_t)length; first++) {
            expect_same(bytes, length, &first, 1, &expected, off == 0);
            for (uint16_t second = 1; second <= 3; second++)
                expect_same(bytes, length, (uint16_t[]){first, second}, 2, &expected, off == 0);
        }
        for (size_t i = 0; i < length; i++)
            ones[i] = 1;
        expect_same(bytes, length, ones, (unsigned)length, &expected, off == 0);
    }
}

SUITE_TEST(classify, cut_chains_are_short_or_truncated_too)
{
    struct frame frame = {.payload = text, .length = TEXT_BYTES, .tags_count = 1};
    uint8_t bytes[256];
    size_t length = frame_build(&frame, bytes, sizeof bytes);

    for (size_t cut = 2; cut < length; cut++)
        for (uint16_t first = 1; first < (uint16_t)cut; first++) {
            struct rte_mbuf *mbuf = handmade_chain(bytes, cut, &first, 1);

            CHECK_EQ_U64(classify(mbuf, &any_rules),
                         cut < 38 ? COUNTER_DROP_SHORT_FRAME : COUNTER_DROP_TRUNCATED);
            handmade_free(mbuf);
        }
}

static bool checksum_of(const struct frame *frame, uint64_t ol_flags)
{
    uint8_t bytes[FRAME_MAX];
    size_t length = frame_build(frame, bytes, sizeof bytes);
    struct rte_mbuf *mbuf = handmade_chain(bytes, length, (uint16_t[]){2048}, 1);

    mbuf->ol_flags = ol_flags;
    CHECK_EQ_U64(classify(mbuf, &any_rules), FATE_UNDECIDED);
    bool right = classify_udp_checksum(mbuf);
    handmade_free(mbuf);
    return right;
}

SUITE_TEST(classify, udp_checksum_right_wrong_and_absent)
{
    uint8_t payload[65507];

    for (size_t length = 0; length < 70; length++) {
        frame_fill(payload, length, length);
        CHECK(checksum_of(&(struct frame){.payload = payload, .length = length}, 0));
        CHECK(!checksum_of(
            &(struct frame){.payload = payload, .length = length, .udp_checksum_off = 1}, 0));
        CHECK(!checksum_of(
            &(struct frame){.payload = payload, .length = length, .udp_checksum_off = -1}, 0));
        CHECK(checksum_of(
            &(struct frame){.payload = payload, .length = length, .no_udp_checksum = true}, 0));
    }
    frame_fill(payload, sizeof payload, 1); /* the longest datagram there is */
    CHECK(checksum_of(&(struct frame){.payload = payload, .length = sizeof payload}, 0));
    CHECK(!checksum_of(
        &(struct frame){.payload = payload, .length = sizeof payload, .udp_checksum_off = 1}, 0));
}

/* A sum that comes out as 0 is sent as 0xffff (RFC 768), and 0xffff is no "absent". */
SUITE_TEST(classify, udp_checksum_that_would_be_zero)
{
    uint8_t payload[2] = {0, 0}, bytes[64];
    struct frame frame = {.payload = payload, .length = sizeof payload};
    size_t length = frame_build(&frame, bytes, sizeof bytes);
    size_t at = frame_payload_offset(&frame) - 2;

    /* What is the checksum over zeros makes the sum 0 when it is the payload. */
    memcpy(payload, bytes + at, 2);
    length = frame_build(&frame, bytes, sizeof bytes);
    CHECK_EQ_U64(bytes[at] << 8 | bytes[at + 1], 0xffff);
    struct rte_mbuf *mbuf = handmade_chain(bytes, length, NULL, 0);
    CHECK_EQ_U64(classify(mbuf, &any_rules), FATE_UNDECIDED);
    CHECK(classify_udp_checksum(mbuf));
    handmade_free(mbuf);
    payload[1] ^= 1;
    memcpy(bytes + at + 2, payload, 2);
    mbuf = handmade_chain(bytes, length, NULL, 0);
    CHECK_EQ_U64(classify(mbuf, &any_rules), FATE_UNDECIDED);
    CHECK(!classify_udp_checksum(mbuf));
    handmade_free(mbuf);
}

SUITE_TEST(classify, the_devices_word_on_the_udp_checksum_stands)
{
    const struct frame right = {.payload = text, .length = TEXT_BYTES};
    const struct frame wrong = {.payload = text, .length = TEXT_BYTES, .udp_checksum_off = 1};
    const struct frame absent = {.payload = text, .length = TEXT_BYTES, .no_udp_checksum = true};

    CHECK(checksum_of(&wrong, RTE_MBUF_F_RX_L4_CKSUM_GOOD)); /* nobody sums a second time */
    CHECK(!checksum_of(&right, RTE_MBUF_F_RX_L4_CKSUM_BAD));
    CHECK(checksum_of(&absent, RTE_MBUF_F_RX_L4_CKSUM_BAD)); /* some devices say so */
    CHECK(checksum_of(&right, RTE_MBUF_F_RX_L4_CKSUM_NONE)); /* the device has not looked */
    CHECK(!checksum_of(&wrong, RTE_MBUF_F_RX_L4_CKSUM_NONE));
    CHECK(!checksum_of(&wrong, RTE_MBUF_F_RX_IP_CKSUM_GOOD)); /* that is the other checksum */
}

static enum counter verdict_with_flags(const struct frame *frame, uint64_t ol_flags)
{
    uint8_t bytes[256];
    size_t length = frame_build(frame, bytes, sizeof bytes);
    struct rte_mbuf *mbuf = handmade_chain(bytes, length, NULL, 0);

    mbuf->ol_flags = ol_flags;
    enum counter verdict = classify(mbuf, &any_rules);
    handmade_free(mbuf);
    return verdict;
}

SUITE_TEST(classify, the_devices_word_on_the_ip_checksum_stands)
{
    static const struct frame right = {0};
    static const struct frame wrong = {.ip_checksum_off = 1};

    CHECK_EQ_U64(verdict_with_flags(&wrong, 0), COUNTER_DROP_IP_CHECKSUM);
    CHECK_EQ_U64(verdict_with_flags(&wrong, RTE_MBUF_F_RX_IP_CKSUM_GOOD), FATE_UNDECIDED);
    CHECK_EQ_U64(verdict_with_flags(&right, RTE_MBUF_F_RX_IP_CKSUM_BAD), COUNTER_DROP_IP_CHECKSUM);
    CHECK_EQ_U64(verdict_with_flags(&wrong, RTE_MBUF_F_RX_IP_CKSUM_NONE), COUNTER_DROP_IP_CHECKSUM);
    CHECK_EQ_U64(verdict_with_flags(&right, RTE_MBUF_F_RX_IP_CKSUM_NONE), FATE_UNDECIDED);
}
