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
    /** The event that thread_set_end() gave: written by the thread, read by whoever looks for it. */
    _Atomic(HANDLE) end;
    struct apc_queue apcs;
};

/** The calling thread, registered on first use. @return NULL: THREAD_MAX live, or no memory */
struct thread *thread_current(void);

/** The same with its generation, to address it as others would. */
struct thread *thread_current_with(uint32_t *generation);

/** The calling thread if it has registered. */
struct thread *thread_current_if_known(void);

/** Any thread's record. @param generation receives the handle's. @return NULL: never a thread */
struct thread *thread_find(HANDLE handle, uint32_t *generation);

/**
 * Have an event set as the last act of the calling thread, which has registered: after its APC queue
 * is closed and the exit callback has run. The event may have been closed by then.
 */
void thread_set_end(HANDLE event);

/** The thread whose end sets this event, while both are there. Looks at every slot. @return NULL:
 *  none */
struct thread *thread_find_by_end(HANDLE event, uint32_t *generation);

/** The system's number of the calling thread. */
DWORD thread_system_number(void);

/** Does the handle name a thread that lives, or one that did? */
bool thread_is_or_was(HANDLE handle);

#endif
