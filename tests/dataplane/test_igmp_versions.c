/* SPDX-License-Identifier: BSD-3-Clause */

/* Networks whose querier speaks IGMPv2 or v1 (RFC 3376, 7). */

#include "support/suite.h"

#include "igmp_bench.h"

SUITE_FIXTURE(igmp_versions, igmp_bench_begin, igmp_bench_end);

SUITE_TEST(igmp_versions, an_older_querier_is_answered_in_its_version_until_it_is_gone)
{
    join(0);
    pass(5000);
    forget();
    ask((struct peer_query){.version = IGMP_V2, .code = 20});
    CHECK_EQ_U64(igmp_version(igmp), IGMP_V2);
    pass(2000);
    CHECK_EQ_U64(peer.v2, 1);
    CHECK_EQ_U64(peer.last_group, PEER_GROUP(0));
    ask((struct peer_query){.version = IGMP_V1});
    pass(10000);
    CHECK_EQ_U64(igmp_version(igmp), IGMP_V1);
    CHECK_EQ_U64(peer.v1, 1);
    ask((struct peer_query){
        .version = IGMP_V3, .code = 20, .robustness = 2}); /* makes no difference */
    pass(2000);
    CHECK_EQ_U64(peer.v1, 2);
    CHECK_EQ_U64(peer.v3, 0);
    pass(260000 - 12000 - 1); /* 2 * 125 s + 10 s after it was heard */
    igmp_run(igmp, now);
    CHECK_EQ_U64(igmp_version(igmp), IGMP_V1);
    now++;
    igmp_run(igmp, now);
    CHECK_EQ_U64(igmp_version(igmp), IGMP_V3);
    forget();
    join(1);
    pass(5000);
    CHECK_EQ_U64(peer.v3, 2);
}

SUITE_TEST(igmp_versions, the_interval_that_a_querier_tells_says_how_long_an_older_one_is_believed)
{
    ask((struct peer_query){.version = IGMP_V3, .code = 10, .robustness = 3, .interval_code = 20});
    ask((struct peer_query){.version = IGMP_V2, .code = 50});
    now += 65000 - 1;
    igmp_run(igmp, now);
    CHECK_EQ_U64(igmp_version(igmp), IGMP_V2);
    now++;
    igmp_run(igmp, now);
    CHECK_EQ_U64(igmp_version(igmp), IGMP_V3);
}

SUITE_TEST(igmp_versions, a_join_in_version_2_is_told_again_and_a_leave_once)
{
    ask((struct peer_query){.version = IGMP_V2, .code = 20});
    join(0);
    pass(0);
    CHECK_EQ_U64(peer.v2, 1);
    pass(10000);
    CHECK_EQ_U64(peer.v2, 2);
    want(0, filter(true, 0, 2)); /* which it cannot tell */
    want(0, filter(false, 0, 2));
    pass(20000);
    CHECK_EQ_U64(peer.packets, 2);
    leave(0);
    pass(20000);
    CHECK_EQ_U64(peer.packets, 3);
    CHECK_EQ_U64(peer.leaves, 1);
    CHECK_EQ_U64(igmp_groups_used(igmp), 0);
    CHECK_EQ_U64(igmp_sources_used(igmp), 0);
}

SUITE_TEST(igmp_versions, version_1_knows_no_leave)
{
    ask((struct peer_query){.version = IGMP_V1});
    join(0);
    pass(20000);
    CHECK_EQ_U64(peer.v1, 2);
    leave(0);
    pass(20000);
    CHECK_EQ_U64(peer.packets, 2);
    CHECK_EQ_U64(igmp_groups_used(igmp), 0);
}

SUITE_TEST(igmp_versions, anothers_report_suppresses_ours_in_version_2_alone)
{
    join(0);
    join(1);
    pass(5000);
    forget();
    ask((struct peer_query){.version = IGMP_V3, .code = 20});
    hear_report(0x16, 0);
    pass(2000);
    CHECK_EQ_U64(peer.records_of[0], 1);
    ask((struct peer_query){.version = IGMP_V2, .code = 20});
    igmp_run(igmp, now); /* the delays are chosen */
    hear_report(0x16, 0);
    pass(20000);
    CHECK_EQ_U64(peer.v2, 1);
    CHECK_EQ_U64(peer.last_group, PEER_GROUP(1));
    CHECK_EQ_U64(igmp_counts(igmp)->suppressed, 1);
    leave(0); /* another host is there still: no leave */
    pass(20000);
    CHECK_EQ_U64(peer.leaves, 0);
    leave(1);
    pass(20000);
    CHECK_EQ_U64(peer.leaves, 1);
}

SUITE_TEST(igmp_versions, a_join_that_was_not_told_yet_is_told_in_the_version_that_comes)
{
    join(0);
    ask((struct peer_query){.version = IGMP_V2, .code = 20, .group = 0});
    pass(0);
    CHECK_EQ_U64(peer.v2, 1);
    CHECK_EQ_U64(peer.v3, 0);
}
