/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_LATENCY_H
#define WIRERX_LATENCY_H

/**
 * @file
 * A histogram of durations in time-stamp counter ticks: exact below 128 ticks, and above that in
 * buckets that are at most 1/64 of their value wide. Memory and time per sample are constant.
 */

#include <stdint.h>

#define LATENCY_SUB_BITS 6
#define LATENCY_SUB_BUCKETS (1u << LATENCY_SUB_BITS)
#define LATENCY_BUCKETS ((64u - LATENCY_SUB_BITS + 1u) * LATENCY_SUB_BUCKETS)

struct latency {
    uint64_t samples;
    uint64_t maximum; /**< ticks, exact */
    uint64_t bucket[LATENCY_BUCKETS];
};

static inline unsigned latency_bucket(uint64_t ticks)
{
    if (ticks < LATENCY_SUB_BUCKETS)
        return (unsigned)ticks;
    unsigned shift = 63u - (unsigned)__builtin_clzll(ticks) - LATENCY_SUB_BITS;
    return shift * LATENCY_SUB_BUCKETS + (unsigned)(ticks >> shift);
}

static inline void latency_record(struct latency *latency, uint64_t ticks)
{
    latency->samples++;
    latency->bucket[latency_bucket(ticks)]++;
    if (ticks > latency->maximum)
        latency->maximum = ticks;
}

/** Add the samples of `from` to `to`. */
void latency_add(struct latency *to, const struct latency *from);

/**
 * The duration, in ticks, that the fraction `quantile` (0 to 1) of the samples does not exceed: the
 * middle of its bucket, but never above the maximum. 0 without samples.
 */
uint64_t latency_quantile(const struct latency *latency, double quantile);

#endif
