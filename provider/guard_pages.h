/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_PAGES_H
#define WIRERX_GUARD_PAGES_H

/**
 * @file
 * Pages of client memory that were found writable, for all threads of the process: a client that has many
 * receives posted gives each a page or more of its own, and posts them from any thread.
 *
 * Written when a page has been looked at by the kernel, read whenever a receive is posted; so its lines are
 * shared and stay where they are. Entries are independent of each other and hold nothing but a number: no
 * order is needed. All are forgotten when an access fails anywhere. A hint: a page that was unmapped since
 * is taken for writable, and the guarded access finds out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard_internal.h"

#define GUARD_PAGE_BITS 12u

/** Entries, one a page: 32 KiB for 16 MiB of buffers. In sets of as many as a page may be in. */
#define GUARD_PAGES_SETS_BITS 10u
#define GUARD_PAGES_WAYS 4u

/** Numbers of pages, and one more, so that none is 0, which is no page. */
extern _Atomic uint64_t guard_pages[1u << GUARD_PAGES_SETS_BITS][GUARD_PAGES_WAYS]
    __attribute__((visibility("hidden"), aligned(64)));

static inline uint64_t guard_page_entry(uintptr_t address)
{
    return (address >> GUARD_PAGE_BITS) + 1;
}

/** The set that a page may be in. */
static inline _Atomic uint64_t *guard_pages_set(uintptr_t address)
{
    return guard_pages[(address >> GUARD_PAGE_BITS) * 0x9e3779b97f4a7c15u >>
                       (64 - GUARD_PAGES_SETS_BITS)];
}

/** Has this byte's page been found writable, and is it the first of its set? Most are. */
static inline bool guard_page_is_first(uintptr_t address)
{
    return atomic_load_explicit(guard_pages_set(address), memory_order_relaxed) ==
           guard_page_entry(address);
}

/** Has this byte's page been found writable? */
bool guard_page_is_known(uintptr_t address);

/** It has been. */
void guard_page_remember(uintptr_t address);

/** An access has failed. Also in the handler of its signal. */
void guard_pages_forget(void);

#endif
