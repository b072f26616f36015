/* SPDX-License-Identifier: BSD-3-Clause */

/* Identifications: which are repeated when, and that they cannot be told beforehand. */

#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "ip_identification.h"

#define US 0x010200c0u
#define PEER 0x090200c0u
#define UDP 17u

static const struct ip_identification_secret secret = {{11, 22, 33, 44}};
static struct ip_identification one, two, three;
static uint8_t seen[65536];

static void take_all(struct ip_identification *from, unsigned count, uint32_t destination)
{
    for (unsigned i = 0; i < count; i++) {
        uint16_t number = ip_identification_next(from, US, destination, UDP);

        CHECK_MSG(seen[number] == 0, "%u came twice in %u", number, i);
        seen[number] = 1;
    }
}

SUITE_TEST(ip_identification, none_comes_twice_in_65536)
{
    ip_identification_begin(&one, &secret, 0, 1);
    for (uint32_t peer = 0; peer < 20; peer++) {
        memset(seen, 0, sizeof seen);
        take_all(&one, 65536, PEER + peer);
    }
}

SUITE_TEST(ip_identification, lcores_have_shares_of_their_own)
{
    ip_identification_begin(&one, &secret, 0, 3);
    ip_identification_begin(&two, &secret, 1, 3);
    ip_identification_begin(&three, &secret, 2, 3);
    for (unsigned i = 0; i < 3; i++) { /* interleaved, as they come */
        take_all(&one, 7000, PEER);
        take_all(&two, 7200, PEER);
        take_all(&three, 7281, PEER);
    }
}

/* How many of what follows `after` in one sequence are what a guess by the last difference says. */
static unsigned guessed(struct ip_identification *from, uint32_t destination, unsigned count)
{
    uint16_t before = ip_identification_next(from, US, destination, UDP);
    uint16_t last = ip_identification_next(from, US, destination, UDP);
    unsigned right = 0;

    for (unsigned i = 0; i < count; i++) {
        uint16_t next = ip_identification_next(from, US, destination, UDP);

        right += next == (uint16_t)(last + (uint16_t)(last - before)) || next == last + 1;
        before = last;
        last = next;
    }
    return right;
}

SUITE_TEST(ip_identification, the_next_does_not_follow_from_the_last_ones_nor_from_other_hosts)
{
    unsigned same = 0;

    ip_identification_begin(&one, &secret, 0, 1);
    CHECK(guessed(&one, PEER, 10000) < 10); /* one in 32,768, if it is blind */
    for (unsigned i = 0; i < 10000; i++)
        same += ip_identification_next(&one, US, PEER, UDP) ==
                ip_identification_next(&one, US, PEER + 1, UDP);
    CHECK(same < 10);
    struct ip_identification_secret other = secret;
    other.words[3] ^= 1;
    ip_identification_begin(&one, &secret, 0, 1);
    ip_identification_begin(&two, &other, 0, 1);
    same = 0;
    for (unsigned i = 0; i < 10000; i++)
        same += ip_identification_next(&one, US, PEER, UDP) ==
                ip_identification_next(&two, US, PEER, UDP);
    CHECK(same < 10);
}
