/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_stock.h"

#include <string.h>

/* Is there anything of this grade that the one below is not? */
static bool is_a_size(const struct store_stock *stock, unsigned grade)
{
    return stock->slots[grade] > stock->slots[grade - 1];
}

int store_stock_create(struct store_stock *stock, uint32_t ring_slots, uint32_t min_buffers,
                       uint32_t sockets, int numa_node, uint64_t tsc_hz)
{
    memset(stock, 0, sizeof *stock);
    socket_store_sizes(ring_slots, min_buffers, stock->slots);
    stock->most = sockets;
    stock->numa_node = numa_node;
    stock->review_cycles = STOCK_REVIEW_SECONDS * tsc_hz;
    for (unsigned grade = 1; grade < STORE_GRADES; grade++)
        if (is_a_size(stock, grade))
            stock->target[grade] = RTE_MIN(STOCK_LEAST(grade), sockets);
    store_stock_order(stock);
    store_stock_serve(stock);
    for (unsigned grade = 1; grade < STORE_GRADES; grade++)
        if (stock->given[grade] != stock->target[grade])
            return -1;
    return 0;
}

static void push(_Atomic(struct socket_store *) *stack, struct socket_store *store)
{
    store->next = atomic_load_explicit(stack, memory_order_relaxed);
    /* Release: all that was done to the store. It fails only when the other side has just taken all. */
    while (!atomic_compare_exchange_weak_explicit(stack, &store->next, store, memory_order_release,
                                                  memory_order_relaxed))
        continue;
}

static struct socket_store *take_all(_Atomic(struct socket_store *) *stack)
{
    if (atomic_load_explicit(stack, memory_order_relaxed) == NULL)
        return NULL;
    return atomic_exchange_explicit(stack, NULL, memory_order_acquire);
}

void store_stock_destroy(struct store_stock *stock)
{
    for (unsigned grade = 1; grade < STORE_GRADES; grade++) {
        socket_store_free_all(take_all(&stock->made[grade]));
        socket_store_free_all(stock->at_hand[grade]);
        stock->at_hand[grade] = NULL;
        stock->count[grade] = 0;
    }
    socket_store_free_all(take_all(&stock->surplus));
    atomic_store_explicit(&stock->bytes, 0, memory_order_relaxed);
}

static void collect(struct store_stock *stock, unsigned grade)
{
    struct socket_store *store = take_all(&stock->made[grade]);

    while (store != NULL) {
        struct socket_store *next = store->next;

        store->next = stock->at_hand[grade];
        stock->at_hand[grade] = store;
        stock->count[grade]++;
        stock->expected[grade]--;
        stock->was_empty[grade] = false;
        store = next;
    }
}

struct socket_store *store_stock_take(struct store_stock *stock, unsigned grade)
{
    if (stock->at_hand[grade] == NULL)
        collect(stock, grade);
    struct socket_store *store = stock->at_hand[grade];
    if (store == NULL)
        return NULL;
    stock->at_hand[grade] = store->next;
    stock->count[grade]--;
    atomic_fetch_sub_explicit(&stock->bytes, store->bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&stock->lent_bytes, store->bytes, memory_order_relaxed);
    return store;
}

void store_stock_was_empty(struct store_stock *stock, unsigned grade)
{
    if (stock->was_empty[grade] || stock->target[grade] == 0)
        return; /* not for each datagram that finds it so: more are on their way */
    stock->was_empty[grade] = stock->was_short[grade] = true;
    stock->target[grade] = RTE_MIN(stock->target[grade] * 2, stock->most);
}

bool store_stock_give_back(struct store_stock *stock, struct socket_store *store)
{
    unsigned grade = store->grade;

    atomic_fetch_sub_explicit(&stock->lent_bytes, store->bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&stock->bytes, store->bytes, memory_order_relaxed);
    if (stock->count[grade] >= stock->target[grade]) {
        push(&stock->surplus, store);
        return true;
    }
    store->next = stock->at_hand[grade];
    stock->at_hand[grade] = store;
    stock->count[grade]++;
    return false;
}

bool store_stock_review(struct store_stock *stock, uint64_t now)
{
    bool any = false;

    stock->next_review = now + stock->review_cycles;
    for (unsigned grade = 1; grade < STORE_GRADES; grade++) {
        uint32_t least = RTE_MIN(STOCK_LEAST(grade), stock->most);

        if (!stock->was_short[grade] && stock->target[grade] > least)
            stock->target[grade] = RTE_MAX(stock->target[grade] / 2, least);
        stock->was_short[grade] = false;
        for (unsigned i = 0; i < STOCK_REVIEW_STORES; i++) {
            if (stock->count[grade] <= stock->target[grade])
                break;
            struct socket_store *store = stock->at_hand[grade];

            stock->at_hand[grade] = store->next;
            stock->count[grade]--;
            push(&stock->surplus, store);
            any = true;
        }
    }
    return any;
}

bool store_stock_order(struct store_stock *stock)
{
    bool any = false;

    for (unsigned grade = 1; grade < STORE_GRADES; grade++) {
        uint32_t have = stock->count[grade] + stock->expected[grade];

        if (have > stock->target[grade] / 2 || have == stock->target[grade])
            continue;
        uint32_t more = stock->target[grade] - have;
        stock->expected[grade] += more;
        atomic_fetch_add_explicit(&stock->ordered[grade], more, memory_order_relaxed);
        any = true;
    }
    return any;
}

void store_stock_serve(struct store_stock *stock)
{
    for (unsigned grade = 1; grade < STORE_GRADES; grade++)
        while (stock->given[grade] !=
               atomic_load_explicit(&stock->ordered[grade], memory_order_relaxed)) {
            struct socket_store *store =
                socket_store_create(stock->slots[grade], grade, stock->numa_node);

            if (store == NULL)
                break; /* memory is short: perhaps next time */
            atomic_fetch_add_explicit(&stock->bytes, store->bytes, memory_order_relaxed);
            push(&stock->made[grade], store);
            stock->given[grade]++;
        }
    struct socket_store *surplus = take_all(&stock->surplus);
    for (const struct socket_store *store = surplus; store != NULL; store = store->next)
        atomic_fetch_sub_explicit(&stock->bytes, store->bytes, memory_order_relaxed);
    socket_store_free_all(surplus);
}
