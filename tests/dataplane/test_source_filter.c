/* SPDX-License-Identifier: BSD-3-Clause */

/* Source filters: lists, merges and differences, against sets of bits. */

#include "support/suite.h"

#include <errno.h>
#include <stdlib.h>

#include "igmp_peer.h"
#include "source_filter.h"

static uint64_t state;

/* Which of 20 sources a filter accepts. */
static uint32_t accepted(const struct source_filter *filter)
{
    uint32_t bits = 0;

    for (uint32_t s = 0; s < 20; s++)
        if (source_filter_accepts(filter, s * 77))
            bits |= 1u << s;
    return bits;
}

static struct source_filter some_filter(void)
{
    struct source_filter filter = {.exclude = peer_random(&state, 2) == 0};

    for (unsigned n = peer_random(&state, 12); n != 0; n--)
        source_filter_add(&filter, peer_random(&state, 20) * 77);
    return filter;
}

SUITE_TEST(source_filter, lists_no_source_twice_and_at_most_sixty_four)
{
    struct source_filter filter = SOURCE_FILTER_NONE;

    for (uint32_t s = 0; s < SOURCE_FILTER_SOURCES; s++)
        CHECK_EQ_U64(source_filter_add(&filter, s * 0x9e3779b1u), 0);
    CHECK_EQ_U64(source_filter_add(&filter, 0), -EADDRINUSE);
    CHECK_EQ_U64(source_filter_add(&filter, 1), -ENOBUFS);
    CHECK_EQ_U64(source_filter_remove(&filter, 1), -EADDRNOTAVAIL);
    for (uint32_t s = 0; s < SOURCE_FILTER_SOURCES; s++)
        CHECK_EQ_U64(source_filter_remove(&filter, s * 0x9e3779b1u), 0);
    CHECK(source_filter_is_none(&filter));
    CHECK(!source_filter_accepts(&filter, 7));
    CHECK(source_filter_accepts(&SOURCE_FILTER_ANY, 7));
}

SUITE_TEST(source_filter, a_merge_accepts_what_any_of_them_does)
{
    state = 1;
    for (unsigned i = 0; i < 20000; i++) {
        struct source_filter merged = SOURCE_FILTER_NONE;
        uint32_t all = 0;

        for (unsigned n = peer_random(&state, 4) + 1; n != 0; n--) {
            struct source_filter one = some_filter();

            all |= accepted(&one);
            source_filter_merge(&merged, &one);
        }
        CHECK_EQ_U64(accepted(&merged), all);
    }
}

SUITE_TEST(source_filter, a_merge_that_would_list_too_many_accepts_all)
{
    struct source_filter a = SOURCE_FILTER_NONE, b = SOURCE_FILTER_NONE;

    for (uint32_t s = 0; s < 40; s++) {
        source_filter_add(&a, s);
        source_filter_add(&b, s + 100);
    }
    source_filter_merge(&a, &b);
    CHECK(source_filter_is_any(&a));
}

/* RFC 3376, 5.1: a router that takes the records over. */
SUITE_TEST(source_filter, a_difference_leads_from_one_to_the_other)
{
    state = 2;
    for (unsigned i = 0; i < 20000; i++) {
        struct source_filter before = some_filter(), after = some_filter(), router = before;
        struct source_record records[2];
        unsigned count = source_filter_difference(&before, &after, records);

        for (unsigned r = 0; r < count; r++) {
            if (records[r].type == RECORD_TO_IN || records[r].type == RECORD_TO_EX) {
                CHECK_EQ_U64(count, 1);
                router = (struct source_filter){.exclude = records[r].type == RECORD_TO_EX};
            }
            for (unsigned s = 0; s < records[r].count; s++)
                if (records[r].type == RECORD_ALLOW && router.exclude)
                    CHECK_EQ_U64(source_filter_remove(&router, records[r].sources[s]), 0);
                else if (records[r].type == RECORD_BLOCK && !router.exclude)
                    CHECK_EQ_U64(source_filter_remove(&router, records[r].sources[s]), 0);
                else
                    CHECK_EQ_U64(source_filter_add(&router, records[r].sources[s]), 0);
        }
        CHECK(source_filter_equal(&router, &after));
        CHECK_EQ_U64(count == 0, source_filter_equal(&before, &after));
    }
}
