/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_PREFAULT_H
#define WIRERX_GUARD_PREFAULT_H

/**
 * @file
 * The part of guard_prefault() that a receive posted again and again needs: is the range in one of the
 * two that its thread has used last, the buffers' and the OVERLAPPEDs'?
 */

#include "guard.h"
#include "guard_internal.h"

/** What a thread remembers, until an access of any thread fails. It does not look again by itself: that
 *  would be a system call now and then on the road of a receive. */
#define GUARD_RANGES 8

struct guard_range {
    uintptr_t start;
    uintptr_t size; /**< to a page boundary; 0: unused */
};

struct guard_cache {
    struct guard_range latest; /**< the range of the last hit ... */
    struct guard_range
        before; /**< ... and of another before it: buffers and OVERLAPPEDs take turns */
    struct guard_range ranges[GUARD_RANGES];
    unsigned oldest; /**< the next one to be given up */
    unsigned faults; /**< guard_faults when the cache was emptied */
};

/* Initial-exec: reached without a call that might allocate. */
extern _Thread_local struct guard_cache guard_cache
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/** No sum that could wrap round: the range may be anything. */
static inline bool guard_range_contains(const struct guard_range *range, uintptr_t start,
                                        size_t length)
{
    uintptr_t offset = start - range->start;

    return offset < range->size && length <= range->size - offset;
}

/** guard_prefault(), without a call for ranges that the thread has used just now. */
static inline bool guard_prefault_again(const void *start, size_t length)
{
    if (guard_cache.faults == atomic_load_explicit(&guard_faults, memory_order_relaxed) &&
        (guard_range_contains(&guard_cache.latest, (uintptr_t)start, length) ||
         guard_range_contains(&guard_cache.before, (uintptr_t)start, length)))
        return true;
    return guard_prefault(start, length);
}

#endif
