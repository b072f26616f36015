/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp.h"

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "bytes.h"
#include "classify.h"
#include "ipv4.h"

#define ICMP_HEADER_BYTES 8u
#define UDP_QUOTED_BYTES 8u

#define TYPE_UNREACHABLE 3u
#define TYPE_TIME_EXCEEDED 11u

#define CODE_TOO_LONG 4u /* of TYPE_UNREACHABLE: fragmentation needed */

/* Which errors sockets are told of. A network or host that cannot be reached may be so for a moment
 * only (RFC 1122, 3.2.2.1), and Windows does not tell either. */
static const struct {
    uint8_t type;
    uint8_t code;
    enum rx_kind kind;
} rows[] = {
    {TYPE_UNREACHABLE, 2, RX_PORT_UNREACHABLE}, /* no UDP there at all */
    {TYPE_UNREACHABLE, 3, RX_PORT_UNREACHABLE},
    {TYPE_TIME_EXCEEDED, 0, RX_TIME_EXCEEDED},
};

static bool find_kind(uint8_t type, uint8_t code, enum rx_kind *kind)
{
    for (unsigned i = 0; i < RTE_DIM(rows); i++)
        if (rows[i].type == type && rows[i].code == code) {
            *kind = rows[i].kind;
            return true;
        }
    return false;
}

/* What an error quotes of a UDP datagram, behind ICMP's header.
 * @return the IPv4 header; NULL: it is something else, or its ports are not there */
static const uint8_t *find_quoted(const uint8_t *bytes, size_t length, size_t *header)
{
    if (length < ICMP_HEADER_BYTES + sizeof(struct rte_ipv4_hdr))
        return NULL;
    const uint8_t *ip = bytes + ICMP_HEADER_BYTES;
    *header = (size_t)(ip[0] & 0x0f) * 4;
    if (ip[0] >> 4 != 4 || *header < sizeof(struct rte_ipv4_hdr) || ip[9] != IPPROTO_UDP)
        return NULL;
    if (length < ICMP_HEADER_BYTES + *header + UDP_QUOTED_BYTES)
        return NULL;
    /* Of a later fragment the ports are not in the quote. */
    return (bytes_load_be16(ip + 6) & RTE_IPV4_HDR_OFFSET_MASK) == 0 ? ip : NULL;
}

bool icmp_parse(const uint8_t *bytes, size_t length, struct icmp_quote *quote)
{
    size_t header;
    const uint8_t *ip = find_quoted(bytes, length, &header);

    if (ip == NULL || !find_kind(bytes[0], bytes[1], &quote->kind))
        return false;
    quote->source = bytes_load_raw32(ip + 12);
    quote->destination = bytes_load_raw32(ip + 16);
    quote->source_port = bytes_load_raw16(ip + header);
    quote->destination_port = bytes_load_raw16(ip + header + 2);
    return true;
}

bool icmp_parse_too_long(const uint8_t *bytes, size_t length, struct icmp_too_long *message)
{
    size_t header;
    const uint8_t *ip = find_quoted(bytes, length, &header);

    if (ip == NULL || bytes[0] != TYPE_UNREACHABLE || bytes[1] != CODE_TOO_LONG)
        return false;
    /* It was one packet, and not to be cut. */
    if ((bytes_load_be16(ip + 6) & (RTE_IPV4_HDR_DF_FLAG | RTE_IPV4_HDR_MF_FLAG)) !=
        RTE_IPV4_HDR_DF_FLAG)
        return false;
    *message = (struct icmp_too_long){
        .source = bytes_load_raw32(ip + 12),
        .destination = bytes_load_raw32(ip + 16),
        .source_port = bytes_load_raw16(ip + header),
        .destination_port = bytes_load_raw16(ip + header + 2),
        .length = bytes_load_be16(ip + 2),
        .mtu = bytes_load_be16(bytes + 6),
    };
    return true;
}

bool icmp_checksum_is_right(const struct rte_mbuf *mbuf)
{
    const struct rx_meta *meta = rx_meta((struct rte_mbuf *)(uintptr_t)mbuf);
    uint32_t sum;

    if (!classify_sum(mbuf, meta->payload_offset, meta->payload_length, &sum))
        return false;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* The message's first bytes; NULL: they are not there. */
static const uint8_t *look(const struct rte_mbuf *mbuf, const struct rx_meta *meta,
                           uint8_t *gathered, size_t *length)
{
    *length = RTE_MIN(meta->payload_length, ICMP_LOOKED_AT);
    return rte_pktmbuf_read(mbuf, meta->payload_offset, (uint32_t)*length, gathered);
}

/* An error goes to whom the datagram came from (RFC 1122, 3.2.2): one host's address. */
static bool went_to(const struct rx_meta *meta, uint32_t source)
{
    return source == meta->destination && !ipv4_is_group_or_reserved(rte_be_to_cpu_32(source));
}

bool icmp_to_condition(struct rte_mbuf *mbuf)
{
    struct rx_meta *meta = rx_meta(mbuf);
    uint8_t gathered[ICMP_LOOKED_AT];
    size_t length;
    const uint8_t *bytes = look(mbuf, meta, gathered, &length);
    struct icmp_quote quote;

    if (bytes == NULL || !icmp_parse(bytes, length, &quote) || !went_to(meta, quote.source) ||
        !icmp_checksum_is_right(mbuf))
        return false;
    meta->source = quote.destination;
    meta->destination = quote.source;
    meta->source_port = quote.destination_port;
    meta->destination_port = quote.source_port;
    meta->payload_length = 0;
    meta->kind = (uint8_t)quote.kind;
    meta->port = RX_PORT_CONDITION;
    return true;
}

bool icmp_to_path_mtu(struct rte_mbuf *mbuf)
{
    struct rx_meta *meta = rx_meta(mbuf);
    uint8_t gathered[ICMP_LOOKED_AT];
    size_t length;
    const uint8_t *bytes = look(mbuf, meta, gathered, &length);
    struct icmp_too_long message;

    if (bytes == NULL || !icmp_parse_too_long(bytes, length, &message) ||
        !went_to(meta, message.source) ||
        ipv4_is_group_or_reserved(rte_be_to_cpu_32(message.destination)) ||
        !icmp_checksum_is_right(mbuf))
        return false;
    meta->source = message.destination;
    meta->destination = message.source;
    meta->source_port = message.destination_port;
    meta->destination_port = message.source_port;
    meta->payload_length = message.length;
    meta->via = message.mtu;
    meta->kind = RX_PATH_MTU;
    return true;
}
