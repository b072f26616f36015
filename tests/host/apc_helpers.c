/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "apc_helpers.h"

WSATHREADID me;
WSPUPCALLTABLE upcalls;
uintptr_t log_of_runs[64];
unsigned runs;
_Atomic unsigned runs_elsewhere;
_Atomic unsigned exits;
_Atomic(HANDLE) last_exit;

void find_me(void)
{
    CHECK(host_current_thread(&me));
    upcalls = host_upcalls();
}

void queue(WSATHREADID *id, LPWSAUSERAPC routine, DWORD_PTR context)
{
    int error = 0;

    CHECK_EQ_I64(WPUQueueApc(id, routine, context, &error), 0);
}

void note(DWORD_PTR context)
{
    CHECK(runs < 64);
    log_of_runs[runs++] = context;
}

void count_elsewhere(DWORD_PTR context)
{
    atomic_fetch_add(&runs_elsewhere, (unsigned)context);
}

void count_exit(const WSATHREADID *id)
{
    CHECK_EQ_I64(host_reserve_apc(id), WSAEINVAL); /* stale already */
    atomic_store(&last_exit, id->ThreadHandle);
    atomic_fetch_add(&exits, 1);
}

uint32_t places_taken(void)
{
    return (uint32_t)atomic_load(&thread_current()->apcs.reserved);
}
