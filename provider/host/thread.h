/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_THREAD_H
#define WIRERX_HOST_THREAD_H

/**
 * @file
 * Threads that have shown themselves: a slot of a table each, from a thread's first use of what
 * needs an identity until it exits. A WSATHREADID names slot and generation in ThreadHandle;
 * Reserved holds the system's thread number, for whoever looks at it in a debugger.
 */

#include "apc.h"
#include "table.h"

#define THREAD_MAX (1u << 14)

struct thread {
    struct table_entry entry;
    struct apc_queue apcs;
};

/** The calling thread, registered on first use. @return NULL: THREAD_MAX live, or no memory */
struct thread *thread_current(void);

/** The calling thread if it has registered. */
struct thread *thread_current_if_known(void);

/** Any thread's record. @param generation receives the handle's. @return NULL: never a thread */
struct thread *thread_find(HANDLE handle, uint32_t *generation);

/** Does the handle name a thread that lives, or one that did? */
bool thread_is_or_was(HANDLE handle);

#endif
