/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RX_META_H
#define WIRERX_RX_META_H

/**
 * @file
 * What every receiver of a frame shares, kept in the mbuf's private area; of a plain datagram that has
 * one receiver only where its headers were (rx_meta_of_plain(); element_meta() knows which). Written once
 * by the lcore that classified the frame, before it is published to any ring; immutable from then on.
 * The consumer's position inside a message belongs to the socket, never to the mbuf.
 */

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * What a frame means to the sockets it is put in the ring of. Conditions travel as frames, so that
 * they come in order with the data, complete posted receives and wake sleepers by the same road, are
 * bounded by the same ring, and reach another lcore by the same hand-over. They have no payload.
 */
enum rx_kind {
    RX_DATAGRAM,         /**< a whole message */
    RX_PART,             /**< a part of a message: more of it follows */
    RX_END,              /**< from here on conditions: the peer has ended, nothing follows (Q08) */
    RX_ABORT,            /**< the peer has reset the circuit (Q09) */
    RX_PORT_UNREACHABLE, /**< something this socket sent found no receiver (I12, RFC 792 type 3) */
    RX_TIME_EXCEEDED,    /**< something this socket sent died on its way (I15, RFC 792 type 11) */
    /* Never in a socket's ring, only between lcores (host.h): */
    RX_PATH_MTU, /**< ICMP about a packet of `payload_length` bytes from `destination` to `source` that was too
                      long; `via` is how long one may be (host_pmtu.h) */
    RX_FOR_KEEPER,  /**< `via` is the counter under which a port's keeper shall look at it */
    RX_TO_TRANSMIT, /**< to be transmitted by `port`; `via` is the next hop, and if there is one
                         `payload_length` the longest packet on the way */
    /* On the way to the kernel and back `via` is a mark (tap.h), and the kind means nothing. */
};

/** Is it a condition, not data? */
static inline bool rx_is_condition(enum rx_kind kind)
{
    return kind >= RX_END;
}

/**
 * Values of rx_meta.port above those of the configuration (CONFIG_MAX_PORTS). As bits they are in no
 * group's set of ports, and RX_PORT_CONDITION in nobody's, so that such frames leave the road of those
 * that a port brought (lcore_deliver()) without a look of their own.
 */
#define RX_PORT_CONDITION 30u /**< a port brought an ICMP error about something sent from here */
#define RX_PORT_LOOPED 31u    /**< sent by a socket of this stack */

/**
 * Laid over the end of a plain frame's headers (rx_meta_of_plain()), addresses and ports are where the
 * wire has put them: so its order, and so its alignment.
 */
struct __attribute__((packed, aligned(2))) rx_meta {
    uint32_t via; /**< of a looped group datagram: the port it would leave by; see rx_kind */
    uint32_t payload_length;   /**< bytes of UDP payload; 0 of a condition */
    uint64_t burst_tsc;        /**< time-stamp counter when the burst left the device */
    uint32_t source;           /**< IPv4 source address, network byte order */
    uint32_t destination;      /**< IPv4 destination address, network byte order */
    uint16_t source_port;      /**< network byte order */
    uint16_t destination_port; /**< network byte order */
    uint16_t payload_offset;   /**< bytes from the frame's start to the UDP payload */
    uint8_t port;              /**< index of the port in the configuration, or RX_PORT_* */
    uint8_t kind;              /**< enum rx_kind */
};

/** Bytes of private area that every pool of ours gives its mbufs. */
#define RX_META_PRIVATE_SIZE ((uint16_t)RTE_CACHE_LINE_SIZE)
_Static_assert(sizeof(struct rx_meta) <= RTE_CACHE_LINE_SIZE, "it has a line to itself");

static inline struct rx_meta *rx_meta(struct rte_mbuf *mbuf)
{
    return (struct rx_meta *)rte_mbuf_to_priv(mbuf);
}

/** Where the frame of a plain datagram begins, counted from its mbuf, and its payload from there. */
#define RX_PLAIN_FRAME \
    ((uintptr_t)(sizeof(struct rte_mbuf) + RX_META_PRIVATE_SIZE + RTE_PKTMBUF_HEADROOM))
#define RX_PLAIN_PAYLOAD 42u
#define RX_PLAIN_META (RX_PLAIN_PAYLOAD - sizeof(struct rx_meta))
_Static_assert(RX_PLAIN_META + offsetof(struct rx_meta, source) == 26 &&
                   RX_PLAIN_META + offsetof(struct rx_meta, source_port) == 34,
               "what a plain frame has there already");

/** Where the frame of a plain datagram begins. Computed: the mbuf is not looked at. */
static inline uint8_t *rx_plain_frame(struct rte_mbuf *mbuf)
{
    return (uint8_t *)mbuf + RX_PLAIN_FRAME;
}

/**
 * Of a plain datagram in a ring (socket_ring.h): written over the headers, which nobody needs any more,
 * because that line goes to the reader anyway.
 */
static inline struct rx_meta *rx_meta_of_plain(struct rte_mbuf *mbuf)
{
    return (struct rx_meta *)(rx_plain_frame(mbuf) + RX_PLAIN_META);
}

#endif
