/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of one lcore: which members a destination has, and in which order. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <stdlib.h>

#include "client.h"
#include "demux.h"
#include "support/frames.h"
#include "support/wire.h"

/* An index no lcore of the dataplane that lends us its memory has. */
#define SELF 60u

static struct demux demux;
static struct endpoint *fakes; /* known by address only */

static void set_up(void)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
    fakes = calloc(64, sizeof *fakes);
    CHECK(fakes != NULL);
}

static void tear_down(void)
{
    demux_destroy(&demux);
    free(fakes);
    wire_stop();
}

SUITE_FIXTURE(demux, set_up, tear_down);

static void create(uint32_t capacity)
{
    CHECK_EQ_I64(demux_create(&demux, SELF, capacity, 0), 0);
}

static struct demux_key key_of(uint32_t number)
{
    return (struct demux_key){rte_cpu_to_be_32(FRAME_IP(239, 0, 0, 0) + number),
                              rte_cpu_to_be_16(5000), IPPROTO_UDP};
}

static struct demux_member member_of(unsigned fake)
{
    return (struct demux_member){.endpoint = &fakes[fake], .home = SELF, .ports = UINT32_MAX};
}

SUITE_TEST(demux, key_is_there_from_its_first_member_to_its_last)
{
    struct demux_member one = member_of(1), two = member_of(2);

    create(16);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1)), NULL);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &one), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &two), 0);
    CHECK_NE_PTR(demux_find(&demux, key_of(1)), NULL);
    CHECK(demux_find(&demux, key_of(1))->every_member);
    CHECK_EQ_PTR(demux_find(&demux, key_of(2)), NULL);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[1]), &one);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1))->members, &two);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[1]), NULL);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[2]), &two);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1)), NULL);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[2]), NULL);
}

SUITE_TEST(demux, all_of_the_key_counts)
{
    struct demux_member one = member_of(1);
    struct demux_key key = key_of(1), other_port = key, other_protocol = key;

    other_port.port = (uint16_t)(other_port.port + 1);
    other_protocol.protocol = IPPROTO_TCP;
    create(16);
    CHECK_EQ_I64(demux_add(&demux, key, false, &one), 0);
    CHECK(!demux_find(&demux, key)->every_member);
    CHECK_EQ_PTR(demux_find(&demux, other_port), NULL);
    CHECK_EQ_PTR(demux_find(&demux, other_protocol), NULL);
}

SUITE_TEST(demux, exact_before_wildcard_and_the_newest_of_a_kind_first)
{
    struct demux_member exact_1 = member_of(1), exact_2 = member_of(2);
    struct demux_member wildcard_3 = member_of(3), wildcard_4 = member_of(4);
    const struct demux_member *m;

    wildcard_3.wildcard = wildcard_4.wildcard = true;
    create(16);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), false, &wildcard_3), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), false, &exact_1), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), false, &wildcard_4), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), false, &exact_2), 0);
    m = demux_find(&demux, key_of(1))->members;
    CHECK_EQ_PTR(m, &exact_2);
    CHECK_EQ_PTR(m->next, &exact_1);
    CHECK_EQ_PTR(m->next->next, &wildcard_4);
    CHECK_EQ_PTR(m->next->next->next, &wildcard_3);
    CHECK_EQ_PTR(m->next->next->next->next, NULL);
}

SUITE_TEST(demux, a_second_membership_only_changes_the_ports)
{
    struct demux_member one = member_of(1), again = member_of(1);

    one.ports = 1;
    again.ports = 3;
    create(16);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &one), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &again), 1);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1))->members, &one);
    CHECK_EQ_PTR(one.next, NULL);
    CHECK_EQ_U64(one.ports, 3);
}

SUITE_TEST(demux, members_elsewhere_are_a_set_of_lcores)
{
    struct demux_member here = member_of(1);
    struct demux_member away[3] = {member_of(2), member_of(3), member_of(4)};
    const struct demux_entry *entry;

    away[0].home = 0;
    away[1].home = 0;
    away[2].home = 63;
    create(16);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &away[i]), 0);
    entry = demux_find(&demux, key_of(1));
    CHECK_EQ_PTR(entry->members, NULL);
    CHECK_EQ_U64(entry->homes, 1ull << 63 | 1);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &here), 0);
    CHECK_EQ_PTR(entry->members, &here);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[2]), &away[0]);
    CHECK_EQ_U64(entry->homes, 1ull << 63 | 1); /* one is still at home on lcore 0 */
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[3]), &away[1]);
    CHECK_EQ_U64(entry->homes, 1ull << 63);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[1]), &here);
    CHECK_NE_PTR(demux_find(&demux, key_of(1)), NULL);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[4]), &away[2]);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1)), NULL);
}

/* The cache in front must never answer for what was removed, or was made anew at another place. */
SUITE_TEST(demux, the_cache_forgets_what_was_removed)
{
    struct demux_member one = member_of(1), two = member_of(2), three = member_of(3);

    create(16);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &one), 0);
    CHECK_NE_PTR(demux_find(&demux, key_of(1)), NULL); /* cached now */
    CHECK_EQ_PTR(demux_remove(&demux, key_of(1), &fakes[1]), &one);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1)), NULL);
    CHECK_EQ_I64(demux_add(&demux, key_of(2), true, &two), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(1), true, &three), 0);
    CHECK_EQ_PTR(demux_find(&demux, key_of(1))->members, &three);
    CHECK_EQ_PTR(demux_find(&demux, key_of(2))->members, &two);
}

SUITE_TEST(demux, a_full_table_refuses_and_stays_right)
{
    struct demux_member members[64];
    unsigned added = 0;

    create(8);
    for (unsigned i = 0; i < 64; i++) {
        members[i] = member_of(i);
        if (demux_add(&demux, key_of(i), true, &members[i]) != 0)
            break;
        added++;
    }
    CHECK_EQ_U64(added, 8);
    CHECK_EQ_PTR(demux_find(&demux, key_of(8)), NULL);
    for (unsigned i = 0; i < added; i++)
        CHECK_EQ_PTR(demux_find(&demux, key_of(i))->members, &members[i]);
    CHECK_EQ_PTR(demux_remove(&demux, key_of(3), &fakes[3]), &members[3]);
    CHECK_EQ_I64(demux_add(&demux, key_of(8), true, &members[8]), 0);
    CHECK_EQ_I64(demux_add(&demux, key_of(3), true, &members[3]), -1);
}

/* Thousands of additions, removals and look-ups against the simplest table there is. */
SUITE_TEST(demux, agrees_with_a_plain_list)
{
    enum {
        KEYS = 400,
        FAKES = 4
    };
    static struct demux_member members[KEYS][FAKES];
    static bool present[KEYS][FAKES];
    uint32_t random = 1;

    create(512);
    for (unsigned round = 0; round < 50000; round++) {
        random = random * 1664525u + 1013904223u;
        unsigned key = (random >> 8) % KEYS, fake = (random >> 24) % FAKES;

        if (round % 3 == 0 && !present[key][fake]) {
            members[key][fake] = member_of(fake);
            CHECK_EQ_I64(demux_add(&demux, key_of(key), true, &members[key][fake]), 0);
            present[key][fake] = true;
        } else if (round % 3 == 1) {
            const struct demux_member *removed = demux_remove(&demux, key_of(key), &fakes[fake]);
            CHECK_EQ_PTR(removed, present[key][fake] ? &members[key][fake] : NULL);
            present[key][fake] = false;
        }
        const struct demux_entry *entry = demux_find(&demux, key_of(key));
        unsigned expected = 0, found = 0;
        for (unsigned i = 0; i < FAKES; i++)
            expected += present[key][i];
        for (const struct demux_member *m = entry == NULL ? NULL : entry->members; m; m = m->next) {
            CHECK(present[key][m->endpoint - fakes]);
            found++;
        }
        CHECK_EQ_U64(found, expected);
        CHECK((entry == NULL) == (expected == 0));
    }
}
