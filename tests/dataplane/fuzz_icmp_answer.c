/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over what is answered by ICMP: packets that came to an address of ours, of which nothing but the
 * IPv4 header's length is sure. The input: what is asked for, and a packet. */

#include <rte_byteorder.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "icmp_answer.h"
#include "support/frames.h"

#define HZ 1000u
#define IP_BYTES 20u

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_header(const uint8_t *answer, const uint8_t *asked)
{
    require(answer[0] == 0x45 && frame_sum(answer, IP_BYTES, 0) == 0xffff);
    require(memcmp(answer + 12, asked + 16, 4) == 0 && memcmp(answer + 16, asked + 12, 4) == 0);
}

static void check_echo(struct icmp_answer *answer, const uint8_t *packet, size_t size)
{
    uint8_t *copy;

    if (size < ICMP_ECHO_HEADERS)
        return;
    copy = malloc(ICMP_ECHO_HEADERS);
    require(copy != NULL);
    memcpy(copy, packet, ICMP_ECHO_HEADERS);
    if (icmp_answer_echo(answer, copy, 0) == ICMP_ANSWERED) {
        /* A sum is right, or wrong by as much, as before: 0 and all ones are the same to it. */
        uint16_t before = frame_sum(packet + IP_BYTES, 8, 0), after = frame_sum(copy + 20, 8, 0);

        check_header(copy, packet);
        require(copy[IP_BYTES] == 0 && memcmp(copy + 24, packet + 24, 4) == 0);
        require(before % 0xffff == after % 0xffff);
    }
    free(copy);
}

static void check_error(struct icmp_answer *answer, enum icmp_error what, const uint8_t *packet,
                        size_t size)
{
    uint8_t *exact = malloc(size), error[ICMP_ERROR_BYTES];
    size_t bytes = 0;

    require(exact != NULL || size == 0);
    if (size != 0)
        memcpy(exact, packet, size);
    if (icmp_answer_error(answer, what, exact, size, error, &bytes, 0) == ICMP_ANSWERED) {
        require(bytes >= 28 && bytes <= sizeof error && bytes - 28 <= size);
        require(bytes_load_be16(error + 2) == bytes);
        check_header(error, packet);
        require(frame_sum(error + IP_BYTES, bytes - IP_BYTES, 0) == 0xffff);
        require(error[20] == what >> 8 && error[21] == (what & 0xff));
        require(memcmp(error + 28, packet, bytes - 28) == 0);
        require(packet[9] != 1 && (bytes_load_be16(packet + 6) & 0x1fff) == 0);
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum icmp_error errors[] = {ICMP_PROTOCOL_UNREACHABLE, ICMP_PORT_UNREACHABLE,
                                             ICMP_REASSEMBLY_TIMED_OUT};
    struct icmp_answer answer;

    if (size < 1)
        return 0;
    icmp_answer_begin(&answer, HZ);
    if (data[0] % 4 == 3)
        check_echo(&answer, data + 1, size - 1);
    else
        check_error(&answer, errors[data[0] % 4], data + 1, size - 1);
    return 0;
}
