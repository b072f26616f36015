/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_PREFAULT_H
#define WIRERX_GUARD_PREFAULT_H

/**
 * @file
 * The part of guard_prefault() that a receive posted again and again needs: are the one or two pages of a
 * small buffer, or of an OVERLAPPED, known? Only where most pages are found; the call looks further.
 */

#include "guard.h"
#include "guard_pages.h"

/** guard_prefault(), without a call for what lies in known pages. Nothing looks again at them before an
 *  access fails: that would be a system call now and then on the road of a receive. */
static inline bool guard_prefault_again(const void *start_of_range, size_t length)
{
    uintptr_t start = (uintptr_t)start_of_range, last = start + (length - 1);

    if (length - 1 < (size_t)1 << GUARD_PAGE_BITS && last >= start && guard_page_is_first(start) &&
        ((start ^ last) >> GUARD_PAGE_BITS == 0 || guard_page_is_first(last)))
        return true;
    return guard_prefault(start_of_range, length);
}

#endif
