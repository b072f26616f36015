/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcore.h"

#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_prefetch.h>

#include "classify_plain.h"
#include "command.h"
#include "host.h"
#include "host_pmtu.h"
#include "host_reassembly.h"
#include "icmp.h"
#include "offer.h"
#include "pool.h"
#include "send.h"
#include "state.h"
#include "way_home.h"

/** Frames prefetched ahead of the one that is classified. */
#define PREFETCH_AHEAD 4u

/** Below this part of all buffers every way home is looked at in every pass. */
#define POOL_LOW_DIVISOR 8u

/* What a function needs that fetches lines it will write: else they are fetched to be read. */
#ifdef __x86_64__
#define WRITES_AHEAD __attribute__((target("prfchw")))
#else
#define WRITES_AHEAD
#endif

static enum counter fate_of_uncommon(struct lcore *lcore, struct rx_queue *queue,
                                     struct rte_mbuf *mbuf, uint64_t now);

/* A datagram that it completes is one more frame, and has a fate of its own; it is no fragment. */
static enum counter fate_of_fragment(struct lcore *lcore, struct rx_queue *queue,
                                     struct rte_mbuf *mbuf, uint64_t now)
{
    enum counter fate, of_whole;
    struct rte_mbuf *whole = host_reassembly_take(lcore, queue->port, mbuf, lcore->now, &fate);

    if (whole == NULL)
        return fate;
    of_whole = fate_of_uncommon(lcore, queue, whole, now);
    if (host_may_take(of_whole))
        of_whole = host_take(lcore, queue->port, whole, of_whole, lcore->now);
    counter_add(&queue->counters, COUNTER_REASSEMBLED, 1);
    counter_add(&queue->counters, of_whole, 1);
    if (!counter_keeps_frame(of_whole))
        rte_pktmbuf_free(whole);
    return fate;
}

/* Whatever classify() has refused: of ICMP some may be news for a socket. */
static enum counter fate_of_refused(struct lcore *lcore, struct rx_queue *queue,
                                    struct rte_mbuf *mbuf, enum counter reason, uint64_t now)
{
    static const struct classify_rules checked = {.ignore_udp_checksums = true};

    if (reason == COUNTER_DROP_FRAGMENT)
        return fate_of_fragment(lcore, queue, mbuf, now);
    if (reason == COUNTER_DROP_ICMP && icmp_to_path_mtu(mbuf)) {
        enum counter fate = host_pmtu_take(lcore, mbuf, true);

        /* About nothing that a socket here has sent; so the kernel may have. */
        return fate == COUNTER_DROP_ICMP ? host_take(lcore, queue->port, mbuf, fate, lcore->now)
                                         : fate;
    }
    if (reason != COUNTER_DROP_ICMP || !icmp_to_condition(mbuf))
        return host_take(lcore, queue->port, mbuf, reason, lcore->now);
    rx_meta(mbuf)->burst_tsc = now;
    enum counter fate = lcore_deliver(lcore, &queue->counters, mbuf, &checked);
    /* About nothing that a socket here has sent; so the kernel may have. */
    return fate == COUNTER_DROP_ICMP ? host_take(lcore, queue->port, mbuf, fate, lcore->now) : fate;
}

static __attribute__((noinline)) enum counter fate_of_uncommon(struct lcore *lcore,
                                                               struct rx_queue *queue,
                                                               struct rte_mbuf *mbuf, uint64_t now)
{
    struct port *port = queue->port;

    if (unlikely(!pool_is_ours(mbuf)))
        return COUNTER_DROP_FOREIGN_BUFFER;
    enum counter reason = classify(mbuf, &port->rules);
    if (unlikely(reason != FATE_UNDECIDED))
        return fate_of_refused(lcore, queue, mbuf, reason, now);
    struct rx_meta *meta = rx_meta(mbuf);
    meta->burst_tsc = now;
    meta->port = (uint8_t)port->index;
    meta->kind = RX_DATAGRAM;
    return lcore_deliver(lcore, &queue->counters, mbuf, &port->rules);
}

/* A plain frame for one endpoint that is at home here takes the short road; the frames after it that
 * are of its flow will take the shortest (take_run()). Deliveries are counted by the burst. */
static inline enum counter fate_of(struct lcore *lcore, struct rx_queue *queue,
                                   struct rte_mbuf *mbuf, uint64_t now, unsigned *deliveries)
{
    const struct port *port = queue->port;
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint32_t length;

    if (unlikely(mbuf->pool != port->pool || !classify_plain(mbuf, &port->rules, &length)))
        return fate_of_uncommon(lcore, queue, mbuf, now);
    struct demux_key key = {plain_load32(bytes + PLAIN_ADDRESSES + 4),
                            plain_load16(bytes + PLAIN_UDP + 2), IPPROTO_UDP};
    const struct demux_cached *known = demux_look(&lcore->demux, key);
    struct endpoint *only = known != NULL ? demux_only(known, port->index) : NULL;

    flow_template_set(&queue->flow, mbuf, only, lcore->demux.generation);
    if (unlikely(only == NULL || only->lcore.peer_port != 0)) {
        plain_describe_apart(rx_meta(mbuf), mbuf, now, (uint8_t)port->index, length);
        return lcore_deliver(lcore, &queue->counters, mbuf, &port->rules);
    }
    if (!port->rules.ignore_udp_checksums && unlikely(!classify_plain_udp_checksum(mbuf)))
        return COUNTER_DROP_UDP_CHECKSUM;
    enum counter fate = offer(lcore, only, (uintptr_t)mbuf | ELEMENT_PLAIN, length, 1);
    if (unlikely(fate != COUNTER_DELIVERED)) {
        counter_add(&queue->counters, lost_by(fate), 1);
        return fate;
    }
    plain_describe(rx_meta_of_plain(mbuf), now, (uint8_t)port->index, length);
    ++*deliveries;
    return COUNTER_DELIVERED;
}

/* The frames in front that are of the flow of the last plain one, as far as its endpoint has room for
 * them before the end of its ring. There are PREFETCH_AHEAD pointers behind them.
 * @return how many were taken; they are delivered */
static __attribute__((noinline)) unsigned take_run(struct lcore *lcore, struct rx_queue *queue,
                                                   struct rte_mbuf **mbufs, unsigned count,
                                                   uint64_t now)
{
    const struct flow_template *flow = &queue->flow;
    const struct port *port = queue->port;
    struct rte_mempool *pool = port->pool;
    bool check_udp = !port->rules.ignore_udp_checksums;
    struct endpoint *e = flow->endpoint;
    uint64_t room, bytes = 0;
    unsigned taken;

    if (e == NULL || flow->generation != lcore->demux.generation || e->lcore.peer_port != 0)
        return 0;
    count = RTE_MIN(count, offer_room(lcore, e, &room));
    struct ring_element *element = offer_place(e, &count);
    uint32_t drops = e->lcore.drops;
    uint8_t index = (uint8_t)port->index;
    for (taken = 0; taken < count; taken++) {
        struct rte_mbuf *mbuf = mbufs[taken];
        uint32_t length;

        rte_prefetch0(rx_plain_frame(mbufs[taken + PREFETCH_AHEAD]));
        if (unlikely(mbuf->pool != pool || !flow_continues(flow, mbuf, &length) ||
                     bytes + length > room))
            break;
        if (check_udp && unlikely(!classify_plain_udp_checksum(mbuf)))
            break;
        plain_describe(rx_meta_of_plain(mbuf), now, index, length);
        *element++ = (struct ring_element){(uintptr_t)mbuf | ELEMENT_PLAIN, length, drops};
        bytes += length;
    }
    if (taken != 0)
        offer_staged(lcore, e, taken, bytes, taken);
    return taken;
}

/* Of a burst that is for several endpoints, ask for what delivering will write: with many of them none of
 * it is near. Two walks, as the second needs what the first one asks for. What the frames are has not been
 * looked at: a wrong guess costs a line that was not needed. */
static WRITES_AHEAD __attribute__((noinline)) void fetch_ahead(struct lcore *lcore,
                                                               const struct rte_mempool *pool,
                                                               struct rte_mbuf **mbufs,
                                                               unsigned count)
{
    struct endpoint *endpoints[PORT_BURST];
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++) {
        if (unlikely(mbufs[i]->pool != pool))
            continue; /* what is there is not known */
        const uint8_t *bytes = rx_plain_frame(mbufs[i]);
        struct demux_key key = {plain_load32(bytes + PLAIN_ADDRESSES + 4),
                                plain_load16(bytes + PLAIN_UDP + 2), IPPROTO_UDP};
        struct endpoint *e = lcore->demux.cache[demux_line(demux_key_bits(key))].only;

        if (e == NULL)
            continue;
        endpoints[found++] = e;
        __builtin_prefetch(&e->lcore, 1);
        __builtin_prefetch(&e->tail, 1);
    }
    for (unsigned i = 0; i < found; i++) {
        const struct endpoint *e = endpoints[i];

        __builtin_prefetch(&e->lcore.ring[endpoint_staged(e) & e->lcore.mask], 1);
        rte_prefetch0(&e->state);
    }
}

static bool poll_queue(struct lcore *lcore, struct rx_queue *queue, uint64_t now)
{
    struct rte_mbuf *mbufs[PORT_BURST + PREFETCH_AHEAD];
    struct rte_mbuf *dropped[PORT_BURST];
    const struct rte_mempool *pool = queue->port->pool;
    unsigned drops = 0, delivered = 0, deliveries = 0;
    bool fetched = false;
    unsigned count =
        queue->port->operations->burst(queue->port, queue->queue, mbufs, PORT_BURST, lcore, now);

    if (count == 0)
        return false;
    now = rte_rdtsc(); /* after the burst: what the driver took is not our latency */
    for (unsigned i = 0; i < PREFETCH_AHEAD; i++) {
        mbufs[count + i] = mbufs[count - 1]; /* for take_run() to fetch ahead without a look */
        rte_prefetch0(rx_plain_frame(mbufs[RTE_MIN(i, count - 1)]));
    }
    for (unsigned i = 0; i < count; i++) {
        if (likely(mbufs[i]->pool == pool) && flow_may_continue(&queue->flow, mbufs[i])) {
            unsigned run = take_run(lcore, queue, mbufs + i, count - i, now);

            delivered += run;
            deliveries += run;
            i += run;
            if (i == count)
                break;
        } else if (!fetched && count - i > 1) {
            fetch_ahead(lcore, pool, mbufs + i, count - i);
            fetched = true;
        }
        enum counter fate = fate_of(lcore, queue, mbufs[i], now, &deliveries);
        if (likely(fate == COUNTER_DELIVERED)) {
            delivered++;
            continue;
        }
        if (unlikely(host_may_take(fate)))
            fate = host_take(lcore, queue->port, mbufs[i], fate, lcore->now);
        counter_add(&queue->counters, fate, 1);
        if (!counter_keeps_frame(fate))
            dropped[drops++] = mbufs[i];
    }
    counter_add(&queue->counters, COUNTER_FRAMES, count);
    counter_add(&queue->counters, COUNTER_DELIVERED, delivered);
    counter_add(&queue->counters, COUNTER_DELIVERIES, deliveries);
    if (drops != 0)
        rte_pktmbuf_free_bulk(dropped, drops);
    return true;
}

static bool take_handed_over(struct lcore *lcore)
{
    struct counters *counters = &lcore->handover_counters;
    bool any = false;

    for (unsigned from = 0; from < lcore->peers_count; from++) {
        struct rte_mbuf *mbufs[PORT_BURST];

        if (lcore->handover[from] == NULL)
            continue;
        unsigned count =
            rte_ring_sc_dequeue_burst(lcore->handover[from], (void **)mbufs, PORT_BURST, NULL);
        for (unsigned i = 0; i < count; i++) {
            enum counter fate = rx_meta(mbufs[i])->kind < RX_PATH_MTU
                                    ? lcore_deliver(lcore, counters, mbufs[i], NULL)
                                    : host_take_over(lcore, mbufs[i], lcore->now);

            counter_add(counters, fate, 1);
            if (!counter_keeps_frame(fate))
                rte_pktmbuf_free(mbufs[i]);
        }
        counter_add(counters, COUNTER_HANDED_IN, count);
        any |= count != 0;
    }
    return any;
}

/* A few endpoints in turn, and not in every pass; all of them when buffers are short. */
static bool sweep_ways_home(struct lcore *lcore, uint64_t now)
{
    uint32_t count = 0;
    bool any = false;

    if (lcore->free_buffers_known && lcore->free_buffers < pool_total() / POOL_LOW_DIVISOR)
        count = lcore->homed_count;
    else if (lcore->pass % LCORE_SWEEP_PASSES == 0)
        count = RTE_MIN(lcore->homed_count, LCORE_SWEEP);
    for (uint32_t i = 0; i < count; i++) {
        struct endpoint *e = lcore->homed;

        if (way_home_may_have(e))
            any |= way_home_look(e, lcore->look_after) != 0;
        if (unlikely(e->lcore.grown))
            lcore_tidy_stores(lcore, e, now);
        lcore->homed = e->lcore.homed_next;
    }
    if (unlikely(store_stock_is_due(&lcore->stock, now)))
        lcore->service_called |= store_stock_review(&lcore->stock, now);
    return any;
}

bool lcore_step(struct lcore *lcore, uint64_t now)
{
    bool busy = false;

    lcore->pass++;
    lcore->now = now;
    lcore->wakes_left = LCORE_WAKES_PER_PASS;
    lcore->served_bytes = 0;
    lcore->free_buffers_known = false;
    for (unsigned i = 0; i < lcore->queues_count; i++)
        busy |= poll_queue(lcore, &lcore->queues[i], now);
    if (lcore->peers_count > 1)
        busy |= take_handed_over(lcore);
    if (unlikely(atomic_load_explicit(&lcore->senders, memory_order_relaxed) != NULL ||
                 lcore->first_sender != NULL)) {
        send_run(lcore);
        busy = true;
    }
    uint32_t touched = lcore->touched_count;
    if (touched != 0)
        lcore_notify(lcore); /* before anything that can wait: its clients do */
    for (uint32_t i = 0; i < touched; i++)
        if (way_home_is_due(lcore->touched[i]))
            way_home_look(lcore->touched[i], lcore->look_after);
    if (unlikely(lcore->ready != NULL))
        busy |= lcore_serve_ready(lcore) != 0;
    busy |= sweep_ways_home(lcore, now);
    busy |= command_run_queued(lcore) != 0;
    if (unlikely(now >= lcore->host_due))
        host_run(lcore, now);
    if (unlikely(lcore->service_called)) {
        lcore->service_called = false;
        lcore->wakes_left = 1; /* this one cannot be left to the thread that it wakes */
        lcore->call_service();
    }
    return busy;
}

int lcore_main(void *argument)
{
    struct lcore *lcore = argument;

    lcore->sink = (struct wake_sink){
        .defer = lcore_defer_wake, .may_call = lcore_may_call, .hand_over = lcore_hand_over};
    wake_sink = &lcore->sink;
    atomic_store_explicit(&lcore->running, true, memory_order_release);
    while (!atomic_load_explicit(&lcore->quit, memory_order_acquire)) {
        bool (*step)(struct lcore *, uint64_t) =
            atomic_load_explicit(&lcore->step, memory_order_acquire);

        if (!step(lcore, rte_rdtsc()))
            rte_pause();
    }
    wake_sink = NULL;
    atomic_store_explicit(&lcore->running, false, memory_order_release);
    return 0;
}

bool lcore_has_address(const struct lcore *lcore, uint32_t address)
{
    for (unsigned i = 0; i < lcore->local_addresses_count; i++)
        if (lcore->local_addresses[i] == address)
            return true;
    return false;
}

bool lcore_has_broadcast(const struct lcore *lcore, uint32_t address)
{
    for (unsigned p = 0; p < lcore->addressing.ports_count; p++) {
        const struct port_addressing *port = &lcore->addressing.ports[p];

        for (unsigned i = 0; i < port->addresses_count; i++) {
            uint32_t directed = config_broadcast(&port->addresses[i]);

            if (directed != 0 && address == rte_cpu_to_be_32(directed))
                return true;
        }
    }
    return false;
}

void lcore_set_addressing(struct lcore *lcore, const struct addressing *addressing)
{
    lcore->addressing = *addressing;
    lcore->local_addresses_count = dataplane_local_addresses(
        addressing, lcore->local_addresses, false, RTE_DIM(lcore->local_addresses));
}

void lcore_attach(struct lcore *lcore, struct endpoint *e)
{
    e->lcore.attached = true;
    if (lcore->homed == NULL) {
        lcore->homed = e->lcore.homed_next = e->lcore.homed_previous = e;
    } else {
        e->lcore.homed_next = lcore->homed;
        e->lcore.homed_previous = lcore->homed->lcore.homed_previous;
        e->lcore.homed_previous->lcore.homed_next = e;
        lcore->homed->lcore.homed_previous = e;
    }
    lcore->look_after = look_after(++lcore->homed_count);
    lcore->attached_ever++;
}

static void remove_ready(struct lcore *lcore, struct endpoint *e)
{
    for (struct endpoint **link = &lcore->ready; *link != NULL; link = &(*link)->lcore.ready_next)
        if (*link == e) {
            *link = e->lcore.ready_next;
            break;
        }
    e->lcore.ready = false;
}

void lcore_detach(struct lcore *lcore, struct endpoint *e)
{
    const struct ring_element *element;

    if (!e->lcore.attached)
        return;
    e->lcore.attached = false;
    if (e->lcore.ready)
        remove_ready(lcore, e);
    send_forget(lcore, e);
    if (e->lcore.homed_next == e) {
        lcore->homed = NULL;
    } else {
        e->lcore.homed_previous->lcore.homed_next = e->lcore.homed_next;
        e->lcore.homed_next->lcore.homed_previous = e->lcore.homed_previous;
        if (lcore->homed == e)
            lcore->homed = e->lcore.homed_next;
    }
    lcore->look_after = look_after(--lcore->homed_count);
    /* Either the handle is stale and nobody can take LOCK with it: the lcore is the consumer too. Or the
     * dataplane stops: network_down() has consumed all there was, and clients still take LOCK. */
    if (atomic_load_explicit(&e->state, memory_order_acquire) != ENDPOINT_NET_DOWN) {
        while ((element = endpoint_front(e)) != NULL)
            endpoint_consume(e, element);
        lcore_shrink(lcore, e);
    } else {
        way_home_look(e, lcore->look_after);
    }
}
