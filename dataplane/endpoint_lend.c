/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint_lend.h"

#include "endpoint_batch.h"

void endpoint_lend_many(struct endpoint *e, uint32_t count, uint32_t buffers)
{
    for (uint32_t i = 0; i < count; i++)
        for (struct rte_mbuf *mbuf = element_mbuf(endpoint_element(e, i)); mbuf != NULL;
             mbuf = mbuf->next)
            rte_mbuf_refcnt_update(mbuf, 1);
    single_writer_add32(&e->lent, buffers);
    endpoint_consume_many(e, count); /* H2: with release, behind the above */
}

void endpoint_returns_add(struct endpoint_returns *returns, uintptr_t frame)
{
    struct rte_mbuf *mbuf = (struct rte_mbuf *)(frame & ~ELEMENT_PLAIN);

    while (mbuf != NULL) {
        struct rte_mbuf *next = mbuf->next;

        returns->buffers++;
        if (endpoint_drop_reference(mbuf)) {
            mbuf->next = returns->first;
            returns->first = mbuf;
            if (returns->last == NULL)
                returns->last = mbuf;
        }
        mbuf = next;
    }
}

void endpoint_returns_end(struct endpoint *e, struct endpoint_returns *returns)
{
    if (returns->first != NULL) {
        struct rte_mbuf *top = atomic_load_explicit(&e->came_back, memory_order_relaxed);

        do
            returns->last->next = top;
        while (!atomic_compare_exchange_weak_explicit(&e->came_back, &top, returns->first,
                                                      memory_order_release, memory_order_relaxed));
    }
    /* Release: the references have been dropped (H2). */
    atomic_store_explicit(&e->lent,
                          atomic_load_explicit(&e->lent, memory_order_relaxed) - returns->buffers,
                          memory_order_release);
    *returns = (struct endpoint_returns){.buffers = 0};
}
