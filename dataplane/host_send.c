/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_send.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#include "classify.h"
#include "ethernet.h"
#include "host.h"
#include "ipv4.h"
#include "lcore.h"

#define AT_UDP ((uint32_t)(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr)))

/* RFC 768: a sum of zero is sent as all ones, because zero says that there is none. */
static uint16_t udp_checksum(const struct rte_mbuf *mbuf, const struct rte_ipv4_hdr *ip)
{
    uint32_t sum = 0;

    classify_sum(mbuf, AT_UDP, rte_pktmbuf_pkt_len(mbuf) - AT_UDP, &sum);
    sum += rte_ipv4_phdr_cksum(ip, 0);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff ? 0xffff : (uint16_t)~sum;
}

static uint32_t packet_length(const struct rte_mbuf *mbuf)
{
    return rte_pktmbuf_pkt_len(mbuf) - (uint32_t)sizeof(struct rte_ether_hdr);
}

void host_send_checksum(const struct port *port, struct rte_mbuf *mbuf, uint32_t limit)
{
    const struct rte_ipv4_hdr *ip =
        rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
    struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, AT_UDP);

    mbuf->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    udp->dgram_cksum = 0;
    if ((port->transmit_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) == 0 ||
        packet_length(mbuf) > limit) {
        udp->dgram_cksum = udp_checksum(mbuf, ip);
        return;
    }
    mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
    mbuf->l2_len = sizeof(struct rte_ether_hdr);
    mbuf->l3_len = sizeof *ip;
    mbuf->l4_len = sizeof *udp;
    udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, mbuf->ol_flags);
}

void host_send_addressed(struct host_port *kept, struct rte_mbuf *mbuf,
                         const struct rte_ether_addr *mac)
{
    struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

    ethernet->dst_addr = *mac;
    ethernet->src_addr = kept->port->mac;
    uint32_t limit = rx_meta(mbuf)->payload_length;
    if (packet_length(mbuf) <= limit)
        host_put_out(kept, mbuf);
    else
        host_put_out_cut(kept, mbuf, sizeof *ethernet, limit, false);
}

void host_send_kept(struct host_port *kept, struct rte_mbuf *mbuf, uint32_t next_hop, uint64_t now)
{
    static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    const struct rte_ether_addr *mac = &broadcast;
    struct rte_ether_addr group;

    if (ipv4_is_multicast(rte_be_to_cpu_32(next_hop))) {
        group = ethernet_group(rte_be_to_cpu_32(next_hop));
        mac = &group;
    } else if (next_hop != UINT32_MAX) {
        mac = arp_resolve(kept->arp.table, next_hop, mbuf, mbuf->nb_segs, now);
        host_wake_at(kept->lcore, host_arp_due(kept));
    }
    if (mac != NULL)
        host_send_addressed(kept, mbuf, mac);
}

void host_send(struct lcore *lcore, struct port *port, struct rte_mbuf *mbuf, uint32_t limit,
               uint32_t next_hop)
{
    rx_meta(mbuf)->payload_length = limit;
    counter_add(&lcore->own_counters, COUNTER_OUT, 1);
    if (port->keeper == lcore)
        host_send_kept(lcore->host->ports[port->index], mbuf, next_hop, lcore->now);
    else
        host_to_keeper_or_lose(lcore, port, mbuf, next_hop);
}
