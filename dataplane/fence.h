/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_FENCE_H
#define WIRERX_FENCE_H

/**
 * @file
 * The one full fence. A function of its own so that the places that need it can be counted, named
 * (F1, F2, F3 in lock_word.h) and removed by a mutant.
 */

/**
 * Every store before it is visible to other processors before any load after it is performed.
 * Inline assembly rather than atomic_thread_fence(): ThreadSanitizer does not model fences, and
 * nothing here relies on one for a happens-before edge; those come from release/acquire pairs.
 */
static inline void full_fence(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lock; addl $0, -128(%%rsp)" ::: "memory", "cc");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

#endif
