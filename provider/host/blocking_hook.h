/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_BLOCKING_HOOK_H
#define WIRERX_HOST_BLOCKING_HOOK_H

/**
 * @file
 * Winsock 1.1's blocking hooks: what a thread of such a program has called while it blocks. A
 * provider asks with WPUQueryBlockingCallback and gets a callback that calls the hook. All state is
 * the calling thread's own.
 */

#include <stdbool.h>

#include "wirerx/ws2spi.h"

/** What is there as long as nothing is set: does nothing. */
INT_PTR CALLBACK blocking_hook_default(VOID);

/** Set the calling thread's hook. @return the one before */
FARPROC blocking_hook_set(FARPROC hook);

/** Does the calling thread's hook run, that is, has it been called and not returned? */
bool blocking_hook_runs(void);

/** What the calling thread's blocking calls are to call; NULL: it has no hook. */
LPBLOCKINGCALLBACK blocking_hook_callback(void);

/** All threads' hooks are void from now on: the last WSACleanup(). Any thread. */
void blocking_hook_forget_all(void);

#endif
