/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TIMES_H
#define WIRERX_TIMES_H

/**
 * @file
 * What --times writes: for each datagram a line of its time, who says so, and how far it may be off:
 *
 *     1700000000.000001999 recorded 0
 *
 * Seconds since 1970-01-01 00:00 UTC with nine digits of nanoseconds; `burst`, `device` or `recorded`
 * (wirerx_time.h); nanoseconds either way, or `unknown`.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "command.h"
#include "wirerx.h"

#define TIMES_SOURCES 3u

struct times {
    pthread_mutex_t lock; /**< held by receivers while they write a datagram and its time */
    FILE *file;
    const char *path;
    _Atomic int failed; /**< errno of the first write that failed; anybody may look */
    uint64_t by_source[TIMES_SOURCES];     /**< datagrams, by enum wirerx_time_source less one */
    uint64_t most_error_ns[TIMES_SOURCES]; /**< of these, as far as it is known */
};

/** "burst", ... by enum wirerx_time_source less one. */
extern const char *const times_source_names[TIMES_SOURCES];

/** Create or overwrite the file. @return 0, or -1 with the error set */
int times_open(struct times *times, const char *path, struct command_error *error);

/** Append the time of the datagram that this thread has received last. Under the lock. */
void times_write_last(struct times *times);

/** Close the file. @return 0, or -1 with the error set (also of earlier writes) */
int times_close(struct times *times, struct command_error *error);

#endif
