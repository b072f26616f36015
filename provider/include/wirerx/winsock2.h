/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WINSOCK2_H
#define WIRERX_WINSOCK2_H

/**
 * @file
 * Winsock 2 for the sockets that the wirerx dataplane serves. Names, values and layouts are those
 * of 64-bit Windows (tests/abi compares them); a program needs no other header to receive.
 *
 * Only functions that the library exports are declared. Names with capitals (WSARecv) are exported
 * as they stand, Berkeley names (recv) with a prefix (wirerx_recv), so that libc's functions keep
 * theirs; source code writes the plain name either way.
 *
 * Unless a function says otherwise:
 * - it may be called from any thread, and not from a signal handler: one that calls what its own
 *   thread is in the middle of, the same socket or making, binding, joining and closing any, fails
 *   with WSAEINPROGRESS; but WSACancelBlockingCall() and WSASetEvent() may be;
 * - it does not block; where it does, a signal neither ends it nor loses anything, the thread may be
 *   ended there, and nowhere else, by pthread_cancel() (deferred: asynchronous cancellation is not
 *   supported), and routines, APCs and hooks that run there may leave by longjmp();
 * - it fails with SOCKET_ERROR (INVALID_SOCKET where it returns a SOCKET, FALSE where a BOOL) and
 *   leaves a code for WSAGetLastError(); after success that code is 0 (A02);
 * - it fails with WSANOTINITIALISED before WSAStartup(), WSAENOTSOCK when s is no open socket of
 *   this library (A05, K01), WSAENETDOWN when no dataplane runs (A19), and WSAEFAULT when memory
 *   that it must read or write is not there (A09, A23).
 *
 * In the child of a fork() every socket of the parent is none (WSAENOTSOCK), there is no dataplane
 * (WSAENETDOWN), and none can be started if the parent had started one; events, waits and APCs are
 * the child's own. The parent notices nothing. A fork() in a signal handler that has interrupted a
 * call is only good for exec() or _exit().
 */

#include "wirerx_address.h"
#include "wirerx_blocking.h"
#include "wirerx_connect.h"
#include "wirerx_convert.h"
#include "wirerx_errors.h"
#include "wirerx_fd_set.h"
#include "wirerx_kernel.h"
#include "wirerx_network_events.h"
#include "wirerx_send.h"
#include "wirerx_socket.h"
#include "wirerx_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Begin to use this library. Calls nest; each that succeeds is balanced by one WSACleanup().
 * The dataplane is wirerx_start()'s business, unless the environment variable WIRERX_CONFIG names a
 * configuration: then the first WSAStartup() starts it and the last WSACleanup() stops it.
 *
 * @param wVersionRequested  MAKEWORD(2, 2); a higher version is answered with 2.2
 * @param lpWSAData          receives the version, the description and the status
 * @return 0 or the code itself (WSAGetLastError() is not to be asked): WSAVERNOTSUPPORTED,
 *         WSAEFAULT, WSAEPROCLIM
 */
int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData);

/**
 * End one use of this library. The last one closes every socket that is still open, which completes
 * what is pending on it as closesocket() would.
 * @return 0; WSANOTINITIALISED
 */
int WSAAPI WSACleanup(void);

/** @return the code that the calling thread's last failed call left; 0 after a success (A02) */
int WSAAPI WSAGetLastError(void);

/** Set what WSAGetLastError() returns on this thread. Cannot fail. */
void WSAAPI WSASetLastError(int iError);

/**
 * Make a socket. Waits for the dataplane's answer, some microseconds.
 *
 * @param af              AF_INET; AF_UNSPEC or FROM_PROTOCOL_INFO: as in lpProtocolInfo (O03)
 * @param type            SOCK_DGRAM or SOCK_STREAM; 0 or FROM_PROTOCOL_INFO likewise
 * @param protocol        IPPROTO_UDP or IPPROTO_TCP; 0: the type's own
 * @param lpProtocolInfo  NULL, or an entry that WSAEnumProtocolsW() gave
 * @param g               0, or a group of sockets (SG_*)
 * @param dwFlags         WSA_FLAG_*; without WSA_FLAG_OVERLAPPED no overlapped call is possible
 *                        (P01)
 * @return the socket; INVALID_SOCKET: WSAEAFNOSUPPORT, WSAEPROTONOSUPPORT, WSAEPROTOTYPE,
 *         WSAESOCKTNOSUPPORT no such protocol here; WSAEINVAL g or dwFlags; WSAEMFILE no socket is
 *         free; WSAENOBUFS
 */
SOCKET WSAAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo,
                         GROUP g, DWORD dwFlags);

/** As WSASocketW(), with the entry's name in 8-bit characters. */
SOCKET WSAAPI WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo,
                         GROUP g, DWORD dwFlags);

#ifdef UNICODE
#define WSASocket WSASocketW
#else
#define WSASocket WSASocketA
#endif

/** WSASocketW() without an entry or a group, and with WSA_FLAG_OVERLAPPED. Exported as
 * wirerx_socket. */
SOCKET WSAAPI socket(int af, int type, int protocol) WIRERX_SYMBOL("wirerx_socket");

/**
 * Give a socket its local address. Waits for the dataplane's answer. Exported as wirerx_bind.
 *
 * @param name     sockaddr_in: the address of a port of the dataplane, a multicast group or
 *                 INADDR_ANY, and a port number or 0 for a free one, in network order
 * @param namelen  bytes, at least sizeof(struct sockaddr_in)
 * @return 0; WSAEADDRINUSE; WSAEADDRNOTAVAIL not an address of this dataplane; WSAEINVAL bound
 *         already; WSAEFAULT namelen too small; WSAEAFNOSUPPORT
 */
int WSAAPI bind(SOCKET s, const struct sockaddr *name, int namelen) WIRERX_SYMBOL("wirerx_bind");

/**
 * Close a socket. What is pending on it completes with WSA_OPERATION_ABORTED by the road that was
 * chosen, event or routine (K02u, K02t, K03, F11t, F11u); a thread that blocks in a receive returns
 * with the same code (B11). Waits for the dataplane's answer. Exported as wirerx_closesocket.
 *
 * @return 0; WSAENOTSOCK also for the second close (K01); WSAEWOULDBLOCK a nonblocking socket with
 *         a linger time: it stays open (K12)
 */
int WSAAPI closesocket(SOCKET s) WIRERX_SYMBOL("wirerx_closesocket");

/**
 * Receive. With lpOverlapped and lpCompletionRoutine both NULL the call ends with the receive: it
 * blocks until there is something, unless the socket is nonblocking, and this wait is alertable
 * (B01, B08). With lpOverlapped it never blocks: what cannot be had at once is received later, into
 * the same memory, and indicated once, by the event or the routine (C01 to C08).
 *
 * @param lpBuffers             filled in order; the array is copied before the call returns (G02),
 *                              the memory it names must stay until the operation has ended
 * @param dwBufferCount         elements, at least 1
 * @param lpNumberOfBytesRecvd  receives bytes; may be NULL when lpOverlapped is not (A07, A08); not
 *                              written when the call fails, except with WSAEMSGSIZE (A12, I02), and
 *                              not when it pends (A13)
 * @param lpFlags               in: MSG_*; out: MSG_PARTIAL or 0 (H11); not written when it pends
 * @param lpOverlapped          NULL, or the operation's record; its fields change as D01 to D18 say
 * @param lpCompletionRoutine   NULL, or called on this thread in an alertable wait (F01 to F20);
 *                              without lpOverlapped it is ignored (B02)
 * @return 0: received, *lpNumberOfBytesRecvd bytes (with lpOverlapped the indication still comes,
 *         C03). SOCKET_ERROR:
 *         - WSA_IO_PENDING started, one indication follows (A03)
 *         - WSAEMSGSIZE the datagram was longer; its rest is lost (I01, Q07). An overlapped call
 *           instead pends and completes so (C05)
 *         - WSAEWOULDBLOCK a nonblocking socket has nothing (B06), a posted receive comes first
 *           (G12), or too many are posted (C08)
 *         - WSAEINVAL dwBufferCount is 0 (A11); unknown flags (A14); a datagram socket without an
 *           address (A17); lpOverlapped on a socket made without WSA_FLAG_OVERLAPPED (P01)
 *         - WSAEOPNOTSUPP a flag that this socket or call cannot have (H03, H05, H13, H16), or a
 *           socket that only sends (H15)
 *         - WSAEFAULT memory that is not there (A07, A09, A10, A23)
 *         - WSA_INVALID_HANDLE hEvent is not an event (D17)
 *         - WSAETIMEDOUT SO_RCVTIMEO has passed (L01)
 *         - WSAEINTR the blocking call was cancelled (N01)
 *         - WSAEINPROGRESS a blocking call by the blocking hook (A20), whether or not something is
 *           there; or by a signal handler, see above
 *         - WSAENOBUFS too many blocking calls within one another's APCs
 *         - WSA_OPERATION_ABORTED the socket was closed meanwhile (B11)
 *         - WSAENOTCONN, WSAESHUTDOWN, WSAECONNRESET, WSAECONNABORTED, WSAENETRESET, WSAEDISCON
 *           (A15, I12, I15, I16, J04 to J11)
 *         After any code but WSA_IO_PENDING nothing is started and no indication follows (A04).
 */
int WSAAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd,
                   LPDWORD lpFlags, LPWSAOVERLAPPED lpOverlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/**
 * WSARecv() that also tells who sent the datagram.
 *
 * @param lpFrom     NULL, or receives the sender's address; on a stream it is left alone (I09)
 * @param lpFromlen  in: the room at lpFrom in bytes; out: the address's length (I06). Both are
 *                   written when the operation ends, and must stay until then (I07)
 * @return as WSARecv(); WSAEFAULT also when *lpFromlen is too small (I08)
 */
int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                       LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags, struct sockaddr *lpFrom,
                       LPINT lpFromlen, LPWSAOVERLAPPED lpOverlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/**
 * WSARecv() into one buffer, never overlapped. Blocks as that does. Exported as wirerx_recv.
 *
 * @param len    bytes at buf, not negative
 * @param flags  MSG_*
 * @return bytes; 0: a datagram without payload (G07), or the end of a stream (J01); SOCKET_ERROR:
 *         as WSARecv(), WSAEINVAL also when len is negative
 */
int WSAAPI recv(SOCKET s, char *buf, int len, int flags) WIRERX_SYMBOL("wirerx_recv");

/** recv() that also tells who sent the datagram, as WSARecvFrom(). Exported as wirerx_recvfrom. */
int WSAAPI recvfrom(SOCKET s, char *buf, int len, int flags, struct sockaddr *from, int *fromlen)
    WIRERX_SYMBOL("wirerx_recvfrom");

/**
 * What became of an overlapped operation. May be asked repeatedly (E10), by any thread.
 *
 * @param lpcbTransfer  receives bytes; also with WSAEMSGSIZE (E05)
 * @param fWait         TRUE: block until the operation has ended; needs a valid hEvent (E03, E09)
 * @param lpdwFlags     receives what the call's lpFlags would have (E04)
 * @return TRUE; FALSE: WSA_IO_INCOMPLETE not yet (E02); WSA_INVALID_HANDLE fWait and no event (E09);
 *         WSAEINVAL fWait and a completion routine (E14); WSAEFAULT a pointer is NULL (E08);
 *         WSAENOTSOCK, also after the socket was closed (E01, E13); or the operation's own code
 *         (E05 to E07, E11)
 */
BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped, LPDWORD lpcbTransfer,
                                   BOOL fWait, LPDWORD lpdwFlags);

/**
 * Make an event: manual reset, non-signalled. Neither this nor the three calls below need
 * WSAStartup(). @return the event; WSA_INVALID_EVENT: WSA_NOT_ENOUGH_MEMORY
 */
WSAEVENT WSAAPI WSACreateEvent(void);

/** Close an event, as CloseHandle(). @return TRUE; FALSE: WSA_INVALID_HANDLE */
BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent);

/** Signal an event. @return TRUE; FALSE: WSA_INVALID_HANDLE */
BOOL WSAAPI WSASetEvent(WSAEVENT hEvent);

/** Make an event non-signalled. @return TRUE; FALSE: WSA_INVALID_HANDLE */
BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent);

/**
 * Wait for one or all of several events. Blocks for up to dwTimeout. Does not need WSAStartup().
 *
 * @param cEvents     1 to WSA_MAXIMUM_WAIT_EVENTS
 * @param lphEvents   the events, each at most once
 * @param fWaitAll    TRUE: until all are signalled together; FALSE: until one is
 * @param dwTimeout   milliseconds; 0: look and return; WSA_INFINITE: no limit
 * @param fAlertable  TRUE: run this thread's APCs and completion routines meanwhile (F04)
 * @return WSA_WAIT_EVENT_0 + index of the first that is signalled (+ 0 with fWaitAll);
 *         WSA_WAIT_TIMEOUT; WSA_WAIT_IO_COMPLETION routines have run (F04, F20); WSA_WAIT_FAILED:
 *         WSA_INVALID_HANDLE, WSA_INVALID_PARAMETER cEvents, WSA_NOT_ENOUGH_MEMORY
 */
DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents, BOOL fWaitAll,
                                      DWORD dwTimeout, BOOL fAlertable);

/**
 * Set an option. One that concerns the dataplane (joining a group) waits until all lcores have
 * answered. Exported as wirerx_setsockopt.
 *
 * @param level   SOL_SOCKET (SO_* here and in mswsock.h), IPPROTO_IP (IP_*, MCAST_* in ws2tcpip.h),
 *                IPPROTO_TCP
 * @param optval  the value, in host order except addresses
 * @param optlen  bytes
 * @return 0; WSAENOPROTOOPT no such option here; WSAEFAULT optlen too small; WSAEINVAL a value that
 *         the option cannot have; WSAEADDRINUSE joined already, WSAEADDRNOTAVAIL not a group, no
 *         such interface, or not a member (O07)
 */
int WSAAPI setsockopt(SOCKET s, int level, int optname, const char *optval, int optlen)
    WIRERX_SYMBOL("wirerx_setsockopt");

/**
 * Read an option. Exported as wirerx_getsockopt.
 *
 * @param optlen  in: the room at optval in bytes; out: the value's length
 * @return 0; WSAENOPROTOOPT; WSAEFAULT *optlen too small
 */
int WSAAPI getsockopt(SOCKET s, int level, int optname, char *optval, int *optlen)
    WIRERX_SYMBOL("wirerx_getsockopt");

/**
 * The Berkeley controls. Exported as wirerx_ioctlsocket.
 *
 * @param cmd   FIONBIO: nonblocking when *argp is not 0; FIONREAD: *argp receives what there is to
 *              read (L08, L08u, L09); SIOCATMARK: *argp receives whether no urgent byte is ahead
 * @param argp  32 bits
 * @return 0; WSAEINVAL no such command here; WSAEFAULT
 */
int WSAAPI ioctlsocket(SOCKET s, LONG cmd, u_long *argp) WIRERX_SYMBOL("wirerx_ioctlsocket");

/**
 * Device control.
 *
 * @param dwIoControlCode   FIO*, SIO_*
 * @param cbInBuffer        bytes
 * @param cbOutBuffer       bytes
 * @param lpcbBytesReturned receives how many bytes of lpvOutBuffer were written; not NULL (L10)
 * @return 0; WSAEOPNOTSUPP no such code here; WSAEFAULT a buffer is missing or too small (L10);
 *         WSAEINVAL a value that the control cannot have
 */
int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
                    LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
                    LPWSAOVERLAPPED lpOverlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/**
 * The address that a socket is bound to. Exported as wirerx_getsockname.
 *
 * @param namelen  in: the room at name in bytes; out: the address's length
 * @return 0; WSAEINVAL not bound; WSAEFAULT *namelen too small
 */
int WSAAPI getsockname(SOCKET s, struct sockaddr *name, int *namelen)
    WIRERX_SYMBOL("wirerx_getsockname");

/**
 * Join a multicast group; a socket without an address is bound to the group's port (O07). Waits
 * until all lcores have answered.
 *
 * @param s        made with WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF
 * @param name     sockaddr_in: the group and the port, in network order
 * @param namelen  bytes
 * @param lpCallerData, lpCalleeData, lpSQOS, lpGQOS  NULL
 * @param dwFlags  JL_*: what the socket may do from now on (O09)
 * @return s itself (O07); INVALID_SOCKET: WSAEINVAL dwFlags, or not a multipoint socket; WSAEISCONN
 *         joined already; WSAEADDRNOTAVAIL not a group; WSAEFAULT; WSAEAFNOSUPPORT
 */
SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF lpCallerData,
                          LPWSABUF lpCalleeData, LPQOS lpSQOS, LPQOS lpGQOS, DWORD dwFlags);

/**
 * The protocols that sockets can be made for.
 *
 * @param lpiProtocols      NULL: all; or IPPROTO_* values that end with 0
 * @param lpProtocolBuffer  filled with the entries; may be NULL to learn the size
 * @param lpdwBufferLength  in: the room in bytes; out: the bytes that all entries take
 * @return entries; SOCKET_ERROR: WSAENOBUFS the room is too small; WSAEFAULT; WSAEINVAL
 */
int WSAAPI WSAEnumProtocolsW(LPINT lpiProtocols, LPWSAPROTOCOL_INFOW lpProtocolBuffer,
                             LPDWORD lpdwBufferLength);

/** As WSAEnumProtocolsW(), with the entries' names in 8-bit characters. */
int WSAAPI WSAEnumProtocolsA(LPINT lpiProtocols, LPWSAPROTOCOL_INFOA lpProtocolBuffer,
                             LPDWORD lpdwBufferLength);

/**
 * Describe a socket so that another process can open it. Several processes are not served yet.
 *
 * @param dwProcessId     the process that is to open it
 * @param lpProtocolInfo  left alone
 * @return SOCKET_ERROR: WSAENOTSOCK, WSAEFAULT lpProtocolInfo, WSAEINVAL no such process, or else
 *         WSAEOPNOTSUPP
 */
int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOW lpProtocolInfo);

/** As WSADuplicateSocketW(), with the entry's name in 8-bit characters. */
int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOA lpProtocolInfo);

#ifdef UNICODE
#define WSAEnumProtocols WSAEnumProtocolsW
#define WSADuplicateSocket WSADuplicateSocketW
#else
#define WSAEnumProtocols WSAEnumProtocolsA
#define WSADuplicateSocket WSADuplicateSocketA
#endif

/**
 * Look up a quality of service by its name. There are none here.
 *
 * @param lpQOSName  a name in 16-bit characters, or an empty one and room for the names there are
 * @param lpQOS      left alone
 * @return TRUE: the list of names, an empty one, is at lpQOSName->buf; FALSE: WSAENOTSOCK,
 *         WSAEINVAL no such name, WSAEFAULT
 */
BOOL WSAAPI WSAGetQOSByName(SOCKET s, LPWSABUF lpQOSName, LPQOS lpQOS);

#ifdef __cplusplus
}
#endif

#endif
