/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "capture.h"

#include <dirent.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/frames.h"

#define SNAPSHOT_BYTES 262144
#define TEXTS 8u

static char directory[64];
static pcap_t *format;
static pcap_dumper_t *dumper;
static uint64_t units; /* of its times, in a second */

void capture_begin(void)
{
    snprintf(directory, sizeof directory, "/tmp/wirerx-test-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
}

void capture_end(void)
{
    DIR *files = opendir(directory);
    struct dirent *file;

    CHECK(files != NULL);
    while ((file = readdir(files)) != NULL)
        unlink(capture_path(file->d_name));
    closedir(files);
    CHECK_EQ_I64(rmdir(directory), 0);
}

static char *next_text(void)
{
    static char texts[TEXTS][PATH_MAX];
    static unsigned next;

    return texts[next++ % TEXTS];
}

const char *capture_path(const char *name)
{
    char *text = next_text();

    snprintf(text, PATH_MAX, "%s/%s", directory, name);
    return text;
}

const char *capture_device(unsigned unit, const char *name)
{
    char *text = next_text();

    snprintf(text, PATH_MAX, "vdev:net_pcap%u,rx_pcap=%s/%s", unit, directory, name);
    return text;
}

static void open_with(const char *name, int link_type, u_int precision)
{
    units = precision == PCAP_TSTAMP_PRECISION_NANO ? 1000000000 : 1000000;
    format = pcap_open_dead_with_tstamp_precision(link_type, SNAPSHOT_BYTES, precision);
    CHECK(format != NULL);
    dumper = pcap_dump_open(format, capture_path(name));
    CHECK_MSG(dumper != NULL, "%s", pcap_geterr(format));
}

void capture_open(const char *name, int link_type)
{
    open_with(name, link_type, PCAP_TSTAMP_PRECISION_MICRO);
}

void capture_open_nanoseconds(const char *name)
{
    open_with(name, DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO);
}

void capture_add(const void *bytes, size_t length, uint64_t time)
{
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = (time_t)(time / units), .tv_usec = (suseconds_t)(time % units)},
        .caplen = (bpf_u_int32)length,
        .len = (bpf_u_int32)length};

    pcap_dump((u_char *)dumper, &header, bytes);
}

void capture_add_numbers(uint32_t group, uint16_t port, uint64_t first, unsigned count,
                         size_t length)
{
    static uint8_t payload[65507], bytes[FRAME_MAX];

    for (unsigned i = 0; i < count; i++) {
        frame_fill(payload, length, first + i);
        size_t size = frame_udp(bytes, sizeof bytes, group, port, payload, length);
        capture_add(bytes, size, i);
    }
}

void capture_close(void)
{
    CHECK_EQ_I64(pcap_dump_flush(dumper), 0);
    pcap_dump_close(dumper);
    pcap_close(format);
}

void capture_write(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(capture_path(name), "wb");

    CHECK(file != NULL);
    CHECK_EQ_U64(fwrite(bytes, 1, length, file), length);
    CHECK_EQ_I64(fclose(file), 0);
}

void capture_cut(const char *name, long length)
{
    const char *path = capture_path(name);
    struct stat status;

    CHECK_EQ_I64(stat(path, &status), 0);
    CHECK_EQ_I64(truncate(path, length >= 0 ? length : status.st_size + length), 0);
}
