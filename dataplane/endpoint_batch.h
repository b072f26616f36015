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

/** endpoint_consume() for the first `count`, which are there: one publication of `head`. */
static inline void endpoint_consume_many(struct endpoint *e, uint32_t count)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);
    uint64_t bytes = 0;
    uint32_t extra = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct ring_element *element = &e->ring[(head + i) & e->mask];
        struct rte_mbuf *mbuf = element_mbuf(element);

        bytes += element->length;
        if (likely(element_is_plain(element))) {
            endpoint_return_one(e, mbuf);
        } else {
            extra += mbuf->nb_segs - 1u;
            endpoint_return(e, mbuf);
        }
    }
    single_writer_add64(&e->bytes_consumed, bytes);
    single_writer_add32(&e->extra_consumed, extra);
    /* Release: the lcore may overwrite the elements once it sees the new head. */
    atomic_store_explicit(&e->head, head + count, memory_order_release);
}

/**
 * Take the first `count`, which are there, and keep their buffers: their places in the ring and their
 * bytes are free, and the buffers go on counting as held by the endpoint, so that what the pool allows
 * it covers them too (extra_consumed goes back by one for each, modulo 2^32).
 */
static inline void endpoint_lend_many(struct endpoint *e, uint32_t count)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += e->ring[(head + i) & e->mask].length;
    single_writer_add64(&e->bytes_consumed, bytes);
    single_writer_add32(&e->extra_consumed, 0u - count);
    /* Release: as endpoint_consume_many(). */
    atomic_store_explicit(&e->head, head + count, memory_order_release);
}

/** Send home a frame that endpoint_lend_many() has kept: the `frame` of its element. */
static inline void endpoint_take_back(struct endpoint *e, uintptr_t frame)
{
    struct rte_mbuf *mbuf = (struct rte_mbuf *)(frame & ~ELEMENT_PLAIN);

    if (likely((frame & ELEMENT_PLAIN) != 0)) {
        single_writer_add32(&e->extra_consumed, 1);
        endpoint_return_one(e, mbuf);
        return;
    }
    single_writer_add32(&e->extra_consumed, mbuf->nb_segs);
    endpoint_return(e, mbuf);
}

#endif
