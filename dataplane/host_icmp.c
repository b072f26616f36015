/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_icmp.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <string.h>

#include "classify.h"
#include "ethernet.h"
#include "host.h"
#include "icmp.h"
#include "icmp_answer.h"
#include "lcore.h"
#include "state.h"

static void count(const struct host_port *kept, enum counter counter)
{
    counter_add(&kept->lcore->own_counters, counter, 1);
}

static uint32_t destination_of(const struct rte_mbuf *mbuf)
{
    return rx_meta((struct rte_mbuf *)(uintptr_t)mbuf)->destination;
}

/* Did the frame come from one station, and not to many? */
static bool came_from_one_to_one(const struct rte_mbuf *mbuf)
{
    const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);

    return !rte_is_multicast_ether_addr(&ethernet->dst_addr) &&
           rte_is_valid_assigned_ether_addr(&ethernet->src_addr);
}

/* Did it come to us alone: by our MAC and to our address? */
static bool is_for_us(const struct host_port *kept, const struct rte_mbuf *mbuf)
{
    if (!came_from_one_to_one(mbuf))
        return false;
    for (unsigned i = 0; i < kept->arp.ours_count; i++)
        if (kept->arp.ours[i].address == destination_of(mbuf))
            return true;
    return false;
}

/* Back to where it came from. */
static void turn_frame(const struct host_port *kept, struct rte_mbuf *mbuf)
{
    struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

    ethernet->dst_addr = ethernet->src_addr;
    ethernet->src_addr = kept->port->mac;
    mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
}

/* The request itself becomes the reply: of any size, in any number of segments. */
static bool answer_echo(struct host_port *kept, struct rte_mbuf *mbuf, uint64_t now)
{
    uint32_t at = ethernet_packet(mbuf, RTE_ETHER_TYPE_IPV4);
    uint8_t *ip = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at);

    if (at == 0 || rte_pktmbuf_data_len(mbuf) < at + ICMP_ECHO_HEADERS ||
        !icmp_checksum_is_right(mbuf))
        return false;
    switch (icmp_answer_echo(&kept->icmp, ip, now)) {
    case ICMP_ANSWERED:
        break;
    case ICMP_OVER_RATE:
        count(kept, COUNTER_ICMP_OVER_RATE);
        return false;
    case ICMP_NOT_ANSWERED:
    default:
        return false;
    }
    /* Behind the packet is padding, if anything: not to be sent back. */
    uint32_t behind = rte_pktmbuf_pkt_len(mbuf) - at - bytes_load_be16(ip + 2);
    if (behind != 0 && mbuf->nb_segs == 1)
        rte_pktmbuf_trim(mbuf, (uint16_t)behind);
    turn_frame(kept, mbuf);
    count(kept, COUNTER_ICMP_ECHOES);
    uint32_t mtu = kept->lcore->addressing.ports[kept->port->index].mtu;
    if (bytes_load_be16(ip + 2) <= mtu) {
        host_transmit(kept->lcore, kept->port, mbuf);
        return true;
    }
    count(kept, COUNTER_OUT);
    host_put_out_cut(kept, mbuf, at, mtu, true);
    return true;
}

enum counter host_icmp_take(struct host_port *kept, struct rte_mbuf *mbuf, uint64_t now)
{
    if (is_for_us(kept, mbuf) && answer_echo(kept, mbuf, now))
        return COUNTER_CONSUMED_ICMP;
    return COUNTER_DROP_ICMP;
}

/* Write the error that answers the frame, and the Ethernet header that takes it back to where that came from.
 * @return bytes; 0: there is none */
static size_t write_error(struct lcore *lcore, const struct port *port, struct icmp_answer *answer,
                          const struct rte_mbuf *mbuf, enum icmp_error what, uint8_t *frame,
                          uint64_t now)
{
    uint8_t gathered[ICMP_ERROR_BYTES];
    struct rte_ether_hdr *ethernet = (struct rte_ether_hdr *)frame;
    uint32_t at = ethernet_packet(mbuf, RTE_ETHER_TYPE_IPV4);
    uint32_t have = RTE_MIN(rte_pktmbuf_pkt_len(mbuf) - at, ICMP_ERROR_BYTES);
    const uint8_t *ip = rte_pktmbuf_read(mbuf, at, have, gathered);
    size_t bytes = 0;

    if (at == 0 || ip == NULL)
        return 0;
    switch (icmp_answer_error(answer, what, ip, have, frame + RTE_ETHER_HDR_LEN, &bytes, now)) {
    case ICMP_ANSWERED:
        break;
    case ICMP_OVER_RATE:
        counter_add(&lcore->own_counters, COUNTER_ICMP_OVER_RATE, 1);
        return 0;
    case ICMP_NOT_ANSWERED:
    default:
        return 0;
    }
    ethernet->dst_addr = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *)->src_addr;
    ethernet->src_addr = port->mac;
    ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    counter_add(&lcore->own_counters, COUNTER_ICMP_ERRORS, 1);
    return RTE_ETHER_HDR_LEN + bytes;
}

void host_icmp_refuse(struct host_port *kept, struct rte_mbuf *mbuf, enum counter reason,
                      uint64_t now)
{
    uint8_t frame[RTE_ETHER_HDR_LEN + ICMP_ERROR_BYTES];
    enum icmp_error what =
        reason == COUNTER_DROP_NO_SOCKET ? ICMP_PORT_UNREACHABLE : ICMP_PROTOCOL_UNREACHABLE;

    if (!is_for_us(kept, mbuf))
        return;
    if (what == ICMP_PORT_UNREACHABLE && !kept->port->rules.ignore_udp_checksums &&
        !classify_udp_checksum(mbuf))
        return;
    size_t bytes = write_error(kept->lcore, kept->port, &kept->icmp, mbuf, what, frame, now);
    if (bytes != 0)
        host_transmit_bytes(kept, frame, bytes);
}

void host_icmp_timed_out(struct lcore *lcore, const struct rte_mbuf *mbuf, uint64_t now)
{
    uint8_t frame[RTE_ETHER_HDR_LEN + ICMP_ERROR_BYTES];
    struct port *port = &dataplane.ports[rx_meta((struct rte_mbuf *)(uintptr_t)mbuf)->port];

    if (!port->transmits || !came_from_one_to_one(mbuf) ||
        !lcore_has_address(lcore, destination_of(mbuf)))
        return;
    size_t bytes =
        write_error(lcore, port, &lcore->host->icmp, mbuf, ICMP_REASSEMBLY_TIMED_OUT, frame, now);
    if (bytes != 0)
        host_transmit_bytes_from(lcore, port, frame, bytes);
}
