/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_NETWORK_H
#define WIRERX_TESTS_NETWORK_H

/**
 * @file
 * Ports that transmit, by hand, with the test at the other end: what they transmit is kept here, in its
 * order. What they receive is sent by wire_send().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "support/frames.h"

/** A frame that a port has transmitted. */
struct network_frame {
    unsigned port;
    size_t length;
    uint64_t offloads; /**< RTE_MBUF_F_TX_* */
    uint8_t bytes[FRAME_MAX];
};

/**
 * wire_start() by hand; every port transmits, but those whose option says no, and there are the buffers that
 * this takes at the least.
 *
 * Our addresses are not probed for: the first probe comes at a random moment of the first second (RFC 5227), and
 * so would come between any two frames that a test expects, once in a hundred runs.
 */
void network_start(struct config *config, const struct endpoint_operations *operations);

/** Begin to claim our addresses after all, at this moment of the time-stamp counter. */
void network_claim(void);

/** How many more frames the devices take; at first more than any test sends. */
void network_room(unsigned frames);

/** The next frame that was transmitted; NULL: none. Valid until the next call. */
const struct network_frame *network_take(void);

/** Forget those that were transmitted so far. @return how many */
unsigned network_forget(void);

/** What left = what it became: the second balance of counters.h. Nothing waits any more. */
void network_check_balance(void);

#endif
