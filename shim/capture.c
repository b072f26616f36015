/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ETHERNET_HEADER 14u
#define TAG_LENGTH 4u
#define MAX_TAGS 2
#define IPV4_HEADER 20u
#define UDP_HEADER 8u
#define PROTOCOL_UDP 17

/** What one frame is. */
enum kind {
    KIND_DATAGRAM,
    KIND_FRAGMENT,
    KIND_OTHER
};

struct datagram {
    uint32_t destination;
    uint16_t port;
    uint16_t payload;
    bool checksum_wrong;
};

struct scan {
    struct capture *capture;
    void *tree;                 /**< of struct capture_group, by tsearch() */
    struct capture_group *last; /**< most frames are of the group before */
    struct capture_group *sorted;
};

static uint16_t be16(const uint8_t *bytes)
{
    return (uint16_t)((unsigned)bytes[0] << 8 | bytes[1]);
}

static uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)be16(bytes) << 16 | be16(bytes + 2);
}

/** RFC 1071, not complemented: 0xffff when a checksum that is included is right. */
static uint16_t internet_sum(const uint8_t *bytes, size_t length, uint64_t sum)
{
    for (; length > 1; bytes += 2, length -= 2)
        sum += be16(bytes);
    if (length == 1)
        sum += (unsigned)bytes[0] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static bool udp_checksum_wrong(const uint8_t *ip, const uint8_t *udp, uint16_t length)
{
    /* Pseudo header (RFC 768): both addresses, protocol, UDP length. Zero: there is none. */
    uint64_t pseudo = internet_sum(ip + 12, 8, (uint64_t)PROTOCOL_UDP + length);

    return be16(udp + 6) != 0 && internet_sum(udp, length, pseudo) != 0xffff;
}

static enum kind look(const uint8_t *frame, size_t length, struct datagram *datagram)
{
    size_t at = ETHERNET_HEADER;

    if (length < at)
        return KIND_OTHER;
    uint16_t type = be16(frame + 12);
    for (int tags = 0; (type == 0x8100 || type == 0x88a8) && tags < MAX_TAGS; tags++) {
        if (length < at + TAG_LENGTH)
            return KIND_OTHER;
        type = be16(frame + at + 2);
        at += TAG_LENGTH;
    }
    if (type != 0x0800 || length < at + IPV4_HEADER)
        return KIND_OTHER;

    const uint8_t *ip = frame + at;
    size_t header = (size_t)(ip[0] & 0xf) * 4;
    size_t total = be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < IPV4_HEADER || total < header || length < at + total ||
        internet_sum(ip, header, 0) != 0xffff)
        return KIND_OTHER;
    if ((be16(ip + 6) & 0x3fff) != 0)
        return KIND_FRAGMENT;
    if (ip[9] != PROTOCOL_UDP || total < header + UDP_HEADER)
        return KIND_OTHER;

    const uint8_t *udp = ip + header;
    uint16_t udp_length = be16(udp + 4);
    if (udp_length < UDP_HEADER || udp_length > total - header)
        return KIND_OTHER;
    *datagram = (struct datagram){
        .destination = be32(ip + 16),
        .port = be16(udp + 2),
        .payload = (uint16_t)(udp_length - UDP_HEADER),
        .checksum_wrong = udp_checksum_wrong(ip, udp, udp_length),
    };
    return KIND_DATAGRAM;
}

static int compare(const void *a, const void *b)
{
    const struct capture_group *left = a, *right = b;

    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    return (int)left->port - (int)right->port;
}

/** The row of a group, made on its first datagram; NULL when memory is short. */
static struct capture_group *group_row(struct scan *scan, const struct datagram *datagram)
{
    struct capture_group key = {.group = datagram->destination, .port = datagram->port};

    if (scan->last != NULL && compare(scan->last, &key) == 0)
        return scan->last;
    void *found = tfind(&key, &scan->tree, compare);
    if (found == NULL) {
        struct capture_group *row = malloc(sizeof *row);
        if (row == NULL)
            return NULL;
        *row = key;
        found = tsearch(row, &scan->tree, compare);
        if (found == NULL) {
            free(row);
            return NULL;
        }
        scan->capture->group_count++;
    }
    scan->last = *(struct capture_group **)found;
    return scan->last;
}

static int count_frame(struct scan *scan, const uint8_t *frame, size_t length)
{
    struct capture *capture = scan->capture;
    struct datagram datagram;

    capture->frames++;
    switch (look(frame, length, &datagram)) {
    case KIND_FRAGMENT:
        capture->fragments++;
        return 0;
    case KIND_OTHER:
        capture->other++;
        return 0;
    case KIND_DATAGRAM:
        break;
    }
    if (datagram.destination >> 28 != 0xe) {
        capture->unicast++;
        return 0;
    }
    struct capture_group *row = group_row(scan, &datagram);
    if (row == NULL)
        return -1;
    row->datagrams++;
    row->bytes += datagram.payload;
    row->bad_checksums += datagram.checksum_wrong;
    return 0;
}

static void take_row(const void *node, VISIT visit, void *closure)
{
    struct scan *scan = closure;

    if (visit == postorder || visit == leaf) /* twalk()'s names for "in ascending order" */
        *scan->sorted++ = **(struct capture_group *const *)node;
}

static int sort_groups(struct scan *scan)
{
    struct capture *capture = scan->capture;

    if (capture->group_count == 0)
        return 0;
    capture->groups = calloc(capture->group_count, sizeof *capture->groups);
    if (capture->groups == NULL)
        return -1;
    scan->sorted = capture->groups;
    twalk_r(scan->tree, take_row, scan);
    return 0;
}

static int read_frames(pcap_t *file, const char *path, struct scan *scan,
                       struct command_error *error)
{
    struct capture *capture = scan->capture;
    struct pcap_pkthdr *header;
    const uint8_t *frame;
    double first = 0, last = 0;
    int got;

    while ((got = pcap_next_ex(file, &header, &frame)) == 1) {
        last = (double)header->ts.tv_sec + (double)header->ts.tv_usec * 1e-9;
        if (capture->frames == 0)
            first = last;
        if (count_frame(scan, frame, header->caplen) != 0)
            return command_error(error, "%s: out of memory", path);
    }
    if (got == PCAP_ERROR) {
        /* A capture that was stopped in mid-write ends so: all before it is good. */
        if (strstr(pcap_geterr(file), "truncated") == NULL)
            return command_error(error, "%s: damaged after frame %llu: %s", path,
                                 (unsigned long long)capture->frames, pcap_geterr(file));
        capture->cut_short = 1;
    }
    if (capture->frames == 0)
        return command_error(error, "%s: no whole frame is in this capture", path);
    capture->seconds = last > first ? last - first : 0;
    return 0;
}

static int open_error(const char *path, const char *reason, struct command_error *error)
{
    const char *tail = strlen(reason) > 0 ? reason : "not a capture file";
    size_t length = strlen(path);

    if (strncmp(tail, path, length) == 0 && strncmp(tail + length, ": ", 2) == 0)
        tail += length + 2; /* libpcap names the file in some of its messages */
    return command_error(error, "%s: %s", path, tail);
}

static pcap_t *open_file(const char *path, struct command_error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    static const uint8_t gzip_magic[2] = {0x1f, 0x8b};
    uint8_t magic[2] = {0};
    struct stat status;
    pcap_t *file = NULL;

    FILE *stream = fopen(path, "rb");
    if (stream == NULL || fstat(fileno(stream), &status) != 0) {
        command_error(error, "%s: %s", path, strerror(errno));
        goto close;
    }
    if (!S_ISREG(status.st_mode)) {
        command_error(error, "%s: not a regular file (a capture is read twice)", path);
        goto close;
    }
    if (fread(magic, 1, sizeof magic, stream) == sizeof magic &&
        memcmp(magic, gzip_magic, sizeof magic) == 0) {
        command_error(error, "%s: compressed: gunzip it first", path);
        goto close;
    }
    rewind(stream);
    file = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (file == NULL) {
        open_error(path, reason, error);
        goto close;
    }
    if (pcap_datalink(file) != DLT_EN10MB) {
        const char *name = pcap_datalink_val_to_name(pcap_datalink(file));
        command_error(error, "%s: link type %s: only Ethernet can be replayed", path,
                      name ? name : "unknown");
        pcap_close(file);
        return NULL;
    }
    return file; /* pcap_close() closes the stream */

close:
    if (stream != NULL)
        fclose(stream);
    return NULL;
}

int capture_scan(const char *path, struct capture *capture, struct command_error *error)
{
    struct scan scan = {.capture = capture};

    *capture = (struct capture){0};
    pcap_t *file = open_file(path, error);
    if (file == NULL)
        return -1;
    int result = read_frames(file, path, &scan, error);
    if (result == 0 && sort_groups(&scan) != 0)
        result = command_error(error, "%s: out of memory", path);
    tdestroy(scan.tree, free);
    pcap_close(file);
    return result;
}

void capture_free(struct capture *capture)
{
    free(capture->groups);
    *capture = (struct capture){0};
}

const struct capture_group *capture_find(const struct capture *capture, uint32_t group,
                                         uint16_t port)
{
    struct capture_group key = {.group = group, .port = port};

    if (capture->group_count == 0)
        return NULL;
    return bsearch(&key, capture->groups, capture->group_count, sizeof key, compare);
}
