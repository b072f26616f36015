/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_identification.h"

#include <rte_jhash.h>

#define ROUNDS 4u

/* Of a pair of hosts and a protocol. */
struct key {
    uint32_t words[2];
};

static struct key key_of(const struct ip_identification_secret *secret, uint32_t source,
                         uint32_t destination, uint32_t protocol)
{
    struct key key;

    for (unsigned i = 0; i < 2; i++)
        key.words[i] = rte_jhash_3words(source, destination, protocol ^ secret->words[2 + i],
                                        secret->words[i]);
    return key;
}

/* Any function of the key and the half will do for a Feistel network to be one to one. */
static uint8_t scramble(uint32_t key, unsigned round, unsigned half)
{
    uint32_t mixed = (key ^ ((round << 8 | half) * 0x9e3779b1u)) * 0x85ebca6bu;

    mixed ^= mixed >> 15;
    return (uint8_t)(mixed * 0xc2b2ae35u >> 24);
}

/* One to one over all 65,536. */
static uint16_t shuffle(const struct key *key, uint32_t number)
{
    unsigned left = number >> 8, right = number & 0xff;

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned next = left ^ scramble(key->words[round % 2], round, right);

        left = right;
        right = next;
    }
    return (uint16_t)(left << 8 | right);
}

void ip_identification_begin(struct ip_identification *identification,
                             const struct ip_identification_secret *secret, unsigned lcore,
                             unsigned lcores)
{
    identification->secret = *secret;
    identification->lcore = lcore;
    identification->lcores = lcores;
    for (uint32_t i = 0; i < IP_IDENTIFICATION_COUNTERS; i++)
        identification->counters[i] = (uint16_t)(key_of(secret, i, 0, 0).words[0] >> 16);
}

uint16_t ip_identification_next(struct ip_identification *identification, uint32_t source,
                                uint32_t destination, uint8_t protocol)
{
    struct key key = key_of(&identification->secret, source, destination, protocol);
    uint16_t *counter = &identification->counters[key.words[0] % IP_IDENTIFICATION_COUNTERS];
    uint32_t numbers = (UINT16_MAX + 1u) / identification->lcores;
    uint32_t number = *counter % numbers;

    *counter = (uint16_t)((number + 1) % numbers);
    return shuffle(&key, number * identification->lcores + identification->lcore);
}
