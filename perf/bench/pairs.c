/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <stdlib.h>

#include "bed.h"

static double *allocate(size_t count)
{
    double *values = calloc(count, sizeof *values);

    if (values == NULL)
        bed_fail("out of memory");
    return values;
}

void pairs_create(struct pairs *pairs, unsigned series, unsigned slices)
{
    *pairs = (struct pairs){series, slices, allocate((size_t)series * slices)};
}

void pairs_free(struct pairs *pairs)
{
    free(pairs->values);
}

static double value_of(const struct pairs *pairs, unsigned slice, unsigned series)
{
    return pairs->values[(size_t)slice * pairs->series + series];
}

void pairs_set(struct pairs *pairs, unsigned slice, unsigned series, double value)
{
    pairs->values[(size_t)slice * pairs->series + series] = value;
}

struct spread pairs_spread(const struct pairs *pairs, unsigned series)
{
    double *values = allocate(pairs->slices);

    for (unsigned i = 0; i < pairs->slices; i++)
        values[i] = value_of(pairs, i, series);
    struct spread spread = spread_of(values, pairs->slices);
    free(values);
    return spread;
}

struct spread pairs_ratio(const struct pairs *pairs, unsigned series, unsigned by)
{
    double *ratios = allocate(pairs->slices);
    struct spread spread = {0};
    unsigned count = 0;

    for (unsigned i = 0; i < pairs->slices; i++)
        if (value_of(pairs, i, by) > 0)
            ratios[count++] = value_of(pairs, i, series) / value_of(pairs, i, by);
    if (count != 0)
        spread = spread_of(ratios, count);
    free(ratios);
    return spread;
}
