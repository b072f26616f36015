/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_SEND_H
#define WIRERX_GEN_SEND_H

/**
 * @file
 * Send what the plan says when it says so, and count.
 */

#include "device.h"
#include "plan.h"
#include "shim/latency.h"

/** What became of one step of the plan. */
struct gen_step {
    uint64_t sent;
    uint64_t first_ns; /**< since the start of the run */
    uint64_t last_ns;
    struct latency late; /**< nanoseconds from due to given to the device */
};

struct gen_run {
    uint64_t id;
    uint64_t sent;
    uint64_t bytes; /**< of frames, without the wire's own */
    uint64_t payload_bytes;
    double seconds; /**< from the start to the last frame */
    uint64_t sent_by_stream[GEN_LINES][GEN_MAX_STREAMS];
    struct gen_step steps[GEN_MAX_STEPS];
    bool interrupted;
    bool stuck; /**< the device took nothing for too long */
};

/** @param run  all zero but the id */
void gen_send(struct gen_run *run, struct gen_devices *devices, const struct gen_options *options);

/** From a signal handler: end soon. */
void gen_send_stop(void);

#endif
