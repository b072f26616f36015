/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_SLICES_H
#define WIRERX_BENCH_SLICES_H

/**
 * @file
 * Slices of throughput: one side has both threads for a while, as fast as it can. Before the next
 * one has its turn everything that was delivered has been received and is home again.
 */

#include "bed.h"
#include "side.h"

/** Part of a slice that is not measured: rings fill, caches warm. */
#define SLICE_WARM_UP 0.125

struct slice {
    double seconds; /**< that were measured */
    uint64_t datagrams;
    uint64_t dropped;
    uint64_t preemptions; /**< of the lcore's or the client's thread, warm-up included */
};

/** Run one. The source is silent before and after. */
struct slice slice_run(struct bed *bed, const struct side *side, unsigned milliseconds);

/** Datagrams a second. */
double slice_rate(const struct slice *slice);

/** Receive what is left, until all that was delivered has been received. The source is silent. */
uint64_t slice_drain(struct bed *bed, const struct side *side, uint64_t received);

#endif
