/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <stdio.h>

#include "config.h"
#include "rx_meta.h"

#define MAX_POOLS 8u

static struct rte_mempool *pools[MAX_POOLS];
static int nodes[MAX_POOLS];
static unsigned pools_count;

/*
 * As rte_pktmbuf_pool_create(), but where pages are plain the buffers lie one behind the other, across
 * their borders, instead of one to a page. No device on a bus works without huge pages, so nobody asks
 * for contiguous I/O addresses; and net_af_xdp tells the kernel where the pool ends by multiplying,
 * so of a pool with gaps the upper buffers would be outside: the kernel throws those away that it is
 * handed, and receives nothing any more when it has none left.
 */
static struct rte_mempool *create(const char *name, unsigned buffers, unsigned data, int numa_node)
{
    struct rte_pktmbuf_pool_private layout = {
        .mbuf_data_room_size = (uint16_t)data,
        .mbuf_priv_size = RX_META_PRIVATE_SIZE,
    };
    unsigned size = sizeof(struct rte_mbuf) + RX_META_PRIVATE_SIZE + data;
    unsigned flags = rte_eal_has_hugepages() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
    struct rte_mempool *pool = rte_mempool_create_empty(name, buffers, size, CONFIG_POOL_CACHE,
                                                        sizeof layout, numa_node, flags);

    if (pool == NULL)
        return NULL;
    int result = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
    if (result == 0) {
        rte_pktmbuf_pool_init(pool, &layout);
        result = rte_mempool_populate_default(pool);
    }
    if (result < 0) {
        rte_mempool_free(pool);
        rte_errno = -result;
        return NULL;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

struct rte_mempool *pool_for_node(int numa_node, unsigned buffers, unsigned room)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    for (unsigned i = 0; i < pools_count; i++)
        if (nodes[i] == numa_node)
            return pools[i];
    if (pools_count == MAX_POOLS)
        return NULL;
    snprintf(name, sizeof name, "wirerx_pool_%u", pools_count);
    struct rte_mempool *pool = create(name, buffers, RTE_PKTMBUF_HEADROOM + room, numa_node);
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

void pool_put(struct rte_mbuf **mbufs, unsigned count)
{
    if (likely(pools_count == 1)) {
        rte_mempool_put_bulk(pools[0], (void **)mbufs, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        rte_mempool_put(mbufs[i]->pool, mbufs[i]);
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
