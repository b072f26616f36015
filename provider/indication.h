/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_INDICATION_H
#define WIRERX_INDICATION_H

/**
 * @file
 * How the end of an overlapped operation will be indicated, and to whom. Settled before LOCK, because
 * upcalls may not run under it.
 */

#include <stdbool.h>

#include "wirerx/ws2spi.h"

struct indication {
    HANDLE event;       /**< NULL: none, or there is a routine (D11) */
    WSATHREADID thread; /**< who starts the operation; all zero: unknown */
    bool reserved;      /**< an APC's place is reserved on `thread` */
};

/**
 * Reset the event, or reserve the APC's place; know the thread.
 * @param indication  zeroed
 * @return 0; WSAEFAULT (A22); WSAEINVAL; WSA_INVALID_HANDLE (D17); WSAEWOULDBLOCK (C08); WSAENOBUFS
 */
int indication_prepare(LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                       LPWSATHREADID thread, struct indication *indication);

/** Nothing was started after all. */
void indication_cancel(const struct indication *indication);

#endif
