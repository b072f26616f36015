/* SPDX-License-Identifier: BSD-3-Clause */

/* A socket's store becomes larger, and small again: the lcore's side (socket_store.h). */

#include <rte_cycles.h>

#include "lcore.h"
#include "pool.h"

/** A store has held little when no look at it has found more than this part of the socket's own. */
#define QUIET_DIVISOR 4u

static struct socket_store *current_of(const struct endpoint *e)
{
    return atomic_load_explicit(&e->store, memory_order_relaxed);
}

/* From the home lcore's side. The elements of the old store are left as they are: they may be read. */
static void switch_to(struct endpoint *e, struct socket_store *to)
{
    const struct socket_store *from = current_of(e);
    uint32_t staged = endpoint_staged(e);

    for (uint32_t at = e->lcore.cached_head; at != staged; at++)
        to->ring[at & (to->slots - 1)] = from->ring[at & (from->slots - 1)];
    e->lcore.ring = to->ring;
    e->lcore.mask = to->slots - 1;
    e->lcore.grown = to != e->own;
    /* Release: the elements above (G1). */
    atomic_store_explicit(&e->store, to, memory_order_release);
}

/* One that is large enough and at hand. The next grade first, a larger one for want of it. */
static struct socket_store *take_larger(struct lcore *lcore, const struct socket_store *than)
{
    struct socket_store *store = NULL;

    for (unsigned grade = than->grade + 1; grade < STORE_GRADES && store == NULL; grade++) {
        store = store_stock_take(&lcore->stock, grade);
        if (store == NULL)
            store_stock_was_empty(&lcore->stock, grade);
    }
    lcore->service_called |= store_stock_order(&lcore->stock);
    return store;
}

bool lcore_grow(struct lcore *lcore, struct endpoint *e)
{
    struct socket_store *from = current_of(e), *to;

    if (from->slots >= e->slots)
        return false;
    to = take_larger(lcore, from);
    if (to == NULL) {
        counter_add(&lcore->own_counters, COUNTER_RING_NOT_GROWN, 1);
        return false;
    }
    switch_to(e, to);
    e->lcore.unsettled = true;
    e->lcore.busy_at = rte_rdtsc();
    if (from != e->own) {
        from->next = e->lcore.left;
        e->lcore.left = from;
    }
    counter_add(&lcore->own_counters, COUNTER_RINGS_GROWN, 1);
    return true;
}

unsigned lcore_take_home(struct socket_store *store)
{
    struct rte_mbuf **mbufs;
    unsigned total = 0, count;

    while ((count = way_home_front(&store->home, &mbufs, ENDPOINT_RETURN_BATCH)) != 0) {
        pool_put_tagged(mbufs, count);
        way_home_taken(&store->home, count);
        total += count;
    }
    return total;
}

bool lcore_settle(struct lcore *lcore, struct endpoint *e)
{
    /* Before the looks below: what it says has been put on a way home is found there (G4). */
    bool settled = atomic_load_explicit(&e->moved_to, memory_order_acquire) == current_of(e);
    unsigned count = lcore_take_home(e->own);

    for (struct socket_store *store = e->lcore.left; store != NULL; store = store->next)
        count += lcore_take_home(store);
    if (current_of(e) != e->own)
        count += lcore_take_home(current_of(e));
    if (settled) {
        e->lcore.unsettled = false;
        while (e->lcore.left != NULL) {
            struct socket_store *store = e->lcore.left;

            e->lcore.left = store->next;
            lcore->service_called |= store_stock_give_back(&lcore->stock, store);
        }
    }
    return count != 0;
}

/* LOCK, if nobody holds it or wants it and the handle is not about to end. It leaves no AGAIN: nothing is
 * owed. */
static bool try_lock(struct endpoint *e)
{
    uint64_t word = atomic_load_explicit(&e->word, memory_order_relaxed);

    return (word & ~LOCK_WORD_GENERATION_MASK) == 0 && (lock_word_generation(word) & 1) != 0 &&
           atomic_compare_exchange_strong_explicit(&e->word, &word, word | LOCK_WORD_LOCK,
                                                   memory_order_acquire, memory_order_relaxed);
}

void lcore_shrink(struct lcore *lcore, struct endpoint *e)
{
    struct socket_store *from = current_of(e);

    e->lcore.cached_head = atomic_load_explicit(&e->head, memory_order_relaxed);
    if (from == e->own || endpoint_staged(e) - e->lcore.cached_head > e->own->slots)
        return;
    /* The consumer's side, which is ours now, has no element in its hand. */
    switch_to(e, e->own);
    endpoint_move(e, e->own);
    endpoint_flush_returns(e);
    from->next = e->lcore.left;
    e->lcore.left = from;
    lcore_settle(lcore, e);
    counter_add(&lcore->own_counters, COUNTER_RINGS_SHRUNK, 1);
}

void lcore_shrink_if_quiet(struct lcore *lcore, struct endpoint *e, uint64_t now)
{
    uint32_t queued = endpoint_staged(e) - atomic_load_explicit(&e->head, memory_order_relaxed);

    if (queued > e->own->slots / QUIET_DIVISOR) {
        e->lcore.busy_at = now;
        return;
    }
    if ((int64_t)(now - e->lcore.busy_at) < (int64_t)lcore->quiet_cycles || !try_lock(e))
        return;
    lcore_shrink(lcore, e);
    lock_word_release_from_lcore(&e->word, false);
}
