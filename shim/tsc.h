/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TSC_H
#define WIRERX_TSC_H

/**
 * @file
 * The time-stamp counter that wirerx_receive_info.burst_tsc is read from, at wirerx_tsc_hz().
 */

#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

static inline uint64_t tsc_now(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t now;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(now));
    return now;
#else
#error "how does this CPU tell the time?"
#endif
}

/** Tell the CPU that this is a polling loop. */
static inline void tsc_pause(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
