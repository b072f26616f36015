/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SEND_H
#define WIRERX_SEND_H

/**
 * @file
 * Part of winsock2.h, which says what holds for every function: sending.
 */

#include "wirerx_socket.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Send to the peer that connect() or accept() gave. With lpOverlapped and lpCompletionRoutine both
 * NULL the call ends when the data has been taken, and blocks for that where it must, unless the
 * socket is nonblocking; with lpOverlapped it never blocks, and the end is indicated once, as for a
 * receive (C01 to C07, D01 to D17, F01 to F18).
 *
 * @param lpBuffers             sent in order, as one datagram on a datagram socket; the array is
 *                              copied before the call returns (G02), the memory it names must stay
 *                              until the operation has ended
 * @param dwBufferCount         elements, at least 1; a datagram may be empty
 * @param lpNumberOfBytesSent   receives bytes; may be NULL when lpOverlapped is not; not written
 *                              when the call fails or pends
 * @param dwFlags               MSG_DONTROUTE, which changes nothing; on streams MSG_OOB
 * @param lpOverlapped          NULL, or the operation's record
 * @param lpCompletionRoutine   NULL, or called on this thread in an alertable wait
 * @return 0: sent (with lpOverlapped the indication still comes). SOCKET_ERROR:
 *         - WSA_IO_PENDING started, one indication follows
 *         - WSAENOTCONN there is no peer
 *         - WSAEMSGSIZE the datagram is longer than one can be; nothing of it is sent
 *         - WSAEWOULDBLOCK a nonblocking socket has no room, or too many sends are outstanding
 *         - WSAEINVAL dwBufferCount is 0, or lpOverlapped on a socket made without
 *           WSA_FLAG_OVERLAPPED (P01)
 *         - WSAEOPNOTSUPP flags that this socket cannot have
 *         - WSAEFAULT memory that is not there; WSA_INVALID_HANDLE hEvent is not an event (D17)
 *         - WSAESHUTDOWN after SD_SEND (J16); WSAECONNRESET, WSAECONNABORTED, WSAENETRESET
 *         - WSAENETUNREACH, WSAEHOSTUNREACH there is no way to the peer; WSAEACCES a broadcast
 *           without SO_BROADCAST; WSAENOBUFS
 *         - WSAETIMEDOUT, WSAEINTR (N01), WSAEINPROGRESS (A20), WSA_OPERATION_ABORTED closed
 *           meanwhile
 *         After any code but WSA_IO_PENDING nothing is started and no indication follows.
 */
int WSAAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent,
                   DWORD dwFlags, LPWSAOVERLAPPED lpOverlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/**
 * WSASend() of one datagram to an address. It binds a socket that has none, to a free port, and so
 * makes receiving legal (A18).
 *
 * @param lpTo    sockaddr_in, in network order; read before the call returns. NULL with iTolen 0:
 *                the peer
 * @param iTolen  bytes at lpTo
 * @return as WSASend(); also WSAEDESTADDRREQ no address and no peer, WSAEADDRNOTAVAIL not an
 *         address that can be sent to, WSAEAFNOSUPPORT, WSAEFAULT iTolen too small
 */
int WSAAPI WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent,
                     DWORD dwFlags, const struct sockaddr *lpTo, int iTolen,
                     LPWSAOVERLAPPED lpOverlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/**
 * WSASend() of one buffer, never overlapped. Exported as wirerx_send.
 *
 * @param len    bytes at buf, not negative
 * @param flags  as dwFlags
 * @return bytes; SOCKET_ERROR: as WSASend(), WSAEINVAL also when len is negative
 */
int WSAAPI send(SOCKET s, const char *buf, int len, int flags) WIRERX_SYMBOL("wirerx_send");

/** send() to an address, as WSASendTo(). Exported as wirerx_sendto. */
int WSAAPI sendto(SOCKET s, const char *buf, int len, int flags, const struct sockaddr *to,
                  int tolen) WIRERX_SYMBOL("wirerx_sendto");

#ifdef __cplusplus
}
#endif

#endif
