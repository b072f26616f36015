/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint.h"

#include <limits.h>

#include "fence.h"
#include "pool.h"
#include "wake.h"

void endpoint_flush_returns(struct endpoint *e)
{
    unsigned count = atomic_load_explicit(&e->return_count, memory_order_relaxed);

    if (count == 0)
        return;
    atomic_store_explicit(&e->return_count, 0, memory_order_relaxed);
    pool_tag(e->returning, count);
    /* Sized so that it has room for all that a socket can hold, on its way in either direction. */
    unsigned sent = rte_ring_sp_enqueue_burst(e->way_home, (void **)e->returning, count, NULL);
    if (unlikely(sent < count))
        pool_put_tagged(e->returning + sent, count - sent);
    /* Release: whoever sees it finds them. */
    atomic_store_explicit(&e->sent_home,
                          atomic_load_explicit(&e->sent_home, memory_order_relaxed) + 1,
                          memory_order_release);
}

void endpoint_wake_one(struct endpoint *e)
{
    if (atomic_load_explicit(&e->sleepers, memory_order_relaxed) == 0)
        return;
    atomic_fetch_add_explicit(&e->wake_sequence, 1, memory_order_release);
    wake(&e->wake_sequence, 1);
}

void endpoint_wake_senders(struct endpoint *e)
{
    atomic_fetch_add_explicit(&e->send.wake_sequence, 1, memory_order_release);
    wake(&e->send.wake_sequence, INT_MAX);
}

void endpoint_senders_may_look(struct endpoint *e)
{
    atomic_fetch_add_explicit(&e->send.wake_sequence, 1, memory_order_release);
    full_fence(); /* the sequence above before `sleepers` below: who sleeps later sees it (F6) */
    if (atomic_load_explicit(&e->send.sleepers, memory_order_relaxed) != 0)
        wake(&e->send.wake_sequence, INT_MAX);
}

void endpoint_wake_all(struct endpoint *e)
{
    atomic_fetch_add_explicit(&e->wake_sequence, 1, memory_order_release);
    wake(&e->wake_sequence, INT_MAX);
}
