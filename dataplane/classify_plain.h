/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CLASSIFY_PLAIN_H
#define WIRERX_CLASSIFY_PLAIN_H

/**
 * @file
 * classify() for the frame that feeds are made of: in one segment, untagged, IPv4 without options,
 * no fragment, UDP. It says yes, or that somebody else has to look: whatever is said no to here,
 * classify() gives its reason or accepts. A test and a fuzzer compare the two.
 */

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <string.h>

#include "classify.h"

/** Where things are in such a frame. */
enum {
    PLAIN_ETHERTYPE = 12,
    PLAIN_IP = 14,
    PLAIN_TOTAL_LENGTH = 16,
    PLAIN_FRAGMENT = 20, /* flags and offset, TTL, protocol */
    PLAIN_ADDRESSES = 26,
    PLAIN_UDP = 34,
    PLAIN_UDP_LENGTH = 38,
    PLAIN_UDP_CHECKSUM = 40,
    PLAIN_PAYLOAD = RX_PLAIN_PAYLOAD,
};

#define PLAIN_PROTOCOL_UDP 17u

static inline uint16_t plain_load16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t plain_load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t plain_load64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/** Add with the carry coming round (RFC 1071, 2: the order of bytes and the width do not matter). */
static inline uint64_t plain_sum(uint64_t sum, uint64_t value)
{
    unsigned long long all;

    return __builtin_uaddll_overflow(sum, value, &all) ? all + 1 : all;
}

/**
 * Is a sum that was not all zeros a right checksum: a multiple of 65,535 (modulo which 2^16, 2^32 and
 * 2^64 are one, so that neither width nor folding matters)? A multiple of an odd number is one whose
 * product with the number's inverse modulo 2^64 is small.
 */
static inline bool plain_sum_is_right(uint64_t sum)
{
    return sum * 0xfffefffefffeffffull <= UINT64_MAX / UINT16_MAX;
}

static inline bool plain_ip_checksum_is_right(const uint8_t *ip)
{
    uint64_t first = plain_load64(ip), second = plain_load64(ip + 8);

    return plain_sum_is_right((first & UINT32_MAX) + (first >> 32) + (second & UINT32_MAX) +
                              (second >> 32) + plain_load32(ip + 16));
}

/** Is the frame in one segment, which nobody else has, and where its address follows from the mbuf's? */
static inline bool plain_is_placed(const struct rte_mbuf *mbuf)
{
    return rte_mbuf_refcnt_read(mbuf) == 1 && mbuf->nb_segs == 1 &&
           (uintptr_t)mbuf->buf_addr + mbuf->data_off == (uintptr_t)mbuf + RX_PLAIN_FRAME;
}

/**
 * What a plain frame's headers say, for its rx_meta: in the private area, or over the headers
 * themselves (rx_meta_of_plain()), which are read before they are written.
 */
static inline void plain_describe(struct rx_meta *meta, const struct rte_mbuf *mbuf, uint64_t now,
                                  uint8_t port, uint32_t payload_length)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint64_t addresses = plain_load64(bytes + PLAIN_ADDRESSES);
    uint32_t ports = plain_load32(bytes + PLAIN_UDP);

    meta->burst_tsc = now;
    memcpy(&meta->source, &addresses, sizeof addresses); /* two that lie as on the wire */
    memcpy(&meta->source_port, &ports, sizeof ports);    /* these, too */
    meta->payload_offset = PLAIN_PAYLOAD;
    meta->port = port;
    meta->kind = RX_DATAGRAM;
    meta->payload_length = payload_length;
}

/**
 * Is it such a frame, whole, and its IPv4 checksum right?
 * @param payload_length  receives the bytes of its UDP payload; undefined when it is not
 */
static inline bool classify_plain(const struct rte_mbuf *mbuf, const struct classify_rules *rules,
                                  uint32_t *payload_length)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint32_t length = rte_pktmbuf_data_len(mbuf);
    uint64_t offloads = mbuf->ol_flags;

    if (unlikely(!plain_is_placed(mbuf) || length < PLAIN_PAYLOAD || rules->vlan != 0))
        return false;
    /* Ethertype, then version and header length; the type of service may be anything. */
    if (unlikely((rte_be_to_cpu_32(plain_load32(bytes + PLAIN_ETHERTYPE)) & 0xffffff00u) !=
                 ((unsigned)RTE_ETHER_TYPE_IPV4 << 16 | 0x4500u)))
        return false;
    /* Neither "more fragments" nor an offset; the protocol. */
    if (unlikely((rte_be_to_cpu_32(plain_load32(bytes + PLAIN_FRAGMENT)) & 0x3fff00ffu) !=
                 PLAIN_PROTOCOL_UDP))
        return false;
    uint32_t total = rte_be_to_cpu_16(plain_load16(bytes + PLAIN_TOTAL_LENGTH));
    uint32_t udp_length = rte_be_to_cpu_16(plain_load16(bytes + PLAIN_UDP_LENGTH));
    uint32_t ip_header = PLAIN_UDP - PLAIN_IP;

    if (unlikely(total > length - PLAIN_IP || udp_length < PLAIN_PAYLOAD - PLAIN_UDP ||
                 udp_length + ip_header > total))
        return false;
    if (unlikely(bytes[PLAIN_ADDRESSES] == 127 || bytes[PLAIN_ADDRESSES + 4] == 127))
        return false;
    if ((offloads & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
        unlikely((offloads & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD ||
                 !plain_ip_checksum_is_right(bytes + PLAIN_IP)))
        return false;
    *payload_length = udp_length - (PLAIN_PAYLOAD - PLAIN_UDP);
    return true;
}

/** classify_udp_checksum() of a frame that classify_plain() has accepted. */
static inline bool classify_plain_udp_checksum(const struct rte_mbuf *mbuf)
{
    const uint8_t *udp = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, PLAIN_UDP);
    uint32_t left = rte_be_to_cpu_16(plain_load16(udp + PLAIN_UDP_LENGTH - PLAIN_UDP));

    if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD ||
        plain_load16(udp + PLAIN_UDP_CHECKSUM - PLAIN_UDP) == 0)
        return true;
    if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        return false;
    /* RFC 768: the pseudo header is addresses, protocol and UDP length. */
    uint64_t sum = plain_load64(udp + PLAIN_ADDRESSES - PLAIN_UDP);
    sum = plain_sum(sum, rte_cpu_to_be_32(PLAIN_PROTOCOL_UDP << 16 | left));
    for (; left >= 8; left -= 8, udp += 8)
        sum = plain_sum(sum, plain_load64(udp));
    if (left != 0) {
        uint64_t rest = 0;

        memcpy(&rest, udp, left);
        sum = plain_sum(sum, rest);
    }
    return plain_sum_is_right(sum);
}

_Static_assert(offsetof(struct rx_meta, destination) == offsetof(struct rx_meta, source) + 4 &&
                   offsetof(struct rx_meta, destination_port) ==
                       offsetof(struct rx_meta, source_port) + 2,
               "as on the wire, so that one store does for two");

#endif
