/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CLASSIFY_H
#define WIRERX_CLASSIFY_H

/**
 * @file
 * From a frame to "a UDP datagram from here to there", or to the reason why not: Ethernet II,
 * 802.1Q and 802.1ad (QinQ), IPv4 (RFC 791), UDP (RFC 768). Every length is checked before it is
 * believed. Looks at headers only; the UDP checksum, which costs a pass over the payload, is checked
 * by classify_udp_checksum() once somebody is known to want the datagram.
 */

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "rx_meta.h"

/** Bytes that the longest header chain takes: Ethernet, two tags, IPv4 with options, UDP. */
#define CLASSIFY_HEADER_BYTES (14u + 2u * 4u + 60u + 8u)

/** What classification depends on beside the frame. */
struct classify_rules {
    uint16_t vlan; /**< 0: any tagging; else the only VLAN id accepted */
    bool ignore_udp_checksums;
};

/**
 * Parse headers. Fuzz target.
 *
 * @param bytes         the frame's first bytes, contiguous
 * @param length        how many there are: all of the frame, or at least CLASSIFY_HEADER_BYTES
 * @param frame_length  bytes in the whole frame (>= length)
 * @param ip_checksum_known_good  the device has checked the IPv4 header checksum
 * @param stripped_vlan tag that the device has already removed; negative: none
 * @param meta          receives addresses, ports (network order), payload_offset, payload_length; of
 *                      another protocol than UDP, and of a fragment, no ports, and where what is
 *                      behind the IPv4 header lies
 * @return FATE_UNDECIDED for a UDP datagram, else the reason to drop
 */
enum counter classify_headers(const uint8_t *bytes, size_t length, size_t frame_length,
                              const struct classify_rules *rules, bool ip_checksum_known_good,
                              int stripped_vlan, struct rx_meta *meta);

/** classify_headers() on an mbuf of any number of segments; fills its rx_meta but for the TSC. */
enum counter classify(struct rte_mbuf *mbuf, const struct classify_rules *rules);

/**
 * Ones' complement sum of bytes of a chain (RFC 1071), not folded: of at most 65,535 segments it does
 * not overflow. @return false: they are not all there
 */
bool classify_sum(const struct rte_mbuf *mbuf, uint32_t offset, uint32_t length, uint32_t *sum);

/**
 * Is the datagram's UDP checksum right? Zero means absent and is right (RFC 768). Uses what the
 * device found where it looked, software otherwise.
 */
bool classify_udp_checksum(const struct rte_mbuf *mbuf);

#endif
