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

static void count(const struct host_port *kept, enum counter counter)
{
    counter_add(&kept->lcore->own_counters, counter, 1);
}

/* Did it come to us alone: by our MAC and to our address? */
static bool is_for_us(const struct host_port *kept, const struct rte_mbuf *mbuf)
{
    const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);
    uint32_t destination = rx_meta((struct rte_mbuf *)(uintptr_t)mbuf)->destination;

    if (rte_is_multicast_ether_addr(&ethernet->dst_addr) ||
        !rte_is_valid_assigned_ether_addr(&ethernet->src_addr))
        return false;
    for (unsigned i = 0; i < kept->arp.ours_count; i++)
        if (kept->arp.ours[i].address == destination)
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

void host_icmp_refuse(struct host_port *kept, struct rte_mbuf *mbuf, enum counter reason,
                      uint64_t now)
{
    uint8_t frame[RTE_ETHER_HDR_LEN + ICMP_ERROR_BYTES], gathered[ICMP_ERROR_BYTES];
    struct rte_ether_hdr *ethernet = (struct rte_ether_hdr *)frame;
    enum icmp_unreachable code =
        reason == COUNTER_DROP_NO_SOCKET ? ICMP_PORT_UNREACHABLE : ICMP_PROTOCOL_UNREACHABLE;
    uint32_t at = ethernet_packet(mbuf, RTE_ETHER_TYPE_IPV4);
    size_t bytes = 0;

    if (at == 0 || !is_for_us(kept, mbuf))
        return;
    if (code == ICMP_PORT_UNREACHABLE && !kept->port->rules.ignore_udp_checksums &&
        !classify_udp_checksum(mbuf))
        return;
    uint32_t have = RTE_MIN(rte_pktmbuf_pkt_len(mbuf) - at, ICMP_ERROR_BYTES);
    const uint8_t *ip = rte_pktmbuf_read(mbuf, at, have, gathered);
    if (ip == NULL)
        return;
    switch (
        icmp_answer_error(&kept->icmp, code, ip, have, frame + RTE_ETHER_HDR_LEN, &bytes, now)) {
    case ICMP_ANSWERED:
        break;
    case ICMP_OVER_RATE:
        count(kept, COUNTER_ICMP_OVER_RATE);
        return;
    case ICMP_NOT_ANSWERED:
    default:
        return;
    }
    ethernet->dst_addr = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *)->src_addr;
    ethernet->src_addr = kept->port->mac;
    ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    count(kept, COUNTER_ICMP_ERRORS);
    host_transmit_bytes(kept, frame, RTE_ETHER_HDR_LEN + bytes);
}
