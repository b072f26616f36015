/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_HISTOGRAM_H
#define WIRERX_BENCH_HISTOGRAM_H

/**
 * @file
 * How often which value came: buckets of equal width within each power of two, so that none is wider
 * than 1/128 of its values, over all 64 bits and in little memory. (Debian 12 has no library for it.)
 */

#include <stdint.h>

/** Buckets of each power of two, as a power of two. */
#define HISTOGRAM_BITS 7u
#define HISTOGRAM_BUCKETS ((64u - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t samples;
    uint64_t maximum; /**< exact */
};

/** The smallest value of a bucket; HISTOGRAM_BUCKETS stands for the end of the last. */
double histogram_low(unsigned bucket);

static inline unsigned histogram_bucket(uint64_t value)
{
    if (value >> HISTOGRAM_BITS == 0)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;

    /* The top bit is what the next power of two begins with. */
    return (shift << HISTOGRAM_BITS) + (unsigned)(value >> shift);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[histogram_bucket(value)]++;
    histogram->samples++;
    if (value > histogram->maximum)
        histogram->maximum = value;
}

void histogram_merge(struct histogram *to, const struct histogram *from);

/** Are there enough samples for one of them to lie beyond this fraction? */
int histogram_reaches(const struct histogram *histogram, double fraction);

/** The value that this fraction of the samples does not exceed, in proportion within its bucket. */
double histogram_quantile(const struct histogram *histogram, double fraction);

/**
 * The values are lengths of gaps that follow each other without end. Who comes at any moment waits for
 * the end of the gap: how long at most, in this fraction of the time?
 */
double histogram_wait_quantile(const struct histogram *histogram, double fraction);

#endif
