/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_MOLD_H
#define WIRERX_MOLD_H

/**
 * @file
 * MoldUDP64: a datagram is a header (session, sequence number of its first message, message count)
 * and messages with a 16-bit length each. Sequence numbers count messages, without a gap.
 */

#include <stddef.h>
#include <stdint.h>

#include "itch.h"
#include "random.h"

#define MOLD_HEADER_BYTES 20u
#define MOLD_SESSION_BYTES 10u
/** Payloads fill up to this, which leaves an Ethernet frame some room. */
#define MOLD_MAX_BYTES 1400u
#define MOLD_END_OF_SESSION 0xffffu

/** The sender's side of one multicast group. */
struct mold_group {
    unsigned index;
    uint64_t next_sequence;
    uint64_t last_sent_ns;
    struct itch_book book;
};

void mold_group_init(struct mold_group *group, unsigned index, uint64_t time_ns);

/** A datagram with up to `messages` messages. @return its length in bytes */
size_t mold_data(struct mold_group *group, struct random *random, uint64_t time_ns,
                 unsigned messages, uint8_t *out);

/** A datagram without messages: a heartbeat, or the end of the session. @return its length */
size_t mold_heartbeat(struct mold_group *group, uint64_t time_ns, uint8_t *out);
size_t mold_end_of_session(struct mold_group *group, uint64_t time_ns, uint8_t *out);

/** What a receiver reads from a header. */
struct mold_header {
    unsigned group; /**< index */
    uint64_t sequence;
    unsigned messages; /**< 0 for a heartbeat, MOLD_END_OF_SESSION */
};

/** @return 0, or -1: not one of our datagrams */
int mold_parse(const uint8_t *payload, size_t length, struct mold_header *header);

#endif
