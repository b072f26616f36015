/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include <math.h>

void latency_add(struct latency *to, const struct latency *from)
{
    to->samples += from->samples;
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        to->bucket[i] += from->bucket[i];
}

static uint64_t bucket_middle(unsigned bucket)
{
    if (bucket < 2 * LATENCY_SUB_BUCKETS)
        return bucket;
    unsigned shift = bucket / LATENCY_SUB_BUCKETS - 1;
    uint64_t low = (uint64_t)(bucket - shift * LATENCY_SUB_BUCKETS) << shift;
    return low + (1ull << shift) / 2;
}

uint64_t latency_quantile(const struct latency *latency, double quantile)
{
    uint64_t rank = (uint64_t)ceil(quantile * (double)latency->samples);
    uint64_t below = 0;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        below += latency->bucket[i];
        if (below >= rank && below > 0) {
            uint64_t middle = bucket_middle(i);
            return middle < latency->maximum ? middle : latency->maximum;
        }
    }
    return latency->maximum;
}
