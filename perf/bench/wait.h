/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_WAIT_H
#define WIRERX_BENCH_WAIT_H

/**
 * @file
 * The ways in which a client waits for a datagram, for latency.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bed.h"
#include "side.h"

/** A wait for events polls for so long when nobody says otherwise (host_spin_ns). */
#define WAIT_SPIN_US 50u

struct wait {
    const char *name;
    const char *help;
    const char *title; /**< of its row in a report */

    /** The same without waiting: for the capacity, and for what is left. Begins and ends it, too. */
    const struct side *side;

    unsigned spin_us; /**< that it polls before it sleeps, when --spin-us does not say */
    bool blocking;    /**< its sockets are, while it receives */
    bool posted;      /**< it posts --posted receives on each socket */

    /**
     * One datagram from each socket in turn, beginning with the socket `first`.
     * @param until  give up when the time-stamp counter reads this, or a little later
     * @param ticks  receives the time from the burst to the return (or to the routine) of each
     * @return how many came: `wanted`, or fewer
     */
    unsigned (*receive)(struct bed *bed, unsigned wanted, unsigned first, uint64_t until,
                        uint64_t *ticks);
};

extern const struct wait wait_spinning;
extern const struct wait wait_sleeping;
extern const struct wait wait_event;
extern const struct wait wait_apc;

extern const struct wait *const waits[];
extern const size_t waits_count;

#endif
