/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_CAPTURE_H
#define WIRERX_BENCH_CAPTURE_H

/**
 * @file
 * What the source replays without end: a small capture with one datagram for each group in turn,
 * all with the same payload.
 */

#include <stddef.h>
#include <stdint.h>

/** Ethernet, IPv4 without options, UDP: where the payload of every frame of it starts. */
#define CAPTURE_HEADER_BYTES 42u

/** Largest payload, and a buffer for any payload: whole cache lines. */
#define CAPTURE_PAYLOAD_MAX 8900u
#define CAPTURE_PAYLOAD_ROOM 8960u

/** Destination port of every datagram of the first lane (bed.h), host order; the others' follow. */
#define CAPTURE_PORT 26400u

/** Address of a group, host order. */
uint32_t capture_group(unsigned index);

/** The payload of every datagram. */
void capture_payload(uint8_t *payload, unsigned length);

/** Frames of a capture with so many groups: every group equally often. */
unsigned capture_frames(unsigned groups);

/**
 * Write one to a new temporary file.
 * @param path  receives its name
 * @param port  destination of every datagram, host order
 * @return 0, or -1 with errno set and nothing left behind
 */
int capture_write(char *path, size_t size, unsigned groups, unsigned payload, unsigned port);

#endif
