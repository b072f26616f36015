/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINIMUM_FRAMES 64u
#define FIRST_GROUP 0xef010000u    /* 239.1.0.0 */
#define SOURCE_ADDRESS 0xc0000201u /* 192.0.2.1 */
#define SOURCE_PORT 40000u
#define LINK_TYPE_ETHERNET 1u

/* The classic file format, in host byte order. */
struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snap_length, link_type;
};

struct frame_header {
    uint32_t seconds, microseconds, captured, length;
};

struct frame {
    struct rte_ether_hdr ethernet;
    struct rte_ipv4_hdr ip;
    struct rte_udp_hdr udp;
    uint8_t payload[CAPTURE_PAYLOAD_ROOM];
};

_Static_assert(offsetof(struct frame, payload) == CAPTURE_HEADER_BYTES, "headers as on the wire");

uint32_t capture_group(unsigned index)
{
    return FIRST_GROUP + index;
}

void capture_payload(uint8_t *payload, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        payload[i] = (uint8_t)(i * 7 + 1);
}

unsigned capture_frames(unsigned groups)
{
    unsigned frames = groups * ((MINIMUM_FRAMES + groups - 1) / groups);

    /* net_pcap loses the last frame of a capture that has a power of two of them. */
    return (frames & (frames - 1)) == 0 ? 3 * frames : frames;
}

static void make_frame(struct frame *frame, unsigned group, unsigned payload, unsigned port)
{
    uint32_t address = capture_group(group);
    uint16_t udp_length = (uint16_t)(sizeof frame->udp + payload);

    memset(frame, 0, offsetof(struct frame, payload));
    frame->ethernet.dst_addr = (struct rte_ether_addr){
        {0x01, 0x00, 0x5e, address >> 16 & 0x7f, address >> 8 & 0xff, address & 0xff}};
    frame->ethernet.src_addr = (struct rte_ether_addr){{0x02, 0, 0, 0, 0, 1}};
    frame->ethernet.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    frame->ip.version_ihl = RTE_IPV4_VHL_DEF;
    frame->ip.total_length = rte_cpu_to_be_16((uint16_t)(sizeof frame->ip + udp_length));
    frame->ip.time_to_live = 16;
    frame->ip.next_proto_id = IPPROTO_UDP;
    frame->ip.src_addr = rte_cpu_to_be_32(SOURCE_ADDRESS);
    frame->ip.dst_addr = rte_cpu_to_be_32(address);
    frame->ip.hdr_checksum = rte_ipv4_cksum(&frame->ip);
    frame->udp.src_port = rte_cpu_to_be_16(SOURCE_PORT);
    frame->udp.dst_port = rte_cpu_to_be_16((uint16_t)port);
    frame->udp.dgram_len = rte_cpu_to_be_16(udp_length);
    capture_payload(frame->payload, payload);
    frame->udp.dgram_cksum = rte_ipv4_udptcp_cksum(&frame->ip, &frame->udp);
}

static int write_all(FILE *file, unsigned groups, unsigned payload, unsigned port)
{
    static struct frame frame;
    struct file_header header = {0xa1b2c3d4, 2, 4, 0, 0, 65535, LINK_TYPE_ETHERNET};
    uint32_t length = CAPTURE_HEADER_BYTES + payload;
    struct frame_header each = {.captured = length, .length = length};

    if (fwrite(&header, sizeof header, 1, file) != 1)
        return -1;
    for (unsigned i = 0; i < capture_frames(groups); i++) {
        make_frame(&frame, i % groups, payload, port);
        if (fwrite(&each, sizeof each, 1, file) != 1 || fwrite(&frame, length, 1, file) != 1)
            return -1;
    }
    return fflush(file);
}

int capture_write(char *path, size_t size, unsigned groups, unsigned payload, unsigned port)
{
    const char *folder = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/wirerx-bench-XXXXXX",
                          folder != NULL && folder[0] != '\0' ? folder : "/tmp");

    if (length < 0 || (size_t)length >= size || strchr(path, ',') != NULL) {
        errno = EINVAL; /* a comma ends an argument of DPDK's */
        return -1;
    }
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return -1;
    FILE *file = fdopen(descriptor, "wb");
    int result = file == NULL ? -1 : write_all(file, groups, payload, port);
    int error = errno;
    if (file != NULL)
        fclose(file);
    else
        close(descriptor);
    if (result != 0)
        unlink(path);
    errno = error;
    return result;
}
