/* SPDX-License-Identifier: BSD-3-Clause */

/* From a classified frame to the rings of the endpoints that want it. */

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "classify.h"
#include "ipv4.h"
#include "offer.h"
#include "pool.h"
#include "way_home.h"

/** Beyond its minimum a socket may hold free / POOL_SHARE_DIVISOR buffers. */
#define POOL_SHARE_DIVISOR 2u

static void look_at_pool(struct lcore *lcore)
{
    if (lcore->free_buffers_known)
        return;
    lcore->free_buffers = pool_free_count(lcore->id);
    lcore->buffers_share = lcore->free_buffers / POOL_SHARE_DIVISOR;
    lcore->free_buffers_known = true;
}

/* Once a pass, or a full ring would cost a read of what the consumer writes for every datagram. */
static void look_in_pass(struct lcore *lcore, struct endpoint *e)
{
    if (e->lcore.refreshed == lcore->pass)
        return;
    e->lcore.refreshed = lcore->pass;
    way_home_look(e, lcore->look_after);
}

static uint64_t queued_bytes(const struct endpoint *e)
{
    return atomic_load_explicit(&e->lcore.delivered_bytes, memory_order_relaxed) -
           e->lcore.bytes_known;
}

static bool has_slot(const struct endpoint *e)
{
    return endpoint_staged(e) - e->lcore.cached_head <= e->lcore.mask;
}

/* A datagram larger than SO_RCVBUF still gets through when nothing is queued. */
static bool has_bytes(const struct endpoint *e, uint32_t length)
{
    uint64_t queued = queued_bytes(e);

    return queued == 0 ||
           queued + length <= atomic_load_explicit(&e->lcore.bytes_limit, memory_order_relaxed);
}

static bool ring_has_room(const struct endpoint *e, uint32_t length)
{
    return has_slot(e) && has_bytes(e, length);
}

static bool within_pool_share(struct lcore *lcore, const struct endpoint *e, uint32_t segments)
{
    uint32_t held = e->lcore.buffers - e->lcore.buffers_known + segments;

    if (held <= lcore->minimum)
        return true;
    look_at_pool(lcore);
    return held <= lcore->buffers_share;
}

/* Is it the endpoint's peer who has sent this, or whom it is about? */
static bool is_from_peer(const struct endpoint *e, const struct rx_meta *meta)
{
    return meta->source == e->lcore.peer_address && meta->source_port == e->lcore.peer_port;
}

/* Does a connected endpoint refuse it (I04)? It is told of the errors of all that it has sent. */
static bool refuses(const struct endpoint *e, const struct rx_meta *meta)
{
    return !is_from_peer(e, meta) && meta->kind < RX_PORT_UNREACHABLE;
}

enum counter offer_reluctantly(struct lcore *lcore, struct endpoint *e, uintptr_t frame,
                               uint32_t length, uint32_t segments)
{
    /* A plain one is offered only to who is not connected. */
    if (unlikely(e->lcore.peer_port != 0 && refuses(e, rx_meta((struct rte_mbuf *)frame)))) {
        endpoint_count(&e->lcore.not_from_peer, 1); /* I04 */
        return COUNTER_DROP_NOT_FROM_PEER;
    }
    if (unlikely(!ring_has_room(e, length))) {
        look_in_pass(lcore, e);
        if (!has_bytes(e, length) || !(has_slot(e) || lcore_grow(lcore, e))) {
            e->lcore.drops++;
            endpoint_count(&e->lcore.lost_ring_full, 1);
            return COUNTER_DROP_RING_FULL;
        }
    }
    if (unlikely(!within_pool_share(lcore, e, segments))) {
        look_in_pass(lcore, e);
        if (!within_pool_share(lcore, e, segments)) {
            e->lcore.drops++;
            endpoint_count(&e->lcore.lost_pool_share, 1);
            return COUNTER_DROP_POOL_SHARE;
        }
    }
    offer_take(lcore, e, frame, length, segments);
    return COUNTER_DELIVERED;
}

static void set_references(struct rte_mbuf *mbuf, uint16_t references)
{
    for (; mbuf != NULL; mbuf = mbuf->next)
        rte_mbuf_refcnt_set(mbuf, references);
}

/* Before any of those here can see the frame. Of one that was handed over others may have it already: it
 * has their references. */
static void share(struct rte_mbuf *mbuf, uint16_t references, bool handed_over)
{
    if (!handed_over)
        set_references(mbuf, references);
    else
        for (; mbuf != NULL; mbuf = mbuf->next)
            rte_mbuf_refcnt_update(mbuf, (int16_t)(references - 1));
}

/* Nobody has the key. */
static enum counter unwanted(const struct lcore *lcore, const struct rx_meta *meta)
{
    uint32_t destination = meta->destination;

    if (meta->port == RX_PORT_CONDITION)
        return COUNTER_DROP_ICMP;
    if (ipv4_is_group_or_reserved(rte_be_to_cpu_32(destination)))
        return COUNTER_DROP_NOT_JOINED;
    if (ipv4_is_loopback(rte_be_to_cpu_32(destination))) /* looped: a port's would be a martian */
        return COUNTER_DROP_NO_SOCKET;
    if (lcore_has_address(lcore, destination))
        return COUNTER_DROP_NO_SOCKET;
    return lcore_has_broadcast(lcore, destination) ? COUNTER_DROP_NOT_JOINED
                                                   : COUNTER_DROP_NOT_OURS;
}

/* Bits of `homes` whose lcore could not take the frame. Each that could holds a reference now. */
static uint64_t hand_over(struct lcore *lcore, struct rte_mbuf *mbuf, uint64_t homes)
{
    uint64_t failed = 0;

    for (uint64_t left = homes; left != 0; left &= left - 1) {
        unsigned to = (unsigned)__builtin_ctzll(left);

        if (rte_ring_sp_enqueue(lcore->peers[to].handover[lcore->index], mbuf) != 0)
            failed |= 1ull << to;
    }
    return failed;
}

/* What one endpoint has lost, by the fate of a frame that nobody else took either. */
enum counter lost_by(enum counter fate)
{
    switch (fate) {
    case COUNTER_DROP_RING_FULL:
        return COUNTER_LOST_RING_FULL;
    case COUNTER_DROP_NOT_FROM_PEER:
        return COUNTER_LOST_NOT_FROM_PEER;
    default:
        return COUNTER_LOST_POOL_SHARE;
    }
}

/* The sockets that are bound to any address stand behind one key for all of 127.0.0.0/8 (keys.h). */
static const struct demux_cached *look_for_loopback(struct lcore *lcore, const struct rx_meta *meta)
{
    struct demux_key key = {rte_cpu_to_be_32(IPV4_LOOPBACK_NET), meta->destination_port,
                            IPPROTO_UDP};

    if (meta->port != RX_PORT_LOOPED || !ipv4_is_loopback(rte_be_to_cpu_32(meta->destination)))
        return NULL;
    return demux_look(&lcore->demux, key);
}

/* Is a frame that came in this way for this member of its key? */
static bool is_for(const struct demux_member *m, const struct rx_meta *meta)
{
    switch (meta->port) {
    case RX_PORT_CONDITION: /* a socket that never sent anything cannot be told lies about it */
        return atomic_load_explicit(&m->endpoint->send.sent, memory_order_relaxed) != 0 &&
               endpoint_wants_condition(m->endpoint, (enum rx_kind)meta->kind);
    case RX_PORT_LOOPED:
        if (!ipv4_is_multicast(rte_be_to_cpu_32(meta->destination)))
            return true;
        return (m->ports & 1u << meta->via) && demux_accepts(m, meta->via, meta->source) &&
               !atomic_load_explicit(&m->endpoint->refuses_looped_groups, memory_order_relaxed);
    default:
        return (m->ports & 1u << meta->port) && demux_accepts(m, meta->port, meta->source);
    }
}

/* The one member that a unicast frame is for: who is connected to its sender before who is not
 * connected, and of those the first. If all are connected to others, the first has it to refuse. */
static const struct demux_member *choose(const struct demux_entry *entry,
                                         const struct rx_meta *meta)
{
    const struct demux_member *open = NULL, *refusing = NULL;

    for (const struct demux_member *m = entry->members; m != NULL; m = m->next) {
        const struct endpoint *e = m->endpoint;

        if (!is_for(m, meta))
            continue;
        if (e->lcore.peer_port == 0)
            open = open != NULL ? open : m;
        else if (is_from_peer(e, meta))
            return m;
        else
            refusing = refusing != NULL ? refusing : m;
    }
    return open != NULL ? open : refusing;
}

/* Nobody here takes a frame that sockets here have the key of. For this one a source filter may be why. */
static enum counter refused_by_all(const struct demux_entry *entry, const struct rx_meta *meta)
{
    unsigned port = meta->port == RX_PORT_LOOPED ? meta->via : meta->port;

    if (meta->port == RX_PORT_CONDITION)
        return COUNTER_DROP_ICMP;
    for (const struct demux_member *m = entry->members; m != NULL; m = m->next)
        if ((m->ports >> port & 1) != 0 && !demux_accepts(m, port, meta->source))
            return COUNTER_DROP_SOURCE_FILTERED;
    return COUNTER_DROP_NOT_JOINED;
}

/* Several members, members on other lcores, or a frame that no port brought as it is. */
static enum counter fan_out(struct lcore *lcore, struct counters *counters, struct rte_mbuf *mbuf,
                            uint32_t length, const struct demux_entry *entry, bool may_hand_over)
{
    const struct rx_meta *meta = rx_meta(mbuf);
    uint64_t homes = may_hand_over ? entry->homes : 0;
    enum counter fate = COUNTER_DROP_HANDOVER_FULL;
    const struct demux_member *chosen = NULL;
    bool wanted_here = false;
    unsigned delivered = 0;

    if (meta->port == RX_PORT_CONDITION && entry->every_member)
        return COUNTER_DROP_ICMP; /* nobody sends from a broadcast address */

    if (!entry->every_member) { /* unicast belongs to one socket only, wherever it is at home */
        chosen = choose(entry, meta);
        if (entry->members != NULL)
            homes = 0;
        else if (homes != 0)
            homes = 1ull << entry->elsewhere->home;
    }
    for (const struct demux_member *m = entry->members; m != NULL; m = m->next) {
        if (entry->every_member ? !is_for(m, meta) : m != chosen)
            continue;
        wanted_here = true;
        enum counter one = offer(lcore, m->endpoint, (uintptr_t)mbuf, length, mbuf->nb_segs);

        if (one == COUNTER_DELIVERED) {
            delivered++;
        } else {
            fate = one;
            counter_add(counters, lost_by(one), 1);
        }
    }
    counter_add(counters, COUNTER_DELIVERIES, delivered);

    unsigned wanted = delivered + (unsigned)__builtin_popcountll(homes);
    if (wanted == 0)
        return wanted_here ? fate : refused_by_all(entry, meta);
    if (wanted > 1)
        share(mbuf, (uint16_t)wanted, !may_hand_over);
    if (homes == 0)
        return COUNTER_DELIVERED;

    unsigned failed = (unsigned)__builtin_popcountll(hand_over(lcore, mbuf, homes));
    counter_add(counters, COUNTER_HANDED_COPIES, wanted - delivered - failed);
    if (failed != 0) {
        counter_add(counters, COUNTER_LOST_HANDOVER, failed);
        if (failed == wanted) {
            set_references(mbuf, 1);
            return fate;
        }
        for (; failed != 0; failed--) /* whoever has it already may be done with it meanwhile */
            rte_pktmbuf_free(mbuf);
    }
    return delivered != 0 ? COUNTER_DELIVERED : COUNTER_HANDED_OVER;
}

static inline enum counter deliver_to(struct lcore *lcore, struct counters *counters,
                                      struct endpoint *e, struct rte_mbuf *mbuf)
{
    enum counter fate =
        offer(lcore, e, (uintptr_t)mbuf, rx_meta(mbuf)->payload_length, mbuf->nb_segs);

    if (likely(fate == COUNTER_DELIVERED))
        counter_add(counters, COUNTER_DELIVERIES, 1);
    else
        counter_add(counters, lost_by(fate), 1);
    return fate;
}

enum counter lcore_deliver(struct lcore *lcore, struct counters *counters, struct rte_mbuf *mbuf,
                           const struct classify_rules *rules)
{
    const struct rx_meta *meta = rx_meta(mbuf);
    struct demux_key key = {meta->destination, meta->destination_port, IPPROTO_UDP};
    const struct demux_cached *known = demux_look(&lcore->demux, key);

    if (unlikely(known == NULL)) {
        known = look_for_loopback(lcore, meta);
        if (known == NULL)
            return unwanted(lcore, meta);
    }
    /* `rules` is NULL for a frame from another lcore, which has checked it. */
    if (rules != NULL && !rules->ignore_udp_checksums && !classify_udp_checksum(mbuf))
        return COUNTER_DROP_UDP_CHECKSUM;

    struct endpoint *only = demux_only(known, meta->port);
    if (unlikely(only == NULL))
        return fan_out(lcore, counters, mbuf, meta->payload_length, known->entry, rules != NULL);
    return deliver_to(lcore, counters, only, mbuf);
}

enum counter lcore_deliver_to(struct lcore *lcore, struct counters *counters, struct endpoint *e,
                              struct rte_mbuf *mbuf)
{
    return deliver_to(lcore, counters, e, mbuf);
}

struct lcore_room lcore_room(struct lcore *lcore)
{
    struct lcore_room room = {UINT32_MAX, UINT64_MAX, NULL};
    struct endpoint *e = lcore->homed;

    lcore->free_buffers_known = false;
    look_at_pool(lcore);
    uint32_t share = lcore->buffers_share;
    for (uint32_t i = 0; i < lcore->homed_count; i++, e = e->lcore.homed_next) {
        way_home_look(e, lcore->look_after);
        uint32_t held = e->lcore.buffers - e->lcore.buffers_known;
        uint64_t queued = queued_bytes(e);
        uint32_t limit = atomic_load_explicit(&e->lcore.bytes_limit, memory_order_relaxed);
        if (e->lcore.mask + 1 - (endpoint_staged(e) - e->lcore.cached_head) < PORT_BURST)
            lcore_grow(lcore, e); /* a source that waits must find the whole ring in the end */
        uint32_t slots = e->lcore.mask + 1 - (endpoint_staged(e) - e->lcore.cached_head);
        uint64_t bytes = queued >= limit ? 0 : limit - queued;
        /* Each frame taken also lowers the share, and so does a burst that is staged meanwhile: two
         * thirds of the distance are safe. */
        uint32_t by_minimum = held >= lcore->minimum ? 0 : lcore->minimum - held;
        uint32_t by_share = held + PORT_BURST >= share ? 0 : (share - held - PORT_BURST) / 3 * 2;
        uint32_t frames = RTE_MIN(slots, RTE_MAX(by_minimum, by_share));

        if (frames < room.frames || bytes < room.bytes)
            room.tightest = e;
        room.frames = RTE_MIN(room.frames, frames);
        room.bytes = RTE_MIN(room.bytes, bytes);
    }
    return room;
}

struct endpoint *lcore_blocked_by(struct lcore *lcore, const struct rte_mbuf *mbuf)
{
    struct endpoint *e = lcore->homed;

    for (uint32_t i = 0; i < lcore->homed_count; i++, e = e->lcore.homed_next)
        if (!ring_has_room(e, rte_pktmbuf_pkt_len(mbuf)) ||
            !within_pool_share(lcore, e, mbuf->nb_segs))
            return e;
    return NULL;
}
