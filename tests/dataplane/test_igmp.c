/* SPDX-License-Identifier: BSD-3-Clause */

/* A host's side of IGMP, in virtual time: a thousand ticks are a second. */

#include "support/suite.h"

#include <errno.h>
#include <stdlib.h>

#include "igmp_bench.h"

SUITE_FIXTURE(igmp, igmp_bench_begin, igmp_bench_end);

/* --- changes, RFC 3376, 5.1 -------------------------------------------------------------------------- */

SUITE_TEST(igmp, a_join_is_told_at_once_and_again_within_a_second)
{
    join(0);
    CHECK(igmp_due(igmp) <= now);
    pass(0);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 1);
    CHECK(igmp_due(igmp) > now && igmp_due(igmp) <= now + HZ);
    pass(1000);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 2);
    CHECK_EQ_U64(igmp_due(igmp), UINT64_MAX);
    CHECK(source_filter_is_any(&peer.known[0]));
}

SUITE_TEST(igmp, a_leave_is_told_as_often_and_nothing_is_kept)
{
    join(0);
    pass(5000);
    forget();
    leave(0);
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_TO_IN], 2);
    CHECK_EQ_U64(peer.packets, 2);
    CHECK(source_filter_is_none(&peer.known[0]));
    CHECK_EQ_U64(igmp_groups_used(igmp), 0);
    leave(0);
    CHECK_EQ_U64(igmp_due(igmp), UINT64_MAX);
}

SUITE_TEST(igmp, all_groups_are_told_again_within_a_second_when_the_link_is_back)
{
    join(0);
    want(1, filter(false, 0, 2));
    pass(5000);
    forget();
    igmp_report_again(igmp, now);
    CHECK(igmp_due(igmp) <= now + HZ);
    pass(1000);
    CHECK_EQ_U64(peer.records[RECORD_IS_EX], 1);
    CHECK_EQ_U64(peer.records[RECORD_IS_IN], 1);
    CHECK_EQ_U64(igmp_due(igmp), UINT64_MAX);
    ask((struct peer_query){.version = IGMP_V2, .code = 10});
    pass(5000);
    forget();
    igmp_report_again(igmp, now);
    pass(1000);
    CHECK_EQ_U64(peer.v2, 2);
}

SUITE_TEST(igmp, reports_come_from_the_first_of_other_addresses_and_fit_another_mtu)
{
    const uint32_t other = rte_cpu_to_be_32(0xc0000242u);

    peer.mtu = 200; /* it sees to both */
    peer.us = other;
    igmp_set_interface(igmp, 200, &other, 1);
    for (unsigned group = 0; group < 16; group++)
        want(group, filter(false, 0, 4));
    pass(0);
    CHECK(peer.packets >= 3); /* of 16 records of 24 bytes */
}

SUITE_TEST(igmp, the_queriers_robustness_is_adopted)
{
    ask((struct peer_query){.version = IGMP_V3, .code = 10, .robustness = 5});
    pass(5000);
    join(0);
    pass(10000);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 5);
    ask((struct peer_query){.version = IGMP_V3, .code = 10, .robustness = 0});
    pass(5000);
    leave(0);
    pass(10000);
    CHECK_EQ_U64(peer.records[RECORD_TO_IN], 2);
}

SUITE_TEST(igmp, source_changes_are_told_as_allow_and_block)
{
    want(0, filter(false, 0, 2));
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_ALLOW], 2);
    struct source_filter before = filter(false, 0, 2), after = filter(false, 1, 2);
    CHECK(source_filter_equal(&peer.known[0], &before));
    forget();
    want(0, after);
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_ALLOW], 2);
    CHECK_EQ_U64(peer.records[RECORD_BLOCK], 2);
    CHECK_EQ_U64(peer.packets, 2);
    CHECK(source_filter_equal(&peer.known[0], &after));
    forget();
    leave(0);
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_BLOCK], 2);
    CHECK_EQ_U64(peer.records[RECORD_TO_IN], 0);
    CHECK_EQ_U64(igmp_sources_used(igmp), 0);
}

SUITE_TEST(igmp, a_change_upon_a_pending_one_is_merged_with_it)
{
    join(0);
    pass(0);
    want(0, filter(true, 0, 1)); /* a source blocked while the mode is still told */
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 2);
    CHECK_EQ_U64(peer.records[RECORD_BLOCK], 1); /* the first of its two reports told the mode */
    forget();
    leave(0);
    pass(0);
    join(0);
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_TO_IN], 1);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 2);
}

SUITE_TEST(igmp, a_router_that_hears_all_knows_all_through_random_changes)
{
    struct source_filter wanted[PEER_GROUPS] = {{0}};
    uint64_t state = 5;

    for (unsigned i = 0; i < 4000; i++) {
        unsigned group = peer_random(&state, PEER_GROUPS);

        wanted[group] =
            filter(peer_random(&state, 2) == 0, peer_random(&state, 8), peer_random(&state, 8));
        want(group, wanted[group]);
        pass(peer_random(&state, 3) == 0 ? peer_random(&state, 700) : 0);
        if (i % 50 != 0)
            continue;
        pass(1); /* what was gathered */
        for (unsigned g = 0; g < PEER_GROUPS; g++)
            CHECK(source_filter_equal(&peer.known[g], &wanted[g]));
    }
    for (unsigned g = 0; g < PEER_GROUPS; g++)
        leave(g);
    pass(5000);
    CHECK_EQ_U64(igmp_groups_used(igmp), 0);
    CHECK_EQ_U64(igmp_sources_used(igmp), 0);
}

SUITE_TEST(igmp, all_hosts_is_never_reported)
{
    CHECK_EQ_U64(igmp_set(igmp, rte_cpu_to_be_32(IGMP_ALL_HOSTS), &SOURCE_FILTER_ANY, now), 0);
    ask((struct peer_query){.version = IGMP_V3, .code = 10});
    pass(5000);
    ask((struct peer_query){.version = IGMP_V2, .code = 10});
    pass(5000);
    CHECK_EQ_U64(peer.packets, 0);
}

/* --- queries, RFC 3376, 5.2 -------------------------------------------------------------------------- */

SUITE_TEST(igmp, a_general_query_is_answered_for_all_groups_after_a_delay)
{
    bool early = false, late = false;

    join(0);
    want(1, filter(false, 0, 3));
    pass(5000);
    for (unsigned i = 0; i < 40; i++) {
        forget();
        ask((struct peer_query){.version = IGMP_V3, .code = 100});
        CHECK(igmp_due(igmp) > now && igmp_due(igmp) <= now + 10 * HZ);
        early |= igmp_due(igmp) < now + 3 * HZ;
        late |= igmp_due(igmp) > now + 7 * HZ;
        pass(10000);
        CHECK_EQ_U64(peer.packets, 1);
        CHECK_EQ_U64(peer.records[RECORD_IS_EX], 1);
        CHECK_EQ_U64(peer.records[RECORD_IS_IN], 1);
        CHECK_EQ_U64(peer.current[1].count, 3);
    }
    CHECK(early && late);
}

SUITE_TEST(igmp, a_group_query_is_answered_for_that_group_alone)
{
    join(0);
    join(1);
    pass(5000);
    forget();
    ask((struct peer_query){.version = IGMP_V3, .code = 10, .group = PEER_GROUP(1)});
    ask((struct peer_query){.version = IGMP_V3, .code = 10, .group = PEER_GROUP(9)});
    pass(1000);
    CHECK_EQ_U64(peer.packets, 1);
    CHECK_EQ_U64(peer.records_of[1], 1);
}

SUITE_TEST(igmp, a_source_query_is_answered_with_what_is_wanted_of_it)
{
    struct peer_query query = {.version = IGMP_V3,
                               .code = 10,
                               .group = PEER_GROUP(0),
                               .sources_count = 3,
                               .sources = {PEER_SOURCE(0), PEER_SOURCE(1), PEER_SOURCE(2)}};

    want(0, filter(false, 2, 2));
    pass(5000);
    ask(query);
    pass(1000);
    struct source_filter third = filter(false, 2, 1), first_two = filter(false, 0, 2);
    CHECK(source_filter_equal(&peer.current[0], &third));
    want(0, filter(true, 2, 1));
    pass(5000);
    ask(query);
    pass(1000);
    CHECK(source_filter_equal(&peer.current[0], &first_two));
    want(0, filter(false, 9, 1));
    pass(5000);
    forget();
    ask(query);
    pass(1000);
    CHECK_EQ_U64(peer.packets, 0); /* nothing to say */
    CHECK_EQ_U64(igmp_sources_used(igmp), 1);
}

SUITE_TEST(igmp, queries_of_one_group_are_answered_together_for_all_they_asked)
{
    struct peer_query query = {.version = IGMP_V3,
                               .code = 100,
                               .group = PEER_GROUP(0),
                               .sources_count = 1,
                               .sources = {PEER_SOURCE(0)}};
    struct source_filter two = filter(false, 0, 2);

    join(0);
    pass(5000);
    forget();
    ask(query);
    query.sources[0] = PEER_SOURCE(1);
    ask(query);
    pass(10000);
    CHECK_EQ_U64(peer.packets, 1);
    CHECK(source_filter_equal(&peer.current[0], &two));
    forget();
    ask(query);
    query.sources_count = 0;
    ask(query);
    query.sources_count = 1;
    ask(query);
    pass(10000);
    CHECK_EQ_U64(peer.packets, 1);
    CHECK_EQ_U64(peer.records[RECORD_IS_EX], 1);
}

SUITE_TEST(igmp, a_general_answer_that_comes_first_is_the_only_one)
{
    join(0);
    pass(5000);
    forget();
    ask((struct peer_query){.version = IGMP_V3, .code = 1});
    for (unsigned i = 0; i < 20; i++)
        ask((struct peer_query){.version = IGMP_V3, .code = 255, .group = PEER_GROUP(0)});
    pass(100);
    CHECK_EQ_U64(peer.packets, 1);
}

SUITE_TEST(igmp, a_querier_cannot_use_up_the_sources)
{
    struct peer_query query = {.version = IGMP_V3, .code = 255, .sources_count = 60};

    begin(64, 100, 1500, 3);
    for (unsigned g = 0; g < 4; g++)
        join(g);
    pass(5000);
    for (unsigned g = 0; g < 4; g++) {
        query.group = PEER_GROUP(g);
        for (unsigned i = 0; i < 60; i++)
            query.sources[i] = PEER_SOURCE(1000 + g * 64 + i);
        ask(query);
    }
    CHECK(igmp_sources_used(igmp) <= 100);
    want(5, filter(false, 0, 30));
    pass(5000);
    CHECK_EQ_U64(peer.known[5].count, 30);
    CHECK(!peer.known[5].exclude);
}

/* --- bounds ------------------------------------------------------------------------------------------ */

/* 5,000 records, 183 in a packet; a run ends with one that is not full. */
#define MOST_PACKETS (5000u / 183 + 1 + 5000u / 183 / IGMP_PACKETS_PER_RUN + 1)

SUITE_TEST(igmp, five_thousand_groups_fill_few_packets_and_a_run_sends_few)
{
    begin(5000, 5000, 1500, 1);
    for (unsigned g = 0; g < 5000; g++) {
        join(g);
        if (g % 8 == 7)
            igmp_run(igmp, now);
    }
    pass(1);
    CHECK(peer.v3 <= 1 + MOST_PACKETS);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 5000);
    CHECK_EQ_U64(igmp_set(igmp, PEER_GROUP(5000), &SOURCE_FILTER_ANY, now), -ENOBUFS);
    pass(5000);
    CHECK_EQ_U64(peer.records[RECORD_TO_EX], 10000);
    forget();
    ask((struct peer_query){.version = IGMP_V3, .code = 10});
    now += HZ;
    unsigned most = 0;
    while (igmp_due(igmp) <= now) {
        unsigned before = peer.packets;

        igmp_run(igmp, now);
        most = peer.packets - before > most ? peer.packets - before : most;
    }
    CHECK(most <= IGMP_PACKETS_PER_RUN + 1);
    CHECK_EQ_U64(peer.records[RECORD_IS_EX], 5000);
    CHECK(peer.v3 <= MOST_PACKETS);
    forget();
    ask((struct peer_query){.version = IGMP_V2, .code = 100});
    pass(10000);
    CHECK_EQ_U64(peer.v2, 5000);
    igmp_leave_all(igmp, now);
    CHECK_EQ_U64(peer.leaves, 5000);
    CHECK_EQ_U64(igmp_groups_used(igmp), 0);
}

SUITE_TEST(igmp, a_record_that_does_not_fit_goes_on_in_the_next_packet)
{
    begin(64, 1024, 100, 1);
    want(0, filter(false, 0, 60));
    pass(0);
    CHECK_EQ_U64(peer.known[0].count, 60);
    CHECK_EQ_U64(peer.v3, 4); /* of 15 each */
    forget();
    want(0, filter(true, 0, 60)); /* what cannot be told is not blocked */
    pass(1);
    CHECK_EQ_U64(peer.v3, 1);
    CHECK_EQ_U64(peer.known[0].count, 15);
    CHECK(peer.known[0].exclude);
}

SUITE_TEST(igmp, sources_beyond_the_table_are_given_up_for_more_traffic)
{
    begin(64, 50, 1500, 1);
    want(0, filter(false, 0, 40));
    want(1, filter(false, 0, 20));
    pass(5000);
    CHECK_EQ_U64(peer.known[0].count, 40);
    CHECK(source_filter_is_any(&peer.known[1]));
    leave(0);
    pass(5000);
    want(1, filter(false, 0, 20));
    pass(5000);
    CHECK_EQ_U64(peer.known[1].count, 20);
}

SUITE_TEST(igmp, many_source_changes_at_once_are_told_as_a_whole)
{
    for (unsigned i = 0; i < 20; i++)
        want(0, filter(false, i * 64, 64));
    struct source_filter last = filter(false, 19 * 64, 64);
    pass(5000);
    CHECK(source_filter_equal(&peer.known[0], &last));
    CHECK_EQ_U64(igmp_sources_used(igmp), 64);
}

SUITE_TEST(igmp, all_is_left_at_the_end)
{
    join(0);
    want(1, filter(false, 0, 3));
    pass(5000);
    forget();
    igmp_leave_all(igmp, now);
    CHECK_EQ_U64(peer.packets, 1);
    CHECK(source_filter_is_none(&peer.known[0]));
    CHECK(source_filter_is_none(&peer.known[1]));
    CHECK_EQ_U64(igmp_due(igmp), UINT64_MAX);
}

SUITE_TEST(igmp, what_was_left_and_is_not_told_yet_is_told_at_the_end)
{
    join(0);
    want(1, filter(false, 0, 3));
    pass(5000);
    forget();
    want(0, SOURCE_FILTER_NONE);
    want(1, filter(false, 0, 1));
    igmp_leave_all(igmp, now);
    CHECK(source_filter_is_none(&peer.known[0]));
    CHECK(source_filter_is_none(&peer.known[1]));
    CHECK_EQ_U64(igmp_groups_used(igmp), 0);
    ask((struct peer_query){.version = IGMP_V2, .code = 100});
    join(0);
    pass(10000);
    forget();
    want(0, SOURCE_FILTER_NONE);
    igmp_leave_all(igmp, now);
    CHECK_EQ_U64(peer.leaves, 1);
}
