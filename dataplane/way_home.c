/* SPDX-License-Identifier: BSD-3-Clause */
#include "way_home.h"

#include "pool.h"

/** Buffers that are put into the pool at a time. */
#define PUT_BATCH 64u

struct puts {
    struct rte_mbuf *mbufs[PUT_BATCH];
    unsigned count;
};

static void put(struct puts *puts, struct rte_mbuf *mbuf)
{
    if (puts->count == PUT_BATCH) {
        pool_put(puts->mbufs, PUT_BATCH);
        puts->count = 0;
    }
    puts->mbufs[puts->count++] = mbuf;
}

static void put_rest(struct puts *puts)
{
    if (puts->count != 0)
        pool_put(puts->mbufs, puts->count);
}

/* @return their segments */
static __attribute__((noinline)) uint32_t drop_references(const struct ring_element *elements,
                                                          uint32_t count)
{
    struct puts puts = {.count = 0};
    uint32_t segments = 0;

    for (uint32_t i = 0; i < count; i++)
        for (struct rte_mbuf *mbuf = element_mbuf(&elements[i]), *next; mbuf != NULL; mbuf = next) {
            next = mbuf->next;
            segments++;
            if (endpoint_drop_reference(mbuf))
                put(&puts, mbuf);
        }
    put_rest(&puts);
    return segments;
}

/* Elements that lie one behind the other. @return their segments */
static inline uint32_t take_elements(const struct ring_element *elements, uint32_t count,
                                     uint32_t lent, uint64_t *bytes)
{
    struct rte_mbuf *mbufs[PUT_BATCH];
    uintptr_t all = ELEMENT_PLAIN;

    for (uint32_t i = 0; i < count; i++) {
        *bytes += elements[i].length;
        all &= elements[i].frame;
        mbufs[i] = (struct rte_mbuf *)(elements[i].frame - ELEMENT_PLAIN);
    }
    if (unlikely(all == 0 || lent != 0))
        return drop_references(elements, count);
    pool_put(mbufs, count);
    return count;
}

static __attribute__((noinline)) uint32_t take_what_came_back(struct endpoint *e)
{
    struct rte_mbuf *mbuf = atomic_exchange_explicit(&e->came_back, NULL, memory_order_acquire);
    struct puts puts = {.count = 0};
    uint32_t count = 0;

    while (mbuf != NULL) {
        struct rte_mbuf *next = mbuf->next;

        mbuf->next = NULL;
        put(&puts, mbuf);
        count++;
        mbuf = next;
    }
    put_rest(&puts);
    return count;
}

uint32_t way_home_look(struct endpoint *e, uint32_t after)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_acquire); /* H1 */
    uint32_t lent = atomic_load_explicit(&e->lent, memory_order_acquire); /* H2 */
    uint32_t at = e->lcore.cached_head, mask = e->lcore.mask, passed = head - at, buffers = 0;
    uint64_t bytes = 0;

    while (at != head) {
        uint32_t here = RTE_MIN(RTE_MIN(head - at, PUT_BATCH), mask + 1 - (at & mask));

        buffers += take_elements(&e->lcore.ring[at & mask], here, lent, &bytes);
        at += here;
    }
    e->lcore.cached_head = head;
    e->lcore.bytes_known += bytes;
    e->lcore.buffers_known += buffers - (lent - e->lcore.lent_known);
    e->lcore.lent_known = lent;
    e->lcore.look_at = endpoint_staged(e) + RTE_MIN(after, (mask + 1) / 2);
    if (unlikely(atomic_load_explicit(&e->came_back, memory_order_relaxed) != NULL))
        passed += take_what_came_back(e);
    return passed;
}
