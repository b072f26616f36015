/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WALL_CLOCK_H
#define WIRERX_WALL_CLOCK_H

/**
 * @file
 * Looks at counters and CLOCK_REALTIME together, and what the time-stamp counter says in wall time.
 * Looking is the service thread's: lcores never ask the system for the time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "clock_line.h"

/** Read a counter once. @return 0, or -errno: it cannot be read */
typedef int wall_clock_read(void *argument, uint64_t *ticks);

/**
 * Look at a counter: a few reads, each between two of CLOCK_REALTIME, of which the quickest counts.
 * @return 0, or the reader's -errno
 */
int wall_clock_look(wall_clock_read *read, void *argument, struct clock_look *look);

/** Look often enough, some milliseconds apart, for the line to tell times. Blocks for that long, unless
 *  it does already. @return 0, or the reader's -errno */
int wall_clock_begin(struct clock_line *line, wall_clock_read *read, void *argument);

/** wall_clock_begin() and another look at the time-stamp counter. Only the service thread. */
void wall_clock_begin_tsc(void);
void wall_clock_look_at_tsc(void);

/** clock_line_tell() of the time-stamp counter. Any thread. */
bool wall_clock_tell(uint64_t tsc, int64_t *wall_ns, uint64_t *error_ns);

#endif
