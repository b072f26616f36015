/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CANCEL_H
#define WIRERX_CANCEL_H

/**
 * @file
 * Cancelling posted receives one by one: what the Windows kernel does for CancelIo() (K13).
 */

#include <stdint.h>

#include "wirerx/ws2spi.h"

/**
 * End posted receives of a socket as cancelled, and indicate it, before this returns. One that data
 * completes meanwhile ends by the data alone, and its bytes are there; every other leaves what
 * arrives to the next receive (K08). Client threads; takes LOCK.
 *
 * @param overlapped  NULL: whichever; else only the one that was posted with it
 * @param thread      NULL: whosever; else only those that this thread has posted
 * @param cancelled   receives how many there were
 * @return 0; WSAENOTSOCK; WSAEINPROGRESS as socket_lock()
 */
int cancel_receives(SOCKET s, const WSAOVERLAPPED *overlapped, const WSATHREADID *thread,
                    uint32_t *cancelled);

#endif
