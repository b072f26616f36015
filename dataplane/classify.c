/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify_plain.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#include "bytes.h"

/** Tags that are looked through: one (802.1Q) or two (802.1ad). */
#define MAX_TAGS 2
#define VLAN_ID_MASK 0x0fffu

static enum counter other_ethertype(uint16_t ethertype)
{
    switch (ethertype) {
    case RTE_ETHER_TYPE_ARP:
        return COUNTER_DROP_ARP;
    case RTE_ETHER_TYPE_IPV6:
        return COUNTER_DROP_IPV6;
    default:
        return COUNTER_DROP_ETHERTYPE;
    }
}

static enum counter other_protocol(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_ICMP:
        return COUNTER_DROP_ICMP;
    case IPPROTO_IGMP:
        return COUNTER_DROP_IGMP;
    case IPPROTO_TCP:
        return COUNTER_DROP_TCP;
    default:
        return COUNTER_DROP_PROTOCOL;
    }
}

enum counter classify_headers(const uint8_t *bytes, size_t length, size_t frame_length,
                              const struct classify_rules *rules, bool ip_checksum_known_good,
                              int stripped_vlan, struct rx_meta *meta)
{
    size_t at = RTE_ETHER_HDR_LEN;
    int vlan = stripped_vlan;

    if (length < RTE_ETHER_HDR_LEN)
        return COUNTER_DROP_SHORT_FRAME;
    uint16_t ethertype = bytes_load_be16(bytes + 12);
    for (int tags = 0; tags < MAX_TAGS; tags++) {
        if (ethertype != RTE_ETHER_TYPE_VLAN && ethertype != RTE_ETHER_TYPE_QINQ)
            break;
        if (length < at + RTE_VLAN_HLEN)
            return COUNTER_DROP_SHORT_FRAME;
        vlan = bytes_load_be16(bytes + at) & VLAN_ID_MASK; /* the innermost tag decides */
        ethertype = bytes_load_be16(bytes + at + 2);
        at += RTE_VLAN_HLEN;
    }
    if (rules->vlan != 0 && vlan != rules->vlan)
        return COUNTER_DROP_VLAN;
    if (ethertype != RTE_ETHER_TYPE_IPV4)
        return other_ethertype(ethertype);

    if (length < at + sizeof(struct rte_ipv4_hdr))
        return COUNTER_DROP_SHORT_FRAME;
    const uint8_t *ip = bytes + at;
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    size_t total = bytes_load_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < sizeof(struct rte_ipv4_hdr) || total < header)
        return COUNTER_DROP_IP_HEADER;
    if (length < at + header)
        return COUNTER_DROP_TRUNCATED;
    if (!ip_checksum_known_good && rte_raw_cksum(ip, header) != 0xffff)
        return COUNTER_DROP_IP_CHECKSUM;
    if (frame_length < at + total) /* more than `total` is padding and is ignored */
        return COUNTER_DROP_TRUNCATED;
    if (ipv4_is_martian(ip[12], ip[16]))
        return COUNTER_DROP_MARTIAN;
    meta->source = bytes_load_raw32(ip + 12);
    meta->destination = bytes_load_raw32(ip + 16);
    meta->payload_offset = (uint16_t)(at + header);
    meta->payload_length = (uint32_t)(total - header);
    if ((bytes_load_be16(ip + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0)
        return COUNTER_DROP_FRAGMENT;
    if (ip[9] != IPPROTO_UDP)
        return other_protocol(ip[9]);

    if (total < header + sizeof(struct rte_udp_hdr) ||
        length < at + header + sizeof(struct rte_udp_hdr))
        return COUNTER_DROP_UDP_LENGTH;
    const uint8_t *udp = ip + header;
    size_t udp_length = bytes_load_be16(udp + 4);
    if (udp_length < sizeof(struct rte_udp_hdr) || udp_length > total - header)
        return COUNTER_DROP_UDP_LENGTH;

    meta->source_port = bytes_load_raw16(udp);
    meta->destination_port = bytes_load_raw16(udp + 2);
    meta->payload_offset = (uint16_t)(at + header + sizeof(struct rte_udp_hdr));
    meta->payload_length = (uint32_t)(udp_length - sizeof(struct rte_udp_hdr));
    return FATE_UNDECIDED;
}

enum counter classify(struct rte_mbuf *mbuf, const struct classify_rules *rules)
{
    uint8_t gathered[CLASSIFY_HEADER_BYTES];
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    size_t length = rte_pktmbuf_data_len(mbuf);
    size_t frame_length = rte_pktmbuf_pkt_len(mbuf);
    uint64_t ip_checksum = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    int stripped = -1;

    if (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
        stripped = (int)(mbuf->vlan_tci & VLAN_ID_MASK);
    if (mbuf->nb_segs > 1 && length < sizeof gathered) {
        length = RTE_MIN(frame_length, sizeof gathered);
        bytes = rte_pktmbuf_read(mbuf, 0, (uint32_t)length, gathered);
        if (bytes == NULL)
            return COUNTER_DROP_SHORT_FRAME;
    }
    if (ip_checksum == RTE_MBUF_F_RX_IP_CKSUM_BAD)
        return COUNTER_DROP_IP_CHECKSUM;
    return classify_headers(bytes, length, frame_length, rules,
                            ip_checksum == RTE_MBUF_F_RX_IP_CKSUM_GOOD, stripped, rx_meta(mbuf));
}

/* rte_raw_cksum_mbuf() of DPDK 22.11 loses carries when a segment ends at an odd place. */
bool classify_sum(const struct rte_mbuf *mbuf, uint32_t offset, uint32_t length, uint32_t *sum)
{
    uint32_t done = 0;

    while (mbuf != NULL && offset >= rte_pktmbuf_data_len(mbuf)) {
        offset -= rte_pktmbuf_data_len(mbuf);
        mbuf = mbuf->next;
    }
    *sum = 0;
    for (; mbuf != NULL && done < length; mbuf = mbuf->next, offset = 0) {
        uint32_t part = RTE_MIN(rte_pktmbuf_data_len(mbuf) - offset, length - done);
        uint16_t one = rte_raw_cksum(rte_pktmbuf_mtod_offset(mbuf, const void *, offset), part);

        *sum += done % 2 == 0 ? one : rte_bswap16(one);
        done += part;
    }
    return done == length;
}

bool classify_udp_checksum(const struct rte_mbuf *mbuf)
{
    const struct rx_meta *meta = rx_meta((struct rte_mbuf *)(uintptr_t)mbuf);
    uint32_t udp_offset = (uint32_t)meta->payload_offset - (uint32_t)sizeof(struct rte_udp_hdr);
    uint32_t udp_length = meta->payload_length + (uint32_t)sizeof(struct rte_udp_hdr);
    struct rte_udp_hdr copy;
    uint32_t sum;

    switch (mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
    case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
        return true;
    case RTE_MBUF_F_RX_L4_CKSUM_BAD: {
        /* Some devices call an absent checksum bad. */
        const struct rte_udp_hdr *udp = rte_pktmbuf_read(mbuf, udp_offset, sizeof copy, &copy);
        return udp != NULL && udp->dgram_cksum == 0;
    }
    default:
        break;
    }
    const struct rte_udp_hdr *udp = rte_pktmbuf_read(mbuf, udp_offset, sizeof copy, &copy);
    if (udp == NULL)
        return false;
    if (udp->dgram_cksum == 0)
        return true;
    /* RFC 768: the pseudo header is addresses, protocol and UDP length. */
    struct rte_ipv4_hdr pseudo = {
        .version_ihl = RTE_IPV4_VHL_DEF,
        .total_length = rte_cpu_to_be_16((uint16_t)(udp_length + sizeof pseudo)),
        .next_proto_id = IPPROTO_UDP,
        .src_addr = meta->source,
        .dst_addr = meta->destination,
    };
    if (udp_length + sizeof pseudo > UINT16_MAX)
        return false;
    if (!classify_sum(mbuf, udp_offset, udp_length, &sum))
        return false;
    sum += rte_ipv4_phdr_cksum(&pseudo, 0); /* at most 65,535 segments and this: no overflow */
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

bool classify_plain_udp_sum(const uint8_t *udp)
{
    uint32_t left = rte_be_to_cpu_16(plain_load16(udp + PLAIN_UDP_LENGTH - PLAIN_UDP));
    /* RFC 768: the pseudo header is addresses, protocol and UDP length. */
    uint64_t sum = plain_load64(udp + PLAIN_ADDRESSES - PLAIN_UDP);

    sum = plain_sum(sum, rte_cpu_to_be_32((uint32_t)PLAIN_PROTOCOL_UDP << 16 | left));
    for (; left >= 8; left -= 8, udp += 8)
        sum = plain_sum(sum, plain_load64(udp));
    if (left != 0) {
        uint64_t rest = 0;

        memcpy(&rest, udp, left);
        sum = plain_sum(sum, rest);
    }
    return plain_sum_is_right(sum);
}
