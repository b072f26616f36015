/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <string.h>
#include <unistd.h>

#include "fragment.h"
#include "host_icmp.h"
#include "host_pmtu.h"
#include "host_reassembly.h"
#include "host_send.h"
#include "lcore.h"
#include "reassembly.h"

/* --- the way out ------------------------------------------------------------------------------ */

static void count(struct lcore *lcore, enum counter counter, uint64_t n)
{
    counter_add(&lcore->own_counters, counter, n);
}

static void lose(struct lcore *lcore, struct rte_mbuf *mbuf, enum counter counter)
{
    count(lcore, counter, 1);
    rte_pktmbuf_free(mbuf);
}

/* Give the device what waits. What it does not take waits on. */
static void flush(struct host_port *kept)
{
    uint64_t bytes[PORT_BURST + 1];
    uint16_t waiting = kept->waiting_count;

    bytes[0] = 0;
    for (uint16_t i = 0; i < waiting; i++)
        bytes[i + 1] = bytes[i] + rte_pktmbuf_pkt_len(kept->waiting[i]);
    uint16_t sent = kept->port->operations->transmit(kept->port, 0, kept->waiting, waiting);
    count(kept->lcore, COUNTER_SENT, sent);
    count(kept->lcore, COUNTER_SENT_BYTES, bytes[sent]);
    kept->waiting_count = (uint16_t)(waiting - sent);
    for (uint16_t i = sent; i < waiting; i++)
        kept->waiting[i - sent] = kept->waiting[i];
}

/* Can the device transmit it as it is, or in one buffer? */
static bool fit_for_device(const struct port *port, struct rte_mbuf *mbuf)
{
    return mbuf->nb_segs == 1 || (port->transmit_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0 ||
           rte_pktmbuf_linearize(mbuf) == 0;
}

static void put_out(struct host_port *kept, struct rte_mbuf *mbuf)
{
    if (!fit_for_device(kept->port, mbuf)) {
        lose(kept->lcore, mbuf, COUNTER_LOST_TRANSMIT_SHAPE);
        return;
    }
    if (kept->waiting_count == PORT_BURST)
        flush(kept);
    if (kept->waiting_count == PORT_BURST) {
        lose(kept->lcore, mbuf, COUNTER_LOST_TRANSMIT_FULL);
        return;
    }
    kept->waiting[kept->waiting_count++] = mbuf;
    host_wake_at(kept->lcore, 0); /* in this pass */
}

/* To the keeper of a port. @return false: the way is full, and the frame still the caller's */
static bool to_keeper(struct lcore *lcore, const struct port *port, struct rte_mbuf *mbuf,
                      enum rx_kind kind, uint32_t via)
{
    struct rx_meta *meta = rx_meta(mbuf);

    meta->kind = (uint8_t)kind;
    meta->port = (uint8_t)port->index;
    meta->via = via;
    if (rte_ring_sp_enqueue(port->keeper->handover[lcore->index], mbuf) != 0)
        return false;
    count(lcore, COUNTER_HANDED_COPIES, 1);
    return true;
}

/* @return the frame with the port's tag; NULL: it had no room for it and is lost */
static struct rte_mbuf *tag(struct lcore *lcore, const struct port *port, struct rte_mbuf *mbuf)
{
    mbuf->vlan_tci = port->rules.vlan;
    if (mbuf->vlan_tci == 0 || rte_vlan_insert(&mbuf) == 0)
        return mbuf;
    lose(lcore, mbuf, COUNTER_LOST_TRANSMIT_SHAPE);
    return NULL;
}

void host_put_out(struct host_port *kept, struct rte_mbuf *mbuf)
{
    mbuf = tag(kept->lcore, kept->port, mbuf);
    if (mbuf != NULL)
        put_out(kept, mbuf);
}

void host_put_out_cut(struct host_port *kept, struct rte_mbuf *mbuf, uint32_t at, uint32_t limit,
                      bool tagged)
{
    struct rte_mbuf *fragments[FRAGMENT_MOST];
    unsigned number = fragment_cut(kept->lcore->send_pool, mbuf, at, limit, fragments);

    if (number == 0) {
        lose(kept->lcore, mbuf, COUNTER_LOST_TRANSMIT_NO_BUFFER);
        return;
    }
    count(kept->lcore, COUNTER_FRAGMENTED, 1);
    count(kept->lcore, COUNTER_FRAGMENTED_FRAGMENTS, number);
    count(kept->lcore, COUNTER_OUT, number - 1); /* the whole was one */
    rte_pktmbuf_free(mbuf);
    for (unsigned i = 0; i < number; i++)
        if (tagged)
            put_out(kept, fragments[i]);
        else
            host_put_out(kept, fragments[i]);
}

void host_to_keeper_or_lose(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf,
                            uint32_t next_hop)
{
    if (!to_keeper(lcore, port, mbuf, RX_TO_TRANSMIT, next_hop))
        lose(lcore, mbuf, COUNTER_LOST_TRANSMIT_FULL);
}

void host_transmit(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf)
{
    count(lcore, COUNTER_OUT, 1);
    if (port->keeper == lcore)
        put_out(lcore->host->ports[port->index], mbuf);
    else
        host_to_keeper_or_lose(lcore, port, mbuf, 0);
}

void host_transmit_bytes_from(struct lcore *lcore, struct port *port, const void *bytes,
                              size_t length)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(lcore->send_pool);

    if (mbuf == NULL) {
        count(lcore, COUNTER_LOST_SEND_NO_BUFFER, 1);
        return;
    }
    memcpy(rte_pktmbuf_mtod(mbuf, void *), bytes, length);
    mbuf->data_len = (uint16_t)length;
    mbuf->pkt_len = (uint32_t)length;
    count(lcore, COUNTER_OUT, 1);
    mbuf = tag(lcore, port, mbuf);
    if (mbuf == NULL)
        return;
    if (port->keeper == lcore)
        put_out(lcore->host->ports[port->index], mbuf);
    else
        host_to_keeper_or_lose(lcore, port, mbuf, 0);
}

void host_transmit_bytes(struct host_port *kept, const void *bytes, size_t length)
{
    host_transmit_bytes_from(kept->lcore, kept->port, bytes, length);
}

/* --- the way in ------------------------------------------------------------------------------- */

/* When a port has something to do by itself. */
static uint64_t due_of(const struct host_port *kept)
{
    return RTE_MIN(RTE_MIN(host_arp_due(kept), host_igmp_due(kept)), host_kernel_due(kept));
}

/* On the keeper. */
static enum counter take_kept(struct host_port *kept, struct rte_mbuf *mbuf, enum counter reason,
                              uint64_t now)
{
    enum counter fate = reason;
    bool is_for_both = reason == COUNTER_DROP_ARP || reason == COUNTER_DROP_IGMP;
    bool wanted = host_kernel_wants(kept->port, mbuf);

    if (wanted && !is_for_both)
        return host_kernel_give(kept, mbuf, now);
    switch (reason) {
    case COUNTER_DROP_ARP:
        fate = host_arp_take(kept, mbuf, now);
        break;
    case COUNTER_DROP_ICMP:
        fate = host_icmp_take(kept, mbuf, now);
        break;
    case COUNTER_DROP_IGMP:
        fate = host_igmp_take(kept, mbuf, now);
        break;
    case COUNTER_DROP_NO_SOCKET:
    case COUNTER_DROP_PROTOCOL:
    case COUNTER_DROP_TCP:
        host_icmp_refuse(kept, mbuf, reason, now);
        break;
    default:
        break;
    }
    if (wanted && fate == reason)
        fate = host_kernel_give(kept, mbuf, now);
    else if (wanted)
        host_kernel_copy(kept, mbuf, now);
    host_wake_at(kept->lcore, due_of(kept));
    if (fate == COUNTER_CONSUMED_ARP || fate == COUNTER_CONSUMED_IGMP)
        rte_pktmbuf_free(mbuf);
    return fate;
}

/* Is this frame one that any of the protocols looks at, or the kernel's? */
static bool concerns_host(const struct port *port, const struct rte_mbuf *mbuf, enum counter reason)
{
    switch (reason) {
    case COUNTER_DROP_ARP:
    case COUNTER_DROP_ICMP:
    case COUNTER_DROP_IGMP:
    case COUNTER_DROP_NO_SOCKET:
    case COUNTER_DROP_PROTOCOL:
    case COUNTER_DROP_TCP:
        return true;
    case COUNTER_DROP_ETHERTYPE:
    case COUNTER_DROP_IPV6:
    case COUNTER_DROP_NOT_JOINED:
    case COUNTER_DROP_NOT_OURS:
        return host_kernel_wants(port, mbuf);
    default:
        return false;
    }
}

enum counter host_take(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf,
                       enum counter reason, uint64_t now)
{
    if (!port->transmits || !concerns_host(port, mbuf, reason))
        return reason;
    if (port->keeper == lcore)
        return take_kept(lcore->host->ports[port->index], mbuf, reason, now);
    return to_keeper(lcore, port, mbuf, RX_FOR_KEEPER, (uint32_t)reason) ? COUNTER_HANDED_OVER
                                                                         : reason;
}

enum counter host_take_over(struct lcore *lcore, struct rte_mbuf *mbuf, uint64_t now)
{
    const struct rx_meta *meta = rx_meta(mbuf);

    if (meta->kind == RX_PATH_MTU)
        return host_pmtu_take(lcore, mbuf, false);
    struct host_port *kept = lcore->host->ports[meta->port];
    if (meta->kind == RX_FOR_KEEPER)
        return take_kept(kept, mbuf, (enum counter)meta->via, now);
    if (meta->via != 0)
        host_send_kept(kept, mbuf, meta->via, now);
    else
        put_out(kept, mbuf);
    return COUNTER_TO_TRANSMIT;
}

/* --- time --------------------------------------------------------------------------------------- */

void host_wake_at(struct lcore *lcore, uint64_t when)
{
    if (when < lcore->host_due)
        lcore->host_due = when;
}

void host_run(struct lcore *lcore, uint64_t now)
{
    reassembly_run(lcore->host->reassembly, now);
    pmtu_run(&lcore->host->paths, now);
    uint64_t due = RTE_MIN(reassembly_due(lcore->host->reassembly), lcore->host->paths.due);
    for (unsigned i = 0; i < CONFIG_MAX_PORTS; i++) {
        struct host_port *kept = lcore->host->ports[i];

        if (kept == NULL)
            continue;
        host_arp_run(kept, now);
        host_igmp_run(kept, now);
        host_kernel_run(kept, now);
        if (kept->waiting_count != 0)
            flush(kept);
        /* What the device did not take is tried again in the next pass. */
        due = RTE_MIN(due, kept->waiting_count != 0 ? 0 : due_of(kept));
    }
    lcore->host_due = due;
}

void host_changed(struct lcore *lcore, uint32_t ports, uint64_t now)
{
    for (unsigned i = 0; i < CONFIG_MAX_PORTS; i++) {
        struct host_port *kept = lcore->host->ports[i];

        if ((ports >> i & 1) == 0 || kept == NULL)
            continue;
        host_arp_changed(kept, now);
        host_igmp_changed(kept);
        host_wake_at(lcore, due_of(kept));
    }
}

void host_link_up(struct lcore *lcore, unsigned port, uint64_t now)
{
    struct host_port *kept = lcore->host->ports[port];

    if (kept == NULL)
        return;
    host_arp_link_up(kept, now);
    host_igmp_link_up(kept, now);
    host_wake_at(lcore, due_of(kept));
}

/* --- beginning and end -------------------------------------------------------------------------- */

static struct host_port *create_kept(struct lcore *lcore, struct port *port)
{
    struct host_port *kept =
        rte_zmalloc_socket("host_port", sizeof *kept, RTE_CACHE_LINE_SIZE, lcore->numa_node);

    if (kept == NULL)
        return NULL;
    kept->lcore = lcore;
    kept->port = port;
    if (host_igmp_create(kept) != 0 || host_arp_create(kept) != 0) {
        host_igmp_destroy(kept);
        rte_free(kept);
        return NULL;
    }
    icmp_answer_begin(&kept->icmp, rte_get_tsc_hz());
    host_kernel_create(kept);
    host_wake_at(lcore, due_of(kept));
    return kept;
}

/* All lcores have the first one's secret. */
static int begin_paths(struct lcore *lcore)
{
    struct ip_identification_secret secret;

    if (lcore->index != 0)
        secret = lcore->peers[0].host->identification.secret;
    else if (getentropy(&secret, sizeof secret) != 0)
        return -1;
    pmtu_begin(&lcore->host->paths, rte_get_tsc_hz(), secret.words[0] ^ secret.words[3]);
    ip_identification_begin(&lcore->host->identification, &secret, lcore->index,
                            lcore->peers_count);
    return 0;
}

int host_create(struct lcore *lcore, struct port *ports, unsigned count)
{
    struct host *host =
        rte_zmalloc_socket("host", sizeof *host, RTE_CACHE_LINE_SIZE, lcore->numa_node);

    lcore->host_due = UINT64_MAX;
    lcore->host = host;
    if (host == NULL)
        return -1;
    icmp_answer_begin(&host->icmp, rte_get_tsc_hz());
    if (begin_paths(lcore) != 0 || host_reassembly_create(lcore) != 0)
        return -1;
    for (unsigned i = 0; i < count; i++) {
        if (ports[i].keeper != lcore || !ports[i].transmits)
            continue;
        host->ports[i] = create_kept(lcore, &ports[i]);
        if (host->ports[i] == NULL)
            return -1;
    }
    return 0;
}

void host_end(struct lcore *lcore)
{
    for (unsigned i = 0; lcore->host != NULL && i < CONFIG_MAX_PORTS; i++) {
        struct host_port *kept = lcore->host->ports[i];

        if (kept == NULL)
            continue;
        host_igmp_end(kept);
        if (kept->waiting_count != 0)
            flush(kept);
    }
}

static void destroy_kept(struct host_port *kept)
{
    for (uint16_t i = 0; i < kept->waiting_count; i++)
        lose(kept->lcore, kept->waiting[i], COUNTER_LOST_TRANSMIT_STOPPED);
    host_kernel_destroy(kept);
    host_arp_destroy(kept);
    host_igmp_destroy(kept);
    rte_free(kept);
}

void host_destroy(struct lcore *lcore)
{
    if (lcore->host == NULL)
        return;
    for (unsigned i = 0; i < CONFIG_MAX_PORTS; i++)
        if (lcore->host->ports[i] != NULL)
            destroy_kept(lcore->host->ports[i]);
    host_reassembly_destroy(lcore);
    rte_free(lcore->host);
    lcore->host = NULL;
    lcore->host_due = UINT64_MAX;
}

void host_discard(struct lcore *lcore, struct rte_mbuf *mbuf)
{
    if (rx_meta(mbuf)->kind == RX_TO_TRANSMIT)
        count(lcore, COUNTER_LOST_TRANSMIT_STOPPED, 1);
    rte_pktmbuf_free(mbuf);
}
