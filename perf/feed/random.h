/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RANDOM_H
#define WIRERX_RANDOM_H

/**
 * @file
 * Random numbers that are the same everywhere: SplitMix64 (Steele, Lea, Flood 2014), integers only.
 */

#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/** 0 to bound - 1. */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}

/** How often in a row a chance of numerator in 256 comes true, at most `limit` times. */
static inline unsigned random_run(struct random *random, unsigned numerator, unsigned limit)
{
    unsigned run = 0;

    while (run < limit && random_below(random, 256) < numerator)
        run++;
    return run;
}

#endif
