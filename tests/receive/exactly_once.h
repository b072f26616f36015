/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_EXACTLY_ONCE_H
#define WIRERX_TESTS_RECEIVE_EXACTLY_ONCE_H

/**
 * @file
 * What stresses keep about an operation so that they can say of each: it ended once, it was filled in
 * its turn, and nobody has touched it since. Each structure belongs to one thread.
 */

#include "harness.h"

/** xorshift: the next number of a seeded sequence. The state may not be 0. */
uint64_t next_random(uint64_t *state);

/** An operation that is started over and over. Zeroed before first use. */
struct slot {
    struct operation operation;
    struct operation copy; /**< of what it was when it had ended */
    uint64_t number;       /**< in the order of posting */
    bool pending;
    bool held; /**< has ended and must not change any more */
};

/** It has ended and its data has been looked at: from now on it may not change (D16, G11). Under ASan
 *  its buffer and result are poisoned, so that a write to them is reported where it is made. */
void hold_slot(struct slot *slot);

/** It is as it was when hold_slot() was called, and may be used again. Nothing for one not held. */
void release_slot(struct slot *slot);

#define FILLING_HISTORY 64u

/** In which order a thread's operations on one socket were filled. Zeroed before first use. */
struct filling {
    uint64_t filled[FILLING_HISTORY];  /**< datagram + 1 that operation n % FILLING_HISTORY got */
    uint64_t numbers[FILLING_HISTORY]; /**< n + 1 */
};

/** Operation `number` got this datagram: they are filled in the order of posts, however late the thread
 *  hears of each (G08). Compares with the operations beside it, if they have been seen. */
void check_filling(struct filling *filling, uint64_t number, uint64_t datagram);

#endif
