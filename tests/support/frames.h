/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_FRAMES_H
#define WIRERX_TESTS_FRAMES_H

/**
 * @file
 * Frames, right or deliberately wrong: Ethernet, tags, IPv4, UDP. Written from the RFCs, apart from
 * the product's parser and from DPDK, so that the two can disagree.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An IPv4 address in host byte order. */
#define FRAME_IP(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/** Room for any frame of these: Ethernet, three tags, and 65,535 bytes of IPv4, and padding. */
#define FRAME_MAX (14u + 3u * 4u + 65535u + 64u)

#define FRAME_MAX_TAGS 3u

/** An 802.1Q tag; the outermost comes first. */
struct frame_tag {
    uint16_t type; /**< 0: 0x8100; 0x88a8 is 802.1ad's */
    uint16_t tci;  /**< priority, DEI and VLAN id */
};

/**
 * What a frame shall be. All zeros is a right, untagged UDP datagram without payload, from
 * 198.51.100.7:7000 to 239.1.1.1:5000, with a UDP checksum. Addresses and ports: host byte order.
 * The `*_off` fields are added to the right value, so that one thing is wrong and the rest is right:
 * checksums are computed after the lengths and the other fields have been set.
 */
struct frame {
    uint32_t source, destination;
    uint16_t source_port, destination_port;
    const void *payload;
    size_t length;

    struct frame_tag tags[FRAME_MAX_TAGS];
    unsigned tags_count;
    uint16_t ethertype;   /**< 0: 0x0800 */
    uint8_t options;      /**< bytes of IP options, a multiple of 4, at most 40: NOPs */
    size_t padding;       /**< bytes 0xa5 behind the IP packet */
    uint8_t protocol;     /**< 0: 17, UDP */
    uint16_t fragment;    /**< flags and offset as they are in the header: 0x2000 is MF */
    uint8_t version_ihl;  /**< 0: right */
    bool no_udp_checksum; /**< 0 in the header: absent (RFC 768) */
    int total_length_off;
    int udp_length_off;
    int ip_checksum_off;
    int udp_checksum_off;
};

/**
 * Write the frame.
 * @return its length in bytes; the process ends when it exceeds `capacity`
 */
size_t frame_build(const struct frame *frame, uint8_t *bytes, size_t capacity);

/** The usual one: a right datagram to this group (or address) and port. */
size_t frame_udp(uint8_t *bytes, size_t capacity, uint32_t destination, uint16_t port,
                 const void *payload, size_t length);

/** An ICMP message (RFC 792) that quotes a datagram, as a router or host would send it. */
struct frame_icmp {
    uint8_t type, code;
    uint16_t mtu;               /**< of type 3 code 4: of the next hop (RFC 1191) */
    uint32_t reporter;          /**< who sends it; 0: frame's default source */
    const struct frame *quoted; /**< the datagram; the message goes to its source */
    size_t quoted_bytes;        /**< of the quoted IP packet; 0: its header and 8 more */
    int checksum_off;           /**< added to the right ICMP checksum */
};

/** @return its length in bytes */
size_t frame_icmp_build(const struct frame_icmp *icmp, uint8_t *bytes, size_t capacity);

/** Bytes in front of the UDP payload. */
size_t frame_payload_offset(const struct frame *frame);

/** Ones' complement sum of RFC 1071 over bytes, folded, not inverted; `sum` is what came before. */
uint16_t frame_sum(const uint8_t *bytes, size_t length, uint16_t sum);

/** Fill a payload so that no two sequence numbers' payloads are equal; read the number back. */
void frame_fill(void *payload, size_t length, uint64_t sequence);
bool frame_is_filled(const void *payload, size_t length, uint64_t sequence);

#endif
