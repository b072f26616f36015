/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_REFERENCE_H
#define WIRERX_TESTS_DATAPLANE_REFERENCE_H

/**
 * @file
 * What becomes of a frame, said plainly and slowly: a second opinion on the classifier, the demux table and
 * the filters. Written from IEEE 802.3 and 802.1Q, RFC 791, 768, 1071, 1112, 1122 and 3376, and from the clauses
 * I04 and the help of the counters; it has no code of the dataplane's, whose fates it names as counters.h does.
 *
 * It knows ports that only listen, and of fragments each by itself: those that would meet another one of their
 * datagram must not be asked about. Everything is in host byte order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFERENCE_PORTS 4u
#define REFERENCE_SOCKETS 16u
#define REFERENCE_GROUPS 4u
#define REFERENCE_SOURCES 4u

/** A group that a socket has joined. */
struct reference_group {
    uint32_t group;
    uint32_t ports; /**< those that it was joined on, a bit each */
    bool
        only_listed; /**< takes only from the sources (RFC 3376's INCLUDE), else from all but them */
    uint32_t sources[REFERENCE_SOURCES];
    unsigned sources_count;
};

struct reference_socket {
    uint32_t address; /**< 0: any */
    uint16_t port;
    uint32_t peer;      /**< whom it is connected to */
    uint16_t peer_port; /**< 0: to nobody */
    struct reference_group groups[REFERENCE_GROUPS];
    unsigned groups_count;
};

struct reference_port {
    uint32_t address, mask;
    unsigned vlan; /**< 0: any tagging */
};

/** All that a verdict depends on beside the frame. Sockets are in the order in which they were bound. */
struct reference {
    struct reference_port ports[REFERENCE_PORTS];
    unsigned ports_count;
    struct reference_socket sockets[REFERENCE_SOCKETS];
    unsigned sockets_count;
};

struct reference_verdict {
    const char *fate;       /**< the counter's name */
    uint32_t sockets;       /**< who gets it, a bit each */
    const uint8_t *payload; /**< these four of a datagram that somebody gets */
    size_t length;
    uint32_t source;
    uint16_t source_port;
};

/**
 * @param port          that the frame came in by
 * @param stripped_tag  the tag that the device has taken off, all 16 bits; negative: none
 */
struct reference_verdict reference_judge(const struct reference *reference, unsigned port,
                                         const uint8_t *frame, size_t length, int stripped_tag);

#endif
