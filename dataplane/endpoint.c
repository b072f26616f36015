/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint.h"

#include <limits.h>
#include <string.h>

#include "fence.h"
#include "pool.h"
#include "wake.h"

void endpoint_move(struct endpoint *e, struct socket_store *store)
{
    e->from = store;
    e->ring = store->ring;
    e->mask = store->slots - 1;
    e->return_batch = RTE_MIN(e->most_returns, (store->home.mask + 1) / 2);
}

/* As many as there is room for. @return how many are left */
static unsigned put_on_way_home(struct endpoint *e)
{
    unsigned count = atomic_load_explicit(&e->return_count, memory_order_relaxed);
    struct socket_store *store = e->from;
    unsigned sent = way_home_room(&store->home, count);

    pool_tag(e->returning, sent);
    way_home_put(&store->home, e->returning, sent);
    count -= sent;
    if (unlikely(count != 0))
        memmove(e->returning, e->returning + sent, count * sizeof(void *));
    atomic_store_explicit(&e->return_count, count, memory_order_relaxed);
    if (unlikely(atomic_load_explicit(&e->moved_to, memory_order_relaxed) != store))
        /* Release: the older store has been read, and its way home holds all that it was given (G3). */
        atomic_store_explicit(&e->moved_to, store, memory_order_release);
    /* Release: whoever sees it finds them. */
    atomic_store_explicit(&e->sent_home,
                          atomic_load_explicit(&e->sent_home, memory_order_relaxed) + 1,
                          memory_order_release);
    return count;
}

/* A way home has room for what its ring holds. More can be under way only when the lcore has not looked for
 * as long as it takes to consume a ring twice, or when datagrams are of many segments; it is given a larger
 * store for that (lcore.c). */
static void put_in_pool(struct endpoint *e, unsigned count)
{
    atomic_store_explicit(&e->return_count, 0, memory_order_relaxed);
    pool_tag(e->returning, count);
    pool_put_tagged(e->returning, count);
}

void endpoint_flush_returns(struct endpoint *e)
{
    unsigned left;

    if (atomic_load_explicit(&e->return_count, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&e->moved_to, memory_order_relaxed) == e->from)
        return;
    left = put_on_way_home(e);
    if (unlikely(left != 0))
        put_in_pool(e, left);
}

void endpoint_send_home(struct endpoint *e)
{
    unsigned left = put_on_way_home(e);

    if (unlikely(left == ENDPOINT_RETURN_BATCH))
        put_in_pool(e, left);
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
