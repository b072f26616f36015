/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_POOL_H
#define WIRERX_POOL_H

/**
 * @file
 * Packet buffers: one pool per NUMA node that has a device. All have the private area that rx_meta
 * needs.
 */

#include <rte_mbuf.h>
#include <stdint.h>

/**
 * @param room  bytes of a frame that one buffer holds
 * @return the node's pool, created with `buffers` on first request; NULL when memory is short.
 */
struct rte_mempool *pool_for_node(int numa_node, unsigned buffers, unsigned room);

/** A pool for buffers that no device fills: the node's if it has one. NULL: there is no pool. */
struct rte_mempool *pool_near_node(int numa_node);

/** Free every pool. Nothing may be in flight. @return buffers that were missing: a leak. */
unsigned pool_destroy_all(void);

/** Is this mbuf from one of our pools? */
int pool_is_ours(const struct rte_mbuf *mbuf);

/**
 * Put back buffers that nobody has a reference to any more. Unread, where there is but one pool. Fast on an
 * lcore, which has a mempool cache; no client's thread does it while lcores poll.
 */
void pool_put(struct rte_mbuf **mbufs, unsigned count);

/** Buffers that are free now, in all pools, without other lcores' caches. Cheap. */
unsigned pool_free_count(unsigned lcore_id);

/** Buffers in all pools. */
unsigned pool_total(void);

#endif
