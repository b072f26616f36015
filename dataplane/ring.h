/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RING_H
#define WIRERX_RING_H

#include <rte_ring.h>
#include <stdbool.h>

/**
 * A ring from one thread to one other, without a name: DPDK's table of named memory zones is small. Free it
 * with rte_free().
 * @param slots         entries that it holds at the least
 * @param element_size  bytes of one
 * @return NULL when memory is short
 */
struct rte_ring *ring_create(unsigned slots, unsigned element_size, int numa_node);

/** Is anything in the ring? Asked by its consumer. (rte_ring_empty() reads what the other thread writes as if
 *  nobody did.) */
static inline bool ring_has_any(const struct rte_ring *ring)
{
    return __atomic_load_n(&ring->prod.tail, __ATOMIC_RELAXED) != ring->cons.tail;
}

#endif
