/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_HOST_APC_HELPERS_H
#define WIRERX_TESTS_HOST_APC_HELPERS_H

/**
 * @file
 * APCs that leave a trace, for tests of which each is a process of its own.
 */

#include "helpers.h"

#include "provider/host/thread.h"

/** The test's thread, and the upcalls; filled by find_me(), the fixture. */
extern WSATHREADID me;
extern WSPUPCALLTABLE upcalls;
void find_me(void);

/** WPUQueueApc() that must succeed. */
void queue(WSATHREADID *id, LPWSAUSERAPC routine, DWORD_PTR context);

/** An APC for the test's thread: notes its context. */
void note(DWORD_PTR context);
extern uintptr_t log_of_runs[64];
extern unsigned runs;

/** An APC for other threads: adds its context. */
void count_elsewhere(DWORD_PTR context);
extern _Atomic unsigned runs_elsewhere;

/** For host_on_thread_exit(). */
void count_exit(const WSATHREADID *id);
extern _Atomic unsigned exits;
extern _Atomic(HANDLE) last_exit;

/** Places that are reserved on the calling thread. */
uint32_t places_taken(void);

#endif
