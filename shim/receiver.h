/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVER_H
#define WIRERX_RECEIVER_H

/**
 * @file
 * A receiving thread: the sockets it reads, and what it makes of each datagram. How it reads is its
 * mode's business (receive_mode.h).
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "latency.h"
#include "numbering.h"
#include "output.h"
#include "receive_mode.h"
#include "times.h"
#include "winsock2.h"

/** More than any UDP datagram over IPv4. */
#define RECEIVER_BUFFER_BYTES 65536u

/** What all receiving threads of a run share. */
struct reception {
    const struct receive_mode *mode;
    struct output *output;     /**< NULL: none */
    struct times *times;       /**< NULL: none */
    bool measure;              /**< record latencies */
    bool generated;            /**< from the sender's stamps, and keep its numbers */
    bool limited;              /**< end after `remaining` more datagrams */
    _Atomic int64_t remaining; /**< below zero: so many came after the last that was wanted */
    _Atomic bool stop;         /**< the supervisor wants an end; wirerx_stop() follows */
    _Atomic bool enough;       /**< the last wanted datagram has come */
    _Atomic bool failed;
    pthread_mutex_t failure_lock;
    struct command_error failure; /**< the first; under failure_lock until the threads are gone */
};

struct receiver {
    struct reception *shared;
    const SOCKET *sockets;
    unsigned socket_count;
    pthread_t thread;
    bool started;
    struct latency *latency;     /**< NULL unless shared->measure */
    struct numbering *numbering; /**< NULL unless shared->generated */

    /* Written by this thread, read by the supervisor. */
    _Alignas(64) _Atomic uint64_t datagrams;
    _Atomic uint64_t bytes;
    _Atomic uint64_t first_tsc;
    _Atomic uint64_t last_tsc;
};

/**
 * Make one receiver for every socket or one for all of them, as the mode wants.
 * @return an array of *count, or NULL when memory is short. Free with receivers_free().
 */
struct receiver *receivers_create(struct reception *shared, const SOCKET *sockets,
                                  unsigned socket_count, unsigned *count);

/** Start their threads. @return 0, or -1 with the error set; those started must still be joined. */
int receivers_start(struct receiver *receivers, unsigned count, struct command_error *error);

/** Wait until the threads have ended, which they do after wirerx_stop(). */
void receivers_join(struct receiver *receivers, unsigned count);

void receivers_free(struct receiver *receivers, unsigned count);

/**
 * One datagram has been received.
 *
 * @param burst_tsc  when its burst came off the device; 0: not known
 * @return false: it was not wanted any more, and none is
 */
bool receiver_take(struct receiver *receiver, const void *payload, uint32_t bytes,
                   uint64_t burst_tsc);

/** A receive has failed: that is the end of the run, unless the run is being stopped anyway. */
void receiver_failed(struct receiver *receiver, const char *call, int winsock_error);

/** The supervisor wants an end. */
static inline bool receiver_stopping(const struct receiver *receiver)
{
    return atomic_load_explicit(&receiver->shared->stop, memory_order_relaxed);
}

#endif
