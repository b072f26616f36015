/* SPDX-License-Identifier: BSD-3-Clause */
#include "spread.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* Between the two nearest ranks, in proportion. */
static double at_fraction(const double *sorted, unsigned count, double fraction)
{
    double rank = fraction * (double)(count - 1);
    unsigned below = (unsigned)rank;
    unsigned above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (sorted[above] - sorted[below]) * (rank - (double)below);
}

struct spread spread_of(const double *values, unsigned count)
{
    double *sorted = malloc(count * sizeof *sorted);

    if (sorted == NULL)
        abort();
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    struct spread spread = {
        .minimum = sorted[0],
        .low = at_fraction(sorted, count, 0.25),
        .median = at_fraction(sorted, count, 0.5),
        .high = at_fraction(sorted, count, 0.75),
        .maximum = sorted[count - 1],
    };
    free(sorted);
    return spread;
}

double spread_relative(const struct spread *spread)
{
    return spread->median > 0 ? (spread->high - spread->low) / spread->median : 0;
}
