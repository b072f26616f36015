/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_ALLOCATIONS_H
#define WIRERX_TESTS_RECEIVE_ALLOCATIONS_H

#include <stdint.h>

/**
 * @file
 * How often a thread has asked the heap for memory or given it some back: every malloc(), calloc(),
 * realloc(), aligned allocation and free() of the whole process is counted, whoever makes it.
 */

/** Where the calling thread counts; other threads may read it while this one lives. */
const _Atomic uint64_t *allocations_of_this_thread(void);

#endif
