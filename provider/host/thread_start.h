/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_THREAD_START_H
#define WIRERX_HOST_THREAD_START_H

/**
 * @file
 * Threads that this library makes for its clients. One is known by an event that its end sets, and
 * is otherwise a thread like any other.
 */

#include "wirerx/wirerx_kernel.h"

/**
 * Start a thread and wait until it runs and has an identity. Client threads.
 *
 * @param stack   bytes; 0: the system's usual size
 * @param number  receives the system's number of it
 * @return a manual-reset event that is set when the thread has ended, the caller's to close; NULL:
 *         no memory, no thread or no event is left, or no thread can have such a stack
 */
HANDLE thread_start(LPTHREAD_START_ROUTINE routine, LPVOID parameter, size_t stack, DWORD *number);

#endif
