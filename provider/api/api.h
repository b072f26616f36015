/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_API_H
#define WIRERX_API_H

/**
 * @file
 * The client calls of winsock2.h, a thin layer over a provider's table. Each has the same shape:
 * the code is WSANOTINITIALISED until the provider has been asked, and api_*() leaves it, or 0, for
 * WSAGetLastError() (A02).
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "wirerx/mswsock.h"
#include "wirerx/ws2spi.h"

/** The provider's functions, from the first WSAStartup() on; never cleared. */
extern WSPPROC_TABLE api_provider;

/** WSAStartup() calls that no WSACleanup() has balanced. */
extern _Atomic unsigned api_startups;

/** May the provider be asked? */
static inline bool api_started(void)
{
    return atomic_load_explicit(&api_startups, memory_order_acquire) > 0;
}

/** Major version that was negotiated: the lowest of all WSAStartup() calls since the first. */
BYTE api_level(void);

/** Leave the code of a call that failed, or 0. @return result */
int api_result(int result, int error);

/** The same for calls that make sockets. */
SOCKET api_socket(SOCKET result, int error);

/** The same for calls that succeed or not. */
BOOL api_bool(bool succeeded, int error);

/**
 * What to pass for a completion routine's thread: the calling one.
 *
 * @param routine  NULL: none is needed
 * @param id       storage
 * @return id or NULL
 */
LPWSATHREADID api_thread_for(LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, WSATHREADID *id);

/** WSARecvMsg (LPFN_WSARECVMSG), as SIO_GET_EXTENSION_FUNCTION_POINTER gives it. Its routine is refused
 *  (WSAEOPNOTSUPP) where another host serves the provider: which thread calls is then not known. */
INT WINAPI api_receive_message(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
                               LPWSAOVERLAPPED lpOverlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/** A client's entry with its name in 16-bit characters. @return false: it cannot be read */
bool api_widen_entry(const WSAPROTOCOL_INFOA *narrow, WSAPROTOCOL_INFOW *wide);

/** The other way, within our own memory. */
void api_narrow_entry(const WSAPROTOCOL_INFOW *wide, WSAPROTOCOL_INFOA *narrow);

#endif
