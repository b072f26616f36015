/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_LANES_H
#define WIRERX_BENCH_LANES_H

/**
 * @file
 * The threads of several lanes (bed.h): a client for each. The caller is the first one; the others
 * sleep when there is nothing for them to do.
 */

#include "bed.h"

/** What a lane's client does. @return 0, or -1 after one line on standard error */
typedef int (*lanes_job)(struct bed *bed, void *argument);

/** A socket at least for each lane, as evenly as they can be. @param options  `count` of them */
void lanes_share_sockets(struct bench_options *options, const struct bench_options *all,
                         unsigned count);

/** When bed_start_lanes() has succeeded. @return 0, or -1 after one line */
int lanes_start(struct bed *lanes, unsigned count);

/** Let all do it at the same time, and wait for all. @return -1 when one could not */
int lanes_together(lanes_job job, void *argument);

/** Let one after the other do it, until one cannot. @return -1 when one could not */
int lanes_in_turn(lanes_job job, void *argument);

/** End the threads. */
void lanes_stop(void);

#endif
