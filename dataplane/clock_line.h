/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CLOCK_LINE_H
#define WIRERX_CLOCK_LINE_H

/**
 * @file
 * What a counter (the time-stamp counter, a device's clock) says in wall time: a line through the last
 * looks at both, with a bound on how far it may be from the wall clock. One thread adds looks; any thread
 * asks, without waiting for it. Reads no clock itself, so that tests drive it in virtual time.
 *
 * The bound of a time is what the last look did not know, one tick, and for each second from it what the
 * rate may be off: what the two looks it was measured by did not know, and CLOCK_LINE_SLEW. It holds while the wall
 * clock is slewed; a step of it is found by the next look, after which all times are by the clock as it
 * goes then.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** How much the rate of Linux's clock may change at once: NTP slews it by 500 ppm either way. */
#define CLOCK_LINE_SLEW 1e-3

/** Looks closer together tell no rate; a rate is measured anew over at least so long, nanoseconds. */
#define CLOCK_LINE_LEAST_SPAN 5000000
#define CLOCK_LINE_SPAN 1000000000

/** The counter and the wall clock at one moment. */
struct clock_look {
    uint64_t ticks;
    int64_t wall_ns;   /**< since 1970-01-01 00:00 UTC */
    uint64_t error_ns; /**< either way */
};

/** All zeros: no look yet. */
struct clock_line {
    /** Odd while it is written; what follows is read between two loads of it that are equal. */
    _Atomic uint32_t sequence;
    _Atomic bool known; /**< there is a rate */
    _Atomic uint64_t ticks;
    _Atomic int64_t wall_ns;
    _Atomic uint64_t error_ns;
    _Atomic double rate;       /**< nanoseconds a tick */
    _Atomic double rate_error; /**< seconds a second */

    /* The adding thread's own. */
    struct clock_look begin; /**< where the rate is measured from */
    bool begun;
};

enum clock_news {
    CLOCK_FIRST, /**< the first look, or the first after the counter has gone back */
    CLOCK_TAKEN, /**< the line goes through it */
    CLOCK_STEPPED, /**< ... and one of the clocks has been set: the line before was further off than its bound */
    CLOCK_NO_NEWS, /**< it knows less than the line does, and is left out */
};

/** Add a look. Only by one thread. */
enum clock_news clock_line_add(struct clock_line *line, const struct clock_look *look);

/** Forget all looks. Only by the thread that adds them. */
void clock_line_reset(struct clock_line *line);

/**
 * The wall time at which the counter stood so. Any thread.
 * @param error_ns  receives the bound
 * @return false: no rate is known yet, or the time is out of range
 */
bool clock_line_tell(const struct clock_line *line, uint64_t ticks, int64_t *wall_ns,
                     uint64_t *error_ns);

#endif
