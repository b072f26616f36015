/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_LCORE_HOOK_H
#define WIRERX_TESTS_RECEIVE_LCORE_HOOK_H

/**
 * @file
 * Work of a test on the lcore's own thread, in front of each of its passes: arrivals that are timed
 * to the instruction, and a source that costs neither allocations nor system calls.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** From the next pass on. Any thread. NULL: no more. A call may still be running on return. */
void hook_lcore(void (*before_pass)(void));
/** The same, and something behind each pass too. */
void hook_lcore_around(void (*before_pass)(void), void (*after_pass)(void));

/** The lcore's thread id in the system; 0 until a hooked pass has run. */
int hooked_lcore_thread(void);

/**
 * Frames of the source, to destination:port (host byte order). The first has sequence number 0, and
 * number n has frames.h's frame_fill() of source_length(n) bytes. While no hook sends.
 *
 * @param shortest, longest  bytes of payload: at least 8, at most 1472. Equal: only the first eight
 *                           bytes, the number, are written for each frame, which costs little
 */
void source_prepare(uint32_t destination, uint16_t port, size_t shortest, size_t longest);

/** After a stop and a start, before the hook is set again: the new pool and device. Numbers go on. */
void source_resume(void);

/** Payload bytes of a datagram. */
size_t source_length(uint64_t sequence);

/** Is this datagram `sequence` of the source? Sequence is read from it. */
bool source_check(const void *payload, size_t bytes, uint64_t *sequence);

/**
 * Put up to `count` frames on the device vdev:net_ring0, as many as it and the pool have room for.
 * On the lcore (in a hook), or by hand. Allocates nothing but buffers of the pool.
 * @return how many
 */
unsigned source_frames(unsigned count);

/** Frames put on the device since source_prepare(). Any thread. */
uint64_t source_count(void);

/** LCORE_WAKES_PER_PASS, for files that include winsock2.h and so cannot include lcore.h. */
unsigned lcore_wakes_per_pass(void);

/** DPDK's own heap: allocations so far. */
uint64_t dpdk_allocations(void);

#endif
