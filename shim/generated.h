/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GENERATED_H
#define WIRERX_GENERATED_H

/**
 * @file
 * What wirerx-gen writes at the head of every payload, so that a receiver can tell what was lost,
 * doubled or reordered, and how long a datagram was under way. Network byte order.
 *
 *      0  magic 0x57      1  line (0: A, 1: B)      2  stream, 16 bits
 *      4  sequence in the stream, 48 bits, from 0; the same on both lines
 *     10  time-stamp counter when it was given to the device: for receivers on the same machine
 *     18  CLOCK_REALTIME in nanoseconds at the same moment: for others, with synchronised clocks
 *     26  the run: a number that no other run has
 *
 * The first 18 bytes are always there and fill a frame of 64 bytes. The rest is there in payloads that
 * have room for it (GENERATED_FULL_BYTES), filler follows.
 */

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GENERATED_MAGIC 0x57u
#define GENERATED_SHORT_BYTES 18u
#define GENERATED_FULL_BYTES 34u
#define GENERATED_SEQUENCE_MASK 0xffffffffffffull

struct generated {
    unsigned line;
    unsigned stream;
    uint64_t sequence;
    uint64_t tsc;
    uint64_t realtime_ns; /**< 0: not there */
    uint64_t run;         /**< 0: not there */
};

static inline void generated_put64(uint8_t *out, uint64_t value)
{
    uint64_t big = htobe64(value);

    memcpy(out, &big, sizeof big);
}

static inline uint64_t generated_get64(const uint8_t *in)
{
    uint64_t big;

    memcpy(&big, in, sizeof big);
    return be64toh(big);
}

/** Write the head into a payload of at least GENERATED_SHORT_BYTES. */
static inline void generated_write(uint8_t *payload, unsigned length, const struct generated *from)
{
    uint16_t stream = htobe16((uint16_t)from->stream);

    /* The upper two bytes of these eight are the stream's place; they are written after. */
    generated_put64(payload + 2, from->sequence & GENERATED_SEQUENCE_MASK);
    payload[0] = GENERATED_MAGIC;
    payload[1] = (uint8_t)from->line;
    memcpy(payload + 2, &stream, sizeof stream);
    generated_put64(payload + 10, from->tsc);
    if (length >= GENERATED_FULL_BYTES) {
        generated_put64(payload + 18, from->realtime_ns);
        generated_put64(payload + 26, from->run);
    }
}

/** @return false: no payload of wirerx-gen's */
static inline bool generated_read(const uint8_t *payload, size_t length, struct generated *to)
{
    bool full = length >= GENERATED_FULL_BYTES;

    if (length < GENERATED_SHORT_BYTES || payload[0] != GENERATED_MAGIC || payload[1] > 1)
        return false;
    uint64_t both = generated_get64(payload + 2);
    to->line = payload[1];
    to->stream = (unsigned)(both >> 48);
    to->sequence = both & GENERATED_SEQUENCE_MASK;
    to->tsc = generated_get64(payload + 10);
    to->realtime_ns = full ? generated_get64(payload + 18) : 0;
    to->run = full ? generated_get64(payload + 26) : 0;
    return true;
}

#endif
