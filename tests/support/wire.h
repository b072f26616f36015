/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_WIRE_H
#define WIRERX_TESTS_WIRE_H

/**
 * @file
 * A dataplane in this process and a wire to put frames on. Everything here ends the test when it
 * does not succeed, but for wire_try_start().
 *
 *     struct config config = wire_config();
 *     wire_start(&config, &pending_operations, true); // by hand: nothing moves by itself
 *     ... WSAStartup, sockets ...
 *     wire_send(bytes, length);
 *     wire_settle();                                  // the lcores have seen to all that was sent
 *     ... receive ...
 *     wire_stop();                                    // and check_balance(), and no buffer missing
 *
 * By hand, one thread sends and steps. With lcore threads (by_hand = false) any one thread sends;
 * the lcore then makes the mbufs itself, as a device would, so that ThreadSanitizer sees who hands
 * what to whom.
 *
 * Sending works on ports whose device is vdev:net_ringN. Other devices bring their own frames.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"

/** Address of the first port of wire_config(), host byte order. */
#define WIRE_ADDRESS 0xc0000201u /* 192.0.2.1 */

/** Frames that a queue of a net_ring device holds. */
#define WIRE_QUEUE_FRAMES 1023u

/**
 * A small configuration: one lcore on the last CPU this process may use, one port vdev:net_ring0
 * with 192.0.2.1/24, 4,096 buffers, 16 sockets of 256 slots, and memory enough for some larger ones
 * started later. Point its fields at other things before starting; what it points to is static and
 * made anew by each call.
 */
struct config wire_config(void);

/** The same with another device, e.g. "vdev:net_pcap0,rx_pcap=f" (kept, not copied). */
struct config wire_config_device(const char *device);

/** The last CPU that this process may use, or the one before it (`before` = 1, ...). */
unsigned wire_cpu(unsigned before);

/** How many there are. */
unsigned wire_cpus(void);

/** dataplane_start(), and the wire to its ports. */
void wire_start(const struct config *config, const struct endpoint_operations *operations,
                bool by_hand);
int wire_try_start(const struct config *config, const struct endpoint_operations *operations,
                   bool by_hand, struct config_error *error);

/**
 * wire_check_balance(), dataplane_stop(), wire_check_balance() once more, and check that the
 * dataplane missed no buffer. Open sockets become "network down" and still have to be closed.
 */
void wire_stop(void);

/** What can be said of a frame beside its bytes. Zeros: port 0, queue 0, one segment, no flags. */
struct wire_frame {
    const void *bytes;
    size_t length;
    unsigned port, queue;
    /** Lengths of the first segments; the rest of the frame is one more, if there is a rest. NULL:
     *  as few segments as it takes. */
    const uint16_t *segments;
    unsigned segments_count;
    uint64_t ol_flags; /**< RTE_MBUF_F_RX_*: what a device has found */
    uint16_t vlan_tci;
};

/** Put a frame on the wire. False: by hand, and the queue is full (or the pool empty). */
bool wire_try_send(const struct wire_frame *frame);

/** The same, and it must succeed. */
void wire_send_frame(const struct wire_frame *frame);
void wire_send(const void *bytes, size_t length);
void wire_send_segments(const void *bytes, size_t length, const uint16_t *segments, unsigned count);

/** A right datagram to group:port (host byte order). */
void wire_send_udp(uint32_t destination, uint16_t port, const void *payload, size_t length);

/** So many of them, of this length and filled with the numbers from `first` on (frame_fill()), and
 *  wire_settle(), at the latest after WIRE_NUMBERS_AT_ONCE. */
#define WIRE_NUMBERS_AT_ONCE 512u
void wire_send_numbers(uint32_t destination, uint16_t port, uint64_t first, unsigned count,
                       size_t length);

/** By hand: one pass of every lcore, or of one, at this moment of the time-stamp counter. */
bool wire_step(uint64_t now);
bool wire_step_one(unsigned lcore, uint64_t now);

/** Until the lcores have seen to everything that was sent, hand-over included, and what sockets had no use
 *  for any more is home. */
void wire_settle(void);

/** A row of dataplane_report() by its name, over everything, or of one port or lcore. */
uint64_t wire_counter(const char *name);
uint64_t wire_counter_of(enum dataplane_scope scope, unsigned index, const char *name);

/**
 * One packet, one fate: frames + handed_in + looped + reassembled = the sum of the fates, over everything
 * and for each port and lcore; the device's own count is ours; no entry is lost between lcores. After every scenario,
 * when the wire has settled. Works after a stop, too.
 */
void wire_check_balance(void);

/** Buffers that are in the pool, its caches included. The wire must have settled. */
unsigned wire_free_buffers(void);

/** Lines that the library has logged on standard error since capturing began (static storage). */
void wire_capture_log(void);
const char *wire_captured_log(void);

#endif
