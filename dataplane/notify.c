/* SPDX-License-Identifier: BSD-3-Clause */

/* The lcore's side of completing receives: publication, fence F1, the single attempt at the lock,
 * the ready list (rules R2, R3 of lock_word.h), and the budget of wake-ups. */

#include <rte_ring_elem.h>

#include "fence.h"
#include "lcore.h"

static void add_ready(struct lcore *lcore, struct endpoint *e)
{
    if (e->lcore.ready)
        return;
    e->lcore.ready = true;
    e->lcore.ready_next = lcore->ready;
    lcore->ready = e;
}

static void ask_service_thread(struct lcore *lcore, struct endpoint *e)
{
    /* The flag is cleared before the ring is looked at, so nothing published before is missed. */
    if (atomic_exchange_explicit(&e->serve_queued, true, memory_order_acq_rel))
        return;
    rte_ring_sp_enqueue(lcore->services, e);
    lcore->service_called = true;
}

/* Has this pass copied enough? Frames that wait for the next burst are others' datagrams. */
static bool has_served_enough(const struct lcore *lcore)
{
    return lcore->served_bytes >= LCORE_SERVE_BYTES_PER_PASS;
}

/* One attempt at a socket that has posted receives. Returns true when a service is still owed. */
static bool attempt(struct lcore *lcore, struct endpoint *e)
{
    if (lcore->operations->on_service_thread()) {
        ask_service_thread(lcore, e);
        return false;
    }
    if (!lock_word_try_from_lcore(&e->word)) {
        counter_add(&lcore->own_counters, COUNTER_AGAIN_LEFT, 1);
        return true;
    }
    if (unlikely(has_served_enough(lcore))) {
        lock_word_release_from_lcore(&e->word, true); /* R3, with no completion */
        return true;
    }
    counter_add(&lcore->own_counters, COUNTER_COMPLETIONS, 1);
    uint64_t before = atomic_load_explicit(&e->bytes_consumed, memory_order_relaxed);
    bool more = lcore->operations->serve(e);
    /* LOCK is released: a client may have consumed as well, which makes it too much, never too little. */
    lcore->served_bytes += atomic_load_explicit(&e->bytes_consumed, memory_order_relaxed) - before;
    return more;
}

void lcore_owe_service(struct lcore *lcore, struct endpoint *e)
{
    if (attempt(lcore, e))
        add_ready(lcore, e);
}

void lcore_notify(struct lcore *lcore)
{
    uint32_t count = lcore->touched_count;

    /* Release: the elements and the frames' private areas are visible with the new tail. */
    for (uint32_t i = 0; i < count; i++) {
        struct endpoint *e = lcore->touched[i];

        atomic_store_explicit(&e->tail, endpoint_staged(e), memory_order_release);
    }

    full_fence(); /* F1: the tails above before `posted` and `sleepers` below */

    lcore->touched_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct endpoint *e = lcore->touched[i];

        e->lcore.touched = false;
        if (atomic_load_explicit(&e->posted, memory_order_relaxed) != 0)
            lcore_owe_service(lcore, e);
        if (unlikely(atomic_load_explicit(&e->sleepers, memory_order_relaxed) != 0))
            endpoint_wake_one(e);
    }
}

unsigned lcore_serve_ready(struct lcore *lcore)
{
    struct endpoint *e = lcore->ready;
    unsigned kept = 0;

    lcore->ready = NULL;
    while (e != NULL) {
        struct endpoint *next = e->lcore.ready_next;
        uint64_t word = atomic_load_explicit(&e->word, memory_order_acquire);
        bool owed;

        e->lcore.ready = false;
        if (word & LOCK_WORD_LOCK)
            owed = true; /* the holder serves, or leaves AGAIN */
        else if (!(word & LOCK_WORD_AGAIN))
            owed = false; /* it has served */
        else if (has_served_enough(lcore))
            owed = true; /* AGAIN stays: the next pass */
        else
            owed = attempt(lcore, e);
        if (owed) {
            add_ready(lcore, e);
            kept++;
        }
        e = next;
    }
    return kept;
}

bool lcore_may_call(struct wake_sink *sink)
{
    struct lcore *lcore = container_of(sink, struct lcore, sink);

    if (lcore->wakes_left == 0)
        return false;
    lcore->wakes_left--;
    counter_add(&lcore->own_counters, COUNTER_WAKEUPS, 1);
    return true;
}

static void call_service_for_wake(struct lcore *lcore)
{
    counter_add(&lcore->own_counters, COUNTER_WAKEUPS_DEFERRED, 1);
    lcore->service_called = true;
}

bool lcore_defer_wake(struct wake_sink *sink, _Atomic uint32_t *word, int count)
{
    struct lcore *lcore = container_of(sink, struct lcore, sink);
    struct deferred_wake deferred = {word, (uint64_t)count};

    if (lcore_may_call(sink))
        return false;
    if (rte_ring_sp_enqueue_elem(lcore->wakes, &deferred, sizeof deferred) != 0) {
        counter_add(&lcore->own_counters, COUNTER_WAKEUPS, 1);
        return false;
    }
    call_service_for_wake(lcore);
    return true;
}

void lcore_hand_over(struct wake_sink *sink, struct wake_errand *errand)
{
    struct lcore *lcore = container_of(sink, struct lcore, sink);

    errand->next = atomic_load_explicit(&lcore->errands, memory_order_relaxed);
    /* Release: the errand, and what it is about, before the service thread finds it. It fails only
     * when the service thread has just emptied the stack. */
    while (!atomic_compare_exchange_weak_explicit(&lcore->errands, &errand->next, errand,
                                                  memory_order_release, memory_order_relaxed))
        continue;
    call_service_for_wake(lcore);
}
