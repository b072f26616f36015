/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RX_META_H
#define WIRERX_RX_META_H

/**
 * @file
 * What every receiver of a frame shares, kept in the mbuf's private area. Written once by the lcore
 * that classified the frame, before the frame is published to any ring; immutable from then on.
 * The consumer's position inside a message belongs to the socket, never to the mbuf.
 */

#include <rte_mbuf.h>
#include <stdint.h>

struct rx_meta {
    uint64_t burst_tsc;        /**< time-stamp counter when the burst left the device */
    uint32_t source;           /**< IPv4 source address, network byte order */
    uint32_t destination;      /**< IPv4 destination address, network byte order */
    uint16_t source_port;      /**< network byte order */
    uint16_t destination_port; /**< network byte order */
    uint16_t payload_offset;   /**< bytes from the frame's start to the UDP payload */
    uint16_t port;             /**< index of the port in the configuration */
    uint32_t payload_length;   /**< bytes of UDP payload */
    uint32_t reserved;
} __rte_cache_aligned;

/** Bytes of private area that every pool of ours gives its mbufs. */
#define RX_META_PRIVATE_SIZE ((uint16_t)sizeof(struct rx_meta))

static inline struct rx_meta *rx_meta(struct rte_mbuf *mbuf)
{
    return (struct rx_meta *)rte_mbuf_to_priv(mbuf);
}

#endif
