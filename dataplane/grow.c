/* SPDX-License-Identifier: BSD-3-Clause */

/* A socket's store becomes larger, and small again: the lcore's side (socket_store.h). */

#include <rte_cycles.h>

#include "lcore.h"
#include "way_home.h"

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

/* The consumer may still be in it. */
static void leave(struct endpoint *e, struct socket_store *store)
{
    store->next = e->lcore.left;
    e->lcore.left = store;
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
    e->lcore.busy_at = rte_rdtsc();
    if (from != e->own)
        leave(e, from);
    counter_add(&lcore->own_counters, COUNTER_RINGS_GROWN, 1);
    return true;
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

/* Under LOCK no element is in the consumer's hand, so none is read in a store that it is taken out of (G3). */
static void leave_all_but(struct lcore *lcore, struct endpoint *e, struct socket_store *store)
{
    endpoint_move(e, store);
    while (e->lcore.left != NULL) {
        struct socket_store *left = e->lcore.left;

        e->lcore.left = left->next;
        lcore->service_called |= store_stock_give_back(&lcore->stock, left);
    }
}

void lcore_shrink(struct lcore *lcore, struct endpoint *e)
{
    struct socket_store *from = current_of(e);

    way_home_look(e, lcore->look_after); /* what is behind the head need not come along */
    if (from != e->own && endpoint_staged(e) - e->lcore.cached_head <= e->own->slots) {
        switch_to(e, e->own);
        leave(e, from);
        counter_add(&lcore->own_counters, COUNTER_RINGS_SHRUNK, 1);
    }
    leave_all_but(lcore, e, current_of(e));
}

static bool is_quiet(const struct lcore *lcore, struct endpoint *e, uint64_t now)
{
    uint32_t queued = endpoint_staged(e) - atomic_load_explicit(&e->head, memory_order_relaxed);

    if (queued > e->own->slots / QUIET_DIVISOR)
        e->lcore.busy_at = now;
    return (int64_t)(now - e->lcore.busy_at) >= (int64_t)lcore->quiet_cycles;
}

void lcore_tidy_stores(struct lcore *lcore, struct endpoint *e, uint64_t now)
{
    bool quiet = is_quiet(lcore, e, now);

    if ((!quiet && e->lcore.left == NULL) || !try_lock(e))
        return;
    if (quiet)
        lcore_shrink(lcore, e);
    else
        leave_all_but(lcore, e, current_of(e));
    lock_word_release_from_lcore(&e->word, false);
}
