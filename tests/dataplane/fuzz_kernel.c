/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over the rules for the kernel: a frame is read in an allocation of exactly its length, and
 * what is read is in it. More bytes than are looked at change nothing. The input: a rule, and a frame. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_rules.h"

#define RULE_BYTES 7u

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint16_t load(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool read_exactly(const uint8_t *bytes, size_t length, struct kernel_frame *frame)
{
    uint8_t *exact = malloc(length);

    require(exact != NULL || length == 0);
    if (length != 0)
        memcpy(exact, bytes, length);
    bool whole = kernel_frame_read(exact, length, frame);
    free(exact);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel_frame frame, same;

    if (size < RULE_BYTES)
        return 0;
    const struct config_kernel_rule rule = {(data[0] & 1) != 0, load(data + 1), load(data + 3),
                                            load(data + 5)};
    const uint8_t *bytes = data + RULE_BYTES;
    size_t length = size - RULE_BYTES;

    if (!read_exactly(bytes, length, &frame))
        return 0;
    require(frame.packet >= 14 && frame.packet <= 22 && frame.packet <= length);
    require(frame.ethertype == load(bytes + frame.packet - 2));
    require(frame.protocol < 0 || (frame.ethertype == 0x0800 && frame.packet + 20u <= length &&
                                   frame.protocol == bytes[frame.packet + 9]));
    require(frame.port < 0 || frame.protocol == 6 || frame.protocol == 17);
    if (frame.port >= 0) {
        size_t header = (size_t)(bytes[frame.packet] & 15) * 4;

        require(frame.packet + header + 4 <= length);
        require(frame.port == load(bytes + frame.packet + header + 2));
    }
    if (length > KERNEL_LOOKED_AT) {
        require(read_exactly(bytes, KERNEL_LOOKED_AT, &same));
        require(same.ethertype == frame.ethertype && same.packet == frame.packet &&
                same.protocol == frame.protocol && same.port == frame.port);
    }
    if (kernel_rules_match(&rule, 1, &frame))
        require(rule.is_protocol ? frame.protocol == rule.number : frame.ethertype == rule.number);
    return 0;
}
