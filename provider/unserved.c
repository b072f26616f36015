/* SPDX-License-Identifier: BSD-3-Clause */

/* Entries of WSPPROC_TABLE that are not served yet. Each fails with WSAEOPNOTSUPP, whatever its
 * arguments; the README lists them. */

#include "socket.h"
#include "spi.h"

/* One function for each shape: (return type, name, parameters, value on failure). */
#define UNSERVED(type, name, parameters, failure) \
    static type WSPAPI name parameters            \
    {                                             \
        spi_fail(error, WSAEOPNOTSUPP);           \
        return failure;                           \
    }

#pragma GCC diagnostic ignored "-Wunused-parameter"

UNSERVED(int, send_unserved,
         (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
          LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
          LPWSATHREADID thread, LPINT error),
         SOCKET_ERROR)
UNSERVED(int, send_to_unserved,
         (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
          const struct sockaddr *to, int length, LPWSAOVERLAPPED overlapped,
          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread, LPINT error),
         SOCKET_ERROR)

void spi_fill_unserved(LPWSPPROC_TABLE table)
{
    table->lpWSPSend = send_unserved;
    table->lpWSPSendTo = send_to_unserved;
}
