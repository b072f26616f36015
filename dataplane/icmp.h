/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ICMP_H
#define WIRERX_ICMP_H

/**
 * @file
 * ICMP errors from the wire about datagrams that sockets here have sent (RFC 792, RFC 1122 3.2.2).
 * They become conditions (rx_meta.h) of the socket that the quoted datagram names as its sender.
 */

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rx_meta.h"

/** Bytes of a message that are looked at: its header, an IPv4 header with options, 8 of UDP. */
#define ICMP_LOOKED_AT (8u + 60u + 8u)

/** The datagram that an error quotes; network order. */
struct icmp_quote {
    enum rx_kind kind; /**< RX_PORT_UNREACHABLE or RX_TIME_EXCEEDED */
    uint32_t source;
    uint32_t destination;
    uint16_t source_port;
    uint16_t destination_port;
};

/**
 * Port (or protocol) unreachable, or time to live exceeded in transit, quoting a UDP datagram that is no
 * later fragment? Checksums are not looked at. Fuzz target.
 *
 * @param bytes   the ICMP message's first bytes, contiguous
 * @param length  how many there are: all of the message, or at least ICMP_LOOKED_AT
 */
bool icmp_parse(const uint8_t *bytes, size_t length, struct icmp_quote *quote);

/** A datagram that was too long for a router, which might not cut it; network order, but for lengths. */
struct icmp_too_long {
    uint32_t source;
    uint32_t destination;
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t length; /**< bytes of the packet */
    uint16_t mtu;    /**< of the next hop (RFC 1191, 4); 0: the router does not say */
};

/** "Fragmentation needed and DF set", quoting a UDP datagram of which that can be true? As icmp_parse(). Fuzz
 *  target. */
bool icmp_parse_too_long(const uint8_t *bytes, size_t length, struct icmp_too_long *message);

/** Is the checksum of a message right that classify() found to be ICMP? */
bool icmp_checksum_is_right(const struct rte_mbuf *mbuf);

/**
 * Turn a frame that classify() found to be ICMP into a condition: from the quoted destination, to the
 * quoted source. Its rx_meta is changed only if it is one; burst_tsc is the caller's.
 * @return false: it is nothing to any socket. True: lcore_deliver() finds out whose it is
 */
bool icmp_to_condition(struct rte_mbuf *mbuf);

/**
 * Make a message for host_pmtu_take() of a frame that classify() found to be ICMP: of kind RX_PATH_MTU, as
 * that says. Its rx_meta is changed only if it is one.
 * @return false: it tells of no path's MTU
 */
bool icmp_to_path_mtu(struct rte_mbuf *mbuf);

#endif
