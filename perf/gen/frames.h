/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_FRAMES_H
#define WIRERX_GEN_FRAMES_H

/**
 * @file
 * Frames by the plan: Ethernet, IPv4, UDP with right checksums, the head of shim/generated.h, filler.
 */

#include "plan.h"

struct frames {
    const struct gen_options *options;
    uint64_t run;
    uint16_t identification; /**< of the next IPv4 header */
    uint8_t filler[GEN_MAX_PAYLOAD];
    uint32_t filler_sums[GEN_MAX_PAYLOAD / 2 + 1]; /**< of so many 16-bit words from its start */
};

void frames_begin(struct frames *frames, const struct gen_options *options, uint64_t run);

/** Write one to `out`, which has room for it. @return its length in bytes */
unsigned frames_build(struct frames *frames, const struct plan_frame *which, uint64_t tsc,
                      uint64_t realtime_ns, uint8_t *out);

#endif
