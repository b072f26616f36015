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
    uint32_t queued = e->cached_tail - head;

    if (queued < wanted) {
        e->cached_tail = atomic_load_explicit(&e->tail, memory_order_acquire);
        queued = e->cached_tail - head;
    }
    return RTE_MIN(queued, wanted);
}

/** The element `index` behind the front, which endpoint_available() has counted. */
static inline const struct ring_element *endpoint_element(const struct endpoint *e, uint32_t index)
{
    return &e->ring[(atomic_load_explicit(&e->head, memory_order_relaxed) + index) & e->mask];
}

/** Fetch what a receive reads of a frame, whose lines the lcore wrote last. By the pointer alone: the
 *  frame itself is not looked at, or this would wait for what it asks for. */
static inline void endpoint_prefetch_frame(const struct rte_mbuf *mbuf)
{
    rte_prefetch0(mbuf);
    rte_prefetch0((const char *)mbuf + sizeof *mbuf); /* rx_meta() */
}

/** ... and its payload, when the lines above have had time to come. */
static inline void endpoint_prefetch_payload(struct rte_mbuf *mbuf)
{
    rte_prefetch0(rte_pktmbuf_mtod_offset(mbuf, void *, rx_meta(mbuf)->payload_offset));
}

/** endpoint_return() with the common case in line: one segment, and nobody else has it. */
static inline void endpoint_return_one(struct endpoint *e, struct rte_mbuf *mbuf)
{
    /* Acquire: as endpoint_drop_reference(). What comes from a pool of ours is direct and has no next. */
    if (likely(__atomic_load_n(&mbuf->refcnt, __ATOMIC_ACQUIRE) == 1 && mbuf->nb_segs == 1 &&
               RTE_MBUF_DIRECT(mbuf))) {
        e->returning[e->return_count++] = mbuf;
        if (e->return_count >= e->return_batch)
            endpoint_flush_returns(e);
        return;
    }
    endpoint_return(e, mbuf);
}

/** endpoint_consume() for the first `count`, which are there: one publication of `head`. */
static inline void endpoint_consume_many(struct endpoint *e, uint32_t count)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);
    uint64_t bytes = atomic_load_explicit(&e->bytes_consumed, memory_order_relaxed);
    uint32_t buffers = atomic_load_explicit(&e->buffers_consumed, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        const struct ring_element *element = &e->ring[(head + i) & e->mask];

        bytes += element->length;
        buffers += element->mbuf->nb_segs;
        endpoint_return_one(e, element->mbuf);
    }
    atomic_store_explicit(&e->bytes_consumed, bytes, memory_order_relaxed);
    atomic_store_explicit(&e->buffers_consumed, buffers, memory_order_relaxed);
    /* Release: the lcore may overwrite the elements once it sees the new head. */
    atomic_store_explicit(&e->head, head + count, memory_order_release);
}

#endif
