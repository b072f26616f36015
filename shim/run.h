/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RUN_H
#define WIRERX_RUN_H

/**
 * @file
 * All that is known about one run of `wirerx recv`: what the report is made from.
 */

#include "capture.h"
#include "latency.h"
#include "recv_options.h"
#include "recv_sockets.h"
#include "times.h"
#include "wirerx.h"

#define RUN_MAX_COUNTERS 128u

/** Why a run ended. */
enum run_end {
    END_DRAINED,
    END_COUNT,
    END_IDLE,
    END_INTERRUPTED,
    END_STALLED,
    END_FAILED,
};

struct run {
    const struct recv_options *options;
    struct capture capture; /**< empty without --replay */
    struct recv_sockets sockets;

    enum run_end end;
    struct command_error failure; /**< for END_FAILED */
    const char *stalled_on;       /**< GROUP:PORT of the socket, for END_STALLED */
    uint64_t stalled_ns;

    struct times times; /**< with --times */
    bool memory_fed;    /**< frames came from a capture: rates are no device's */
    uint64_t datagrams; /**< received, counted and written */
    uint64_t bytes;     /**< their payload */
    double seconds;     /**< from the first to the last of them */
    uint64_t strangers; /**< not wirerx-gen's; these three with --generated */
    uint64_t missing;   /**< by their sequence numbers */
    uint64_t late;      /**< after a later one, or twice */
    uint64_t after_end; /**< received when no more were wanted: neither counted nor written */
    uint64_t unread;    /**< left in rings */
    uint64_t lost;      /**< by sockets that were read: ring full, pool share */

    uint64_t frames_released; /**< of a replay */
    double replay_seconds;

    struct wirerx_counter counters[RUN_MAX_COUNTERS];
    size_t counter_count;

    struct latency latency; /**< ticks */
    uint64_t tsc_hz;
    char latency_reason[160]; /**< why it is not reported; empty: it is */
};

/** "drained", "count", ... as JSON has it. */
const char *run_end_name(enum run_end end);

/** A counter of the dataplane by its name; 0 when there is none. */
uint64_t run_counter(const struct run *run, const char *name);

/** The part of a drop counter's name after "drop."; NULL when it is no drop counter. */
const char *run_drop_reason(const struct wirerx_counter *counter);

/**
 * The name, without a dot, of what keeps a frame that is neither delivered to a socket nor dropped: the host
 * side of the stack, reassembly, the kernel, another lcore. NULL when the counter is of no such fate.
 */
const char *run_kept_by(const struct wirerx_counter *counter);

/** Frames kept so, all together. With them:
 *  frames + device_lost + reassembled + looped + handed_in = delivered + kept + dropped. */
uint64_t run_kept(const struct run *run);

/** Frames that a device has lost or found bad: dropped, and no frame that an lcore has taken. */
uint64_t run_device_lost(const struct run *run);

/** Frames dropped, all reasons together. */
uint64_t run_dropped(const struct run *run);

/** Datagrams a second; 0 when there were too few to say. */
double run_rate(const struct run *run);

/** A quantile of the latency in nanoseconds. */
double run_latency_ns(const struct run *run, double quantile);

/** Set latency_reason from all the rest. */
void run_judge_latency(struct run *run);

/** Do most datagrams have wrong UDP checksums, so that --checksums ignore may be what is wanted? */
bool run_wants_checksum_hint(const struct run *run);

#endif
