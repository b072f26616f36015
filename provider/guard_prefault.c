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

/*
 * Ranges of so many pages and fewer are known by their pages. Of larger ones a thread remembers the last
 * few, until an access of any thread fails.
 */
#define PAGES_LOOKED_AT 256u
#define RANGES 8u

struct range {
    uintptr_t start;
    uintptr_t size; /* to a page boundary; 0: unused */
};

struct cache {
    struct range ranges[RANGES];
    unsigned oldest; /* the next one to be given up */
    unsigned faults; /* guard_faults when the cache was emptied */
};

/* Initial-exec: reached without a call that might allocate. */
static _Thread_local struct cache cache __attribute__((tls_model("initial-exec")));

static bool is_small(uintptr_t start, uintptr_t end)
{
    return end - (start & ~(PAGE - 1)) <= PAGES_LOOKED_AT * PAGE;
}

/* No sum that could wrap round: the range may be anything. */
static bool contains(const struct range *range, uintptr_t start, size_t length)
{
    uintptr_t offset = start - range->start;

    return offset < range->size && length <= range->size - offset;
}

static bool pages_are_known(uintptr_t start, uintptr_t end)
{
    for (uintptr_t at = start & ~(PAGE - 1); at < end; at += PAGE)
        if (!guard_page_is_known(at))
            return false;
    return true;
}

static bool range_is_known(uintptr_t start, size_t length)
{
    unsigned faults = atomic_load_explicit(&guard_faults, memory_order_relaxed);

    if (cache.faults != faults) {
        cache = (struct cache){.faults = faults};
        return false;
    }
    for (unsigned i = 0; i < RANGES; i++)
        if (contains(&cache.ranges[i], start, length))
            return true;
    return false;
}

/* Adjoining ranges become one, so that a large buffer posted in slices takes one entry. */
static void remember_range(uintptr_t start, uintptr_t end)
{
    unsigned entry = RANGES;
    for (unsigned i = 0; i < RANGES; i++) {
        struct range *known = &cache.ranges[i];
        uintptr_t known_end = known->start + known->size;
        if (known->size == 0) {
            entry = i;
            continue;
        }
        if (known_end < start || known->start > end)
            continue;
        start = known->start < start ? known->start : start;
        end = known_end > end ? known_end : end;
        *known = (struct range){0, 0};
        entry = i;
    }
    if (entry == RANGES) {
        entry = cache.oldest;
        cache.oldest = (entry + 1) % RANGES;
    }
    cache.ranges[entry] = (struct range){start, end - start};
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
    bool small = is_small(start, end);
    if (small ? pages_are_known(start, end) : range_is_known(start, length))
        return true;
    if (!(end - start > POPULATE_MAX ? populate_ends(start, end) : populate(start, end)))
        return false;
    if (small)
        for (uintptr_t at = start & ~(PAGE - 1); at < end; at += PAGE)
            guard_page_remember(at);
    else
        remember_range(start & ~(PAGE - 1), end);
    return true;
}
