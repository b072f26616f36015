/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <rte_errno.h>
#include <rte_lcore.h>
#include <stdio.h>

#include "config.h"
#include "endpoint.h"

#define MAX_POOLS 8u
_Static_assert(MAX_POOLS <= ENDPOINT_POOL_TAG_MASK + 1, "a pool's index must fit in the tag");

static struct rte_mempool *pools[MAX_POOLS];
static int nodes[MAX_POOLS];
static unsigned pools_count;

struct rte_mempool *pool_for_node(int numa_node, unsigned buffers, unsigned room)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    for (unsigned i = 0; i < pools_count; i++)
        if (nodes[i] == numa_node)
            return pools[i];
    if (pools_count == MAX_POOLS)
        return NULL;
    snprintf(name, sizeof name, "wirerx_pool_%u", pools_count);
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create(name, buffers, CONFIG_POOL_CACHE, RX_META_PRIVATE_SIZE,
                                (uint16_t)(RTE_PKTMBUF_HEADROOM + room), numa_node);
    if (pool == NULL)
        return NULL;
    nodes[pools_count] = numa_node;
    pools[pools_count++] = pool;
    return pool;
}

struct rte_mempool *pool_near_node(int numa_node)
{
    for (unsigned i = 0; i < pools_count; i++)
        if (nodes[i] == numa_node)
            return pools[i];
    return pools_count != 0 ? pools[0] : NULL;
}

unsigned pool_destroy_all(void)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < pools_count; i++) {
        missing += rte_mempool_in_use_count(pools[i]);
        rte_mempool_free(pools[i]);
        pools[i] = NULL;
    }
    pools_count = 0;
    return missing;
}

static unsigned index_of(const struct rte_mempool *pool)
{
    unsigned i = 0;

    while (i < pools_count && pools[i] != pool)
        i++;
    return i;
}

int pool_is_ours(const struct rte_mbuf *mbuf)
{
    return mbuf->pool == pools[0] || index_of(mbuf->pool) < pools_count;
}

void pool_tag(struct rte_mbuf **mbufs, unsigned count)
{
    if (pools_count == 1)
        return; /* index 0 is the untagged pointer */
    for (unsigned i = 0; i < count; i++)
        mbufs[i] = (struct rte_mbuf *)((uintptr_t)mbufs[i] | index_of(mbufs[i]->pool));
}

void pool_put_tagged(struct rte_mbuf **mbufs, unsigned count)
{
    if (pools_count == 1) {
        rte_mempool_put_bulk(pools[0], (void **)mbufs, count);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        uintptr_t tagged = (uintptr_t)mbufs[i];

        rte_mempool_put(pools[tagged & ENDPOINT_POOL_TAG_MASK],
                        (void *)(tagged & ~ENDPOINT_POOL_TAG_MASK));
    }
}

unsigned pool_free_count(unsigned lcore_id)
{
    unsigned free_buffers = 0;

    for (unsigned i = 0; i < pools_count; i++) {
        const struct rte_mempool_cache *cache = rte_mempool_default_cache(pools[i], lcore_id);

        /* rte_mempool_avail_count() without its walk over the caches of all lcores. */
        free_buffers += rte_mempool_get_ops(pools[i]->ops_index)->get_count(pools[i]);
        if (cache != NULL)
            free_buffers += cache->len;
    }
    return free_buffers;
}

unsigned pool_total(void)
{
    unsigned total = 0;

    for (unsigned i = 0; i < pools_count; i++)
        total += pools[i]->size;
    return total;
}
