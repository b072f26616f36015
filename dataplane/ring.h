/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RING_H
#define WIRERX_RING_H

#include <rte_ring.h>

/**
 * A ring from one thread to one other, without a name: DPDK's table of named memory zones is small. Free it
 * with rte_free().
 * @param slots         entries that it holds at the least
 * @param element_size  bytes of one
 * @return NULL when memory is short
 */
struct rte_ring *ring_create(unsigned slots, unsigned element_size, int numa_node);

#endif
