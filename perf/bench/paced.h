/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_PACED_H
#define WIRERX_BENCH_PACED_H

/**
 * @file
 * The port's device at a pace: one frame whenever one is due, and so many in all. A row of functions
 * that stands in front of rte_eth as a replay does, so neither side knows. When it was looked at too
 * late for several, they come together, as from a device.
 */

#include <string.h>

#include "bed.h"

/** Put it in front of the device, or take it away. The source is silent. */
void paced_install(struct bed *bed, bool paced);

/** From the next pass on: `count` frames, `rate` a second. The source is silent. */
void paced_prepare(const struct bed *bed, double rate, unsigned count);

/** Write the time-stamp counter at the burst into the first bytes of each payload, from now on or not.
 *  UDP checksums follow when they are verified. The source is silent. */
void paced_set_stamps(bool stamps);

#define PACED_STAMP_BYTES 8u

/** What was written into this payload. */
static inline uint64_t paced_stamp_of(const void *payload)
{
    uint64_t stamp;

    memcpy(&stamp, payload, sizeof stamp);
    return stamp;
}

/** Index of the socket whose datagram the device gives next. The source is silent. */
unsigned paced_next_socket(struct bed *bed);

#endif
