/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <string.h>

#include "classify.h"
#include "ipv4.h"

#define ICMP_HEADER_BYTES 8u
#define UDP_QUOTED_BYTES 8u

#define TYPE_UNREACHABLE 3u
#define TYPE_TIME_EXCEEDED 11u

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

bool icmp_parse(const uint8_t *bytes, size_t length, struct icmp_quote *quote)
{
    if (length < ICMP_HEADER_BYTES + sizeof(struct rte_ipv4_hdr))
        return false;
    if (!find_kind(bytes[0], bytes[1], &quote->kind))
        return false;
    const uint8_t *ip = bytes + ICMP_HEADER_BYTES;
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    if (ip[0] >> 4 != 4 || header < sizeof(struct rte_ipv4_hdr) || ip[9] != IPPROTO_UDP)
        return false;
    if (length < ICMP_HEADER_BYTES + header + UDP_QUOTED_BYTES)
        return false;
    /* Of a later fragment the ports are not in the quote. */
    if (((unsigned)(ip[6] << 8 | ip[7]) & RTE_IPV4_HDR_OFFSET_MASK) != 0)
        return false;
    memcpy(&quote->source, ip + 12, sizeof quote->source);
    memcpy(&quote->destination, ip + 16, sizeof quote->destination);
    memcpy(&quote->source_port, ip + header, sizeof quote->source_port);
    memcpy(&quote->destination_port, ip + header + 2, sizeof quote->destination_port);
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

bool icmp_to_condition(struct rte_mbuf *mbuf)
{
    struct rx_meta *meta = rx_meta(mbuf);
    uint8_t gathered[ICMP_LOOKED_AT];
    size_t length = RTE_MIN(meta->payload_length, sizeof gathered);
    struct icmp_quote quote;
    const uint8_t *bytes = rte_pktmbuf_read(mbuf, meta->payload_offset, (uint32_t)length, gathered);

    if (bytes == NULL || !icmp_parse(bytes, length, &quote))
        return false;
    /* An error goes to whom the datagram came from (RFC 1122, 3.2.2): one host's address. */
    if (quote.source != meta->destination ||
        ipv4_is_group_or_reserved(rte_be_to_cpu_32(quote.source)))
        return false;
    if (!icmp_checksum_is_right(mbuf))
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
