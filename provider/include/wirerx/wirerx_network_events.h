/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_NETWORK_EVENTS_H
#define WIRERX_NETWORK_EVENTS_H

/**
 * @file
 * Part of winsock2.h, which says what holds for every function: learning that a socket is ready,
 * without an operation of its own.
 */

#include "wirerx_fd_set.h"
#include "wirerx_socket.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Record network events of a socket, and set an event object when one is recorded. Makes the socket
 * nonblocking, whatever the mask (M01). What is there already is recorded at once (M06), except
 * what was reported before under the same mask (M07). A call replaces the one before.
 *
 * @param hEventObject    set when an event is recorded; any event object, usually manual-reset.
 *                        May be NULL with mask 0. It may be set once more shortly after the call that
 *                        cancels or replaces the selection, or closes the socket
 * @param lNetworkEvents  FD_*: FD_READ when there is something to receive (M02 to M05, M08),
 *                        FD_WRITE once sending can begin (M18), FD_CLOSE, FD_OOB and the others on
 *                        streams (M09 to M12, M17); 0 ends the recording (M15), and the socket stays
 *                        nonblocking
 * @return 0; WSAEINVAL hEventObject is no event, or unknown bits in lNetworkEvents; WSAENETDOWN
 */
int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject, LONG lNetworkEvents);

/**
 * Take what was recorded: it is copied and cleared, and the event object reset, so that what is
 * recorded next sets it (M13). The event may be signalled and nothing recorded; not the reverse. A call
 * that fails clears and resets nothing. When the dataplane stops, what is selected is recorded once
 * more, with the code WSAENETDOWN.
 *
 * @param hEventObject     NULL, or the event to reset
 * @param lpNetworkEvents  receives the events, and for each its code in iErrorCode; the other
 *                         elements are left alone (M14)
 * @return 0; WSAEINVAL hEventObject is no event; WSAEFAULT; WSAENETDOWN nothing is recorded
 */
int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject,
                                LPWSANETWORKEVENTS lpNetworkEvents);

/** Report network events to a window. There are none here. @return SOCKET_ERROR: WSAEOPNOTSUPP */
int WSAAPI WSAAsyncSelect(SOCKET s, HWND hWnd, u_int wMsg, LONG lEvent);

/**
 * Wait until a socket of the sets is ready. Blocks for up to the time given, alertably: APCs run, and
 * the wait goes on (F10). The call's name is `select`; see below. Exported as wirerx_select.
 *
 * @param nfds       ignored
 * @param readfds    NULL, or sockets to receive from: ready when a receive would not block
 * @param writefds   NULL, or sockets to send on: ready when bound and a send would not block
 * @param exceptfds  NULL, or sockets to watch for urgent data and failed connections: datagrams have
 *                   neither
 * @param timeout    NULL: no limit; 0: look and return
 * @return how many are ready, and the sets then hold just these; 0: the time has passed, the sets
 *         are empty; SOCKET_ERROR, the sets as they were: WSAEINVAL no socket in any set, or a time
 *         that is negative; WSAENOTSOCK one is not a socket, or was closed meanwhile; WSAEFAULT also
 *         when memory is short; WSAENETDOWN; WSAEINTR (N01); WSAEINPROGRESS (A20)
 */
int wirerx_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                  const PTIMEVAL timeout);

/** @return non-zero when the socket is in the set; what FD_ISSET() is made of on Windows */
int WSAAPI __WSAFDIsSet(SOCKET s, fd_set *set);

/** wirerx_select() for libc's struct timeval, whose members have 64 bits. */
static inline int wirerx_select_timeval(int nfds, fd_set *readfds, fd_set *writefds,
                                        fd_set *exceptfds, const struct timeval *timeout)
{
    TIMEVAL limit;

    if (!timeout)
        return wirerx_select(nfds, readfds, writefds, exceptfds, NULL);
    limit.tv_sec = timeout->tv_sec > 0x7fffffff ? 0x7fffffff
                   : timeout->tv_sec < 0        ? -1
                                                : (LONG)timeout->tv_sec;
    limit.tv_usec = timeout->tv_usec > 0x7fffffff ? 0x7fffffff
                    : timeout->tv_usec < 0        ? -1
                                                  : (LONG)timeout->tv_usec;
    return wirerx_select(nfds, readfds, writefds, exceptfds, &limit);
}

#ifdef __cplusplus
}
#endif

/**
 * libc's headers declare a select(), nearly always before this one is read, so that in C the name is
 * a macro with five arguments; in C++ it is another overload. Either takes a TIMEVAL or, for source
 * written for Windows, where both are one type, a struct timeval. A pointer to the function is
 * &wirerx_select.
 */
#ifdef __cplusplus
static inline int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                         struct timeval *timeout)
{
    return wirerx_select_timeval(nfds, readfds, writefds, exceptfds, timeout);
}

/* A template, so that NULL means the one above. */
template <typename other>
static inline int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                         other *timeout)
{
    return wirerx_select(nfds, readfds, writefds, exceptfds, timeout);
}
#else
#define select(nfds, readfds, writefds, exceptfds, timeout) \
    _Generic((timeout), struct timeval *                    \
             : wirerx_select_timeval, default               \
             : wirerx_select)((nfds), (readfds), (writefds), (exceptfds), (timeout))
#endif

#endif
