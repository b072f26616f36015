/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SINGLE_WRITER_H
#define WIRERX_SINGLE_WRITER_H

/**
 * @file
 * Counters that one thread at a time writes and any thread reads. Adding is no atomic operation, only
 * its store is: a reader sees the old value or the new one. On x86-64 it is one instruction, which
 * compilers do not make of an atomic load, an addition and an atomic store.
 */

#include <stdatomic.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define SINGLE_WRITER_ONE_INSTRUCTION 1
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef SINGLE_WRITER_ONE_INSTRUCTION
#endif
#endif
#endif

static inline void single_writer_add64(_Atomic uint64_t *counter, uint64_t n)
{
#ifdef SINGLE_WRITER_ONE_INSTRUCTION
    __asm__ volatile("addq %1, %0" : "+m"(*counter) : "er"(n) : "cc");
#else
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
#endif
}

static inline void single_writer_add32(_Atomic uint32_t *counter, uint32_t n)
{
#ifdef SINGLE_WRITER_ONE_INSTRUCTION
    __asm__ volatile("addl %1, %0" : "+m"(*counter) : "ir"(n) : "cc");
#else
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
#endif
}

#endif
