/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_SANITIZE_H
#define WIRERX_GUARD_SANITIZE_H

/**
 * @file
 * What the sanitizers would have seen if the guarded accesses were C and not assembly. Every
 * function here is empty in an ordinary build.
 *
 * Our own side is reported before the access. The client's side is reported after it has succeeded:
 * only then is it known to be memory at all, and a sanitizer that is asked about a wild address
 * faults itself.
 */

#include <stddef.h>

#ifdef __has_feature
#define GUARD_HAS_FEATURE(x) __has_feature(x)
#else
#define GUARD_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || GUARD_HAS_FEATURE(address_sanitizer)
#define GUARD_ASAN 1
#include <sanitizer/asan_interface.h>
#else
#define GUARD_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || GUARD_HAS_FEATURE(thread_sanitizer)
#define GUARD_TSAN 1
#include <sanitizer/tsan_interface.h>
/* Exported by the runtime; its public headers leave them out. */
void __tsan_read_range(void *start, unsigned long length);
void __tsan_write_range(void *start, unsigned long length);
#else
#define GUARD_TSAN 0
#endif

#undef GUARD_HAS_FEATURE

static inline void guard_saw_read(const void *start, size_t length)
{
    (void)start;
    (void)length;
#if GUARD_ASAN
    const volatile char *poisoned = __asan_region_is_poisoned((void *)(size_t)start, length);
    if (poisoned)
        (void)*poisoned; /* instrumented: this line makes the report */
#endif
#if GUARD_TSAN
    if (length > 0)
        __tsan_read_range((void *)(size_t)start, length);
#endif
}

static inline void guard_saw_write(void *start, size_t length)
{
    (void)start;
    (void)length;
#if GUARD_ASAN
    volatile char *poisoned = __asan_region_is_poisoned(start, length);
    if (poisoned)
        *poisoned = *poisoned; /* instrumented: this line makes the report */
#endif
#if GUARD_TSAN
    if (length > 0)
        __tsan_write_range(start, length);
#endif
}

/** Before a store at `to` that publishes; `to` has been found writable. */
static inline void guard_saw_release(void *to)
{
    (void)to;
#if GUARD_TSAN
    __tsan_release(to);
#endif
}

/** After a successful load at `from` that others publish by. */
static inline void guard_saw_acquire(const void *from)
{
    (void)from;
#if GUARD_TSAN
    __tsan_acquire((void *)(size_t)from);
#endif
}

#endif
