/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_LATENCY_H
#define WIRERX_BENCH_LATENCY_H

/**
 * @file
 * A run of the command latency, between those that measure it (latency.c) and those that say what came
 * of it (latency_report.c).
 */

#include <jansson.h>

#include "bed.h"
#include "histogram.h"
#include "pairs.h"
#include "report.h"
#include "wait.h"

/** Most of the capacity that may be used without --load. */
#define LATENCY_UNSTATED_LOAD 0.10

enum latency_series {
    LATENCY_WIRERX,
    LATENCY_FLOOR,
    LATENCY_BARE, /**< the bare spin thread's gaps */
    LATENCY_SERIES,
};

struct latency_run {
    struct bed *bed;
    const struct wait *wait;
    double capacity;       /**< datagrams a second, received this way as fast as they can be */
    double floor_capacity; /**< and by the floor */
    double rate;
    unsigned datagrams;            /**< of a slice, the warm-up included */
    unsigned warm_up;              /**< of these, not measured */
    uint64_t lost[LATENCY_SERIES]; /**< not received in time */
    struct histogram *histograms;  /**< by series, ticks */
    struct pairs p50;              /**< by slice, ticks; 0: nothing was received */
    char reason[160];              /**< empty, or why there is no latency */
};

void latency_print_text(const struct report *report, const struct latency_run *run);
void latency_print_json(const struct report *report, const struct latency_run *run);

#endif
