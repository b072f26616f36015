/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BLOCKING_CALLS_H
#define WIRERX_BLOCKING_CALLS_H

/**
 * @file
 * Part of winsock2.h, which says what holds for every function: what a thread can do while it is in
 * a blocking call. These are calls of Winsock 1.1, which Winsock 2 took out: they are for programs
 * that asked WSAStartup() for a version below 2.0, and fail with WSAEOPNOTSUPP for all others (N02).
 * Where several parts of a process have asked, the lowest version counts.
 */

#include "wirerx_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * End the blocking call that this thread is in: for its hook, its APCs and its signal handlers.
 * @return 0: the call fails with WSAEINTR as soon as possible, unless data won the race (N01, N03);
 *         WSAEINVAL this thread is in none; WSAEOPNOTSUPP
 */
int WSAAPI WSACancelBlockingCall(void);

/**
 * Have a function called, now and then, while this thread is in a blocking call. It may not make
 * another blocking call (WSAEINPROGRESS, A20).
 *
 * @param lpBlockFunc  BOOL WINAPI hook(VOID): called again at once when it returns TRUE
 * @return the hook before, which may be the default one, which does nothing; NULL:
 *         WSANOTINITIALISED, WSAEOPNOTSUPP, WSAEFAULT lpBlockFunc is NULL
 */
FARPROC WSAAPI WSASetBlockingHook(FARPROC lpBlockFunc);

/** Go back to the default hook. @return 0; WSAEOPNOTSUPP */
int WSAAPI WSAUnhookBlockingHook(void);

/** @return TRUE within this thread's hook; else FALSE, also at level 2 */
BOOL WSAAPI WSAIsBlocking(void);

#ifdef __cplusplus
}
#endif

#endif
