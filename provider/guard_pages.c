/* SPDX-License-Identifier: BSD-3-Clause */
#include "guard_pages.h"

_Atomic uint64_t guard_pages[1u << GUARD_PAGES_SETS_BITS][GUARD_PAGES_WAYS];

bool guard_page_is_known(uintptr_t address)
{
    const _Atomic uint64_t *set = guard_pages_set(address);

    for (unsigned i = 0; i < GUARD_PAGES_WAYS; i++)
        if (atomic_load_explicit(&set[i], memory_order_relaxed) == guard_page_entry(address))
            return true;
    return false;
}

void guard_page_remember(uintptr_t address)
{
    _Atomic uint64_t *set = guard_pages_set(address);
    unsigned way =
        (unsigned)(address >> GUARD_PAGE_BITS) % GUARD_PAGES_WAYS; /* if all are in use */

    if (guard_page_is_known(address))
        return;
    for (unsigned i = 0; i < GUARD_PAGES_WAYS; i++)
        if (atomic_load_explicit(&set[i], memory_order_relaxed) == 0) {
            way = i;
            break;
        }
    atomic_store_explicit(&set[way], guard_page_entry(address), memory_order_relaxed);
}

void guard_pages_forget(void)
{
    for (unsigned set = 0; set < 1u << GUARD_PAGES_SETS_BITS; set++)
        for (unsigned way = 0; way < GUARD_PAGES_WAYS; way++)
            atomic_store_explicit(&guard_pages[set][way], 0, memory_order_relaxed);
}
