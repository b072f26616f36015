/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CAPTURE_H
#define WIRERX_CAPTURE_H

/**
 * @file
 * A look through a capture file before it is replayed: can it be, and what is in it? This is a look
 * from outside, by libpcap and a parser of its own; what the dataplane makes of the same frames is
 * counted there.
 */

#include <stdint.h>

#include "command.h"

/** One multicast group and UDP port. */
struct capture_group {
    uint32_t group; /**< host byte order */
    uint16_t port;
    uint64_t datagrams;
    uint64_t bytes;         /**< of payload */
    uint64_t bad_checksums; /**< datagrams whose UDP checksum is wrong */
};

struct capture {
    uint64_t frames;    /**< whole ones */
    int cut_short;      /**< non-zero: one more, at the end, that the file holds a part of */
    uint64_t unicast;   /**< UDP datagrams to addresses that are no multicast groups */
    uint64_t fragments; /**< of IPv4 packets */
    uint64_t other;     /**< everything else: other protocols, damaged headers */
    double seconds;     /**< from the first frame to the last, as recorded */
    struct capture_group *groups; /**< ascending by address and port */
    size_t group_count;
};

/**
 * Read all of a pcap or pcapng file.
 * @return 0, or -1 with one line in `error`. Free with capture_free() after success.
 */
int capture_scan(const char *path, struct capture *capture, struct command_error *error);

void capture_free(struct capture *capture);

/** NULL when no datagram in the capture goes there. */
const struct capture_group *capture_find(const struct capture *capture, uint32_t group,
                                         uint16_t port);

#endif
