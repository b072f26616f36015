/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SOCKET_RING_H
#define WIRERX_SOCKET_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "rx_meta.h"

/**
 * One datagram in a socket's ring. What all receivers share is in its rx_meta; this is what only this
 * socket knows.
 */
struct ring_element {
    uintptr_t frame; /**< the mbuf, and in the lowest bit ELEMENT_PLAIN */
    uint32_t length; /**< payload bytes */
    uint32_t drops;  /**< datagrams this socket had lost when this one was put in, modulo 2^32 */
};

/**
 * A plain datagram (classify_plain.h) that sits in one ring only: whole, in one segment of a buffer of
 * ours, behind headers without options or tags. Where it is follows from the mbuf's address, so its
 * reader needs to look at the mbuf neither to read it nor to send it home, which is a cache line or two
 * less on the way between two processors.
 */
#define ELEMENT_PLAIN ((uintptr_t)1)

_Static_assert(sizeof(struct ring_element) == 16, "four to a cache line");

static inline bool element_is_plain(const struct ring_element *element)
{
    return (element->frame & ELEMENT_PLAIN) != 0;
}

static inline struct rte_mbuf *element_mbuf(const struct ring_element *element)
{
    return (struct rte_mbuf *)(element->frame & ~ELEMENT_PLAIN);
}

/** From a plain element's `frame` to the first byte of its payload. */
#define FRAME_PLAIN_PAYLOAD (RX_PLAIN_FRAME + RX_PLAIN_PAYLOAD - ELEMENT_PLAIN)

/** Where that is. */
static inline const void *frame_plain_payload(uintptr_t frame)
{
    return (const void *)(frame + FRAME_PLAIN_PAYLOAD);
}

/** ... and what is known about it. */
static inline const struct rx_meta *frame_plain_meta(uintptr_t frame)
{
    return (const struct rx_meta *)(frame - ELEMENT_PLAIN + RX_PLAIN_FRAME + RX_PLAIN_META);
}

/** Of a plain element: its first byte of payload. */
static inline const void *element_plain_payload(const struct ring_element *element)
{
    return frame_plain_payload(element->frame);
}

static inline const struct rx_meta *element_meta(const struct ring_element *element)
{
    return element_is_plain(element) ? frame_plain_meta(element->frame)
                                     : rx_meta(element_mbuf(element));
}

#endif
