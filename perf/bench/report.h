/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_REPORT_H
#define WIRERX_BENCH_REPORT_H

/**
 * @file
 * What the reports of both commands have in common.
 */

#include <jansson.h>

#include "bed.h"
#include "spread.h"

/** Slices of the floor whose quartiles are further apart than this allow no conclusion. */
#define REPORT_NOISE_BOUND 0.10

#define REPORT_LABEL "software ceiling, no device"

struct report {
    const struct bed *bed;
    const char *noise_of;     /**< the slices that tell how quiet it was; NULL: the floor's own */
    struct spread ratio;      /**< wirerx by floor, pair by pair */
    double floor_noise;       /**< relative distance of the quartiles of those */
    unsigned preemptions;     /**< in all slices */
    unsigned missing_buffers; /**< when everything was closed */
    double load_at_end;
};

bool report_is_noisy(const struct report *report);

/** The head of a JSON report: ratio_to_floor and all that says what it means. */
json_t *report_json(const struct report *report);

/** {"minimum", "low", "median", "high", "maximum"} */
json_t *report_json_spread(const struct spread *spread);

/** Print and free. */
void report_json_print(json_t *object);

/** The lines above and below the table of a text report. */
void report_text_head(const struct report *report);
void report_text_tail(const struct report *report);

#endif
