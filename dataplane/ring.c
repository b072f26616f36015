/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_ring_elem.h>

struct rte_ring *ring_create(unsigned slots, unsigned element_size, int numa_node)
{
    unsigned size = rte_align32pow2(slots + 1);
    ssize_t bytes = rte_ring_get_memsize_elem(element_size, size);
    struct rte_ring *ring =
        rte_zmalloc_socket("ring", (size_t)bytes, RTE_CACHE_LINE_SIZE, numa_node);

    if (ring != NULL)
        rte_ring_init(ring, "wirerx", size, RING_F_SP_ENQ | RING_F_SC_DEQ);
    return ring;
}
