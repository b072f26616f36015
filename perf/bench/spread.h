/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_SPREAD_H
#define WIRERX_BENCH_SPREAD_H

/** Order statistics of a series of measurements. */
struct spread {
    double minimum, low, median, high, maximum; /**< low, high: the quartiles */
};

/** @param count  at least 1 */
struct spread spread_of(const double *values, unsigned count);

/** Distance of the quartiles, in parts of the median. */
double spread_relative(const struct spread *spread);

#endif
