/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint.h"

#include <limits.h>

#include "fence.h"
#include "wake.h"

void endpoint_move(struct endpoint *e, struct socket_store *store)
{
    e->from = store;
    e->ring = store->ring;
    e->mask = store->slots - 1;
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
