/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_pmtu.h"

#include <rte_ip.h>

#include "host.h"
#include "lcore.h"
#include "pmtu.h"
#include "state.h"

/* Can it have sent a packet of this length that must not be cut? */
static bool may_have_sent(const struct endpoint *e, uint32_t length)
{
    return length <= e->send.longest_uncut;
}

static enum counter learn(struct lcore *lcore, struct rte_mbuf *mbuf)
{
    const struct rx_meta *meta = rx_meta(mbuf);
    struct pmtu *paths = &lcore->host->paths;

    switch (pmtu_lower(paths, meta->source, meta->via, meta->payload_length, lcore->now)) {
    case PMTU_REFUSED:
        return COUNTER_DROP_ICMP;
    case PMTU_LOWERED:
        counter_add(&lcore->own_counters, COUNTER_ICMP_PATH_MTUS, 1);
        host_wake_at(lcore, paths->due);
        break;
    case PMTU_KNOWN:
    default:
        break;
    }
    rte_pktmbuf_free(mbuf);
    return COUNTER_CONSUMED_ICMP;
}

/* To each lcore a copy: what the message says is in its private area, and each frees its own. */
static enum counter hand_over(struct lcore *lcore, struct rte_mbuf *mbuf, uint64_t homes)
{
    unsigned given = 0;

    for (uint64_t left = homes; left != 0; left &= left - 1) {
        struct lcore *home = &lcore->peers[__builtin_ctzll(left)];
        struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, lcore->send_pool, 0, UINT32_MAX);

        if (copy == NULL)
            continue;
        *rx_meta(copy) = *rx_meta(mbuf);
        if (rte_ring_sp_enqueue(home->handover[lcore->index], copy) == 0)
            given++;
        else
            rte_pktmbuf_free(copy);
    }
    counter_add(&lcore->own_counters, COUNTER_HANDED_COPIES, given);
    if (given == 0)
        return COUNTER_DROP_HANDOVER_FULL;
    rte_pktmbuf_free(mbuf);
    return COUNTER_HANDED_OVER;
}

enum counter host_pmtu_take(struct lcore *lcore, struct rte_mbuf *mbuf, bool may_hand_over)
{
    const struct rx_meta *meta = rx_meta(mbuf);
    struct demux_key key = {meta->destination, meta->destination_port, IPPROTO_UDP};
    const struct demux_entry *entry = demux_find(&lcore->demux, key);

    if (entry == NULL || entry->every_member) /* nobody sends from a broadcast address */
        return COUNTER_DROP_ICMP;
    for (const struct demux_member *m = entry->members; m != NULL; m = m->next)
        if (may_have_sent(m->endpoint, meta->payload_length))
            return learn(lcore, mbuf);
    if (!may_hand_over || entry->homes == 0)
        return COUNTER_DROP_ICMP;
    return hand_over(lcore, mbuf, entry->homes);
}

uint32_t dataplane_path_mtu(const struct endpoint *e, uint32_t destination)
{
    if (atomic_load_explicit(&e->state, memory_order_relaxed) != ENDPOINT_ATTACHED)
        return PMTU_UNKNOWN;
    const struct lcore *home =
        &dataplane.lcores[atomic_load_explicit(&e->home, memory_order_relaxed)];

    return pmtu_find(&home->host->paths, destination);
}
