/* SPDX-License-Identifier: BSD-3-Clause */
#include "send.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#include "ethernet.h"
#include "fence.h"
#include "host.h"
#include "host_send.h"
#include "ipv4.h"
#include "lcore.h"
#include "numa_place.h"
#include "pool.h"
#include "route.h"
#include "state.h"

#define MAX_FRAME (sizeof(struct headers) + SEND_MAX_PAYLOAD)
#define MAX_SEGMENTS (MAX_FRAME / RTE_MBUF_DEFAULT_DATAROOM + 1)

struct headers {
    struct rte_ether_hdr ethernet;
    struct rte_ipv4_hdr ip;
    struct rte_udp_hdr udp;
};

_Static_assert(sizeof(struct headers) == 42, "nothing lies between them");

/* What is left of the pass's bounds. */
struct budget {
    uint32_t records;
    uint32_t bytes;
};

static const struct budget whole_pass = {SEND_PASS_RECORDS, SEND_PASS_BYTES};

/* --- the client's side ------------------------------------------------------------------------ */

/* The lcore does not look at the ring while this holds `listed`, and there is nothing in it. */
static bool claim_empty(struct send_queue *q)
{
    if (atomic_exchange_explicit(&q->listed, true, memory_order_acq_rel))
        return false;
    if (atomic_load_explicit(&q->head, memory_order_acquire) ==
        atomic_load_explicit(&q->tail, memory_order_relaxed))
        return true;
    atomic_store_explicit(&q->listed, false, memory_order_release);
    return false;
}

int dataplane_send_prepare(struct endpoint *e)
{
    struct send_queue *q = &e->send;
    uint32_t wanted = rte_align32pow2(RTE_MAX(q->limit, send_record_bytes(SEND_MAX_PAYLOAD)));

    if (likely(q->capacity >= wanted))
        return 0;
    if (!claim_empty(q))
        return 0; /* as large as it is, until there is nothing in it */
    uint8_t *bytes =
        rte_malloc_socket("send_queue", wanted, RTE_CACHE_LINE_SIZE, numa_place_default());
    if (bytes != NULL) {
        rte_free(q->bytes);
        q->bytes = bytes;
        q->capacity = wanted;
    }
    atomic_store_explicit(&q->listed, false, memory_order_release);
    return q->bytes != NULL ? 0 : -ENOBUFS;
}

void dataplane_send(struct endpoint *e, const struct send_record *record)
{
    struct send_queue *q = &e->send;
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

    send_queue_write(q, tail, record, sizeof *record);
    atomic_store_explicit(&q->tail, tail + send_record_bytes(record->length), memory_order_release);
    if (atomic_exchange_explicit(&q->listed, true, memory_order_acq_rel))
        return;
    struct lcore *home = &dataplane.lcores[atomic_load_explicit(&e->home, memory_order_relaxed)];
    struct endpoint *first = atomic_load_explicit(&home->senders, memory_order_relaxed);
    do
        q->next = first;
    while (!atomic_compare_exchange_weak_explicit(&home->senders, &first, e, memory_order_release,
                                                  memory_order_relaxed));
}

/* --- building frames -------------------------------------------------------------------------- */

/* What a router may cut is numbered, too (RFC 6864, 4.1); what stays here is not looked at. */
static uint16_t identify(const struct lcore *lcore, const struct send_record *record)
{
    if (record->hop == ROUTE_STAYS || record->cutting == SEND_UNCUT)
        return 0;
    return ip_identification_next(&lcore->host->identification, record->source, record->destination,
                                  IPPROTO_UDP);
}

static void build_headers(struct headers *headers, const struct lcore *lcore,
                          const struct send_record *record)
{
    uint16_t udp_length = (uint16_t)(sizeof headers->udp + record->length);
    uint32_t destination = rte_be_to_cpu_32(record->destination);

    *headers = (struct headers){
        .ethernet.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
        .ip =
            {
                .version_ihl = RTE_IPV4_VHL_DEF,
                .type_of_service = record->tos,
                .total_length = rte_cpu_to_be_16((uint16_t)(sizeof headers->ip + udp_length)),
                .packet_id = identify(lcore, record),
                .fragment_offset =
                    record->cutting == SEND_UNCUT ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0,
                .time_to_live = record->ttl,
                .next_proto_id = IPPROTO_UDP,
                .src_addr = record->source,
                .dst_addr = record->destination,
            },
        .udp =
            {
                .src_port = record->source_port,
                .dst_port = record->destination_port,
                .dgram_len = rte_cpu_to_be_16(udp_length),
            },
    };
    headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
    if (ipv4_is_multicast(destination))
        headers->ethernet.dst_addr = ethernet_group(destination);
}

/* As many bytes as there is room for at the end of the last segment. */
static uint32_t append(struct rte_mbuf *segment, const struct send_queue *q, uint32_t at,
                       uint32_t left)
{
    uint32_t n = RTE_MIN(left, (uint32_t)rte_pktmbuf_tailroom(segment));

    send_queue_read(q, at, rte_pktmbuf_mtod_offset(segment, uint8_t *, segment->data_len), n);
    segment->data_len = (uint16_t)(segment->data_len + n);
    return n;
}

/* The frame of the record at `at` of the queue, or NULL: the pool is empty. */
static struct rte_mbuf *build_frame(const struct lcore *lcore, const struct send_queue *q,
                                    uint32_t at, const struct send_record *record)
{
    struct rte_mbuf *segments[MAX_SEGMENTS];
    uint32_t bytes = (uint32_t)sizeof(struct headers) + record->length;
    unsigned count = (bytes + RTE_MBUF_DEFAULT_DATAROOM - 1) / RTE_MBUF_DEFAULT_DATAROOM;
    struct headers headers;

    if (rte_pktmbuf_alloc_bulk(lcore->send_pool, segments, count) != 0)
        return NULL;
    struct rte_mbuf *head = segments[0];
    build_headers(&headers, lcore, record);
    memcpy(rte_pktmbuf_mtod(head, void *), &headers, sizeof headers);
    head->data_len = sizeof headers;
    at += (uint32_t)sizeof *record;
    for (uint32_t i = 0, left = record->length; i < count; i++) {
        uint32_t n = append(segments[i], q, at, left);

        at += n;
        left -= n;
        segments[i]->next = i + 1 < count ? segments[i + 1] : NULL;
    }
    head->nb_segs = (uint16_t)count;
    head->pkt_len = bytes;
    return head;
}

/* --- delivering ------------------------------------------------------------------------------- */

static void describe(struct rte_mbuf *mbuf, const struct send_record *record)
{
    /* Memory does not err on the way; the UDP checksum is absent. */
    mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    *rx_meta(mbuf) = (struct rx_meta){
        .burst_tsc = rte_rdtsc(),
        .source = record->source,
        .destination = record->destination,
        .source_port = record->source_port,
        .destination_port = record->destination_port,
        .payload_offset = sizeof(struct headers),
        .port = RX_PORT_LOOPED,
        .payload_length = record->length,
        .kind = record->kind,
        .via = record->via,
    };
}

/* The datagram has found no socket: its frame goes back to the sender as what a host would answer
 * (RFC 1122, 4.1.3.1). */
static void turn_round(struct rte_mbuf *mbuf)
{
    struct rx_meta *meta = rx_meta(mbuf);
    struct rx_meta sent = *meta;

    rte_pktmbuf_free(mbuf->next);
    mbuf->next = NULL;
    mbuf->nb_segs = 1;
    mbuf->pkt_len = mbuf->data_len;
    meta->kind = RX_PORT_UNREACHABLE;
    meta->payload_length = 0;
    meta->source = sent.destination;
    meta->source_port = sent.destination_port;
    meta->destination = sent.source;
    meta->destination_port = sent.source_port;
}

/* One more frame has entered, and this is its fate. */
static void count_looped(struct lcore *lcore, enum counter fate, struct rte_mbuf *mbuf)
{
    counter_add(&lcore->own_counters, COUNTER_LOOPED, 1);
    counter_add(&lcore->own_counters, fate, 1);
    if (!counter_keeps_frame(fate))
        rte_pktmbuf_free(mbuf);
}

static void loop_back(struct lcore *lcore, struct endpoint *sender, struct rte_mbuf *mbuf)
{
    static const struct classify_rules known_good = {.ignore_udp_checksums = true};
    enum counter fate = lcore_deliver(lcore, &lcore->own_counters, mbuf, &known_good);

    if (fate != COUNTER_DROP_NO_SOCKET || rx_meta(mbuf)->kind != RX_DATAGRAM ||
        !endpoint_wants_condition(sender, RX_PORT_UNREACHABLE)) {
        count_looped(lcore, fate, mbuf);
        return;
    }
    counter_add(&lcore->own_counters, COUNTER_LOOPED, 1);
    counter_add(&lcore->own_counters, fate, 1);
    turn_round(mbuf);
    count_looped(lcore, lcore_deliver_to(lcore, &lcore->own_counters, sender, mbuf), mbuf);
}

/* --- leaving ---------------------------------------------------------------------------------- */

/* To everybody here, too, who wants it: one for the network apart, as receivers may have theirs long. */
static struct rte_mbuf *split_off(struct lcore *lcore, struct endpoint *sender,
                                  struct rte_mbuf *mbuf, const struct send_record *record)
{
    struct demux_key key = {record->destination, record->destination_port, IPPROTO_UDP};
    struct rte_mbuf *copy;

    if (demux_find(&lcore->demux, key) == NULL)
        return mbuf;
    copy = rte_pktmbuf_copy(mbuf, lcore->send_pool, 0, UINT32_MAX);
    if (copy == NULL)
        counter_add(&lcore->own_counters, COUNTER_LOST_SEND_NO_BUFFER, 1);
    loop_back(lcore, sender, mbuf);
    return copy;
}

/* Bytes of the longest packet that the datagram may be, or be cut into. */
static uint32_t limit_of(const struct lcore *lcore, uint32_t mtu, const struct send_record *record)
{
    if (record->cutting != SEND_CUT)
        return mtu;
    return RTE_MIN(mtu, pmtu_find(&lcore->host->paths, record->destination));
}

static void leave(struct lcore *lcore, struct endpoint *sender, struct rte_mbuf *mbuf,
                  const struct send_record *record)
{
    struct port *port = &dataplane.ports[record->via];
    const struct port_addressing *addressing = &lcore->addressing.ports[record->via];
    uint32_t next_hop = route_next_hop(addressing, record->hop, record->destination);
    uint32_t packet = rte_pktmbuf_pkt_len(mbuf) - (uint32_t)sizeof(struct rte_ether_hdr);

    if (ipv4_is_group_or_reserved(rte_be_to_cpu_32(next_hop)))
        mbuf = split_off(lcore, sender, mbuf, record);
    if (mbuf == NULL)
        return;
    if (next_hop == 0) {
        counter_add(&lcore->own_counters, COUNTER_LOST_SEND_NO_ROUTE, 1);
        rte_pktmbuf_free(mbuf);
        return;
    }
    uint32_t limit = limit_of(lcore, addressing->mtu, record);
    if (record->cutting == SEND_UNCUT && packet <= limit)
        sender->send.longest_uncut = RTE_MAX(sender->send.longest_uncut, packet);
    if (record->cutting == SEND_UNCUT && packet > limit) {
        counter_add(&lcore->own_counters, COUNTER_LOST_SEND_TOO_LONG, 1);
        rte_pktmbuf_free(mbuf);
        return;
    }
    host_send_checksum(port, mbuf, limit);
    host_send(lcore, port, mbuf, limit, next_hop);
}

/* --- an endpoint's turn ----------------------------------------------------------------------- */

/* @return true: there is more */
static bool take_records(struct lcore *lcore, struct endpoint *e, struct budget *budget)
{
    struct send_queue *q = &e->send;
    uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_acquire);
    uint64_t count = 0;

    while (head != tail && budget->records != 0 && budget->bytes != 0) {
        struct send_record record;

        send_queue_read(q, head, &record, sizeof record);
        struct rte_mbuf *mbuf = build_frame(lcore, q, head, &record);
        head += send_record_bytes(record.length);
        count++;
        budget->records--;
        budget->bytes -= RTE_MIN(budget->bytes, send_record_bytes(record.length));
        if (mbuf == NULL) {
            counter_add(&lcore->own_counters, COUNTER_LOST_SEND_NO_BUFFER, 1);
            continue;
        }
        describe(mbuf, &record);
        if (record.hop == ROUTE_STAYS)
            loop_back(lcore, e, mbuf);
        else
            leave(lcore, e, mbuf, &record);
    }
    endpoint_count(&q->sent, count);
    /* Release: the client may overwrite the records once it sees the new head. */
    atomic_store_explicit(&q->head, head, memory_order_release);
    return head != tail;
}

/* Whoever waits for the room that there is now. */
static void tell_waiting(struct lcore *lcore, struct endpoint *e)
{
    full_fence(); /* F4: the head before `posted` and `sleepers` below */
    if (unlikely(atomic_load_explicit(&e->send.posted, memory_order_relaxed) != 0))
        lcore_owe_service(lcore, e);
    if (unlikely(atomic_load_explicit(&e->send.sleepers, memory_order_relaxed) != 0))
        endpoint_wake_senders(e);
}

/* --- the list of senders ---------------------------------------------------------------------- */

static void append_sender(struct lcore *lcore, struct endpoint *e)
{
    e->send.next = NULL;
    if (lcore->first_sender == NULL)
        lcore->first_sender = e;
    else
        lcore->last_sender->send.next = e;
    lcore->last_sender = e;
}

static struct endpoint *take_first(struct lcore *lcore)
{
    struct endpoint *e = lcore->first_sender;

    if (e != NULL)
        lcore->first_sender = e->send.next;
    return e;
}

/* Everything that clients have pushed, in its order, behind those that wait. */
static void collect(struct lcore *lcore)
{
    struct endpoint *e, *next, *oldest = NULL;

    if (atomic_load_explicit(&lcore->senders, memory_order_relaxed) == NULL)
        return;
    /* Acquire: `next` of each, as its pusher wrote it. */
    e = atomic_exchange_explicit(&lcore->senders, NULL, memory_order_acquire);
    for (; e != NULL; e = next) {
        next = e->send.next;
        e->send.next = oldest;
        oldest = e;
    }
    for (e = oldest; e != NULL; e = next) {
        next = e->send.next;
        append_sender(lcore, e);
    }
}

/* No record is left: off the list, unless one has come meanwhile and nobody else has seen to it. */
static void leave_list(struct lcore *lcore, struct endpoint *e)
{
    struct send_queue *q = &e->send;

    atomic_exchange_explicit(&q->listed, false, memory_order_acq_rel);
    if (atomic_load_explicit(&q->tail, memory_order_acquire) !=
            atomic_load_explicit(&q->head, memory_order_relaxed) &&
        !atomic_exchange_explicit(&q->listed, true, memory_order_acq_rel))
        append_sender(lcore, e);
}

void send_run(struct lcore *lcore)
{
    struct budget budget = whole_pass;
    struct endpoint *e;

    collect(lcore);
    while (budget.records != 0 && budget.bytes != 0 && (e = take_first(lcore)) != NULL) {
        if (take_records(lcore, e, &budget))
            append_sender(lcore, e);
        else
            leave_list(lcore, e);
        tell_waiting(lcore, e);
    }
}

bool send_drain(struct lcore *lcore, struct endpoint *e)
{
    struct budget budget = whole_pass;

    return take_records(lcore, e, &budget);
}

static void discard(struct lcore *lcore, struct send_queue *q)
{
    uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_acquire);

    while (head != tail) {
        struct send_record record;

        send_queue_read(q, head, &record, sizeof record);
        head += send_record_bytes(record.length);
        counter_add(&lcore->own_counters, COUNTER_LOST_SEND_STOPPED, 1);
    }
    atomic_store_explicit(&q->head, head, memory_order_release);
}

void send_forget(struct lcore *lcore, struct endpoint *e)
{
    struct endpoint *others = NULL, *other;

    if (!atomic_load_explicit(&e->send.listed, memory_order_acquire))
        return; /* and so nothing is queued */
    collect(lcore);
    others = lcore->first_sender;
    lcore->first_sender = NULL;
    while ((other = others) != NULL) {
        others = other->send.next;
        if (other != e)
            append_sender(lcore, other);
    }
    discard(lcore, &e->send);
    atomic_store_explicit(&e->send.listed, false, memory_order_release);
}
