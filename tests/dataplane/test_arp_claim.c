/* SPDX-License-Identifier: BSD-3-Clause */

/* Probing, announcing and defending an address (RFC 5227), in virtual time. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <string.h>

#include "arp_bench.h"

#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define REQUEST 1u

/* The next frame is due from `earliest` to `latest`. @return when it was */
static uint64_t expect(struct bench *b, uint64_t earliest, uint64_t latest, uint32_t sender)
{
    uint64_t due = arp_claims_due(&b->claims);
    unsigned before = b->emitted;

    CHECK_MSG(due >= earliest && due <= latest, "due at %llu", (unsigned long long)due);
    arp_claims_run(&b->claims, due - 1);
    CHECK_EQ_U64(b->emitted, before);
    arp_claims_run(&b->claims, due);
    CHECK_EQ_U64(b->emitted, before + 1);
    CHECK(bench_emitted(b, true, REQUEST, sender, BENCH_OURS));
    return due;
}

SUITE_TEST(arp_claim, an_address_is_probed_for_three_times_and_announced_twice)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct bench b;

        bench_begin(&b);
        b.claims.random = seed * 0x9e3779b97f4a7c15ull;
        arp_claims_begin(&b.claims, 1000);
        uint64_t at = expect(&b, 1000, 2000, 0);
        at = expect(&b, at + 1000, at + 2000, 0);
        at = expect(&b, at + 1000, at + 2000, 0);
        at = expect(&b, at + 2000, at + 2000, BENCH_OURS);
        expect(&b, at + 2000, at + 2000, BENCH_OURS);
        CHECK_EQ_U64(arp_claims_due(&b.claims), UINT64_MAX);
        CHECK_EQ_U64(b.conflicts, 0);
        bench_end(&b);
    }
}

SUITE_TEST(arp_claim, another_user_of_it_is_a_conflict_and_it_is_defended_once_in_ten_seconds)
{
    struct rte_ether_addr other = bench_mac_of(9);
    struct bench b;

    bench_begin(&b);
    arp_claims_begin(&b.claims, 0);
    bench_run(&b, 20000);
    unsigned emitted = b.emitted;
    bench_hear(&b, REQUEST, other, BENCH_OURS, NEIGHBOUR, 20000);
    CHECK_EQ_U64(b.conflicts, 1);
    CHECK(rte_is_same_ether_addr(&b.conflicting_mac, &other));
    CHECK_EQ_U64(b.emitted, emitted + 1);
    CHECK(bench_emitted(&b, true, REQUEST, BENCH_OURS, BENCH_OURS));
    bench_hear(&b, REQUEST, other, BENCH_OURS, NEIGHBOUR, 29999);
    CHECK_EQ_U64(b.conflicts, 2);
    CHECK_EQ_U64(b.emitted, emitted + 1); /* or two stubborn hosts would fill the network */
    bench_hear(&b, REQUEST, other, BENCH_OURS, NEIGHBOUR, 30000);
    CHECK_EQ_U64(b.emitted, emitted + 2);
    bench_end(&b);
}

SUITE_TEST(arp_claim, a_probe_of_another_is_a_conflict_only_while_we_probe)
{
    struct bench b;

    bench_begin(&b);
    arp_claims_begin(&b.claims, 0);
    bench_run(&b, 1000);
    bench_hear(&b, REQUEST, bench_mac_of(9), 0, BENCH_OURS, 1001);
    CHECK_EQ_U64(b.conflicts, 1);
    bench_run(&b, 20000);
    bench_hear(&b, REQUEST, bench_mac_of(9), 0, BENCH_OURS, 20001);
    CHECK_EQ_U64(b.conflicts, 1); /* it is answered as any question */
    CHECK_EQ_U64(b.events[ARP_ANSWERED], 2);
    bench_end(&b);
}

SUITE_TEST(arp_claim, our_own_frames_that_come_back_are_no_conflict)
{
    struct bench b;

    bench_begin(&b);
    arp_claims_begin(&b.claims, 0);
    bench_run(&b, 1000);
    bench_hear(&b, REQUEST, bench_mac, 0, BENCH_OURS, 1001);
    bench_hear(&b, REQUEST, bench_mac, BENCH_OURS, BENCH_OURS, 1002);
    CHECK_EQ_U64(b.conflicts, 0);
    bench_end(&b);
}

SUITE_TEST(arp_claim, an_address_that_others_have_probed_for_is_announced_at_once)
{
    struct bench b;

    bench_begin(&b);
    b.claims.probed = true;
    arp_claims_begin(&b.claims, 1000);
    expect(&b, 1000, 1000, BENCH_OURS);
    expect(&b, 3000, 3000, BENCH_OURS);
    CHECK_EQ_U64(arp_claims_due(&b.claims), UINT64_MAX);
    bench_hear(&b, REQUEST, bench_mac_of(9), 0, BENCH_OURS, 3001);
    CHECK_EQ_U64(b.conflicts, 0); /* it is answered as any question */
    bench_end(&b);
}

SUITE_TEST(arp_claim,
           when_the_link_is_back_it_is_announced_again_and_probed_for_if_it_was_not_ours_yet)
{
    struct bench b;

    bench_begin(&b);
    arp_claims_begin(&b.claims, 0);
    expect(&b, 0, 1000, 0);
    uint64_t at = expect(&b, 1000, 3000, 0);
    arp_claims_again(&b.claims, at);
    for (unsigned i = 0; i < 3; i++)
        at = expect(&b, at, at + 2000, 0);
    at = expect(&b, at + 2000, at + 2000, BENCH_OURS);
    at = expect(&b, at + 2000, at + 2000, BENCH_OURS);
    arp_claims_again(&b.claims, at + 50000);
    at = expect(&b, at + 50000, at + 50000, BENCH_OURS);
    expect(&b, at + 2000, at + 2000, BENCH_OURS);
    CHECK_EQ_U64(arp_claims_due(&b.claims), UINT64_MAX);
    bench_end(&b);
}

SUITE_TEST(arp_claim, of_other_addresses_only_the_new_ones_are_begun_and_those_that_went_are_silent)
{
    struct rte_ether_addr other = bench_mac_of(7);
    struct arp_claim room[2], next[2];
    struct bench b;

    bench_begin(&b);
    room[0] = b.claim;
    b.claims.claims = room;
    arp_claims_begin(&b.claims, 0);
    bench_run(&b, 20000);
    unsigned emitted = b.emitted;
    next[0].address = room[0].address;
    next[1].address = rte_cpu_to_be_32(BENCH_OURS + 1);
    arp_claims_change(&b.claims, &bench_mac, next, 2, 20000);
    CHECK_EQ_U64(b.claims.count, 2);
    bench_run(&b, 40000);
    CHECK_EQ_U64(b.emitted, emitted + 5); /* of the second one */
    CHECK(bench_emitted(&b, true, REQUEST, BENCH_OURS + 1, BENCH_OURS + 1));
    next[0].address = rte_cpu_to_be_32(BENCH_OURS + 1);
    arp_claims_change(&b.claims, &bench_mac, next, 1, 40000);
    CHECK_EQ_U64(arp_claims_due(&b.claims), UINT64_MAX);
    arp_claims_change(&b.claims, &other, next, 1, 40000); /* with another MAC all is said again */
    CHECK_EQ_U64(arp_claims_due(&b.claims), 40000);
    arp_claims_run(&b.claims, 40000);
    CHECK_EQ_U64(b.emitted, emitted + 6);
    CHECK(memcmp(b.frame + 6, &other, 6) == 0);
    CHECK(memcmp(b.frame + 22, &other, 6) == 0);
    arp_claims_change(&b.claims, &other, next, 0, 40000);
    CHECK_EQ_U64(arp_claims_due(&b.claims), UINT64_MAX);
    bench_end(&b);
}
