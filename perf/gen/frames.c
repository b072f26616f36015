/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#include "shim/generated.h"

struct headers {
    struct rte_ether_hdr ethernet;
    struct rte_ipv4_hdr ip;
    struct rte_udp_hdr udp;
};

_Static_assert(sizeof(struct headers) == GEN_HEADER_BYTES, "headers as on the wire");

static const struct rte_ether_addr source_macs[GEN_LINES] = {
    {{0x02, 'w', 'g', 'e', 'n', 'A'}},
    {{0x02, 'w', 'g', 'e', 'n', 'B'}},
};

/* RFC 1071's sum of 16-bit words, not yet folded. */
static uint64_t sum_words(const uint8_t *bytes, unsigned length)
{
    uint64_t sum = 0;

    for (; length > 1; bytes += 2, length -= 2)
        sum += (unsigned)bytes[0] << 8 | bytes[1];
    return length == 1 ? sum + ((unsigned)bytes[0] << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void frames_begin(struct frames *frames, const struct gen_options *options, uint64_t run)
{
    memset(frames, 0, sizeof *frames);
    frames->options = options;
    frames->run = run;
    for (unsigned i = 0; i < GEN_MAX_PAYLOAD; i++)
        frames->filler[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < GEN_MAX_PAYLOAD / 2; i++)
        frames->filler_sums[i + 1] =
            frames->filler_sums[i] + (uint32_t)sum_words(frames->filler + 2 * i, 2);
}

static void address(const struct gen_options *options, const struct plan_frame *which,
                    struct headers *headers)
{
    uint32_t to = options->to[which->line];
    uint16_t port = options->port[which->line];

    if (to >> 28 ==
        0xe) { /* RFC 1112: a group's MAC address holds the low 23 bits of its address */
        to += which->stream;
        headers->ethernet.dst_addr =
            (struct rte_ether_addr){{0x01, 0x00, 0x5e, to >> 16 & 0x7f, to >> 8 & 0xff, to & 0xff}};
    } else {
        port = (uint16_t)(port + which->stream);
        memcpy(&headers->ethernet.dst_addr, options->mac, sizeof options->mac);
    }
    headers->ethernet.src_addr = source_macs[which->line];
    headers->ip.src_addr = rte_cpu_to_be_32(options->source);
    headers->ip.dst_addr = rte_cpu_to_be_32(to);
    headers->udp.src_port = rte_cpu_to_be_16((uint16_t)(options->source_port + which->line));
    headers->udp.dst_port = rte_cpu_to_be_16(port);
}

/* The pseudo header's and the UDP header's checksum, and the payload's: its head as it stands, its
 * filler from the table. */
static uint16_t udp_checksum(const struct frames *frames, const struct headers *headers,
                             const uint8_t *payload, unsigned length, unsigned head)
{
    const uint8_t *ip = (const uint8_t *)&headers->ip;
    unsigned udp_length = length + (unsigned)sizeof headers->udp;
    uint64_t sum = IPPROTO_UDP + udp_length;

    sum += sum_words(ip + offsetof(struct rte_ipv4_hdr, src_addr), 8);
    sum += sum_words((const uint8_t *)&headers->udp, sizeof headers->udp);
    sum += sum_words(payload, head);
    sum += frames->filler_sums[length / 2] - frames->filler_sums[head / 2];
    if (length % 2 != 0)
        sum += (unsigned)frames->filler[length - 1] << 8;
    uint16_t checksum = fold(sum);
    return checksum != 0 ? checksum : 0xffff; /* RFC 768: zero would mean that there is none */
}

unsigned frames_build(struct frames *frames, const struct plan_frame *which, uint64_t tsc,
                      uint64_t realtime_ns, uint8_t *out)
{
    struct headers *headers = (struct headers *)out;
    uint8_t *payload = out + GEN_HEADER_BYTES;
    unsigned length = which->payload;
    unsigned head = length >= GENERATED_FULL_BYTES ? GENERATED_FULL_BYTES : GENERATED_SHORT_BYTES;
    struct generated generated = {
        .line = which->line,
        .stream = which->stream,
        .sequence = which->sequence,
        .tsc = tsc,
        .realtime_ns = realtime_ns,
        .run = frames->run,
    };

    generated_write(payload, length, &generated);
    memcpy(payload + head, frames->filler + head, length - head);

    memset(headers, 0, sizeof *headers);
    address(frames->options, which, headers);
    headers->ethernet.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    headers->ip.version_ihl = RTE_IPV4_VHL_DEF;
    headers->ip.total_length =
        rte_cpu_to_be_16((uint16_t)(sizeof headers->ip + sizeof headers->udp + length));
    headers->ip.packet_id = rte_cpu_to_be_16(frames->identification++);
    headers->ip.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
    headers->ip.time_to_live = 16;
    headers->ip.next_proto_id = IPPROTO_UDP;
    headers->ip.hdr_checksum =
        rte_cpu_to_be_16(fold(sum_words((const uint8_t *)&headers->ip, sizeof headers->ip)));
    headers->udp.dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof headers->udp + length));
    headers->udp.dgram_cksum =
        rte_cpu_to_be_16(udp_checksum(frames, headers, payload, length, head));
    return GEN_HEADER_BYTES + length;
}
