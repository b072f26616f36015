/* SPDX-License-Identifier: BSD-3-Clause */

#include "guard_prefault.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE ((uintptr_t)4096)

/*
 * A larger range is populated this far only: no receive fills more at once, and a program may name
 * gigabytes of address space that it never meant to have in memory.
 */
#define POPULATE_MAX ((uintptr_t)16 << 20)

_Thread_local struct guard_cache guard_cache;

static void use(const struct guard_range *range)
{
    guard_cache.before = guard_cache.latest;
    guard_cache.latest = *range;
}

static bool is_cached(uintptr_t start, size_t length)
{
    unsigned faults = atomic_load_explicit(&guard_faults, memory_order_relaxed);
    if (guard_cache.faults != faults) {
        guard_cache = (struct guard_cache){.faults = faults};
        return false;
    }
    if (guard_range_contains(&guard_cache.latest, start, length) ||
        guard_range_contains(&guard_cache.before, start, length))
        return true;
    for (unsigned i = 0; i < GUARD_RANGES; i++) {
        if (guard_range_contains(&guard_cache.ranges[i], start, length)) {
            use(&guard_cache.ranges[i]);
            return true;
        }
    }
    return false;
}

/* Adjoining ranges become one, so that a large buffer posted in slices takes one entry. */
static void remember(uintptr_t start, uintptr_t end)
{
    unsigned entry = GUARD_RANGES;
    for (unsigned i = 0; i < GUARD_RANGES; i++) {
        struct guard_range *known = &guard_cache.ranges[i];
        uintptr_t known_end = known->start + known->size;
        if (known->size == 0) {
            entry = i;
            continue;
        }
        if (known_end < start || known->start > end)
            continue;
        start = known->start < start ? known->start : start;
        end = known_end > end ? known_end : end;
        *known = (struct guard_range){0, 0};
        entry = i;
    }
    if (entry == GUARD_RANGES) {
        entry = guard_cache.oldest;
        guard_cache.oldest = (entry + 1) % GUARD_RANGES;
    }
    guard_cache.ranges[entry] = (struct guard_range){start, end - start};
    use(&guard_cache.ranges[entry]);
}

/*
 * The kernel refuses for reasons that need not concern a store: a stack that has not grown that far
 * yet, a device's memory, a kernel before 5.14, a sandbox. So a refusal is checked by storing.
 */
static bool populate(uintptr_t start, uintptr_t end)
{
    uintptr_t first_page = start & ~(PAGE - 1);
    if (syscall(SYS_madvise, first_page, end - first_page, MADV_POPULATE_WRITE) == 0)
        return true;
    for (uintptr_t at = start; at < end; at = (at & ~(PAGE - 1)) + PAGE) {
        if (!guard_touch((void *)at))
            return false;
    }
    return true;
}

/*
 * Beyond POPULATE_MAX: mapped throughout (an asynchronous msync() looks and does nothing else), and
 * the last page is writable. Read-only pages between are left to the guarded copy.
 */
static bool populate_ends(uintptr_t start, uintptr_t end)
{
    uintptr_t first_page = start & ~(PAGE - 1);
    if (syscall(SYS_msync, first_page, end - first_page, MS_ASYNC) != 0 && errno == ENOMEM)
        return false;
    return populate(start, first_page + POPULATE_MAX) && populate(end - PAGE, end);
}

bool guard_prefault(const void *start_of_range, size_t length)
{
    uintptr_t start = (uintptr_t)start_of_range;
    if (length == 0)
        return true;
    if (start > UINTPTR_MAX - PAGE || length > UINTPTR_MAX - PAGE - start)
        return false;

    uintptr_t end = (start + length + PAGE - 1) & ~(PAGE - 1);
    if (is_cached(start, length))
        return true;
    bool writable = end - start > POPULATE_MAX ? populate_ends(start, end) : populate(start, end);
    if (writable)
        remember(start & ~(PAGE - 1), end);
    return writable;
}
