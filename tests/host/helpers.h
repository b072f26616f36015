/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_HOST_HELPERS_H
#define WIRERX_TESTS_HOST_HELPERS_H

/**
 * @file
 * Threads that can be watched, and a system without futex_waitv: what the host's tests share.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "provider/host/host.h"
#include "wirerx/winsock2.h"

/** A thread of a test. */
struct runner {
    pthread_t thread;
    void (*body)(struct runner *self);
    void *argument;
    WSATHREADID id;  /**< valid once `started` */
    _Atomic int tid; /**< the system's number; 0 until it runs */
    _Atomic bool started;
    _Atomic bool ended;
    _Atomic bool go; /**< for bodies that wait for the test's word */
    _Atomic uint64_t result;
};

/** Start it and wait until its id is known. */
void run(struct runner *runner, void (*body)(struct runner *self), void *argument);

/** Wait for its end. @return result */
uint64_t finish(struct runner *runner);

/** Is it asleep in the kernel? */
bool sleeps(struct runner *runner);

/** Yield until a condition holds; fail the test when that takes ten seconds. */
#define UNTIL(condition)                                                                \
    do {                                                                                \
        uint64_t limit_ = wake_clock() + 10000000000ull;                                \
        while (!(condition)) {                                                          \
            CHECK_MSG(wake_clock() < limit_, "%s: not within ten seconds", #condition); \
            sched_yield();                                                              \
        }                                                                               \
    } while (0)

/** A deadline from now. */
uint64_t in_milliseconds(uint64_t milliseconds);

/** From now on futex_waitv does not exist for the calling thread and those it starts. */
void remove_futex_waitv(void);

/** Under TSan or ASan things take longer: how many rounds of a stress are enough there. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ROUNDS(count) ((count) / 10)
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define ROUNDS(count) ((count) / 10)
#endif
#endif
#ifndef ROUNDS
#define ROUNDS(count) (count)
#endif

#endif
