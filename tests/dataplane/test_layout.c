/* SPDX-License-Identifier: BSD-3-Clause */

/* No cache line is written for every packet by two processors: which fields the lcore writes and which the
 * client, and that none of the one's shares a line with one of the other's. The lock word counts as the
 * client's. The lcore writes it for a posted receive, for which it takes LOCK, and for nothing else. */

#include "support/suite.h"

#include <stddef.h>

#include "lcore.h"

#define LINE 64u

enum writer {
    LCORE,
    CLIENT
};

struct field {
    const char *name;
    enum writer writer;
    size_t offset;
    size_t size;
};

#define FIELD(type, member, who)                                                                  \
    {                                                                                             \
#type "." #member, who, offsetof(struct type, member), sizeof(((struct type *)0)->member) \
    }

#define POINTER(type, member, who)                                            \
    {                                                                         \
#type "." #member, who, offsetof(struct type, member), sizeof(void *) \
    }

/* Written for each datagram or each burst of them. */
static const struct field endpoint_fields[] = {
    FIELD(endpoint, tail, LCORE),
    FIELD(endpoint, lcore.delivered, LCORE),
    FIELD(endpoint, lcore.delivered_bytes, LCORE),
    FIELD(endpoint, lcore.cached_head, LCORE),
    FIELD(endpoint, lcore.drops, LCORE),
    FIELD(endpoint, lcore.buffers, LCORE),
    FIELD(endpoint, lcore.buffers_known, LCORE),
    FIELD(endpoint, lcore.bytes_known, LCORE),
    FIELD(endpoint, lcore.touched, LCORE),
    FIELD(endpoint, lcore.ready, LCORE),
    FIELD(endpoint, lcore.lost_ring_full, LCORE),
    FIELD(endpoint, lcore.lost_pool_share, LCORE),
    FIELD(endpoint, lcore.not_from_peer, LCORE),
    FIELD(endpoint, lcore.refreshed, LCORE),
    FIELD(endpoint, lcore.look_at, LCORE),
    FIELD(endpoint, lcore.lent_known, LCORE),
    POINTER(endpoint, lcore.ready_next, LCORE),
    FIELD(endpoint, word, CLIENT),
    FIELD(endpoint, posted, CLIENT),
    FIELD(endpoint, sleepers, CLIENT),
    FIELD(endpoint, head, CLIENT),
    FIELD(endpoint, lent, CLIENT),
    FIELD(endpoint, bytes_consumed, CLIENT),
    FIELD(endpoint, cached_tail, CLIENT),
    FIELD(endpoint, received, CLIENT),
    FIELD(endpoint, truncated, CLIENT),
};

/* What a quick receive reads and writes, and what the lcore asks after every burst. */
static const struct field quick_fields[] = {
    FIELD(endpoint, word, CLIENT),
    FIELD(endpoint, head, CLIENT),
    FIELD(endpoint, cached_tail, CLIENT),
    FIELD(endpoint, bytes_consumed, CLIENT),
    POINTER(endpoint, ring, CLIENT),
    FIELD(endpoint, mask, CLIENT),
    FIELD(endpoint, lent, CLIENT),
    FIELD(endpoint, received, CLIENT),
    FIELD(endpoint, plain_nonblocking, CLIENT),
};

static const struct field asked_fields[] = {
    FIELD(endpoint, state, CLIENT),       FIELD(endpoint, plain, CLIENT),
    FIELD(endpoint, posted, CLIENT),      FIELD(endpoint, sleepers, CLIENT),
    POINTER(endpoint, came_back, CLIENT),
};

static const struct field lcore_fields[] = {
    FIELD(lcore, pass, LCORE),         FIELD(lcore, touched_count, LCORE),
    POINTER(lcore, ready, LCORE),      POINTER(lcore, homed, LCORE),
    FIELD(lcore, free_buffers, LCORE), FIELD(lcore, wakes_left, LCORE),
    FIELD(lcore, served_bytes, LCORE), FIELD(lcore, handover_counters, LCORE),
    FIELD(lcore, own_counters, LCORE), POINTER(lcore, senders, CLIENT),
};

static void check_lines(const struct field *fields, size_t count)
{
    for (size_t a = 0; a < count; a++)
        for (size_t b = a + 1; b < count; b++) {
            const struct field *one = &fields[a], *other = &fields[b];

            if (one->writer == other->writer)
                continue;
            size_t first = one->offset / LINE, last = (one->offset + one->size - 1) / LINE;
            size_t begin = other->offset / LINE, end = (other->offset + other->size - 1) / LINE;
            CHECK_MSG(last < begin || end < first,
                      "%s (bytes %zu to %zu) and %s (%zu to %zu) are written by two processors and "
                      "share a cache line",
                      one->name, one->offset, one->offset + one->size - 1, other->name,
                      other->offset, other->offset + other->size - 1);
        }
}

SUITE_TEST(layout, no_line_of_an_endpoint_has_two_writers)
{
    check_lines(endpoint_fields, sizeof endpoint_fields / sizeof endpoint_fields[0]);
    CHECK_EQ_U64(_Alignof(struct endpoint) % LINE, 0);
    CHECK_EQ_U64(sizeof(struct endpoint) % LINE, 0); /* nor has one of its neighbour */
}

SUITE_TEST(layout, no_line_of_an_lcore_has_two_writers)
{
    check_lines(lcore_fields, sizeof lcore_fields / sizeof lcore_fields[0]);
    CHECK_EQ_U64(_Alignof(struct lcore) % LINE, 0);
    CHECK_EQ_U64(sizeof(struct lcore) % LINE, 0); /* nor have two lcores one */
}

static void check_one_line(const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK_MSG(fields[i].offset / LINE == fields[0].offset / LINE, "%s is not where %s is",
                  fields[i].name, fields[0].name);
}

SUITE_TEST(layout, a_quick_receive_writes_one_line)
{
    check_one_line(quick_fields, sizeof quick_fields / sizeof quick_fields[0]);
}

/* Else the lcore would fetch the receivers' line after every burst, and they would fetch it back. */
SUITE_TEST(layout, what_the_lcore_asks_after_a_burst_is_no_line_that_a_receive_writes)
{
    check_one_line(asked_fields, sizeof asked_fields / sizeof asked_fields[0]);
    CHECK(asked_fields[0].offset / LINE != quick_fields[0].offset / LINE);
    CHECK(asked_fields[0].offset / LINE != offsetof(struct endpoint, tail) / LINE);
}

/* Each lcore has an array of queues of its own, whose counters nobody else writes. */
SUITE_TEST(layout, everything_for_a_datagram_is_in_the_first_line_of_the_lcores_part)
{
    size_t begin = offsetof(struct endpoint, lcore);

    CHECK_EQ_U64(begin % LINE, 0);
    for (size_t i = 0; i < sizeof endpoint_fields / sizeof endpoint_fields[0]; i++) {
        const struct field *field = &endpoint_fields[i];

        if (field->offset >= begin && field->offset <= offsetof(struct endpoint, lcore.ready))
            CHECK_MSG(field->offset / LINE == begin / LINE, "%s is in another line", field->name);
    }
}
