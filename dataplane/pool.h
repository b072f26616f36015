/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_POOL_H
#define WIRERX_POOL_H

/**
 * @file
 * Packet buffers: one pool per NUMA node that has a device. All have the private area that rx_meta
 * needs. Buffers on their way home carry their pool's index in the pointer's low bits, so that the
 * lcore can put them back without reading them.
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

/** Replace each pointer by one that names its pool. Any thread. */
void pool_tag(struct rte_mbuf **mbufs, unsigned count);

/**
 * Put tagged pointers back, unread. Fast on an lcore, which has a mempool cache; a client thread
 * does it only where nobody polls any more.
 */
void pool_put_tagged(struct rte_mbuf **mbufs, unsigned count);

/** Buffers that are free now, in all pools, without other lcores' caches. Cheap. */
unsigned pool_free_count(unsigned lcore_id);

/** Buffers in all pools. */
unsigned pool_total(void);

#endif
