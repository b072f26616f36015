/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_FEED_H
#define WIRERX_FEED_H

/**
 * @file
 * A made-up market-data feed: MoldUDP64 datagrams with ITCH 5.0 messages, on several multicast
 * groups, in bursts. The same options always give the same bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mold.h"
#include "random.h"

#define FEED_MAX_GROUPS 1024u
#define FEED_PORT 26400u
/** 239.100.0.1 and on, 250 to a third octet. */
#define FEED_FIRST_GROUP 0xef640001u

struct feed_options {
    uint64_t datagrams; /**< heartbeats and ends of session included; at least one a group */
    unsigned groups;
    uint64_t seed;
    double rate; /**< datagrams a second in the recording, on average */
};

struct feed {
    struct feed_options options;
    struct random random;
    struct mold_group *groups;
    uint64_t *weights; /**< cumulative: some groups are much busier than others */
    uint64_t made;
    uint64_t now_ns; /**< of the recording, since midnight */
    uint64_t start_ns;
    unsigned group;       /**< of the burst that is going on */
    unsigned burst_left;  /**< datagrams */
    unsigned quiet_group; /**< next to be looked at for a heartbeat */
};

/** One datagram of the feed. */
struct feed_datagram {
    unsigned group;   /**< index */
    uint64_t time_ns; /**< since midnight */
    size_t length;    /**< bytes in payload */
    uint8_t payload[MOLD_MAX_BYTES];
};

/** @return 0, or -1 when memory is short. Free with feed_end() either way. */
int feed_begin(struct feed *feed, const struct feed_options *options);

/** The next datagram. @return false: that was all */
bool feed_next(struct feed *feed, struct feed_datagram *datagram);

void feed_end(struct feed *feed);

/** The address of a group, host byte order. */
uint32_t feed_group_address(unsigned group);

#endif
