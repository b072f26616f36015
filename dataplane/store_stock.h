/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_STORE_STOCK_H
#define WIRERX_STORE_STOCK_H

/**
 * @file
 * An lcore's stock of larger stores (socket_store.h), for its sockets whose ring is full. The lcore takes,
 * gives back and orders; the service thread makes what is ordered, and frees what is too much. A stock that
 * was found empty is made twice as large, and one that was not for STOCK_REVIEW_SECONDS half as large.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "socket_store.h"

/** The least that a stock has, of each grade that is lent: 2.5 MiB in all with the default ring. As many
 *  sockets can fill their own store in one burst, all members of one group perhaps, and lose nothing. */
#define STOCK_LEAST(grade) ((grade) == 1 ? 256u : 8u)

#define STOCK_REVIEW_SECONDS 10u

/** Stores that one review gives to the service thread. */
#define STOCK_REVIEW_STORES 256u

struct store_stock {
    /* --- the lcore's ---------------------------------------------------------------------------------- */
    struct socket_store *at_hand[STORE_GRADES];
    uint32_t count[STORE_GRADES];
    uint32_t expected[STORE_GRADES]; /**< ordered, and not at hand yet */
    uint32_t target[STORE_GRADES];
    bool was_empty[STORE_GRADES]; /**< since stores last arrived */
    bool was_short[STORE_GRADES]; /**< empty at some time since the last review */
    uint64_t next_review;         /**< time-stamp counter */
    uint64_t review_cycles;
    uint32_t most; /**< of one grade: the sockets there may be */
    uint32_t slots[STORE_GRADES];
    int numa_node;
    /* --- between both --------------------------------------------------------------------------------- */
    _Atomic uint32_t ordered[STORE_GRADES];            /**< ever, modulo 2^32; by the lcore */
    _Atomic(struct socket_store *) made[STORE_GRADES]; /**< a stack: pushed by the service thread */
    _Atomic(struct socket_store *) surplus;            /**< a stack: pushed by the lcore */
    _Atomic uint64_t bytes;      /**< in the stock, wherever; any thread may look */
    _Atomic uint64_t lent_bytes; /**< with sockets */
    /* --- the service thread's ------------------------------------------------------------------------- */
    uint32_t given[STORE_GRADES]; /**< ever, modulo 2^32 */
};

/** Before the lcore runs. @return 0, or -1 when memory is short */
int store_stock_create(struct store_stock *stock, uint32_t ring_slots, uint32_t min_buffers,
                       uint32_t sockets, int numa_node, uint64_t tsc_hz);

/** The lcore runs no more. */
void store_stock_destroy(struct store_stock *stock);

/** Take one of the grade; NULL: there is none. On the lcore. Look at store_stock_order() next. */
struct socket_store *store_stock_take(struct store_stock *stock, unsigned grade);

/** There was none of the grade: keep more of them. On the lcore. */
void store_stock_was_empty(struct store_stock *stock, unsigned grade);

/** Give one back that nobody reads any more. On the lcore. @return true: tell the service thread */
bool store_stock_give_back(struct store_stock *stock, struct socket_store *store);

/** Is it time for store_stock_review()? Asked in every pass. */
static inline bool store_stock_is_due(const struct store_stock *stock, uint64_t now)
{
    return (int64_t)(now - stock->next_review) > 0;
}

/** Have less where that was enough lately. On the lcore. @return true: tell the service thread */
bool store_stock_review(struct store_stock *stock, uint64_t now);

/** Order what is missing, when half is. On the lcore. @return true: tell the service thread */
bool store_stock_order(struct store_stock *stock);

/** Make what is ordered, free what is too much. On the service thread. */
void store_stock_serve(struct store_stock *stock);

#endif
