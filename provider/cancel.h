/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CANCEL_H
#define WIRERX_CANCEL_H

/**
 * @file
 * Cancelling posted receives and sends one by one: what the Windows kernel does for CancelIo() (K13).
 */

#include <stdint.h>

#include "wirerx/ws2spi.h"

/**
 * End posted operations of a socket as cancelled, and indicate it, before this returns. One that
 * completes meanwhile ends by that alone; every other receive leaves what arrives to the next (K08),
 * and of every other send nothing is sent. Client threads; takes LOCK.
 *
 * @param overlapped  NULL: whichever; else only the one that was posted with it
 * @param thread      NULL: whosever; else only those that this thread has posted
 * @param cancelled   receives how many there were
 * @return 0; WSAENOTSOCK; WSAEINPROGRESS as socket_lock()
 */
int cancel_operations(SOCKET s, const WSAOVERLAPPED *overlapped, const WSATHREADID *thread,
                      uint32_t *cancelled);

#endif
