/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_PAIRS_H
#define WIRERX_BENCH_PAIRS_H

/**
 * @file
 * Several series that take turns, one value of each in every round of slices: what is compared is the
 * values of one round, since the machine changes its speed from one round to the next.
 */

#include "spread.h"

struct pairs {
    unsigned series;
    unsigned slices;
    double *values; /**< by slice, then by series */
};

/** Ends the program when memory is short. */
void pairs_create(struct pairs *pairs, unsigned series, unsigned slices);
void pairs_free(struct pairs *pairs);

void pairs_set(struct pairs *pairs, unsigned slice, unsigned series, double value);

/** Of one series, over all slices. */
struct spread pairs_spread(const struct pairs *pairs, unsigned series);

/** Of the ratios of two series, slice by slice. Slices in which the divisor is 0 are left out. */
struct spread pairs_ratio(const struct pairs *pairs, unsigned series, unsigned by);

#endif
