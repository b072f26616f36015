/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PORT_CLOCK_H
#define WIRERX_PORT_CLOCK_H

/**
 * @file
 * The times that a port's device, or a capture, puts in the frames it gives: DPDK's dynamic field for
 * receive timestamps, which lies in the mbuf. No lcore looks at it: whoever has received a datagram finds
 * it there, so that ports with and without such times take the same road.
 *
 * What the field counts is the driver's business: ticks or nanoseconds of the device's own clock, which
 * is looked at beside the system's (wall_clock.h); or wall time, as net_pcap's microseconds.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock_line.h"
#include "config.h"

struct port;
struct rte_eth_dev_info;
struct rte_mbuf;

/** What a time of a port is. */
enum port_clock_kind {
    PORT_CLOCK_NONE,     /**< there is none */
    PORT_CLOCK_DEVICE,   /**< the device's own clock, whatever its ticks are */
    PORT_CLOCK_SYSTEM,   /**< wall time, which the device's driver has from the system */
    PORT_CLOCK_RECORDED, /**< wall time, which a capture has recorded */
};

struct port_clock {
    enum port_clock_kind kind; /**< constant while lcores run, as all but error_ns and line */
    bool timesync;             /**< of a device: rte_eth_timesync_read_time() tells its clock */
    int field;                 /**< offset of the time in an mbuf ... */
    uint64_t flag;             /**< ... in which it is if its ol_flags have this */
    int64_t unit_ns;           /**< of wall time: nanoseconds of one in the field */
    _Atomic uint64_t error_ns; /**< of wall time */
    struct clock_line line;    /**< of the device's clock */
};

/**
 * Find out what times the device has, by `timestamps` of the port's configuration. Before the device is
 * configured.
 * @param offloads  receives the receive offload that makes the device take them, or nothing
 * @return 0, or -1 with the reason: they are asked for and there are none
 */
int port_clock_find(struct port *port, const struct rte_eth_dev_info *info, uint64_t *offloads,
                    struct config_error *error);

/** The device runs: find the field, and have a first look at its clock. Blocks for some milliseconds if it
 *  has one of its own. The same results. */
int port_clock_begin(struct port *port, struct config_error *error);

/** Another look. Only the service thread, some 20 times a second. */
void port_clock_look(struct port *port);

/**
 * Of a frame that the port has given.
 * @param wall_ns   receives nanoseconds since 1970-01-01 00:00 UTC
 * @param error_ns  receives how far that may be off, either way
 * @return false: the frame has none
 */
bool port_clock_tell(const struct port_clock *clock, const struct rte_mbuf *mbuf, int64_t *wall_ns,
                     uint64_t *error_ns);

#endif
