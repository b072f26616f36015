/* SPDX-License-Identifier: BSD-3-Clause */

/* Which fragments make a datagram, in virtual time: 1,000 ticks a second. */

#include "support/suite.h"

#include <stdlib.h>

#include "reassembly.h"

#define HZ 1000u
#define TIMEOUT (HZ * REASSEMBLY_SECONDS)

static struct {
    struct reassembly *table;
    struct reassembly_part parts[REASSEMBLY_PARTS];
    unsigned count; /* of those that the last fragment completed */
    unsigned lost[REASSEMBLY_LOST_STOPPED + 1];
    void *last_lost;
} t;

static char packets[1000];

static void lost(void *context, void *packet, enum reassembly_loss loss)
{
    (void)context;
    t.lost[loss]++;
    t.last_lost = packet;
}

static void begin(unsigned datagrams, unsigned buffers)
{
    struct reassembly_settings settings = {
        .hz = HZ, .datagrams = datagrams, .buffers = buffers, .seed = 1, .lost = lost};

    t.table = reassembly_create(malloc(reassembly_size(&settings)), &settings);
}

static void end(void)
{
    reassembly_discard(t.table);
    CHECK_EQ_U64(reassembly_buffers(t.table), 0);
    CHECK_EQ_U64(reassembly_datagrams(t.table), 0);
    CHECK_EQ_U64(reassembly_due(t.table), UINT64_MAX);
    free(t.table);
}

/* `packet` is its number. */
static struct reassembly_fragment piece(uint16_t identification, unsigned packet, unsigned offset,
                                        unsigned length, bool more)
{
    return (struct reassembly_fragment){
        .key = {1, 2, identification, 17, 0},
        .packet = &packets[packet],
        .offset = (uint16_t)offset,
        .length = (uint16_t)length,
        .header = 20,
        .buffers = 1,
        .more = more,
    };
}

static enum reassembly_result take_at(struct reassembly_fragment fragment, uint64_t now)
{
    t.count = 0;
    return reassembly_take(t.table, &fragment, now, t.parts, &t.count);
}

static enum reassembly_result take(struct reassembly_fragment fragment)
{
    return take_at(fragment, 0);
}

static void expect_parts(unsigned first, unsigned count)
{
    CHECK_EQ_U64(t.count, count);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ_PTR(t.parts[i].packet, &packets[first + i]);
}

SUITE_TEST(reassembly, fragments_in_any_order_make_the_datagram_in_its_order)
{
    static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const unsigned lengths[] = {1480, 1480, 13};

    begin(4, 16);
    for (uint16_t i = 0; i < 6; i++) {
        for (unsigned k = 0; k < 3; k++) {
            unsigned n = orders[i][k];

            CHECK_EQ_I64(take(piece(i, n, n * 1480, lengths[n], n < 2)),
                         k < 2 ? REASSEMBLY_HELD : REASSEMBLY_COMPLETE);
        }
        expect_parts(0, 3);
        CHECK_EQ_U64(t.parts[0].length, 1480);
        CHECK_EQ_U64(t.parts[2].length, 13);
        CHECK_EQ_U64(reassembly_buffers(t.table), 0);
    }
    end();
}

SUITE_TEST(reassembly, a_datagram_may_have_65535_bytes_with_its_header_and_no_more)
{
    struct reassembly_fragment options = piece(2, 0, 0, 65512, true);

    begin(4, 16);
    CHECK_EQ_I64(take(piece(1, 1, 65512, 3, false)), REASSEMBLY_HELD);
    CHECK_EQ_I64(take(piece(1, 0, 0, 65512, true)), REASSEMBLY_COMPLETE);
    CHECK_EQ_I64(take(piece(2, 1, 65512, 4, false)), REASSEMBLY_MALFORMED);
    CHECK_EQ_I64(take(piece(2, 1, 65512, 8, true)), REASSEMBLY_MALFORMED);
    options.header = 24;
    CHECK_EQ_I64(take(options), REASSEMBLY_MALFORMED);
    options.length = 65504;
    CHECK_EQ_I64(take(options), REASSEMBLY_HELD);
    CHECK_EQ_I64(take(piece(2, 1, 65504, 11, false)), REASSEMBLY_HELD); /* fits only without them */
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_OVERLAP], 2);
    end();
}

SUITE_TEST(reassembly, impossible_fragments_are_refused_and_begin_nothing)
{
    begin(4, 16);
    CHECK_EQ_I64(take(piece(1, 0, 0, 0, true)), REASSEMBLY_MALFORMED);
    CHECK_EQ_I64(take(piece(1, 0, 8, 0, false)), REASSEMBLY_MALFORMED);
    CHECK_EQ_I64(take(piece(1, 0, 0, 7, true)), REASSEMBLY_MALFORMED); /* no UDP header fits */
    CHECK_EQ_I64(take(piece(1, 0, 16, 9, true)), REASSEMBLY_MALFORMED);
    CHECK_EQ_I64(take(piece(1, 0, 4, 8, true)), REASSEMBLY_MALFORMED);
    CHECK_EQ_I64(take(piece(1, 0, 0, 8, false)), REASSEMBLY_MALFORMED);
    CHECK_EQ_U64(reassembly_datagrams(t.table), 0);
    end();
}

SUITE_TEST(reassembly, duplicates_are_refused_and_change_nothing)
{
    begin(4, 16);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ_I64(take(piece(1, 1, 8, 8, true)),
                     i == 0 ? REASSEMBLY_HELD : REASSEMBLY_DUPLICATE);
        CHECK_EQ_I64(take(piece(1, 2, 16, 3, false)),
                     i == 0 ? REASSEMBLY_HELD : REASSEMBLY_DUPLICATE);
    }
    CHECK_EQ_I64(take(piece(1, 0, 0, 8, true)), REASSEMBLY_COMPLETE);
    expect_parts(0, 3);
    end();
}

SUITE_TEST(reassembly, overlaps_and_contradictions_lose_the_datagram_and_what_still_comes_of_it)
{
    static const struct {
        unsigned offset, length;
        bool more;
    } rows[] = {
        {16, 16, true},  /* over the end of one */
        {8, 16, true},   /* over its beginning, to its end */
        {16, 8, false},  /* in its place, but the last */
        {24, 8, true},   /* as long as what is missing, but the last has come: over it */
        {40, 8, true},   /* behind the end */
        {48, 8, false},  /* another end */
        {8, 8, false},   /* an end in front of what is there */
        {16, 800, true}, /* over everything */
    };

    begin(4, 16);
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        uint16_t i = (uint16_t)row;

        unsigned before = t.lost[REASSEMBLY_LOST_OVERLAP];

        CHECK_EQ_I64(take(piece(i, 2, 16, 8, true)), REASSEMBLY_HELD);
        CHECK_EQ_I64(take(piece(i, 3, 24, 16, false)), REASSEMBLY_HELD);
        CHECK_EQ_I64(take(piece(i, 9, rows[i].offset, rows[i].length, rows[i].more)),
                     REASSEMBLY_OVERLAP);
        CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_OVERLAP], before + 2);
        CHECK_EQ_U64(reassembly_buffers(t.table), 0);
        CHECK_EQ_I64(take_at(piece(i, 0, 0, 16, true), TIMEOUT - 1), REASSEMBLY_OVERLAP);
        reassembly_run(t.table, TIMEOUT);
        CHECK_EQ_U64(reassembly_datagrams(t.table), 0);
        CHECK_EQ_I64(take_at(piece(i, 0, 0, 16, true), TIMEOUT), REASSEMBLY_HELD); /* anew */
        reassembly_discard(t.table);
    }
    end();
}

SUITE_TEST(reassembly, datagrams_of_other_keys_are_others)
{
    struct reassembly_fragment base = piece(1, 0, 0, 8, true), others[5];

    begin(8, 16);
    for (unsigned i = 0; i < 5; i++) {
        others[i] = base;
        others[i].offset = 8;
        others[i].more = false;
    }
    others[0].key.source = 9;
    others[1].key.destination = 9;
    others[2].key.identification = 9;
    others[3].key.protocol = 9;
    others[4].key.port = 9;
    CHECK_EQ_I64(take(base), REASSEMBLY_HELD);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ_I64(take(others[i]), REASSEMBLY_HELD);
    CHECK_EQ_U64(reassembly_datagrams(t.table), 6);
    CHECK_EQ_I64(take(piece(1, 1, 8, 8, false)), REASSEMBLY_COMPLETE);
    end();
}

SUITE_TEST(reassembly, what_is_not_whole_30_seconds_after_it_began_is_lost)
{
    begin(4, 16);
    CHECK_EQ_U64(reassembly_due(t.table), UINT64_MAX);
    CHECK_EQ_I64(take_at(piece(1, 0, 0, 8, true), 5), REASSEMBLY_HELD);
    CHECK_EQ_I64(take_at(piece(2, 5, 8, 8, true), 6), REASSEMBLY_HELD);
    CHECK_EQ_I64(take_at(piece(1, 1, 8, 8, true), TIMEOUT), REASSEMBLY_HELD); /* does not prolong */
    CHECK_EQ_U64(reassembly_due(t.table), TIMEOUT + 5);
    reassembly_run(t.table, TIMEOUT + 4);
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_TIMEOUT], 0);
    reassembly_run(t.table, TIMEOUT + 5);
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_TIMEOUT], 2);
    CHECK_EQ_U64(reassembly_due(t.table), TIMEOUT + 6);
    /* Without a run in between: the last fragment is too late by itself. */
    CHECK_EQ_I64(take_at(piece(2, 6, 0, 8, true), TIMEOUT + 6), REASSEMBLY_HELD);
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_TIMEOUT], 3);
    end();
}

SUITE_TEST(reassembly, a_full_table_gives_the_place_of_the_oldest_datagram)
{
    begin(4, 16);
    for (uint16_t i = 0; i < 5; i++)
        CHECK_EQ_I64(take(piece(i, i, 0, 8, true)), REASSEMBLY_HELD);
    CHECK_EQ_U64(reassembly_datagrams(t.table), 4);
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_FULL], 1);
    CHECK_EQ_PTR(t.last_lost, &packets[0]);
    CHECK_EQ_I64(take(piece(1, 10, 8, 8, false)), REASSEMBLY_COMPLETE);
    end();
}

SUITE_TEST(reassembly, buffers_run_out_at_the_oldests_cost_and_at_ones_own)
{
    struct reassembly_fragment large = piece(7, 20, 80, 8, true);

    begin(4, 8);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ_I64(take(piece(1, i, i * 8, 8, true)), REASSEMBLY_HELD);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ_I64(take(piece(2, i, i * 8, 8, true)), REASSEMBLY_HELD);
    CHECK_EQ_I64(take(piece(2, 8, 32, 8, true)), REASSEMBLY_HELD);
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_FULL], 4); /* of datagram 1 */
    CHECK_EQ_U64(reassembly_buffers(t.table), 5);
    large.key.identification = 2;
    large.buffers = 4;
    CHECK_EQ_I64(take(large), REASSEMBLY_FULL); /* there is nobody else to take them from */
    CHECK_EQ_U64(reassembly_buffers(t.table), 0);
    CHECK_EQ_I64(take(piece(2, 9, 400, 8, true)), REASSEMBLY_FULL);
    large.buffers = 9;
    large.key.identification = 3;
    CHECK_EQ_I64(take(large), REASSEMBLY_FULL);
    end();
}

SUITE_TEST(reassembly, a_datagram_has_at_most_128_fragments)
{
    begin(4, 400);
    for (uint16_t id = 1; id <= 2; id++) {
        for (unsigned i = 0; i < REASSEMBLY_PARTS - 1; i++)
            CHECK_EQ_I64(take(piece(id, i, i * 8, 8, true)), REASSEMBLY_HELD);
        if (id == 1) {
            CHECK_EQ_I64(take(piece(1, 127, 127 * 8, 8, false)), REASSEMBLY_COMPLETE);
            expect_parts(0, REASSEMBLY_PARTS);
        }
    }
    CHECK_EQ_I64(take(piece(2, 127, 127 * 8, 8, true)), REASSEMBLY_HELD);
    CHECK_EQ_I64(take(piece(2, 128, 128 * 8, 8, false)), REASSEMBLY_FULL);
    CHECK_EQ_U64(t.lost[REASSEMBLY_LOST_FULL], REASSEMBLY_PARTS);
    CHECK_EQ_I64(take(piece(2, 128, 128 * 8, 8, false)), REASSEMBLY_FULL);
    end();
}
