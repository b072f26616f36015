/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_TIME_H
#define WIRERX_RECEIVE_TIME_H

/**
 * @file
 * When a datagram was received, in wall time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "socket_ring.h"

/** Who says so. */
enum receive_time_source {
    RECEIVE_TIME_BURST,    /**< the lcore: when the burst left the device */
    RECEIVE_TIME_DEVICE,   /**< the device: when it received the frame */
    RECEIVE_TIME_RECORDED, /**< the capture that is replayed */
};

/** Farther apart than this, a device's time and its burst's, the device's is not believed: its clock has
 *  been set, or is no clock. */
#define RECEIVE_TIME_MOST_APART_NS 1000000000

struct receive_time {
    enum receive_time_source source;
    int64_t wall_ns;    /**< since 1970-01-01 00:00 UTC */
    uint64_t error_ns;  /**< either way; UINT64_MAX: no time is known, wall_ns is 0 */
    uint64_t burst_tsc; /**< always the burst's */
};

/** Of a datagram in a ring. Under LOCK, while attached; asks the system for nothing. */
void dataplane_receive_time(const struct ring_element *element, struct receive_time *time);

/** The wall time at which the time-stamp counter stood so, by the last look at both. Any thread; asks the
 *  system for nothing. As receive_time's. */
void dataplane_wall_time(uint64_t tsc, int64_t *wall_ns, uint64_t *error_ns);

#endif
