/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_SIDE_H
#define WIRERX_BENCH_SIDE_H

/**
 * @file
 * One of the two that take turns on the same two threads: a step for the lcore, and a way for the
 * client thread to receive what it delivers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bed.h"

struct side {
    const char *name;
    const char *help;

    /** Most receives that the client thread can have outstanding; 0: any number. */
    unsigned most_outstanding;

    /** What the lcore does while it is this side's turn; NULL: the library's own. */
    bed_step step;

    /** Before the first slice, while the source is silent; NULL: nothing to do. */
    void (*begin)(struct bed *bed);

    /**
     * Receive until the time-stamp counter reads `until`, but look at every socket at least once.
     * @return datagrams received
     */
    uint64_t (*receive)(struct bed *bed, uint64_t until);

    /** Datagrams that the lcore has given to this side's rings, and that found no room, ever. */
    uint64_t (*delivered)(const struct bed *bed);
    uint64_t (*dropped)(const struct bed *bed);

    /** Where the last datagram's payload was put. */
    const uint8_t *(*last_payload)(const struct bed *bed);

    /** When the sockets have been closed; NULL: nothing to do. */
    void (*end)(struct bed *bed);
};

extern const struct side side_now;
extern const struct side side_posted;
extern const struct side side_apc;
extern const struct side side_batch;
extern const struct side side_lend;
extern const struct side side_floor;
extern const struct side side_told;

/** Every side there is. */
extern const struct side *const sides[];
extern const size_t sides_count;

#endif
