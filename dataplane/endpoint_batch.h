/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ENDPOINT_BATCH_H
#define WIRERX_ENDPOINT_BATCH_H

/**
 * @file
 * Several datagrams of an endpoint at once, for the consumer. All of it under LOCK.
 */

#include <rte_prefetch.h>

#include "endpoint.h"

/** How many of up to `wanted` datagrams are there. Looks at the ring's end once. */
static inline uint32_t endpoint_available(struct endpoint *e, uint32_t wanted)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);
    uint32_t queued = endpoint_known_tail(e) - head;

    if (queued < wanted)
        queued = endpoint_look_at_tail(e) - head;
    return RTE_MIN(queued, wanted);
}

/** The element `index` behind the front, which endpoint_available() has counted. */
static inline const struct ring_element *endpoint_element(const struct endpoint *e, uint32_t index)
{
    return &e->ring[(atomic_load_explicit(&e->head, memory_order_relaxed) + index) & e->mask];
}

/** Fetch what a receive reads of a datagram, whose lines the lcore wrote last. By the address alone: the
 *  mbuf is not looked at, or this would wait for what it asks for. */
static inline void endpoint_prefetch(const struct ring_element *element)
{
    const uint8_t *frame = rx_plain_frame(element_mbuf(element));

    rte_prefetch0(frame);
    rte_prefetch0(frame + RTE_CACHE_LINE_SIZE);
}

/** Payload of the first `count`, which are there. */
static inline uint64_t endpoint_bytes(const struct endpoint *e, uint32_t count)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += endpoint_element(e, i)->length;
    return bytes;
}

/** endpoint_consume() for the first `count`, which are there: one publication of `head`. */
static inline void endpoint_consume_many(struct endpoint *e, uint32_t count)
{
    endpoint_consume_known(e, count, endpoint_bytes(e, count),
                           atomic_load_explicit(&e->head, memory_order_relaxed));
}

#endif
