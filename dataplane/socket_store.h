/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SOCKET_STORE_H
#define WIRERX_SOCKET_STORE_H

/**
 * @file
 * What a socket's datagrams lie in: a ring of elements, and the way home of their buffers. Stores come in
 * STORE_GRADES sizes. A socket is opened with a small one of its own, which it keeps until it is closed;
 * `sockets.ring-slots` is what it may grow to.
 *
 * Growing (grow.c). When the ring is full, the home lcore takes a larger store from its stock, copies the
 * elements that are not consumed to the same places (an element's index counts on, so it is found by the
 * new mask as by the old), and goes on in the new one. An lcore allocates nothing: the service thread keeps
 * the stock filled. What finds the stock empty is lost as in a full ring, and counted (ring_not_grown).
 *
 *   G1 The lcore publishes the store (release) before any tail behind what the old one holds, and writes
 *      nothing into an old store any more.
 *   G2 The consumer loads the store (acquire) after the tail that it looks at. Until it looks again it
 *      goes on in the old store, where everything up to the tail that it knows still is.
 *   G3 The consumer tells the lcore where it is (`moved_to`, release) when it has put its last buffer on the
 *      old way home, and has read its last element there: that is when it sends home the next buffers.
 *   G4 Only when it is told of the store that it has published last does the lcore empty the older ones'
 *      ways home, and only then can they be another socket's. So a store is published again only after the
 *      consumer has left it.
 *
 * Shrinking. A store that has held little for STORE_QUIET_SECONDS goes back: under LOCK, which the lcore
 * tries to take and does without when anybody holds it, it stands in for the consumer and moves both sides
 * to the socket's own store.
 *
 * tests/model/growth.pml is this in Promela: each of these orders taken away is caught there.
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "socket_ring.h"

/** Sizes of stores: a socket's own, and two that are lent to it. */
#define STORE_GRADES 3u

/** Slots of a socket's own, unless more buffers are guaranteed to it. */
#define STORE_OWN_SLOTS 64u

/** How long a store must have held little before it goes back. */
#define STORE_QUIET_SECONDS 1u

/**
 * Buffers on their way home: one producer, the consumer of the ring, and one consumer, the lcore. Each has
 * a line. All slots can be used.
 */
struct way_home {
    _Atomic uint32_t tail __rte_cache_aligned; /**< put in; the client's */
    uint32_t known_head;                       /**< the client's look at `head` */
    uint32_t mask;
    struct rte_mbuf **slots;
    _Atomic uint32_t head __rte_cache_aligned; /**< taken out; the lcore's */
};

struct socket_store {
    struct socket_store *next; /**< in a stock, or behind a younger one of its socket */
    uint32_t slots;            /**< a power of two */
    uint32_t grade;
    uint32_t bytes; /**< of the allocation */
    struct ring_element *ring;
    struct way_home home;
} __rte_cache_aligned;

/** Slots of each grade, for a configuration; STORE_GRADES of them, the last ones may be equal. */
void socket_store_sizes(uint32_t ring_slots, uint32_t min_buffers, uint32_t slots[STORE_GRADES]);

/** Bytes of a store with so many slots. The way home has room for what the ring holds, in a store that is
 *  lent for twice that: a lent one serves who reads in bursts. */
uint32_t socket_store_bytes(uint32_t slots, uint32_t grade);

/** @return NULL: memory is short. Not on an lcore. */
struct socket_store *socket_store_create(uint32_t slots, uint32_t grade, int numa_node);

/** The store and those behind it. Not on an lcore. */
void socket_store_free_all(struct socket_store *store);

/** Put buffers in that way_home_room() has found room for. Under LOCK. */
static inline void way_home_put(struct way_home *home, struct rte_mbuf *const *mbufs,
                                unsigned count)
{
    uint32_t tail = atomic_load_explicit(&home->tail, memory_order_relaxed);

    uint32_t at = tail & home->mask;
    unsigned first = RTE_MIN(count, home->mask + 1 - at);

    memcpy(&home->slots[at], mbufs, first * sizeof(void *));
    memcpy(home->slots, mbufs + first, (count - first) * sizeof(void *));
    /* Release: the slots above. */
    atomic_store_explicit(&home->tail, tail + count, memory_order_release);
}

/** How many of `count` it has room for. Under LOCK. */
static inline unsigned way_home_room(struct way_home *home, unsigned count)
{
    uint32_t tail = atomic_load_explicit(&home->tail, memory_order_relaxed);

    if (unlikely(home->mask + 1 - (tail - home->known_head) < count))
        /* Acquire: the lcore has read the slots before they are written again. */
        home->known_head = atomic_load_explicit(&home->head, memory_order_acquire);
    return RTE_MIN(count, home->mask + 1 - (tail - home->known_head));
}

/** The first buffers that are there, one behind the other. On the lcore. @return how many, at most `most` */
static inline unsigned way_home_front(struct way_home *home, struct rte_mbuf ***mbufs,
                                      unsigned most)
{
    uint32_t head = atomic_load_explicit(&home->head, memory_order_relaxed);
    uint32_t count = atomic_load_explicit(&home->tail, memory_order_acquire) - head;
    uint32_t at = head & home->mask;

    *mbufs = &home->slots[at];
    return RTE_MIN(RTE_MIN(count, most), home->mask + 1 - at);
}

/** They have been read. On the lcore. */
static inline void way_home_taken(struct way_home *home, unsigned count)
{
    atomic_store_explicit(&home->head,
                          atomic_load_explicit(&home->head, memory_order_relaxed) + count,
                          memory_order_release);
}

#endif
