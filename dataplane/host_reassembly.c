/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_reassembly.h"

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <string.h>

#include "ethernet.h"
#include "host.h"
#include "host_icmp.h"
#include "ipv4.h"
#include "lcore.h"
#include "pool.h"
#include "reassembly.h"

#define MAX_HEADER 60u

static void lost(void *context, void *packet, enum reassembly_loss loss)
{
    static const enum counter rows[] = {
        [REASSEMBLY_LOST_TIMEOUT] = COUNTER_LOST_REASSEMBLY_TIMEOUT,
        [REASSEMBLY_LOST_OVERLAP] = COUNTER_LOST_REASSEMBLY_OVERLAP,
        [REASSEMBLY_LOST_FULL] = COUNTER_LOST_REASSEMBLY_FULL,
        [REASSEMBLY_LOST_STOPPED] = COUNTER_LOST_REASSEMBLY_STOPPED,
    };
    struct lcore *lcore = context;

    counter_add(&lcore->own_counters, rows[loss], 1);
    if (loss == REASSEMBLY_LOST_TIMEOUT)
        host_icmp_timed_out(lcore, packet, lcore->now);
    rte_pktmbuf_free(packet);
}

/* --- one frame of the parts ----------------------------------------------------------------------- */

/* Leave of a frame `length` bytes from `from` on, at least one, which are there.
 * @param segments  receives how many are left
 * @param last      receives the last of them */
static struct rte_mbuf *cut(struct rte_mbuf *mbuf, uint32_t from, uint32_t length,
                            uint16_t *segments, struct rte_mbuf **last)
{
    while (from != 0 && from >= rte_pktmbuf_data_len(mbuf)) {
        struct rte_mbuf *next = mbuf->next;

        from -= rte_pktmbuf_data_len(mbuf);
        rte_pktmbuf_free_seg(mbuf);
        mbuf = next;
    }
    mbuf->data_off = (uint16_t)(mbuf->data_off + from);
    mbuf->data_len = (uint16_t)(mbuf->data_len - from);
    *segments = 1;
    struct rte_mbuf *segment = mbuf;
    for (; length > rte_pktmbuf_data_len(segment); segment = segment->next) {
        length -= rte_pktmbuf_data_len(segment);
        ++*segments;
    }
    segment->data_len = (uint16_t)length;
    rte_pktmbuf_free(segment->next);
    segment->next = NULL;
    *last = segment;
    return mbuf;
}

static void overwrite(struct rte_mbuf *mbuf, uint32_t at, const uint8_t *bytes, uint32_t length)
{
    for (; length != 0; mbuf = mbuf->next, at = 0) {
        while (at >= rte_pktmbuf_data_len(mbuf)) {
            at -= rte_pktmbuf_data_len(mbuf);
            mbuf = mbuf->next;
        }
        uint32_t part = RTE_MIN(length, rte_pktmbuf_data_len(mbuf) - at);

        memcpy(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at), bytes, part);
        bytes += part;
        length -= part;
    }
}

/* The header of a packet that is no fragment: its length, no offset, nothing that follows, its checksum. */
static void mend_header(struct rte_mbuf *mbuf, uint32_t payload)
{
    uint32_t at = ethernet_packet(mbuf, RTE_ETHER_TYPE_IPV4),
             header = rx_meta(mbuf)->payload_offset - at;
    union {
        struct rte_ipv4_hdr ip;
        uint8_t bytes[MAX_HEADER];
    } copy;
    const void *found = rte_pktmbuf_read(mbuf, at, header, copy.bytes);

    if (found != copy.bytes)
        memcpy(copy.bytes, found, header);
    copy.ip.total_length = rte_cpu_to_be_16((uint16_t)(header + payload));
    copy.ip.fragment_offset &=
        rte_cpu_to_be_16((uint16_t) ~(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK));
    copy.ip.hdr_checksum = 0;
    copy.ip.hdr_checksum = (uint16_t)~rte_raw_cksum(copy.bytes, header);
    overwrite(mbuf, at, copy.bytes, header);
}

static struct rte_mbuf *join(const struct reassembly_part *parts, unsigned count)
{
    struct rte_mbuf *whole = parts[0].packet, *last;
    uint32_t headers = rx_meta(whole)->payload_offset, payload = parts[0].length;
    uint16_t segments;

    cut(whole, 0, headers + payload, &segments, &last);
    unsigned all_segments = segments;
    for (unsigned i = 1; i < count; i++) {
        struct rte_mbuf *part = parts[i].packet;

        struct rte_mbuf *before = last;

        part = cut(part, rx_meta(part)->payload_offset, parts[i].length, &segments, &last);
        part->nb_segs = 1; /* of a frame only the first says it */
        before->next = part;
        all_segments += segments;
        payload += parts[i].length;
    }
    whole->nb_segs = (uint16_t)all_segments;
    whole->pkt_len = headers + payload;
    /* What the device found was true of a fragment. */
    whole->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    mend_header(whole, payload);
    return whole;
}

/* --- a fragment ----------------------------------------------------------------------------------- */

/* Others' packets shall not take the places of ours. Of groups any may be wanted: only the first fragment
 * names the port. */
static bool may_be_for_us(const struct lcore *lcore, uint32_t destination)
{
    return ipv4_is_group_or_reserved(rte_be_to_cpu_32(destination)) ||
           lcore_has_address(lcore, destination) || lcore_has_broadcast(lcore, destination);
}

static enum counter fate_of(enum reassembly_result result)
{
    switch (result) {
    case REASSEMBLY_HELD:
    case REASSEMBLY_COMPLETE:
        return COUNTER_QUEUED_REASSEMBLY;
    case REASSEMBLY_DUPLICATE:
        return COUNTER_DROP_FRAGMENT_DUPLICATE;
    case REASSEMBLY_OVERLAP:
        return COUNTER_DROP_FRAGMENT_OVERLAP;
    case REASSEMBLY_FULL:
        return COUNTER_DROP_FRAGMENT_FULL;
    default:
        return COUNTER_DROP_FRAGMENT;
    }
}

struct rte_mbuf *host_reassembly_take(struct lcore *lcore, const struct port *port,
                                      struct rte_mbuf *mbuf, uint64_t now, enum counter *fate)
{
    struct reassembly *table = lcore->host->reassembly;
    struct rx_meta *meta = rx_meta(mbuf);
    struct reassembly_part parts[REASSEMBLY_PARTS];
    struct rte_ipv4_hdr copy;
    uint32_t at = ethernet_packet(mbuf, RTE_ETHER_TYPE_IPV4);
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_read(mbuf, at, sizeof copy, &copy);
    unsigned count;

    if (!may_be_for_us(lcore, meta->destination)) {
        *fate = COUNTER_DROP_NOT_OURS;
        return NULL;
    }
    meta->port = (uint8_t)port->index;
    uint16_t place = rte_be_to_cpu_16(ip->fragment_offset);
    struct reassembly_fragment fragment = {
        .key = {meta->source, meta->destination, ip->packet_id, ip->next_proto_id,
                (uint8_t)port->index},
        .packet = mbuf,
        .offset = (uint16_t)((place & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS),
        .length = (uint16_t)meta->payload_length,
        .header = (uint16_t)(meta->payload_offset - at),
        .buffers = mbuf->nb_segs,
        .more = (place & RTE_IPV4_HDR_MF_FLAG) != 0,
    };
    enum reassembly_result result = reassembly_take(table, &fragment, now, parts, &count);

    host_wake_at(lcore, reassembly_due(table));
    *fate = fate_of(result);
    if (result != REASSEMBLY_COMPLETE)
        return NULL;
    counter_add(&lcore->own_counters, COUNTER_REASSEMBLED_FRAGMENTS, count);
    return join(parts, count);
}

/* --- beginning and end ---------------------------------------------------------------------------- */

int host_reassembly_create(struct lcore *lcore)
{
    unsigned share = pool_total() / HOST_REASSEMBLY_POOL_DIVISOR / lcore->peers_count;
    struct reassembly_settings settings = {
        .hz = rte_get_tsc_hz(),
        .datagrams = HOST_REASSEMBLY_DATAGRAMS,
        .buffers = RTE_MAX(1u, RTE_MIN(share, HOST_REASSEMBLY_BUFFERS)),
        .seed = (uint32_t)rte_rand(),
        .context = lcore,
        .lost = lost,
    };
    void *memory = rte_malloc_socket("reassembly", reassembly_size(&settings), RTE_CACHE_LINE_SIZE,
                                     lcore->numa_node);

    if (memory == NULL)
        return -1;
    lcore->host->reassembly = reassembly_create(memory, &settings);
    return 0;
}

void host_reassembly_destroy(struct lcore *lcore)
{
    if (lcore->host->reassembly == NULL)
        return;
    reassembly_discard(lcore->host->reassembly);
    rte_free(lcore->host->reassembly);
    lcore->host->reassembly = NULL;
}
