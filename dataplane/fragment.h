/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_FRAGMENT_H
#define WIRERX_FRAGMENT_H

/**
 * @file
 * A packet that is too long for its way, as IPv4 fragments (RFC 791, 3.2). Each is a frame of its own, into
 * which its part of the bytes is copied: rte_ipv4_fragment_packet() would make a chain of two or three
 * buffers of it that refer to those of the packet, and most devices take frames of one buffer only.
 */

#include <rte_mbuf.h>
#include <stdint.h>

/** The shortest packet that every link takes (RFC 791, 3.2). */
#define FRAGMENT_LEAST_LIMIT 68u

/** Most fragments of a packet: 65,515 bytes behind its header, in packets of 68. */
#define FRAGMENT_MOST 1365u

/**
 * Cut a packet.
 * @param pool       for the fragments' buffers
 * @param whole      a frame with an IPv4 packet without options, longer than `limit`; it stays the caller's.
 *                   Its header, and what is before that, lie in the first segment; what is behind the packet
 *                   is left out. It is no fragment; "don't fragment" is cleared
 * @param at         where the IPv4 header begins; all that is before it each fragment has before its own
 * @param limit      bytes of the longest packet, at least FRAGMENT_LEAST_LIMIT
 * @param fragments  receives the frames, in the order of their bytes; room for FRAGMENT_MOST
 * @return how many; 0: the pool is short of buffers, and none was made
 */
unsigned fragment_cut(struct rte_mempool *pool, const struct rte_mbuf *whole, uint32_t at,
                      uint32_t limit, struct rte_mbuf **fragments);

#endif
