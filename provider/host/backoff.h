/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_BACKOFF_H
#define WIRERX_HOST_BACKOFF_H

/**
 * @file
 * Waiting for another client thread to finish a handful of instructions. Client threads only.
 */

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** The processor's hint that this is a spin loop. */
static inline void cpu_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

/**
 * Wait a little longer each time: first on the processor, then by giving it away, last by sleeping,
 * because a real-time thread that only yields would keep the other one from ever running. No
 * cancellation point: who waits here may hold something that others wait for.
 *
 * @param turn  0 the first time; counted up here
 */
static inline void backoff(unsigned *turn)
{
    static const struct timespec nap = {.tv_nsec = 50000};

    if (*turn < 64)
        cpu_pause();
    else if (*turn < 96)
        sched_yield();
    else
        syscall(SYS_nanosleep, &nap, NULL); /* raw: nanosleep() is a cancellation point */
    ++*turn;
}

#endif
