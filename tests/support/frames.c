/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "support/frames.h"

#define DEFAULT_SOURCE FRAME_IP(198, 51, 100, 7)
#define DEFAULT_DESTINATION FRAME_IP(239, 1, 1, 1)
#define DEFAULT_SOURCE_PORT 7000
#define DEFAULT_DESTINATION_PORT 5000

#define ETHERNET_BYTES 14u
#define TAG_BYTES 4u
#define IP_BYTES 20u
#define UDP_BYTES 8u
#define IP_OPTION_NOP 1
#define PADDING_BYTE 0xa5

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xffff);
}

uint16_t frame_sum(const uint8_t *bytes, size_t length, uint16_t sum)
{
    uint32_t total = sum;

    for (size_t i = 0; i < length; i += 2) {
        uint32_t low = i + 1 < length ? bytes[i + 1] : 0;

        total += (uint32_t)bytes[i] << 8 | low;
        total = (total & 0xffff) + (total >> 16);
    }
    return (uint16_t)total;
}

size_t frame_payload_offset(const struct frame *frame)
{
    return ETHERNET_BYTES + frame->tags_count * TAG_BYTES + IP_BYTES + frame->options + UDP_BYTES;
}

static uint8_t *put_ethernet(const struct frame *frame, uint8_t *at)
{
    static const uint8_t addresses[12] = {0x01, 0x00, 0x5e, 0x01, 0x01, 0x01,
                                          0x02, 0x00, 0x00, 0x00, 0x00, 0x07};

    memcpy(at, addresses, sizeof addresses);
    at += sizeof addresses;
    for (unsigned i = 0; i < frame->tags_count; i++) {
        at = put16(at, frame->tags[i].type != 0 ? frame->tags[i].type : 0x8100);
        at = put16(at, frame->tags[i].tci);
    }
    return put16(at, frame->ethertype != 0 ? frame->ethertype : 0x0800);
}

static void put_ip(const struct frame *frame, uint8_t *at, uint32_t source, uint32_t destination)
{
    size_t header = IP_BYTES + frame->options;
    size_t total = header + UDP_BYTES + frame->length;

    at[0] = frame->version_ihl != 0 ? frame->version_ihl : (uint8_t)(0x40 | header / 4);
    at[1] = 0;
    put16(at + 2, (unsigned)((int)total + frame->total_length_off));
    put16(at + 4, 0x1234);
    put16(at + 6, frame->fragment);
    at[8] = 16;
    at[9] = frame->protocol != 0 ? frame->protocol : 17;
    put16(at + 10, 0);
    put32(at + 12, source);
    put32(at + 16, destination);
    memset(at + IP_BYTES, IP_OPTION_NOP, frame->options);
    put16(at + 10, (unsigned)((uint16_t)~frame_sum(at, header, 0) + frame->ip_checksum_off));
}

static void put_udp(const struct frame *frame, uint8_t *at, uint32_t source, uint32_t destination)
{
    unsigned length = (unsigned)((int)(UDP_BYTES + frame->length) + frame->udp_length_off);
    uint8_t pseudo[12];

    put16(at, frame->source_port != 0 ? frame->source_port : DEFAULT_SOURCE_PORT);
    put16(at + 2,
          frame->destination_port != 0 ? frame->destination_port : DEFAULT_DESTINATION_PORT);
    put16(at + 4, length);
    put16(at + 6, 0);
    if (frame->length != 0)
        memcpy(at + UDP_BYTES, frame->payload, frame->length);
    if (frame->no_udp_checksum)
        return;
    put32(pseudo, source);
    put32(pseudo + 4, destination);
    put16(pseudo + 8, 17);
    put16(pseudo + 10, length);
    /* Over what the length says, as far as it is there. */
    size_t covered = UDP_BYTES + frame->length;
    if (length < covered)
        covered = length;
    uint16_t sum = (uint16_t)~frame_sum(at, covered, frame_sum(pseudo, sizeof pseudo, 0));
    if (sum == 0)
        sum = 0xffff; /* 0 means absent */
    put16(at + 6, (unsigned)(sum + frame->udp_checksum_off));
}

size_t frame_build(const struct frame *frame, uint8_t *bytes, size_t capacity)
{
    uint32_t source = frame->source != 0 ? frame->source : DEFAULT_SOURCE;
    uint32_t destination = frame->destination != 0 ? frame->destination : DEFAULT_DESTINATION;
    size_t payload_at = frame_payload_offset(frame);
    size_t total = payload_at + frame->length + frame->padding;

    CHECK_LE_U64(total, capacity);
    uint8_t *ip = put_ethernet(frame, bytes);
    put_udp(frame, bytes + payload_at - UDP_BYTES, source, destination);
    put_ip(frame, ip, source, destination);
    memset(bytes + total - frame->padding, PADDING_BYTE, frame->padding);
    return total;
}

size_t frame_icmp_build(const struct frame_icmp *icmp, uint8_t *bytes, size_t capacity)
{
    uint8_t quoted[2048];
    size_t packet = frame_build(icmp->quoted, quoted, sizeof quoted) - ETHERNET_BYTES;
    size_t length =
        icmp->quoted_bytes != 0 ? icmp->quoted_bytes : IP_BYTES + icmp->quoted->options + UDP_BYTES;
    struct frame frame = {
        .source = icmp->reporter,
        .destination = icmp->quoted->source != 0 ? icmp->quoted->source : DEFAULT_SOURCE,
        .protocol = 1,
        .payload = quoted + ETHERNET_BYTES,
        .length = length,
    };

    CHECK_LE_U64(length, packet);
    size_t total = frame_build(&frame, bytes, capacity);
    /* ICMP's header is as long as UDP's: it takes its place. */
    uint8_t *header = bytes + ETHERNET_BYTES + IP_BYTES;
    memset(header, 0, UDP_BYTES);
    header[0] = icmp->type;
    header[1] = icmp->code;
    put16(header + 6, icmp->mtu);
    put16(header + 2,
          (unsigned)((uint16_t)~frame_sum(header, UDP_BYTES + length, 0) + icmp->checksum_off));
    return total;
}

size_t frame_udp(uint8_t *bytes, size_t capacity, uint32_t destination, uint16_t port,
                 const void *payload, size_t length)
{
    struct frame frame = {
        .destination = destination, .destination_port = port, .payload = payload, .length = length};

    return frame_build(&frame, bytes, capacity);
}

/* SplitMix64: each step's output depends on the whole sequence number. */
static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static uint8_t filling(uint64_t sequence, size_t at)
{
    uint64_t word = at < 8 ? sequence : mix(sequence + at / 8);

    return (uint8_t)(word >> at % 8 * 8);
}

void frame_fill(void *payload, size_t length, uint64_t sequence)
{
    uint8_t *bytes = payload;

    for (size_t i = 0; i < length; i++)
        bytes[i] = filling(sequence, i);
}

bool frame_is_filled(const void *payload, size_t length, uint64_t sequence)
{
    const uint8_t *bytes = payload;

    for (size_t i = 0; i < length; i++)
        if (bytes[i] != filling(sequence, i))
            return false;
    return true;
}
