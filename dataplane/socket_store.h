/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SOCKET_STORE_H
#define WIRERX_SOCKET_STORE_H

/**
 * @file
 * What a socket's datagrams lie in: a ring of elements. Stores come in
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
 *   G3 Only under LOCK, which the lcore tries to take and does without when anybody holds it, are older
 *      stores given back: the lcore stands in for the consumer then, which has no element in its hand, and
 *      takes it into the store that it has published last.
 *
 * Shrinking. A store that has held little for STORE_QUIET_SECONDS goes back in the same way: the lcore moves
 * both sides to the socket's own store.
 *
 * tests/model/growth.pml is this in Promela: each of these orders taken away is caught there.
 */

#include <rte_common.h>
#include <stdint.h>

#include "socket_ring.h"

/** Sizes of stores: a socket's own, and two that are lent to it. */
#define STORE_GRADES 3u

/** Slots of a socket's own, unless more buffers are guaranteed to it. */
#define STORE_OWN_SLOTS 64u

/** How long a store must have held little before it goes back. */
#define STORE_QUIET_SECONDS 1u

struct socket_store {
    struct socket_store *next; /**< in a stock, or behind a younger one of its socket */
    uint32_t slots;            /**< a power of two */
    uint32_t grade;
    uint32_t bytes; /**< of the allocation */
    struct ring_element *ring;
} __rte_cache_aligned;

/** Slots of each grade, for a configuration; STORE_GRADES of them, the last ones may be equal. */
void socket_store_sizes(uint32_t ring_slots, uint32_t min_buffers, uint32_t slots[STORE_GRADES]);

/** Elements behind the last one, without a meaning: who fetches ahead need not look where the ring ends. */
#define STORE_SLACK 4u

/** Bytes of a store with so many slots. */
uint32_t socket_store_bytes(uint32_t slots);

/** @return NULL: memory is short. Not on an lcore. */
struct socket_store *socket_store_create(uint32_t slots, uint32_t grade, int numa_node);

/** The store and those behind it. Not on an lcore. */
void socket_store_free_all(struct socket_store *store);

#endif
