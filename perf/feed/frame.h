/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_FRAME_H
#define WIRERX_FRAME_H

/**
 * @file
 * Ethernet, IPv4 and UDP around a payload, with right checksums.
 */

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_BYTES (14u + 20u + 8u)

/** Addresses are in host byte order. */
struct frame_flow {
    uint32_t source;
    uint32_t group;
    uint16_t source_port;
    uint16_t port;
};

/**
 * Write the headers before a payload that stands at frame + FRAME_HEADER_BYTES already.
 *
 * @param identification  the IPv4 header's, which senders count up
 * @return the frame's length in bytes
 */
size_t frame_finish(uint8_t *frame, size_t payload, const struct frame_flow *flow,
                    uint16_t identification);

#endif
