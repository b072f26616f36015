/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <string.h>

#define IP_HEADER_BYTES 20u
#define UDP_HEADER_BYTES 8u
#define PROTOCOL_UDP 17u

static void put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static void put32(uint8_t *out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out + 2, value & 0xffff);
}

/** RFC 1071's sum of 16-bit words, not yet folded. */
static uint64_t sum_words(const uint8_t *bytes, size_t length, uint64_t sum)
{
    for (; length > 1; bytes += 2, length -= 2)
        sum += (unsigned)bytes[0] << 8 | bytes[1];
    return length == 1 ? sum + ((unsigned)bytes[0] << 8) : sum;
}

static unsigned checksum(uint64_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned)(~sum & 0xffff);
}

size_t frame_finish(uint8_t *frame, size_t payload, const struct frame_flow *flow,
                    uint16_t identification)
{
    static const uint8_t source_mac[6] = {0x02, 'w', 'i', 'r', 'r', 'x'};
    uint8_t *ip = frame + 14, *udp = ip + IP_HEADER_BYTES;
    unsigned udp_length = (unsigned)(payload + UDP_HEADER_BYTES);

    /* RFC 1112: a group's MAC address holds the low 23 bits of its address. */
    put16(frame, 0x0100);
    put32(frame + 2, 0x5e000000u | (flow->group & 0x7fffff));
    memcpy(frame + 6, source_mac, sizeof source_mac);
    put16(frame + 12, 0x0800);

    put16(ip, 0x4500);
    put16(ip + 2, udp_length + IP_HEADER_BYTES);
    put16(ip + 4, identification);
    put16(ip + 6, 0x4000); /* do not fragment */
    ip[8] = 16;
    ip[9] = PROTOCOL_UDP;
    put16(ip + 10, 0);
    put32(ip + 12, flow->source);
    put32(ip + 16, flow->group);
    put16(ip + 10, checksum(sum_words(ip, IP_HEADER_BYTES, 0)));

    put16(udp, flow->source_port);
    put16(udp + 2, flow->port);
    put16(udp + 4, udp_length);
    put16(udp + 6, 0);
    unsigned sum =
        checksum(sum_words(udp, udp_length, sum_words(ip + 12, 8, PROTOCOL_UDP + udp_length)));
    put16(udp + 6, sum != 0 ? sum : 0xffff); /* RFC 768: zero would mean that there is none */
    return FRAME_HEADER_BYTES + payload;
}
