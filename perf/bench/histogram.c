/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include <math.h>

double histogram_low(unsigned bucket)
{
    unsigned shift = bucket >> HISTOGRAM_BITS;

    if (shift == 0)
        return bucket;
    unsigned within = bucket & ((1u << HISTOGRAM_BITS) - 1);

    return ldexp((1u << HISTOGRAM_BITS) + within, (int)shift - 1);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        to->counts[i] += from->counts[i];
    to->samples += from->samples;
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
}

int histogram_reaches(const struct histogram *histogram, double fraction)
{
    return (double)histogram->samples * (1 - fraction) >= (1 - 1e-9);
}

double histogram_quantile(const struct histogram *histogram, double fraction)
{
    double rank = fraction * (double)histogram->samples, below = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        double count = (double)histogram->counts[i];

        if (count > 0 && below + count >= rank) {
            double low = histogram_low(i);
            double value = low + (histogram_low(i + 1) - low) * (rank - below) / count;

            return fmin(value, (double)histogram->maximum);
        }
        below += count;
    }
    return (double)histogram->maximum;
}

double histogram_wait_quantile(const struct histogram *histogram, double fraction)
{
    double total = 0, gaps = 0, longer = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        total += (double)histogram->counts[i] * histogram_low(i);
    /* Of the gaps longer than x, sum(length - x) / total is the part of the time in which one waits for
     * more than x. */
    for (unsigned i = HISTOGRAM_BUCKETS; i-- > 0;) {
        double low = histogram_low(i);

        if (gaps > 0 && longer - gaps * low >= (1 - fraction) * total)
            return (longer - (1 - fraction) * total) / gaps;
        gaps += (double)histogram->counts[i];
        longer += (double)histogram->counts[i] * low;
    }
    return 0;
}
