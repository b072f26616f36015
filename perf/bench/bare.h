/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_BARE_H
#define WIRERX_BENCH_BARE_H

/**
 * @file
 * What the machine itself does to a thread: nothing but readings of the time-stamp counter on the
 * client's CPU. A gap between two of them is time that no program on this CPU could have used.
 */

#include "bed.h"
#include "histogram.h"

/** For so long; the source is silent. Adds every gap, in ticks. */
void bare_run(const struct bed *bed, double milliseconds, struct histogram *gaps);

#endif
