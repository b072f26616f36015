/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_kernel.h"

#include <rte_cycles.h>
#include <rte_ether.h>
#include <string.h>

#include "arp_packet.h"
#include "config_kernel.h"
#include "host.h"
#include "kernel_rules.h"
#include "lcore.h"
#include "tap.h"

/** Looks a second at what has come from the kernel, or back from it. */
#define LOOKS 100000u

/** What is taken up at one look. */
#define TAKEN_UP 64u

static void count(const struct host_port *kept, enum counter counter, uint64_t n)
{
    counter_add(&kept->lcore->own_counters, counter, n);
}

/* --- to the kernel ------------------------------------------------------------------------------ */

/* A request for an address of ours is answered here, and twice is once too often. On the keeper: ARP goes
 * there before anybody asks. */
static bool wants_arp(const struct port *port, const struct rte_mbuf *mbuf, uint32_t at)
{
    uint8_t gathered[ARP_PACKET_BYTES];
    const uint8_t *bytes = rte_pktmbuf_read(mbuf, at, ARP_PACKET_BYTES, gathered);
    struct arp_packet packet;

    if (bytes == NULL || !arp_packet_read(bytes, ARP_PACKET_BYTES, &packet))
        return false;
    if (packet.operation != ARP_REQUEST)
        return true;
    const struct host_arp *arp = &port->keeper->host->ports[port->index]->arp;
    for (unsigned i = 0; i < arp->ours_count; i++)
        if (arp->ours[i].address == packet.target)
            return false;
    return true;
}

static bool read_frame(const struct rte_mbuf *mbuf, struct kernel_frame *frame)
{
    uint8_t gathered[KERNEL_LOOKED_AT];
    uint32_t length = RTE_MIN(rte_pktmbuf_pkt_len(mbuf), (uint32_t)sizeof gathered);
    const uint8_t *bytes = rte_pktmbuf_read(mbuf, 0, length, gathered);

    return bytes != NULL && kernel_frame_read(bytes, length, frame);
}

bool host_kernel_wants(const struct port *port, const struct rte_mbuf *mbuf)
{
    const struct config_kernel_rule *rules = port->config->kernel_rules;
    unsigned rules_count = port->config->kernel_rules_count;
    struct kernel_frame frame;

    if (port->tap == NULL || !read_frame(mbuf, &frame) ||
        rte_pktmbuf_data_len(mbuf) < RTE_ETHER_HDR_LEN)
        return false;
    const struct rte_ether_addr *to = rte_pktmbuf_mtod(mbuf, const struct rte_ether_addr *);
    if (!rte_is_multicast_ether_addr(to) && !rte_is_same_ether_addr(to, &port->mac))
        return false;
    if (frame.ethertype == RTE_ETHER_TYPE_ARP)
        return wants_arp(port, mbuf, frame.packet);
    if (rules_count == 0)
        rules = config_kernel_default(&rules_count);
    return kernel_rules_match(rules, rules_count, &frame);
}

/* On a port of one VLAN the kernel has to do with no tags. */
static void take_off_tags(const struct host_port *kept, struct rte_mbuf *mbuf)
{
    struct kernel_frame frame;

    if (kept->port->rules.vlan == 0 || !read_frame(mbuf, &frame))
        return;
    uint16_t tags = (uint16_t)(frame.packet - RTE_ETHER_HDR_LEN);
    uint8_t *bytes = rte_pktmbuf_mtod(mbuf, uint8_t *);
    if (tags == 0 || rte_pktmbuf_data_len(mbuf) < frame.packet)
        return;
    memmove(bytes + tags, bytes, 2 * (size_t)RTE_ETHER_ADDR_LEN);
    rte_pktmbuf_adj(mbuf, tags);
}

static void put_down(struct host_port *kept, struct rte_mbuf *mbuf, enum tap_mark mark,
                     enum tap_want what)
{
    tap_set_mark(mbuf, mark);
    rte_ring_sp_enqueue(kept->kernel.tap->down, mbuf); /* never full */
    kept->kernel.tell |= what;
    host_wake_at(kept->lcore, 0); /* in this pass */
}

/* @return TO_KERNEL: it may go there, and no other may instead */
static enum counter admit(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now)
{
    if (kept->kernel.buffers_down + mbuf->nb_segs > CONFIG_KERNEL_BUFFERS)
        return COUNTER_DROP_KERNEL_FULL;
    return rate_allows(&kept->kernel.to, now) ? COUNTER_TO_KERNEL : COUNTER_DROP_KERNEL_RATE;
}

static void send_down(struct host_port *kept, struct rte_mbuf *mbuf)
{
    take_off_tags(kept, mbuf);
    kept->kernel.buffers_down += mbuf->nb_segs;
    put_down(kept, mbuf, TAP_FRAME, TAP_WANTS_FRAMES);
}

enum counter host_kernel_give(struct host_port *kept, struct rte_mbuf *mbuf, uint64_t now)
{
    enum counter fate = admit(kept, mbuf, now);

    if (fate == COUNTER_TO_KERNEL)
        send_down(kept, mbuf);
    return fate;
}

void host_kernel_copy(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now)
{
    struct rte_mbuf *copy = NULL;

    if (admit(kept, mbuf, now) == COUNTER_TO_KERNEL)
        copy = rte_pktmbuf_copy(mbuf, kept->lcore->send_pool, 0, UINT32_MAX);
    count(kept, copy != NULL ? COUNTER_KERNEL_COPIES : COUNTER_LOST_KERNEL_COPY, 1);
    if (copy != NULL)
        send_down(kept, copy);
}

/* --- from the kernel ---------------------------------------------------------------------------- */

/* Free the segments that the frame has not filled. */
static void cut_off_rest(struct rte_mbuf *mbuf)
{
    struct rte_mbuf *last = mbuf;
    uint16_t used = 1;

    while (last->next != NULL && last->next->data_len != 0) {
        last = last->next;
        used++;
    }
    if (last->next != NULL)
        rte_pktmbuf_free(last->next);
    last->next = NULL;
    mbuf->nb_segs = used;
}

static void take_from_kernel(struct host_port *kept, struct rte_mbuf *mbuf, enum tap_mark mark)
{
    kept->kernel.empties_down--;
    count(kept, COUNTER_KERNEL_SENT, 1);
    if (mark == TAP_TOO_LONG) {
        count(kept, COUNTER_LOST_KERNEL_TOO_LONG, 1);
        rte_pktmbuf_free(mbuf);
        return;
    }
    cut_off_rest(mbuf);
    count(kept, COUNTER_OUT, 1);
    host_put_out(kept, mbuf);
}

static void take_up(struct host_port *kept)
{
    struct host_kernel *kernel = &kept->kernel;
    struct rte_mbuf *mbufs[TAKEN_UP];
    unsigned taken = rte_ring_sc_dequeue_burst(kernel->tap->up, (void **)mbufs, TAKEN_UP, NULL);

    for (unsigned i = 0; i < taken; i++) {
        enum tap_mark mark = tap_mark_of(mbufs[i]);

        if (mark == TAP_READ || mark == TAP_TOO_LONG) {
            take_from_kernel(kept, mbufs[i], mark);
            continue;
        }
        kernel->buffers_down -= mbufs[i]->nb_segs;
        count(kept, mark == TAP_WRITTEN ? COUNTER_KERNEL_RECEIVED : COUNTER_LOST_KERNEL_REFUSED, 1);
        rte_pktmbuf_free(mbufs[i]);
    }
}

static struct rte_mbuf *alloc_empty(const struct host_port *kept)
{
    struct rte_mbuf *first = rte_pktmbuf_alloc(kept->lcore->send_pool), *last = first;

    for (unsigned i = 1; first != NULL && i < kept->kernel.segments; i++) {
        last->next = rte_pktmbuf_alloc(kept->lcore->send_pool);
        if (last->next == NULL) {
            rte_pktmbuf_free(first);
            return NULL;
        }
        last = last->next;
        first->nb_segs++;
    }
    return first;
}

/* Give the interface empties, as many as the rate has frames for. */
static void supply(struct host_port *kept, uint64_t now)
{
    struct host_kernel *kernel = &kept->kernel;

    while (kernel->empties_down < CONFIG_KERNEL_EMPTIES) {
        if (!rate_allows(&kernel->from, now)) {
            if (kernel->empties_down == 0 && !kernel->held_back)
                count(kept, COUNTER_KERNEL_HELD_BACK, 1);
            kernel->held_back = kernel->empties_down == 0;
            return;
        }
        struct rte_mbuf *empty = alloc_empty(kept);
        if (empty == NULL)
            return; /* at the next look */
        kernel->empties_down++;
        put_down(kept, empty, TAP_EMPTY, TAP_WANTS_EMPTIES);
    }
    kernel->held_back = false;
}

void host_kernel_run(struct host_port *kept, uint64_t now)
{
    struct host_kernel *kernel = &kept->kernel;

    if (kernel->tap == NULL)
        return;
    if (now >= kernel->next_look) {
        take_up(kept);
        supply(kept, now);
        kernel->next_look = now + kernel->interval;
    }
    if (kernel->tell != 0)
        tap_tell(kernel->tap, (enum tap_want)kernel->tell);
    kernel->tell = 0;
}

uint64_t host_kernel_due(const struct host_port *kept)
{
    if (kept->kernel.tap == NULL)
        return UINT64_MAX;
    return kept->kernel.tell != 0 ? 0 : kept->kernel.next_look;
}

/* --- beginning and end -------------------------------------------------------------------------- */

void host_kernel_create(struct host_port *kept)
{
    const struct config_port *config = kept->port->config;
    unsigned at_once = RTE_MIN(config->kernel_rate, CONFIG_KERNEL_BUFFERS);
    uint64_t hz = rte_get_tsc_hz();

    if (kept->port->tap == NULL)
        return;
    kept->kernel = (struct host_kernel){
        .tap = kept->port->tap,
        .to = rate_of(hz, config->kernel_rate, at_once),
        .from = rate_of(hz, config->kernel_rate, at_once),
        .segments = config_kernel_segments(
            config->mtu,
            (unsigned)rte_pktmbuf_data_room_size(kept->lcore->send_pool) - RTE_PKTMBUF_HEADROOM),
        .interval = hz / LOOKS,
    };
}

/* What the kernel has sent and never left. */
static void lose_sent(const struct host_port *kept, enum tap_mark mark)
{
    count(kept, COUNTER_KERNEL_SENT, 1);
    if (mark == TAP_TOO_LONG) {
        count(kept, COUNTER_LOST_KERNEL_TOO_LONG, 1);
        return;
    }
    count(kept, COUNTER_OUT, 1);
    count(kept, COUNTER_LOST_TRANSMIT_STOPPED, 1);
}

static void lose(const struct host_port *kept, struct rte_mbuf *mbuf)
{
    enum tap_mark mark = tap_mark_of(mbuf);

    switch (mark) {
    case TAP_FRAME:
        count(kept, COUNTER_LOST_KERNEL_STOPPED, 1);
        break;
    case TAP_WRITTEN:
        count(kept, COUNTER_KERNEL_RECEIVED, 1);
        break;
    case TAP_REFUSED:
        count(kept, COUNTER_LOST_KERNEL_REFUSED, 1);
        break;
    case TAP_READ:
    case TAP_TOO_LONG:
        lose_sent(kept, mark);
        break;
    case TAP_EMPTY:
    default:
        break;
    }
    rte_pktmbuf_free(mbuf);
}

void host_kernel_destroy(struct host_port *kept)
{
    struct tap *tap = kept->kernel.tap;
    struct rte_mbuf *mbuf;

    if (tap == NULL)
        return;
    while (rte_ring_sc_dequeue(tap->down, (void **)&mbuf) == 0 ||
           rte_ring_sc_dequeue(tap->up, (void **)&mbuf) == 0)
        lose(kept, mbuf);
    while (tap->empties_count != 0)
        lose(kept, tap->empties[--tap->empties_count]);
    kept->kernel.tap = NULL;
}
