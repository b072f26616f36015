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
#include <smmintrin.h>
#include <string.h>

#include "classify.h"
#include "ipv4.h"

/** Where things are in such a frame. */
enum {
    PLAIN_ETHERTYPE = 12,
    PLAIN_IP = 14,
    PLAIN_TOTAL_LENGTH = 16,
    PLAIN_ADDRESSES = 26,
    PLAIN_UDP = 34,
    PLAIN_UDP_LENGTH = 38,
    PLAIN_UDP_CHECKSUM = 40,
    PLAIN_PAYLOAD = RX_PLAIN_PAYLOAD,
};

#define PLAIN_PROTOCOL_UDP 17

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

static inline __m128i plain_load128(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/** Are two pieces of 16 bytes the same in the bits of a mask? */
static inline bool plain_matches(__m128i a, __m128i b, __m128i mask)
{
    return _mm_testz_si128(_mm_xor_si128(a, b), mask) != 0;
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

/* The fields of an mbuf that drivers set in one store, but for the last of them. */
#define PLAIN_REARM ((uint64_t)RTE_PKTMBUF_HEADROOM | (uint64_t)1 << 16 | (uint64_t)1 << 32)
_Static_assert(offsetof(struct rte_mbuf, refcnt) == offsetof(struct rte_mbuf, data_off) + 2 &&
                   offsetof(struct rte_mbuf, nb_segs) == offsetof(struct rte_mbuf, data_off) + 4 &&
                   offsetof(struct rte_mbuf, port) == offsetof(struct rte_mbuf, data_off) + 6 &&
                   RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN,
               "PLAIN_REARM has their order");

/**
 * Is the frame in one segment, which nobody else has, and where its address follows from the mbuf's
 * (rx_plain_frame())? One look at its place in the buffer, its references and its segments; of the
 * references no order is asked, because the frame is new.
 */
static inline bool plain_is_placed(const struct rte_mbuf *mbuf)
{
    return plain_load64((const uint8_t *)&mbuf->data_off) << 16 == PLAIN_REARM << 16 &&
           (uintptr_t)mbuf->buf_addr == (uintptr_t)mbuf + RX_PLAIN_FRAME - RTE_PKTMBUF_HEADROOM;
}

/**
 * Do the IPv4 and the UDP length fit in each other and in the frame?
 * @param frame  its bytes, PLAIN_PAYLOAD or more
 */
static inline bool plain_lengths_fit(const uint8_t *bytes, uint32_t frame, uint32_t *payload_length)
{
    uint32_t total = rte_be_to_cpu_16(plain_load16(bytes + PLAIN_TOTAL_LENGTH));
    uint32_t udp = rte_be_to_cpu_16(plain_load16(bytes + PLAIN_UDP_LENGTH));
    uint32_t behind = frame - PLAIN_IP - total, inside = total - (PLAIN_UDP - PLAIN_IP) - udp;

    *payload_length = udp - (PLAIN_PAYLOAD - PLAIN_UDP);
    /* None of the three differences is negative: one look at their signs. */
    return (int32_t)(behind | inside | *payload_length) >= 0;
}

/** What a plain frame's headers do not say themselves, over them (rx_meta_of_plain()). */
static inline void plain_describe(struct rx_meta *meta, uint64_t now, uint8_t port,
                                  uint32_t payload_length)
{
    const struct {
        uint16_t payload_offset;
        uint8_t port, kind;
    } same = {PLAIN_PAYLOAD, port, RX_DATAGRAM}; /* of all frames of a port: one store */

    meta->payload_length = payload_length;
    meta->burst_tsc = now;
    memcpy(&meta->payload_offset, &same, sizeof same);
}

/** The same and what its headers do say, for its rx_meta in the private area. */
static inline void plain_describe_apart(struct rx_meta *meta, const struct rte_mbuf *mbuf,
                                        uint64_t now, uint8_t port, uint32_t payload_length)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

    memcpy(&meta->source, bytes + PLAIN_ADDRESSES, sizeof(uint64_t)); /* two, as on the wire */
    memcpy(&meta->source_port, bytes + PLAIN_UDP, sizeof(uint32_t));  /* these, too */
    plain_describe(meta, now, port, payload_length);
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
    /* Ethertype; version and header length; neither "more fragments" nor an offset; the protocol. */
    if (unlikely(
            !plain_matches(plain_load128(bytes + PLAIN_ETHERTYPE),
                           _mm_setr_epi8(0x08, 0x00, 0x45, 0, 0, 0, 0, 0, 0, 0, 0,
                                         PLAIN_PROTOCOL_UDP, 0, 0, 0, 0),
                           _mm_setr_epi8(-1, -1, -1, 0, 0, 0, 0, 0, 0x3f, -1, 0, -1, 0, 0, 0, 0)) ||
            !plain_lengths_fit(bytes, length, payload_length)))
        return false;
    if (unlikely(ipv4_is_martian(bytes[PLAIN_ADDRESSES], bytes[PLAIN_ADDRESSES + 4])))
        return false;
    if ((offloads & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
        unlikely((offloads & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD ||
                 !plain_ip_checksum_is_right(bytes + PLAIN_IP)))
        return false;
    return true;
}

_Static_assert(offsetof(struct rx_meta, port) == offsetof(struct rx_meta, payload_offset) + 2 &&
                   offsetof(struct rx_meta, kind) == offsetof(struct rx_meta, payload_offset) + 3,
               "as plain_describe() has them");

/** The sum over a plain frame's UDP datagram and pseudo header, of a frame that says it has one. */
bool classify_plain_udp_sum(const uint8_t *udp);

/** classify_udp_checksum() of a frame that classify_plain() has accepted. */
static inline bool classify_plain_udp_checksum(struct rte_mbuf *mbuf)
{
    const uint8_t *udp = rx_plain_frame(mbuf) + PLAIN_UDP;
    uint64_t checksum = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

    if (checksum == RTE_MBUF_F_RX_L4_CKSUM_GOOD ||
        plain_load16(udp + PLAIN_UDP_CHECKSUM - PLAIN_UDP) == 0)
        return true;
    return checksum != RTE_MBUF_F_RX_L4_CKSUM_BAD && classify_plain_udp_sum(udp);
}

#endif
