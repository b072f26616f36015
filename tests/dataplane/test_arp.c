/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of neighbours, in virtual time. */

#include "support/suite.h"

#include <string.h>

#include "arp_bench.h"

#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define REQUEST 1u
#define REPLY 2u

static char packets[2000];

SUITE_TEST(arp, a_neighbour_is_asked_for_and_what_waits_is_sent_when_it_answers)
{
    struct bench b;

    bench_begin(&b);
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[0], 0) == NULL);
    CHECK(bench_emitted(&b, true, REQUEST, BENCH_OURS, NEIGHBOUR));
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[1], 1) == NULL);
    CHECK_EQ_U64(b.emitted, 1); /* one question for both */
    CHECK(bench_hear(&b, REPLY, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 2));
    CHECK_EQ_U64(b.resolved, 2);
    CHECK_EQ_PTR(b.last_resolved, &packets[1]); /* in their order */
    struct rte_ether_addr mac = bench_mac_of(9);
    CHECK(rte_is_same_ether_addr(&b.last_mac, &mac));
    CHECK(rte_is_same_ether_addr(bench_resolve(&b, NEIGHBOUR, &packets[2], 3), &mac));
    bench_end(&b);
}

SUITE_TEST(arp, who_does_not_answer_is_asked_three_times_a_second_apart_and_given_up)
{
    struct bench b;

    bench_begin(&b);
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[0], 0) == NULL);
    bench_run(&b, 999);
    CHECK_EQ_U64(b.emitted, 1);
    bench_run(&b, 1000);
    CHECK_EQ_U64(b.emitted, 2);
    bench_run(&b, 2999);
    CHECK_EQ_U64(b.emitted, 3);
    CHECK_EQ_U64(b.lost, 0);
    bench_run(&b, 3000);
    CHECK_EQ_U64(b.lost, 1);
    CHECK_EQ_U64(b.events[ARP_UNANSWERED], 1);
    CHECK_EQ_U64(arp_due(b.arp), UINT64_MAX); /* and forgotten */
    bench_end(&b);
}

SUITE_TEST(arp, of_what_waits_for_a_neighbour_the_newest_three_are_kept)
{
    struct bench b;

    bench_begin(&b);
    for (unsigned i = 0; i < 5; i++)
        CHECK(bench_resolve(&b, NEIGHBOUR, &packets[i], i) == NULL);
    CHECK_EQ_U64(b.lost, 2);
    CHECK_EQ_PTR(b.last_lost, &packets[1]);
    CHECK(bench_hear(&b, REPLY, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 9));
    CHECK_EQ_U64(b.resolved, 3);
    bench_end(&b);
}

/* A datagram of 64 KiB is some thirty buffers. */
SUITE_TEST(arp, what_waits_for_all_neighbours_is_bounded_by_its_buffers)
{
    struct bench b;

    bench_begin(&b);
    for (unsigned i = 0; i < 3; i++)
        CHECK(bench_resolve_large(&b, NEIGHBOUR + i, &packets[i], ARP_WAITING_BUFFERS / 4, i) ==
              NULL);
    CHECK(bench_resolve_large(&b, NEIGHBOUR + 3, &packets[3], ARP_WAITING_BUFFERS / 4 + 1, 3) ==
          NULL);
    CHECK_EQ_U64(b.lost, 1);
    CHECK_EQ_PTR(b.last_lost, &packets[3]);
    CHECK(bench_resolve_large(&b, NEIGHBOUR + 3, &packets[3], ARP_WAITING_BUFFERS / 4, 4) == NULL);
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[4], 5) == NULL); /* not one more */
    CHECK_EQ_U64(b.lost, 2);
    /* What is sent makes room for as much. */
    CHECK(bench_hear(&b, REPLY, bench_mac_of(9), NEIGHBOUR + 1, BENCH_OURS, 6));
    CHECK_EQ_U64(b.resolved, 1);
    CHECK(bench_resolve_large(&b, NEIGHBOUR, &packets[5], ARP_WAITING_BUFFERS / 4, 7) == NULL);
    CHECK_EQ_U64(b.lost, 2);
    bench_end(&b);
}

SUITE_TEST(arp, a_neighbour_in_use_is_asked_again_by_unicast_and_used_meanwhile)
{
    struct bench b;

    bench_begin(&b);
    bench_resolve(&b, NEIGHBOUR, &packets[0], 0);
    CHECK(bench_hear(&b, REPLY, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 0));
    bench_run(&b, 59999);
    CHECK_EQ_U64(b.emitted, 1);
    bench_run(&b, 60000);
    CHECK_EQ_U64(b.emitted, 2);
    CHECK(bench_emitted(&b, false, REQUEST, BENCH_OURS, NEIGHBOUR));
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[1], 60500) != NULL);
    CHECK(bench_hear(&b, REPLY, bench_mac_of(10), NEIGHBOUR, BENCH_OURS, 60600)); /* it moved */
    struct rte_ether_addr mac = bench_mac_of(10);
    CHECK(rte_is_same_ether_addr(bench_resolve(&b, NEIGHBOUR, &packets[2], 60700), &mac));
    bench_run(&b, 60600 + 60000 + 2999); /* asked three times in vain */
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[3], 123599) != NULL);
    bench_run(&b, 60600 + 60000 + 3000);
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[4], 123600) == NULL);
    bench_end(&b);
}

SUITE_TEST(arp, a_neighbour_that_nobody_uses_is_forgotten_without_a_question)
{
    struct bench b;

    bench_begin(&b);
    bench_resolve(&b, NEIGHBOUR, &packets[0], 0);
    CHECK(bench_hear(&b, REPLY, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 0));
    bench_run(&b, 60000);
    CHECK(bench_hear(&b, REPLY, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 60001));
    unsigned emitted = b.emitted;
    bench_run(&b, 120001);
    CHECK_EQ_U64(b.emitted, emitted);
    CHECK_EQ_U64(arp_due(b.arp), UINT64_MAX);
    bench_end(&b);
}

SUITE_TEST(arp, a_static_neighbour_is_never_asked_for_and_never_moves)
{
    struct rte_ether_addr mac = bench_mac_of(1);
    struct bench b;

    bench_begin(&b);
    CHECK(arp_add_static(b.arp, RTE_BE32(NEIGHBOUR), &mac));
    CHECK(!arp_add_static(b.arp, RTE_BE32(NEIGHBOUR), &mac));
    CHECK(bench_hear(&b, REPLY, bench_mac_of(66), NEIGHBOUR, BENCH_OURS, 1));
    CHECK(rte_is_same_ether_addr(bench_resolve(&b, NEIGHBOUR, &packets[0], 2), &mac));
    for (unsigned i = 0; i < 2 * BENCH_PLACES; i++) /* and is not the one that gives way */
        bench_resolve(&b, NEIGHBOUR + 1 + i, &packets[i], 3);
    CHECK(rte_is_same_ether_addr(bench_resolve(&b, NEIGHBOUR, &packets[0], 4), &mac));
    CHECK_EQ_U64(b.events[ARP_UNANSWERED], 0);
    bench_end(&b);
}

SUITE_TEST(arp, a_full_table_gives_the_place_of_who_was_used_longest_ago)
{
    struct bench b;

    bench_begin(&b);
    for (unsigned i = 0; i < BENCH_PLACES; i++) {
        bench_resolve(&b, NEIGHBOUR + i, &packets[i], i);
        CHECK(bench_hear(&b, REPLY, bench_mac_of(i), NEIGHBOUR + i, BENCH_OURS, i));
    }
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[0], 20) != NULL);
    CHECK(bench_resolve(&b, NEIGHBOUR + BENCH_PLACES, &packets[0], 21) == NULL);
    CHECK_EQ_U64(b.events[ARP_REPLACED], 1);
    CHECK(bench_resolve(&b, NEIGHBOUR, &packets[0], 22) != NULL);
    CHECK(bench_resolve(&b, NEIGHBOUR + 2, &packets[0], 22) != NULL);
    CHECK(bench_resolve(&b, NEIGHBOUR + 1, &packets[0], 23) == NULL); /* it was that one */
    bench_end(&b);
}

SUITE_TEST(arp, who_is_only_heard_takes_no_place)
{
    struct bench b;

    bench_begin(&b);
    for (unsigned i = 0; i < 100; i++)
        CHECK(bench_hear(&b, REQUEST, bench_mac_of(i), NEIGHBOUR + i, BENCH_OURS + 1, i));
    CHECK_EQ_U64(arp_due(b.arp), UINT64_MAX);
    CHECK_EQ_U64(b.events[ARP_REPLACED], 0);
    CHECK_EQ_U64(b.emitted, 0);
    bench_end(&b);
}

SUITE_TEST(arp, who_asks_for_us_is_answered_also_a_probe)
{
    struct bench b;

    bench_begin(&b);
    CHECK(bench_hear(&b, REQUEST, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 0));
    CHECK(bench_emitted(&b, false, REPLY, BENCH_OURS, NEIGHBOUR));
    CHECK(bench_hear(&b, REQUEST, bench_mac_of(9), 0, BENCH_OURS, 0));
    CHECK(bench_emitted(&b, false, REPLY, BENCH_OURS, 0));
    CHECK(bench_hear(&b, REQUEST, bench_mac_of(9), NEIGHBOUR, BENCH_OURS + 1, 0));
    CHECK_EQ_U64(b.emitted, 2);
    bench_end(&b);
}

SUITE_TEST(arp, storms_of_questions_and_of_names_are_cut)
{
    struct bench b;

    bench_begin(&b);
    for (unsigned i = 0; i < 1000; i++)
        bench_hear(&b, REQUEST, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 1);
    CHECK_EQ_U64(b.events[ARP_ANSWERED], ARP_AT_ONCE);
    CHECK_EQ_U64(b.events[ARP_OVER_RATE], 1000 - ARP_AT_ONCE);
    for (unsigned i = 0; i < 1000; i++)
        bench_hear(&b, REQUEST, bench_mac_of(9), NEIGHBOUR, BENCH_OURS, 101);
    CHECK_EQ_U64(b.events[ARP_ANSWERED], ARP_AT_ONCE + ARP_RATE / 10);
    for (unsigned i = 0; i < 1000; i++)
        bench_resolve(&b, FRAME_IP(192, 0, 2, 2) + i, &packets[i], 200);
    CHECK_EQ_U64(b.events[ARP_ASKED], ARP_AT_ONCE);
    CHECK_EQ_U64(b.lost, 1000 - BENCH_PLACES); /* each made way with what waited for it */
    arp_discard(b.arp);
    CHECK_EQ_U64(b.lost, 1000);
    bench_end(&b);
}

SUITE_TEST(arp, packets_that_no_host_can_have_sent_are_refused)
{
    const struct {
        const char *what;
        unsigned at, value;
    } rows[] = {
        {"another hardware", 1, 6},      {"another protocol", 2, 0x86},
        {"a hardware size of 8", 4, 8},  {"a protocol size of 16", 5, 16},
        {"no operation", 7, 0},          {"a reverse request", 7, 3},
        {"an operation above", 6, 1},    {"a group's MAC", 8, 3},
        {"a group's address", 14, 224},  {"a broadcast address", 14, 255},
        {"a loopback address", 14, 127},
    };
    uint8_t bytes[ARP_PACKET_BYTES];
    struct arp_packet packet;

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_write(bytes, REQUEST, bench_mac_of(9), NEIGHBOUR, BENCH_OURS);
        CHECK(arp_packet_read(bytes, sizeof bytes, &packet));
        CHECK(!arp_packet_read(bytes, sizeof bytes - 1, &packet));
        bytes[rows[i].at] = (uint8_t)rows[i].value;
        CHECK_MSG(!arp_packet_read(bytes, sizeof bytes, &packet), "%s", rows[i].what);
    }
    bench_write(bytes, REQUEST, (struct rte_ether_addr){{0}}, NEIGHBOUR, BENCH_OURS);
    CHECK(!arp_packet_read(bytes, sizeof bytes, &packet));
    bench_write(bytes, REPLY, bench_mac_of(9), 0, BENCH_OURS);
    CHECK(!arp_packet_read(bytes, sizeof bytes, &packet));
}

SUITE_TEST(arp, who_says_to_be_us_is_not_believed)
{
    struct bench b;

    bench_begin(&b);
    CHECK(!bench_hear(&b, REQUEST, bench_mac_of(9), BENCH_OURS, BENCH_OURS, 0));
    CHECK(!bench_hear(&b, REQUEST, bench_mac, NEIGHBOUR, BENCH_OURS, 0));
    CHECK_EQ_U64(b.events[ARP_ANSWERED], 0);
    bench_end(&b);
}
