/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_PLAN_H
#define WIRERX_GEN_PLAN_H

/**
 * @file
 * Which frame is due when. The same options give the same plan, whatever the machine does; only a
 * step without a pace (rate 0) ends when its time is over, wherever it is then.
 */

#include "options.h"
#include "perf/feed/random.h"

struct plan_frame {
    uint64_t due_ns; /**< since the start of the run */
    unsigned line;
    unsigned stream;
    uint64_t sequence; /**< in the stream */
    unsigned payload;  /**< bytes */
    unsigned step;
};

/* One line's course. Both lines run through the same one, the second later by the skew. */
struct plan_line {
    struct random random;
    unsigned step;
    uint64_t step_start_ns;
    uint64_t made_in_step;
    uint64_t burst_ns;   /**< when the burst that is going on is due */
    unsigned burst_left; /**< feed: frames of it */
    unsigned stream;     /**< the next one's, or the burst's */
    uint64_t next_sequence[GEN_MAX_STREAMS];
    bool ended;
    struct plan_frame next;
};

struct plan {
    const struct gen_options *options;
    unsigned weights_sum;
    uint64_t stream_weights[GEN_MAX_STREAMS]; /**< feed: cumulative */
    struct plan_line lines[GEN_LINES];
};

void plan_begin(struct plan *plan, const struct gen_options *options);

/**
 * The next frame, in the order of their times.
 * @param now_ns  since the start of the run; only steps without a pace look at it
 * @return false: that was all
 */
bool plan_next(struct plan *plan, uint64_t now_ns, struct plan_frame *frame);

/** `wirerx-gen --plan`: print it, a frame a line. */
void plan_print(const struct gen_options *options);

#endif
