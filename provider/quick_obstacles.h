/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_QUICK_OBSTACLES_H
#define WIRERX_QUICK_OBSTACLES_H

/**
 * @file
 * What in the whole process forbids the quick receive (receive_quick.h), in one word: whoever knows of
 * such a thing sets and clears a bit of it, and a receive asks with one load.
 */

#include <stdatomic.h>
#include <stdbool.h>

enum quick_obstacle {
    OBSTACLE_GUARD_LOST = 1,   /**< client memory is reached by system calls only (guard.h) */
    OBSTACLE_FOREIGN_HOST = 2, /**< there is no host, or handles are not ours (socket.h) */
    OBSTACLE_CALLBACKS = 4,    /**< a host has blocking callbacks (blocking.h) */
};

/* Hidden: reached without a detour through a table of the linker's. */
extern atomic_uint quick_obstacles __attribute__((visibility("hidden")));

/** Is there any? One relaxed load, by hand: compilers do not compare an atomic where it lies, and a receive
 *  asks each time. */
static inline bool quick_is_obstructed(void)
{
    __asm__ goto("cmpl $0, %0\n"
                 "jne %l[obstructed]\n"
                 :
                 : "m"(quick_obstacles)
                 : "cc"
                 : obstructed);
    return false;
obstructed:
    return true;
}

/** Any thread. Not ordered with anything: a receive that runs at the time may or may not see it. */
static inline void quick_obstacle_set(enum quick_obstacle obstacle, bool there)
{
    if (there)
        atomic_fetch_or_explicit(&quick_obstacles, obstacle, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&quick_obstacles, ~(unsigned)obstacle, memory_order_relaxed);
}

#endif
