/* SPDX-License-Identifier: BSD-3-Clause */

/* The short roads against the long one: what they accept it accepts, and it means the same. */

#include "support/suite.h"

#include "flow_run.h"
#include "handmade.h"
#include "support/frames.h"

static const uint8_t text[] = "the payload of a datagram";
#define TEXT_BYTES (sizeof text - 1)

static const struct classify_rules any_rules = {0};

static uint32_t random_state = 2463534242u;

static uint32_t random_number(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

static void check_same(const struct rx_meta *got, const struct rx_meta *expected)
{
    CHECK_EQ_U64(got->source, expected->source);
    CHECK_EQ_U64(got->destination, expected->destination);
    CHECK_EQ_U64(got->source_port, expected->source_port);
    CHECK_EQ_U64(got->destination_port, expected->destination_port);
    CHECK_EQ_U64(got->payload_offset, expected->payload_offset);
    CHECK_EQ_U64(got->payload_length, expected->payload_length);
}

/* Classify the bytes both ways. @return did the short road accept? */
static bool agrees(const uint8_t *bytes, size_t length, uint64_t flags,
                   const struct classify_rules *rules)
{
    struct rte_mbuf *plain = handmade_plain(bytes, length);
    struct rte_mbuf *other = handmade_chain(bytes, length, NULL, 0);
    uint32_t payload;

    plain->ol_flags = other->ol_flags = flags;
    enum counter verdict = classify(other, rules);
    bool accepted = classify_plain(plain, rules, &payload);
    if (accepted) {
        CHECK_EQ_U64(verdict, FATE_UNDECIDED);
        CHECK_EQ_U64(payload, rx_meta(other)->payload_length);
        CHECK(classify_plain_udp_checksum(plain) == classify_udp_checksum(other));
        plain_describe(rx_meta_of_plain(plain), 77, 3, payload); /* over the headers */
        check_same(rx_meta_of_plain(plain), rx_meta(other));
        CHECK_EQ_U64(rx_meta_of_plain(plain)->burst_tsc, 77);
        CHECK_EQ_U64(rx_meta_of_plain(plain)->port, 3);
        CHECK_EQ_MEM((char *)plain + RX_PLAIN_FRAME + RX_PLAIN_PAYLOAD, bytes + RX_PLAIN_PAYLOAD,
                     payload);
    }
    free(plain);
    handmade_free(other);
    return accepted;
}

SUITE_TEST(plain, ordinary_frames_of_every_length_take_the_short_road)
{
    for (int off = 0; off <= 1; off++)
        for (size_t size = 0; size <= 100; size++)
            for (unsigned padding = 0; padding < 12; padding += 3) {
                uint8_t payload[100], bytes[256];
                struct frame frame = {.payload = payload,
                                      .length = size,
                                      .padding = padding,
                                      .udp_checksum_off = off};

                frame_fill(payload, size, size);
                size_t length = frame_build(&frame, bytes, sizeof bytes);
                CHECK(agrees(bytes, length, 0, &any_rules));
                CHECK(agrees(bytes, length, RTE_MBUF_F_RX_IP_CKSUM_GOOD, &any_rules));
            }
}

SUITE_TEST(plain, a_wrong_checksum_is_wrong_on_the_short_road)
{
    struct frame frame = {.payload = text, .length = TEXT_BYTES};
    uint8_t bytes[256];
    size_t length = frame_build(&frame, bytes, sizeof bytes);

    for (size_t at = 14; at < length; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1u << bit);
            struct rte_mbuf *mbuf = handmade_plain(bytes, length);
            uint32_t payload;
            CHECK(!classify_plain(mbuf, &any_rules, &payload) ||
                  !classify_plain_udp_checksum(mbuf));
            free(mbuf);
            bytes[at] ^= (uint8_t)(1u << bit);
        }
}

SUITE_TEST(plain, what_the_device_found_counts)
{
    struct frame frame = {.payload = text, .length = TEXT_BYTES};
    uint8_t bytes[256];
    size_t length = frame_build(&frame, bytes, sizeof bytes);
    uint32_t payload;

    bytes[24] ^= 1; /* the header's checksum */
    struct rte_mbuf *mbuf = handmade_plain(bytes, length);
    CHECK(!classify_plain(mbuf, &any_rules, &payload));
    mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    CHECK(classify_plain(mbuf, &any_rules, &payload));
    free(mbuf);

    bytes[24] ^= 1;
    mbuf = handmade_plain(bytes, length);
    mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD;
    CHECK(!classify_plain(mbuf, &any_rules, &payload));
    mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
    CHECK(classify_plain(mbuf, &any_rules, &payload));
    CHECK(!classify_plain_udp_checksum(mbuf));
    free(mbuf);
}

SUITE_TEST(plain, mutated_frames_are_judged_alike)
{
    static const struct classify_rules vlan_5 = {.vlan = 5};
    unsigned accepted = 0;

    for (unsigned round = 0; round < 200000; round++) {
        struct frame frame = {.payload = text,
                              .length = random_number(TEXT_BYTES),
                              .tags_count = random_number(8) == 0,
                              .options = (uint8_t)(random_number(8) == 0 ? 8 : 0),
                              .padding = random_number(10)};
        uint8_t bytes[256];
        size_t length = frame_build(&frame, bytes, sizeof bytes);

        for (unsigned changes = random_number(3); changes > 0; changes--)
            bytes[12 + random_number((uint32_t)length - 12)] ^= (uint8_t)(1 + random_number(255));
        if (random_number(4) == 0)
            length = random_number((uint32_t)length);
        uint64_t flags = random_number(2) == 0 ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        accepted += agrees(bytes, length, flags, random_number(9) == 0 ? &vlan_5 : &any_rules);
    }
    CHECK_GE_U64(accepted, 20000);
}

/* A frame of the flow with another length, TTL, type of service and payload continues it. */
SUITE_TEST(plain, frames_of_a_flow_continue_it)
{
    struct frame first = {.payload = text, .length = TEXT_BYTES};
    uint8_t bytes[256], payload[64];
    struct flow_template flow;
    size_t length = frame_build(&first, bytes, sizeof bytes);
    struct rte_mbuf *mbuf = handmade_plain(bytes, length);

    flow_template_set(&flow, mbuf, NULL, 0);
    free(mbuf);
    for (size_t size = 0; size < sizeof payload; size++) {
        struct frame next = {.payload = payload, .length = size, .padding = 5};
        uint32_t got = 0;

        frame_fill(payload, size, size);
        length = frame_build(&next, bytes, sizeof bytes);
        mbuf = handmade_plain(bytes, length);
        CHECK(flow_continues(&flow, mbuf, &got));
        CHECK_EQ_U64(got, size);
        free(mbuf);
    }
}

/* Whatever is changed: what still continues the flow is a datagram of it by the long road, too. */
SUITE_TEST(plain, nothing_else_continues_a_flow)
{
    struct frame frame = {.payload = text, .length = TEXT_BYTES, .padding = 2};
    uint8_t whole[256];
    size_t length = frame_build(&frame, whole, sizeof whole);
    struct rte_mbuf *base = handmade_plain(whole, length);
    struct rx_meta expected;
    struct flow_template flow;
    unsigned continued = 0, broken = 0;
    uint32_t payload;

    flow_template_set(&flow, base, NULL, 0);
    CHECK_EQ_U64(classify(base, &any_rules), FATE_UNDECIDED);
    expected = *rx_meta(base);
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t bytes[256];
        size_t cut = random_number(8) == 0 ? random_number((uint32_t)length + 1) : length;

        memcpy(bytes, whole, sizeof bytes);
        for (unsigned changes = random_number(3); changes > 0; changes--)
            bytes[random_number(48)] ^= (uint8_t)(1 + random_number(255));
        struct rte_mbuf *mbuf = handmade_plain(bytes, cut);
        struct rte_mbuf *other = handmade_chain(bytes, cut, NULL, 0);
        mbuf->ol_flags = other->ol_flags = random_number(2) == 0 ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        if (flow_continues(&flow, mbuf, &payload)) {
            continued++;
            CHECK_EQ_U64(classify(other, &any_rules), FATE_UNDECIDED);
            expected.payload_length = payload;
            check_same(rx_meta(other), &expected);
        } else {
            broken++;
        }
        free(mbuf);
        handmade_free(other);
    }
    CHECK_GE_U64(continued, 10000);
    CHECK_GE_U64(broken, 10000);
    free(base);
}
