/* SPDX-License-Identifier: BSD-3-Clause */
#include "igmp_wire.h"

#include <string.h>

#include <rte_byteorder.h>

#include "bytes.h"
#include "ipv4.h"

#define PROTOCOL_IGMP 2u
#define TYPE_QUERY 0x11u
#define TYPE_V3_REPORT 0x22u

#define IP_BYTES 20u
#define V3_QUERY_BYTES 12u
#define RECORD_BYTES 8u
#define SOURCE_BYTES 4u

/* RFC 2236, 4: a querier of version 1 gives ten seconds. */
#define V1_RESPONSE_TENTHS 100u

#define OPTION_END 0u
#define OPTION_NOTHING 1u
#define OPTION_ROUTER_ALERT 148u

/* RFC 1071, of bytes with their checksum: 0 when it is right. */
static uint16_t checksum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        sum += bytes_load_be16(bytes + i);
    if (length % 2 != 0)
        sum += (uint32_t)bytes[length - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* --- what is heard -------------------------------------------------------------------------------- */

uint32_t igmp_source(const struct igmp_message *message, unsigned i)
{
    return bytes_load_raw32(message->sources + (size_t)i * SOURCE_BYTES);
}

uint32_t igmp_decode(uint8_t code)
{
    unsigned exponent = code >> 4 & 7, mantissa = code & 15;

    return code < 128 ? code : (mantissa | 16u) << (exponent + 3);
}

/* RFC 2113: is the option among those of a header? */
static bool has_router_alert(const uint8_t *ip, size_t header)
{
    size_t at = IP_BYTES;

    while (at < header && ip[at] != OPTION_END) {
        if (ip[at] == OPTION_NOTHING) {
            at++;
            continue;
        }
        if (at + 1 >= header || ip[at + 1] < 2 || ip[at + 1] > header - at)
            return false;
        if (ip[at] == OPTION_ROUTER_ALERT)
            return true;
        at += ip[at + 1];
    }
    return false;
}

static bool is_multicast(uint32_t address)
{
    return ipv4_is_multicast(rte_be_to_cpu_32(address));
}

/* Which version's query is it (RFC 3376, 7.1)? @return false: none's */
static bool read_query(const uint8_t *igmp, size_t length, struct igmp_message *message)
{
    if (length == IGMP_SHORT_BYTES) {
        message->version = igmp[1] == 0 ? IGMP_V1 : IGMP_V2;
        message->response_tenths = igmp[1] == 0 ? V1_RESPONSE_TENTHS : igmp[1];
        return true;
    }
    if (length < V3_QUERY_BYTES)
        return false;
    message->version = IGMP_V3;
    message->response_tenths = igmp_decode(igmp[1]);
    message->robustness = igmp[8] & 7;
    message->interval = igmp_decode(igmp[9]);
    message->sources_count = bytes_load_be16(igmp + 10);
    message->sources = igmp + V3_QUERY_BYTES;
    return message->sources_count <= (length - V3_QUERY_BYTES) / SOURCE_BYTES;
}

/* May a query be where it was sent to? */
static bool is_well_directed(const struct igmp_message *message)
{
    if (message->group != 0 && !is_multicast(message->group))
        return false;
    if (message->group == 0 && message->sources_count != 0)
        return false;
    return !is_multicast(message->destination) || message->destination == message->group ||
           message->destination == rte_cpu_to_be_32(IGMP_ALL_HOSTS);
}

enum igmp_kind igmp_parse(const uint8_t *packet, size_t length, struct igmp_message *message)
{
    *message = (struct igmp_message){.kind = IGMP_NOTHING};
    if (length < IP_BYTES || packet[0] >> 4 != 4 || packet[9] != PROTOCOL_IGMP)
        return IGMP_NOTHING;
    size_t header = (size_t)(packet[0] & 15) * 4, total = bytes_load_be16(packet + 2);
    if (header < IP_BYTES || total > length || total < header + IGMP_SHORT_BYTES)
        return IGMP_NOTHING;
    const uint8_t *igmp = packet + header;
    if (packet[8] != 1 || checksum(igmp, total - header) != 0)
        return IGMP_NOTHING;
    message->destination = bytes_load_raw32(packet + 16);
    message->group = bytes_load_raw32(igmp + 4);
    switch (igmp[0]) {
    case TYPE_QUERY:
        if (!read_query(igmp, total - header, message))
            return IGMP_NOTHING;
        if (message->version == IGMP_V1)
            message->group = 0; /* RFC 1112: the field is zero, and ignored */
        else if (!has_router_alert(packet, header))
            return IGMP_NOTHING;
        if (!is_well_directed(message))
            return IGMP_NOTHING;
        message->kind = IGMP_QUERY;
        break;
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT:
        if (!is_multicast(message->group) || message->destination != message->group)
            return IGMP_NOTHING;
        message->version = igmp[0] == IGMP_V1_REPORT ? IGMP_V1 : IGMP_V2;
        message->kind = IGMP_REPORT;
        break;
    default:
        break;
    }
    return message->kind;
}

/* --- what is said --------------------------------------------------------------------------------- */

uint32_t igmp_destination(const uint8_t *packet)
{
    return bytes_load_raw32(packet + 16);
}

/* RFC 3376, 4: time to live 1, precedence of internetwork control, router alert. */
static void fill_ip(uint8_t *packet, size_t total, uint32_t source, uint32_t destination)
{
    static const uint8_t first[IGMP_IP_BYTES] = {
        [0] = 0x40 | IGMP_IP_BYTES / 4, [1] = 0xc0, [6] = 0x40, [8] = 1, [9] = PROTOCOL_IGMP,
        [20] = OPTION_ROUTER_ALERT,     [21] = 4,
    };

    memcpy(packet, first, sizeof first);
    bytes_store_be16(packet + 2, (unsigned)total);
    memcpy(packet + 12, &source, sizeof source);
    memcpy(packet + 16, &destination, sizeof destination);
    bytes_store_be16(packet + 10, checksum(packet, IGMP_IP_BYTES));
}

size_t igmp_build_short(uint8_t *packet, enum igmp_short type, uint32_t source, uint32_t group)
{
    uint8_t *igmp = packet + IGMP_IP_BYTES;
    size_t total = IGMP_IP_BYTES + IGMP_SHORT_BYTES;

    memset(igmp, 0, IGMP_SHORT_BYTES);
    igmp[0] = (uint8_t)type;
    memcpy(igmp + 4, &group, sizeof group);
    bytes_store_be16(igmp + 2, checksum(igmp, IGMP_SHORT_BYTES));
    fill_ip(packet, total, source,
            type == IGMP_V2_LEAVE ? rte_cpu_to_be_32(IGMP_ALL_ROUTERS) : group);
    return total;
}

void igmp_report_begin(struct igmp_report *report, uint8_t *packet, size_t room)
{
    report->packet = packet;
    report->room = room;
    report->length = IGMP_IP_BYTES + IGMP_SHORT_BYTES;
    report->records = 0;
}

int igmp_report_room(const struct igmp_report *report)
{
    size_t left = report->room - report->length;

    return left < RECORD_BYTES ? -1 : (int)((left - RECORD_BYTES) / SOURCE_BYTES);
}

void igmp_report_add(struct igmp_report *report, enum source_record_type type, uint32_t group,
                     const uint32_t *sources, unsigned count)
{
    uint8_t *record = report->packet + report->length;

    record[0] = (uint8_t)type;
    record[1] = 0; /* no auxiliary data */
    bytes_store_be16(record + 2, count);
    memcpy(record + 4, &group, sizeof group);
    if (count != 0)
        memcpy(record + RECORD_BYTES, sources, (size_t)count * SOURCE_BYTES);
    report->length += RECORD_BYTES + (size_t)count * SOURCE_BYTES;
    report->records++;
}

size_t igmp_report_end(struct igmp_report *report, uint32_t source)
{
    uint8_t *igmp = report->packet + IGMP_IP_BYTES;

    memset(igmp, 0, IGMP_SHORT_BYTES);
    igmp[0] = TYPE_V3_REPORT;
    bytes_store_be16(igmp + 6, report->records);
    bytes_store_be16(igmp + 2, checksum(igmp, report->length - IGMP_IP_BYTES));
    fill_ip(report->packet, report->length, source, rte_cpu_to_be_32(IGMP_ALL_V3_ROUTERS));
    return report->length;
}
