/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_OFFER_H
#define WIRERX_OFFER_H

/**
 * @file
 * Putting a frame in an endpoint's ring, on its home lcore, unpublished: lcore_notify() publishes what a
 * pass has put in. The common case in line; whatever could be a reason to refuse is looked at by
 * offer_reluctantly().
 */

#include "lcore.h"

static inline void offer_put(struct endpoint *e, uint32_t at, uintptr_t frame, uint32_t length)
{
    struct ring_element *element = &e->lcore.ring[at & e->lcore.mask];

    element->frame = frame;
    element->length = length;
    element->drops = e->lcore.drops;
}

/** Where the next elements go, and how many of `count` before the end of the ring. */
static inline struct ring_element *offer_place(struct endpoint *e, unsigned *count)
{
    uint32_t at = endpoint_staged(e) & e->lcore.mask;

    *count = RTE_MIN(*count, e->lcore.mask + 1 - at);
    return &e->lcore.ring[at];
}

/** So many more have been put behind what was staged. */
static inline void offer_staged(struct lcore *lcore, struct endpoint *e, uint32_t count,
                                uint64_t bytes, uint32_t segments)
{
    e->lcore.buffers += segments;
    single_writer_add64(&e->lcore.delivered, count);
    single_writer_add64(&e->lcore.delivered_bytes, bytes);
    if (!e->lcore.touched) {
        e->lcore.touched = true;
        lcore->touched[lcore->touched_count++] = e;
    }
}

/** Into the ring, whatever the reasons against it. */
static inline void offer_take(struct lcore *lcore, struct endpoint *e, uintptr_t frame,
                              uint32_t length, uint32_t segments)
{
    offer_put(e, endpoint_staged(e), frame, length);
    offer_staged(lcore, e, 1, length, segments);
}

/** Single-segment datagrams that an unconnected endpoint surely has room for, and payload bytes. */
static inline uint32_t offer_room(const struct lcore *lcore, const struct endpoint *e,
                                  uint64_t *bytes)
{
    uint64_t limit = atomic_load_explicit(&e->lcore.bytes_limit, memory_order_relaxed);
    uint64_t queued = atomic_load_explicit(&e->lcore.delivered_bytes, memory_order_relaxed) -
                      e->lcore.bytes_known;
    uint32_t slots = e->lcore.mask + 1 - (endpoint_staged(e) - e->lcore.cached_head);
    uint32_t held = e->lcore.buffers - e->lcore.buffers_known;
    uint32_t share = RTE_MAX(lcore->minimum, lcore->free_buffers_known ? lcore->buffers_share : 0u);

    *bytes = queued >= limit ? 0 : limit - queued;
    return RTE_MIN(slots, held >= share ? 0u : share - held);
}

/** All reasons, one after the other. @return COUNTER_DELIVERED or why not */
enum counter offer_reluctantly(struct lcore *lcore, struct endpoint *e, uintptr_t frame,
                               uint32_t length, uint32_t segments);

/**
 * @param frame     the mbuf, or'ed with ELEMENT_PLAIN if that is what it is
 * @param segments  of the mbuf
 * @return COUNTER_DELIVERED or why not
 */
static inline enum counter offer(struct lcore *lcore, struct endpoint *e, uintptr_t frame,
                                 uint32_t length, uint32_t segments)
{
    uint64_t queued_bytes = atomic_load_explicit(&e->lcore.delivered_bytes, memory_order_relaxed) -
                            e->lcore.bytes_known;
    uint32_t held = e->lcore.buffers - e->lcore.buffers_known + segments;

    if (likely(e->lcore.peer_port == 0 &&
               endpoint_staged(e) - e->lcore.cached_head <= e->lcore.mask &&
               queued_bytes + length <=
                   atomic_load_explicit(&e->lcore.bytes_limit, memory_order_relaxed) &&
               (held <= lcore->minimum ||
                (lcore->free_buffers_known && held <= lcore->buffers_share)))) {
        offer_take(lcore, e, frame, length, segments);
        return COUNTER_DELIVERED;
    }
    return offer_reluctantly(lcore, e, frame, length, segments);
}

#endif
