/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/frames.h"

static char path[64];

static void remove_capture(void)
{
    unlink(path);
}

static void put32(FILE *file, uint32_t value)
{
    CHECK(fwrite(&value, sizeof value, 1, file) == 1);
}

const char *write_capture(uint32_t address, uint16_t port, uint64_t count,
                          size_t (*length)(uint64_t sequence))
{
    snprintf(path, sizeof path, "/tmp/wirerx-receive-XXXXXX");
    int descriptor = mkstemp(path);
    CHECK(descriptor >= 0);
    atexit(remove_capture);
    FILE *file = fdopen(descriptor, "wb");
    CHECK(file != NULL);
    put32(file, 0xa1b2c3d4); /* pcap, microseconds */
    put32(file, 4u << 16 | 2);
    put32(file, 0);
    put32(file, 0);
    put32(file, 65535);
    put32(file, 1); /* Ethernet */
    for (uint64_t n = 0; n < count; n++) {
        char payload[2048];
        uint8_t bytes[2048];

        CHECK(length(n) <= 1472);
        frame_fill(payload, length(n), n);
        uint32_t size = (uint32_t)frame_udp(bytes, sizeof bytes, address, port, payload, length(n));
        put32(file, (uint32_t)(n / 1000000));
        put32(file, (uint32_t)(n % 1000000));
        put32(file, size);
        put32(file, size);
        CHECK(fwrite(bytes, size, 1, file) == 1);
    }
    CHECK(fclose(file) == 0);
    return path;
}
