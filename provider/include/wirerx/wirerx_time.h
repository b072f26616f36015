/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TIME_H
#define WIRERX_TIME_H

/**
 * @file
 * When a datagram was received. Part of wirerx.h.
 *
 * Every datagram has its burst's time: the CPU time-stamp counter when the dataplane took it off the
 * device (wirerx_receive_info.burst_tsc, SO_WIRERX_STAMP, Windows' SO_TIMESTAMP control message).
 * wirerx_wall_time() says what that is in wall time. A device that takes times itself
 * (ports[].timestamps: device) and a capture that is replayed give a time of their own beside it:
 *
 *     DWORD on = 1;
 *     setsockopt(s, SOL_SOCKET, SO_WIRERX_TIME, (const char *)&on, sizeof on);
 *     ... a receive that is not overlapped ...
 *     struct wirerx_receive_time time;
 *     if (wirerx_last_receive_time(&time) == 0 && time.source != WIRERX_TIME_BURST) ...
 *
 * or, of overlapped receives as well, by WSARecvMsg: each datagram then comes with a control message of
 * level SOL_SOCKET and type SO_WIRERX_TIME, whose data is a struct wirerx_receive_time.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who says when. */
enum wirerx_time_source {
    WIRERX_TIME_BURST = 1,    /**< the dataplane: when it took the burst off the device */
    WIRERX_TIME_DEVICE = 2,   /**< the device: when it received the frame */
    WIRERX_TIME_RECORDED = 3, /**< the capture that is replayed: what it has recorded */
};

/**
 * Nanoseconds since 1970-01-01 00:00:00 UTC, without leap seconds, as CLOCK_REALTIME counts them; of a
 * capture, whatever it counts them from.
 *
 * `error_ns` bounds how far that is from what CLOCK_REALTIME said at the moment meant, either way.
 * - WIRERX_TIME_BURST and WIRERX_TIME_DEVICE are converted from a counter, which is looked at beside
 *   CLOCK_REALTIME 20 times a second. The bound is what the last look did not know, and 0.1 % of the
 *   time since, in which the clock may be slewed (NTP: 500 ppm either way): 50 microseconds at most
 *   on a machine that keeps up, and more for a datagram that is asked about long after it came. A clock
 *   that is set (stepped) is noticed by the next look: until then times are by the clock as it went
 *   before, afterwards as it goes then, and the bound does not hold across the step.
 *   How long the device held the frame before the burst is no part of the bound of a burst's time.
 * - A device's time that is over a second away from its burst's is not believed, and the burst's is given.
 * - WIRERX_TIME_RECORDED is exactly what a replayed capture holds (0), to the nanosecond where the file
 *   is that fine; 999 once a replay has lost a frame, or of a capture that is played live, because DPDK's
 *   net_pcap cuts times to microseconds.
 * UINT64_MAX: no time is known, and `nanoseconds` is 0.
 */
struct wirerx_receive_time {
    int64_t nanoseconds;
    uint64_t error_ns;
    uint64_t burst_tsc; /**< of the burst, whoever says when */
    uint32_t source;    /**< enum wirerx_time_source */
    uint32_t reserved;  /**< 0 */
};

/**
 * Socket option, level SOL_SOCKET, DWORD boolean, default FALSE: receives of this socket note the time of
 * each datagram, for wirerx_last_receive_time() and for the control messages of WSARecvMsg. They then take
 * some 100 ns longer; sockets without it pay nothing.
 */
#define SO_WIRERX_TIME 0x57520004

/**
 * The time of the datagram that was returned by the calling thread's last successful non-overlapped
 * receive (one at a time, not wirerx_receive_batch()) from a socket with SO_WIRERX_TIME. Does not block.
 * @return 0, WSAEFAULT, WSAEINVAL there was none on this thread
 */
int wirerx_last_receive_time(struct wirerx_receive_time *time);

/**
 * What the time-stamp counter's value was in wall time, by the last look at both: for burst_tsc of any
 * receive. `source` is WIRERX_TIME_BURST. Any thread; does not block, costs no system call.
 * @return 0, WSAEFAULT, WSAENETDOWN the dataplane has not been started yet
 */
int wirerx_wall_time(uint64_t tsc, struct wirerx_receive_time *time);

#ifdef __cplusplus
}
#endif

#endif
