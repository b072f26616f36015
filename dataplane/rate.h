/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RATE_H
#define WIRERX_RATE_H

/**
 * @file
 * How often something may happen: so many times a second, and so many at once after a quiet time. Kept as
 * the moment at which all that was allowed would have been due at an even pace; no clock is read.
 */

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t interval; /**< ticks from one to the next at an even pace */
    uint64_t ahead;    /**< how far the pace may be run ahead of */
    uint64_t paced;    /**< when the next one is due at an even pace */
};

/**
 * @param hz          ticks a second
 * @param per_second  1 or more
 * @param at_once     1 or more
 */
static inline struct rate rate_of(uint64_t hz, unsigned per_second, unsigned at_once)
{
    uint64_t interval = hz / per_second;

    return (struct rate){.interval = interval, .ahead = interval * (at_once - 1)};
}

/** May it happen now? If so, it has. */
static inline bool rate_allows(struct rate *rate, uint64_t now)
{
    uint64_t paced = rate->paced > now ? rate->paced : now;

    if (paced - now > rate->ahead)
        return false;
    rate->paced = paced + rate->interval;
    return true;
}

#endif
