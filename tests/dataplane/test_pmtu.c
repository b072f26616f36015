/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of path MTUs, in virtual time of 1,000 ticks a second. */

#include "support/suite.h"

#include "pmtu.h"

#define HZ 1000u
#define PEER 0x090200c0u

static struct pmtu table;

static void set_up(void)
{
    pmtu_begin(&table, HZ, 12345);
}

SUITE_FIXTURE(pmtu, set_up, NULL);

static enum pmtu_result lower(uint32_t told, uint32_t length)
{
    return pmtu_lower(&table, PEER, told, length, 0);
}

static uint32_t known(void)
{
    return pmtu_find(&table, PEER);
}

SUITE_TEST(pmtu, an_estimate_only_falls)
{
    CHECK_EQ_U64(known(), PMTU_UNKNOWN);
    CHECK_EQ_U64(lower(1400, 1500), PMTU_LOWERED);
    CHECK_EQ_U64(known(), 1400);
    CHECK_EQ_U64(lower(1400, 1500), PMTU_KNOWN);
    CHECK_EQ_U64(lower(1450, 1500), PMTU_KNOWN);
    CHECK_EQ_U64(lower(1300, 1500), PMTU_LOWERED);
    CHECK_EQ_U64(known(), 1300);
    CHECK_EQ_U64(pmtu_find(&table, PEER + 1), PMTU_UNKNOWN);
    CHECK_EQ_U64(pmtu_find(&table, 0), PMTU_UNKNOWN);
}

SUITE_TEST(pmtu, what_no_router_can_mean_is_refused)
{
    CHECK_EQ_U64(lower(67, 1500), PMTU_REFUSED);
    CHECK_EQ_U64(lower(1, 1500), PMTU_REFUSED);
    CHECK_EQ_U64(lower(1500, 1500), PMTU_REFUSED); /* it would have let it through */
    CHECK_EQ_U64(lower(9000, 1500), PMTU_REFUSED);
    CHECK_EQ_U64(lower(0, 68), PMTU_REFUSED); /* below which there is no plateau */
    CHECK_EQ_U64(lower(0, 0), PMTU_REFUSED);
    CHECK_EQ_U64(pmtu_lower(&table, 0, 1400, 1500, 0), PMTU_REFUSED);
    CHECK_EQ_U64(known(), PMTU_UNKNOWN);
    CHECK_EQ_U64(lower(68, 69), PMTU_LOWERED);
    CHECK_EQ_U64(known(), PMTU_LEAST);
}

SUITE_TEST(pmtu, a_router_that_does_not_say_means_the_next_plateau)
{
    static const uint32_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};
    uint32_t length = 65535;

    for (unsigned i = 0; i < sizeof plateaus / sizeof plateaus[0]; i++) {
        CHECK_EQ_U64(lower(0, length), PMTU_LOWERED);
        CHECK_EQ_U64(known(), plateaus[i]);
        CHECK_EQ_U64(lower(0, length), PMTU_KNOWN); /* another of those that were on their way */
        CHECK_EQ_U64(known(), plateaus[i]);
        length = plateaus[i];
    }
    CHECK_EQ_U64(lower(0, length), PMTU_REFUSED);
    CHECK_EQ_U64(known(), 68);
}

SUITE_TEST(pmtu, an_estimate_is_forgotten_ten_minutes_after_it_last_fell)
{
    CHECK_EQ_U64(table.due, UINT64_MAX);
    CHECK_EQ_U64(pmtu_lower(&table, PEER, 1400, 1500, 5), PMTU_LOWERED);
    CHECK_EQ_U64(pmtu_lower(&table, PEER + 1, 1300, 1500, 7), PMTU_LOWERED);
    CHECK_EQ_U64(table.due, 5 + 600 * HZ);
    CHECK_EQ_U64(pmtu_lower(&table, PEER, 1200, 1500, 1000), PMTU_LOWERED);
    CHECK_EQ_U64(pmtu_lower(&table, PEER, 1200, 1500, 2000), PMTU_KNOWN);
    pmtu_run(&table, 7 + 600 * HZ - 1);
    CHECK_EQ_U64(pmtu_find(&table, PEER + 1), 1300);
    pmtu_run(&table, 7 + 600 * HZ);
    CHECK_EQ_U64(pmtu_find(&table, PEER + 1), PMTU_UNKNOWN);
    CHECK_EQ_U64(known(), 1200);
    CHECK_EQ_U64(table.due, 1000 + 600 * HZ);
    pmtu_run(&table, table.due);
    CHECK_EQ_U64(known(), PMTU_UNKNOWN);
    CHECK_EQ_U64(table.due, UINT64_MAX);
}

static unsigned count_known(uint32_t hosts)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < hosts; i++)
        count += pmtu_find(&table, PEER + i) != PMTU_UNKNOWN;
    return count;
}

SUITE_TEST(pmtu, the_table_is_bounded_and_the_newest_stay)
{
    uint32_t hosts = 10000;

    for (uint32_t i = 0; i < hosts; i++) {
        CHECK_EQ_U64(pmtu_lower(&table, PEER + i, 1000 + i % 100, 1500, i), PMTU_LOWERED);
        CHECK_EQ_U64(pmtu_find(&table, PEER + i), 1000 + i % 100);
    }
    unsigned kept = count_known(hosts);
    CHECK(kept <= PMTU_WAYS * PMTU_SETS);
    CHECK(kept >= PMTU_WAYS * PMTU_SETS - 2); /* each set has had its share of 10,000 */
    for (uint32_t i = hosts - 4; i < hosts; i++)
        CHECK_EQ_U64(pmtu_find(&table, PEER + i), 1000 + i % 100);
    pmtu_run(&table, hosts + 600 * HZ);
    CHECK_EQ_U64(count_known(hosts), 0);
}
