/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_REPLAY_H
#define WIRERX_REPLAY_H

/**
 * @file
 * A capture file as a source that can wait. Stands in front of a net_pcap device as a row of
 * port_operations: frames are taken off the device into a small stage and leave it when the pace
 * allows. Only the source is ever held back; rings keep their size and live devices never wait.
 *
 * net_pcap gives no sign at the end of its file, so the frames are counted first, by libpcap.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "port.h"

/** Is this device string one that replays a file once (net_pcap, rx_pcap=, no infinite_rx)? */
bool replay_is_capture(const char *device);

/** @return a new replay for the port, or NULL with the reason (file missing, malformed, not Ethernet) */
struct replay *replay_create(const struct port *port, struct config_error *error);
void replay_destroy(struct replay *replay);

/** Nanoseconds of one in the recorded times that it leaves in mbufs: 1000, or 1 where the capture's are
 *  that fine. */
int64_t replay_unit_ns(const struct replay *replay);

/** The device runs: what it registers (the recorded time in the mbuf) is there now. The clock is the port's:
 *  it is told when recorded times are not known to the nanosecond any more. */
void replay_port_started(struct replay *replay, struct port_clock *clock);

/**
 * A socket was bound or has joined. A replay that is not held (config_port.held) begins by itself
 * 100 ms after the last such call, so that a program which knows nothing of replays loses nothing.
 */
void replay_note_socket(struct replay *replay);

/** Let the frames go now. Any thread. */
void replay_go(struct replay *replay);

struct replay_progress {
    uint64_t total;
    uint64_t released;
    bool drained;           /**< all have been released and the lcore is done with them */
    int64_t stalled_slot;   /**< the endpoint that holds the source back; -1: none */
    uint64_t stalled_since; /**< time-stamp counter when that began */
};

/** Any thread. */
struct replay_progress replay_progress(const struct replay *replay);

/** The row of functions. */
extern const struct port_operations port_replay;

#endif
