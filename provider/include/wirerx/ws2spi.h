/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WS2SPI_H
#define WIRERX_WS2SPI_H

/**
 * @file
 * The Winsock 2 Service Provider Interface, between a host (on Windows: ws2_32) and a provider.
 *
 * The library is both. It exports WSPStartup(), by which a host of its own kind or another obtains
 * the 30 functions of a WSPPROC_TABLE, and it exports the host's services, the WPU* functions. A
 * host hands the services to the provider as a WSPUPCALLTABLE; the provider uses nothing else for
 * events, handles and APCs (O10).
 *
 * Functions of the table fail with SOCKET_ERROR (INVALID_SOCKET where they return a SOCKET, FALSE
 * where a BOOL) and put the code into *lpErrno; a success need not write it (A02). With lpErrno
 * NULL a call fails and starts nothing (A21). They may be called from any thread; what signal
 * handlers, pthread_cancel(), longjmp() and fork() may do stands in winsock2.h. Every one that takes a socket fails with WSAENOTSOCK when it is none (A05, K01)
 * and with WSAENETDOWN when no dataplane runs (A19); WSAEFAULT means memory that is not there.
 */

#include "winsock2.h"

#define WSPAPI WSAAPI

#define WSPDESCRIPTION_LEN 255

/** OVERLAPPED.Internal while an operation is under way: STATUS_PENDING. */
#define WSS_OPERATION_IN_PROGRESS 0x00000103

#ifdef __cplusplus
extern "C" {
#endif

/** What WSPStartup() tells about the provider. */
typedef struct WSPData {
    WORD wVersion;
    WORD wHighVersion;
    WCHAR szDescription[WSPDESCRIPTION_LEN + 1];
} WSPDATA, *LPWSPDATA;

/**
 * A thread, for WPUQueueApc(). A call that starts an operation copies it (F16), so that the client
 * may reuse the storage at once.
 */
typedef struct _WSATHREADID {
    HANDLE ThreadHandle;
    DWORD_PTR Reserved;
} WSATHREADID, *LPWSATHREADID;

/** What WPUQueueApc() has run. @param dwContext  the word given there, as wide as a pointer (F18) */
typedef VOID(CALLBACK *LPWSAUSERAPC)(DWORD_PTR dwContext);

/** Called repeatedly while a call blocks. @return FALSE: the call was cancelled (A20, N01) */
typedef BOOL(CALLBACK *LPBLOCKINGCALLBACK)(DWORD_PTR dwContext);

/** As WSAAccept(). No protocol here has connections to accept: WSAEOPNOTSUPP. */
typedef SOCKET(WSPAPI *LPWSPACCEPT)(SOCKET s, struct sockaddr *addr, LPINT addrlen,
                                    LPCONDITIONPROC lpfnCondition, DWORD_PTR dwCallbackData,
                                    LPINT lpErrno);

/**
 * As WSAAddressToStringW(); lengths of text are in characters, the final 0 included. lpProtocolInfo
 * must be an entry of this provider (WSAEINVAL).
 */
typedef INT(WSPAPI *LPWSPADDRESSTOSTRING)(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
                                          LPWSAPROTOCOL_INFOW lpProtocolInfo,
                                          LPWSTR lpszAddressString, LPDWORD lpdwAddressStringLength,
                                          LPINT lpErrno);

/** Report network events to a window. There are none here: WSAEOPNOTSUPP. */
typedef int(WSPAPI *LPWSPASYNCSELECT)(SOCKET s, HWND hWnd, unsigned int wMsg, LONG lEvent,
                                      LPINT lpErrno);

/** As bind(). */
typedef int(WSPAPI *LPWSPBIND)(SOCKET s, const struct sockaddr *name, int namelen, LPINT lpErrno);

/**
 * End the innermost blocking call in which the calling thread is: from an APC, a completion routine,
 * the blocking callback or a signal handler that runs inside it. It fails with WSAEINTR as soon as
 * possible, unless data won the race (N01, N03). Never blocks.
 * @return 0; WSAEINVAL this thread is in no blocking call (N02)
 */
typedef int(WSPAPI *LPWSPCANCELBLOCKINGCALL)(LPINT lpErrno);

/** End one WSPStartup(); the last one frees the provider's resources (O02). */
typedef int(WSPAPI *LPWSPCLEANUP)(LPINT lpErrno);

/** As closesocket(). */
typedef int(WSPAPI *LPWSPCLOSESOCKET)(SOCKET s, LPINT lpErrno);

/** Set the peer: connects a stream, or limits a datagram socket to this peer (I04, I05). */
typedef int(WSPAPI *LPWSPCONNECT)(SOCKET s, const struct sockaddr *name, int namelen,
                                  LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
                                  LPQOS lpGQOS, LPINT lpErrno);

/** As WSADuplicateSocketW(): refused until several processes are served. */
typedef int(WSPAPI *LPWSPDUPLICATESOCKET)(SOCKET s, DWORD dwProcessId,
                                          LPWSAPROTOCOL_INFOW lpProtocolInfo, LPINT lpErrno);

/** Copy and clear the recorded network events and reset the event: WSAEnumNetworkEvents() (M13, M14). */
typedef int(WSPAPI *LPWSPENUMNETWORKEVENTS)(SOCKET s, WSAEVENT hEventObject,
                                            LPWSANETWORKEVENTS lpNetworkEvents, LPINT lpErrno);

/** Choose network events (FD_*) and the event that they set; makes s nonblocking (M01 to M18). Another
 *  host's hEventObject is taken for an event without asking. */
typedef int(WSPAPI *LPWSPEVENTSELECT)(SOCKET s, WSAEVENT hEventObject, LONG lNetworkEvents,
                                      LPINT lpErrno);

/** As WSAGetOverlappedResult() (E01 to E14). Blocks when fWait is TRUE. */
typedef BOOL(WSPAPI *LPWSPGETOVERLAPPEDRESULT)(SOCKET s, LPWSAOVERLAPPED lpOverlapped,
                                               LPDWORD lpcbTransfer, BOOL fWait, LPDWORD lpdwFlags,
                                               LPINT lpErrno);

/** The peer's address; namelen in bytes, in and out. WSAENOTCONN when there is none. */
typedef int(WSPAPI *LPWSPGETPEERNAME)(SOCKET s, struct sockaddr *name, LPINT namelen,
                                      LPINT lpErrno);

/** As getsockname(). */
typedef int(WSPAPI *LPWSPGETSOCKNAME)(SOCKET s, struct sockaddr *name, LPINT namelen,
                                      LPINT lpErrno);

/** As getsockopt(). */
typedef int(WSPAPI *LPWSPGETSOCKOPT)(SOCKET s, int level, int optname, char *optval, LPINT optlen,
                                     LPINT lpErrno);

/** As WSAGetQOSByName(): the list of names is empty, and no name is known. */
typedef BOOL(WSPAPI *LPWSPGETQOSBYNAME)(SOCKET s, LPWSABUF lpQOSName, LPQOS lpQOS, LPINT lpErrno);

/** As WSAIoctl(); lpThreadId as in LPWSPRECV. */
typedef int(WSPAPI *LPWSPIOCTL)(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer,
                                DWORD cbInBuffer, LPVOID lpvOutBuffer, DWORD cbOutBuffer,
                                LPDWORD lpcbBytesReturned, LPWSAOVERLAPPED lpOverlapped,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                                LPWSATHREADID lpThreadId, LPINT lpErrno);

/** As WSAJoinLeaf() (O07, O09). */
typedef SOCKET(WSPAPI *LPWSPJOINLEAF)(SOCKET s, const struct sockaddr *name, int namelen,
                                      LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
                                      LPQOS lpGQOS, DWORD dwFlags, LPINT lpErrno);

/** As listen(). No protocol here has connections to accept: WSAEOPNOTSUPP. */
typedef int(WSPAPI *LPWSPLISTEN)(SOCKET s, int backlog, LPINT lpErrno);

/**
 * Receive: the call this project is for. WSARecv() says what the arguments mean, what is written
 * when, and which codes there are; the clauses are A01 to L04 and Q01 to Q09. It blocks only when
 * lpOverlapped and lpCompletionRoutine are both NULL and the socket is not nonblocking.
 *
 * @param lpThreadId  the calling thread, from WPUOpenCurrentThread(); needed with a completion
 *                    routine, copied (F16), otherwise ignored (B01). NULL with a routine:
 *                    WSAEFAULT; stale: WSAEINVAL (A22)
 * @param lpErrno     receives the code on failure
 */
typedef int(WSPAPI *LPWSPRECV)(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                               LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                               LPWSAOVERLAPPED lpOverlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                               LPWSATHREADID lpThreadId, LPINT lpErrno);

/** As WSARecvDisconnect(). No protocol here has disconnect data: WSAENOPROTOOPT. */
typedef int(WSPAPI *LPWSPRECVDISCONNECT)(SOCKET s, LPWSABUF lpInboundDisconnectData, LPINT lpErrno);

/** LPWSPRECV that also tells who sent the datagram, as WSARecvFrom() (I06 to I10). */
typedef int(WSPAPI *LPWSPRECVFROM)(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                                   LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                                   struct sockaddr *lpFrom, LPINT lpFromlen,
                                   LPWSAOVERLAPPED lpOverlapped,
                                   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                                   LPWSATHREADID lpThreadId, LPINT lpErrno);

/** Wait until a socket of the sets is ready; sets of any size. Blocks for up to timeout; NULL: no limit.
 *  Alertably with our own host. */
typedef int(WSPAPI *LPWSPSELECT)(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                                 const PTIMEVAL timeout, LPINT lpErrno);

/** Send to the peer. Blocks as LPWSPRECV does, until the data has been taken. */
typedef int(WSPAPI *LPWSPSEND)(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                               LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                               LPWSAOVERLAPPED lpOverlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                               LPWSATHREADID lpThreadId, LPINT lpErrno);

/** As WSASendDisconnect(). No protocol here has disconnect data: WSAENOPROTOOPT. */
typedef int(WSPAPI *LPWSPSENDDISCONNECT)(SOCKET s, LPWSABUF lpOutboundDisconnectData,
                                         LPINT lpErrno);

/** Send one datagram to an address; binds an unbound socket (A18). */
typedef int(WSPAPI *LPWSPSENDTO)(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                                 LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                                 const struct sockaddr *lpTo, int iTolen,
                                 LPWSAOVERLAPPED lpOverlapped,
                                 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                                 LPWSATHREADID lpThreadId, LPINT lpErrno);

/** As setsockopt(). */
typedef int(WSPAPI *LPWSPSETSOCKOPT)(SOCKET s, int level, int optname, const char *optval,
                                     int optlen, LPINT lpErrno);

/** End receiving, sending or both (SD_*). @return 0; WSAENOTCONN, WSAEINVAL (I16, J11 to J17) */
typedef int(WSPAPI *LPWSPSHUTDOWN)(SOCKET s, int how, LPINT lpErrno);

/** As WSASocketW(); the handle comes from WPUCreateSocketHandle() (O03, O04). */
typedef SOCKET(WSPAPI *LPWSPSOCKET)(int af, int type, int protocol,
                                    LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g, DWORD dwFlags,
                                    LPINT lpErrno);

/**
 * As WSAStringToAddressW(); AF_UNSPEC will do for AddressFamily. lpProtocolInfo must be an entry of
 * this provider (WSAEINVAL).
 */
typedef INT(WSPAPI *LPWSPSTRINGTOADDRESS)(LPWSTR AddressString, INT AddressFamily,
                                          LPWSAPROTOCOL_INFOW lpProtocolInfo, LPSOCKADDR lpAddress,
                                          LPINT lpAddressLength, LPINT lpErrno);

/** What a provider can do: 30 functions, in this order. WSPStartup() fills all of them (O01). */
typedef struct _WSPPROC_TABLE {
    LPWSPACCEPT lpWSPAccept;
    LPWSPADDRESSTOSTRING lpWSPAddressToString;
    LPWSPASYNCSELECT lpWSPAsyncSelect;
    LPWSPBIND lpWSPBind;
    LPWSPCANCELBLOCKINGCALL lpWSPCancelBlockingCall;
    LPWSPCLEANUP lpWSPCleanup;
    LPWSPCLOSESOCKET lpWSPCloseSocket;
    LPWSPCONNECT lpWSPConnect;
    LPWSPDUPLICATESOCKET lpWSPDuplicateSocket;
    LPWSPENUMNETWORKEVENTS lpWSPEnumNetworkEvents;
    LPWSPEVENTSELECT lpWSPEventSelect;
    LPWSPGETOVERLAPPEDRESULT lpWSPGetOverlappedResult;
    LPWSPGETPEERNAME lpWSPGetPeerName;
    LPWSPGETSOCKNAME lpWSPGetSockName;
    LPWSPGETSOCKOPT lpWSPGetSockOpt;
    LPWSPGETQOSBYNAME lpWSPGetQOSByName;
    LPWSPIOCTL lpWSPIoctl;
    LPWSPJOINLEAF lpWSPJoinLeaf;
    LPWSPLISTEN lpWSPListen;
    LPWSPRECV lpWSPRecv;
    LPWSPRECVDISCONNECT lpWSPRecvDisconnect;
    LPWSPRECVFROM lpWSPRecvFrom;
    LPWSPSELECT lpWSPSelect;
    LPWSPSEND lpWSPSend;
    LPWSPSENDDISCONNECT lpWSPSendDisconnect;
    LPWSPSENDTO lpWSPSendTo;
    LPWSPSETSOCKOPT lpWSPSetSockOpt;
    LPWSPSHUTDOWN lpWSPShutdown;
    LPWSPSOCKET lpWSPSocket;
    LPWSPSTRINGTOADDRESS lpWSPStringToAddress;
} WSPPROC_TABLE, *LPWSPPROC_TABLE;

/** Types of the host's services; the functions below, which have the same names, describe them. */
typedef BOOL(WSPAPI *LPWPUCLOSEEVENT)(WSAEVENT hEvent, LPINT lpErrno);
typedef int(WSPAPI *LPWPUCLOSESOCKETHANDLE)(SOCKET s, LPINT lpErrno);
typedef WSAEVENT(WSPAPI *LPWPUCREATEEVENT)(LPINT lpErrno);
typedef SOCKET(WSPAPI *LPWPUCREATESOCKETHANDLE)(DWORD dwCatalogEntryId, DWORD_PTR dwContext,
                                                LPINT lpErrno);
typedef int(WSPAPI *LPWPUFDISSET)(SOCKET s, fd_set *fdset);
typedef int(WSPAPI *LPWPUGETPROVIDERPATH)(LPGUID lpProviderId, WCHAR *lpszProviderDllPath,
                                          LPINT lpProviderDllPathLen, LPINT lpErrno);
typedef SOCKET(WSPAPI *LPWPUMODIFYIFSHANDLE)(DWORD dwCatalogEntryId, SOCKET ProposedHandle,
                                             LPINT lpErrno);
typedef BOOL(WSPAPI *LPWPUPOSTMESSAGE)(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
typedef int(WSPAPI *LPWPUQUERYBLOCKINGCALLBACK)(DWORD dwCatalogEntryId,
                                                LPBLOCKINGCALLBACK *lplpfnCallback,
                                                PDWORD_PTR lpdwContext, LPINT lpErrno);
typedef int(WSPAPI *LPWPUQUERYSOCKETHANDLECONTEXT)(SOCKET s, PDWORD_PTR lpContext, LPINT lpErrno);
typedef int(WSPAPI *LPWPUQUEUEAPC)(LPWSATHREADID lpThreadId, LPWSAUSERAPC lpfnUserApc,
                                   DWORD_PTR dwContext, LPINT lpErrno);
typedef BOOL(WSPAPI *LPWPURESETEVENT)(WSAEVENT hEvent, LPINT lpErrno);
typedef BOOL(WSPAPI *LPWPUSETEVENT)(WSAEVENT hEvent, LPINT lpErrno);
typedef int(WSPAPI *LPWPUOPENCURRENTTHREAD)(LPWSATHREADID lpThreadId, LPINT lpErrno);
typedef int(WSPAPI *LPWPUCLOSETHREAD)(LPWSATHREADID lpThreadId, LPINT lpErrno);
typedef int(WSPAPI *LPWPUCOMPLETEOVERLAPPEDREQUEST)(SOCKET s, LPWSAOVERLAPPED lpOverlapped,
                                                    DWORD dwError, DWORD cbTransferred,
                                                    LPINT lpErrno);

/** What a host offers a provider: 15 functions, in this order. */
typedef struct _WSPUPCALLTABLE {
    LPWPUCLOSEEVENT lpWPUCloseEvent;
    LPWPUCLOSESOCKETHANDLE lpWPUCloseSocketHandle;
    LPWPUCREATEEVENT lpWPUCreateEvent;
    LPWPUCREATESOCKETHANDLE lpWPUCreateSocketHandle;
    LPWPUFDISSET lpWPUFDIsSet;
    LPWPUGETPROVIDERPATH lpWPUGetProviderPath;
    LPWPUMODIFYIFSHANDLE lpWPUModifyIFSHandle;
    LPWPUPOSTMESSAGE lpWPUPostMessage;
    LPWPUQUERYBLOCKINGCALLBACK lpWPUQueryBlockingCallback;
    LPWPUQUERYSOCKETHANDLECONTEXT lpWPUQuerySocketHandleContext;
    LPWPUQUEUEAPC lpWPUQueueApc;
    LPWPURESETEVENT lpWPUResetEvent;
    LPWPUSETEVENT lpWPUSetEvent;
    LPWPUOPENCURRENTTHREAD lpWPUOpenCurrentThread;
    LPWPUCLOSETHREAD lpWPUCloseThread;
} WSPUPCALLTABLE, *LPWSPUPCALLTABLE;

typedef int(WSPAPI *LPWSPSTARTUP)(WORD wVersionRequested, LPWSPDATA lpWSPData,
                                  LPWSAPROTOCOL_INFOW lpProtocolInfo, WSPUPCALLTABLE UpcallTable,
                                  LPWSPPROC_TABLE lpProcTable);

/**
 * Begin to use the provider. Calls nest; each that succeeds is balanced by one LPWSPCLEANUP (O02).
 * Does not block and does not start the dataplane.
 *
 * @param wVersionRequested  MAKEWORD(2, 2)
 * @param lpWSPData          receives version and description
 * @param lpProtocolInfo     the catalogue entry that the host loads the provider for
 * @param UpcallTable        by value: the provider keeps a copy (O01) and uses it for all events,
 *                           handles and APCs of the sockets made through lpProcTable (O10)
 * @param lpProcTable        receives 30 functions
 * @return 0 or the code itself: WSAVERNOTSUPPORTED, WSAEFAULT, WSAEINVALIDPROVIDER,
 *         WSAEPROVIDERFAILEDINIT
 */
int WSPAPI WSPStartup(WORD wVersionRequested, LPWSPDATA lpWSPData,
                      LPWSAPROTOCOL_INFOW lpProtocolInfo, WSPUPCALLTABLE UpcallTable,
                      LPWSPPROC_TABLE lpProcTable);

/**
 * The host's services. They may be called from any thread, do not block, and are safe to call from
 * an lcore. Events and handles are those of winsock2.h. On failure *lpErrno receives the code.
 */

/** Make an event: manual reset, non-signalled (O05). @return WSA_INVALID_EVENT: WSAENOBUFS */
WSAEVENT WSPAPI WPUCreateEvent(LPINT lpErrno);

/** Close an event. @return TRUE; FALSE: WSA_INVALID_HANDLE */
BOOL WSPAPI WPUCloseEvent(WSAEVENT hEvent, LPINT lpErrno);

/** Signal an event (D08). @return TRUE; FALSE: WSA_INVALID_HANDLE */
BOOL WSPAPI WPUSetEvent(WSAEVENT hEvent, LPINT lpErrno);

/** Make an event non-signalled (D07). @return TRUE; FALSE: WSA_INVALID_HANDLE */
BOOL WSPAPI WPUResetEvent(WSAEVENT hEvent, LPINT lpErrno);

/**
 * Make a handle for a provider's socket (O04).
 *
 * @param dwCatalogEntryId  of the provider's WSAPROTOCOL_INFO
 * @param dwContext         the provider's own word, as wide as a pointer
 * @return the handle; INVALID_SOCKET: WSAENOBUFS, WSAEMFILE
 */
SOCKET WSPAPI WPUCreateSocketHandle(DWORD dwCatalogEntryId, DWORD_PTR dwContext, LPINT lpErrno);

/** Close such a handle. @return 0; WSAENOTSOCK */
int WSPAPI WPUCloseSocketHandle(SOCKET s, LPINT lpErrno);

/** The word given to WPUCreateSocketHandle(). @return 0; WSAENOTSOCK; WSAEFAULT */
int WSPAPI WPUQuerySocketHandleContext(SOCKET s, PDWORD_PTR lpContext, LPINT lpErrno);

/**
 * Register a handle that the operating system made. There are no such handles here.
 * @return INVALID_SOCKET: WSAEINVAL
 */
SOCKET WSPAPI WPUModifyIFSHandle(DWORD dwCatalogEntryId, SOCKET ProposedHandle, LPINT lpErrno);

/** @return non-zero when the socket is in the set */
int WSPAPI WPUFDIsSet(SOCKET s, fd_set *fdset);

/**
 * The file a provider was loaded from.
 *
 * @param lpProviderDllPathLen  in and out: characters, the final 0 included
 * @return 0; WSAEINVAL no such provider; WSAEFAULT too small
 */
int WSPAPI WPUGetProviderPath(LPGUID lpProviderId, WCHAR *lpszProviderDllPath,
                              LPINT lpProviderDllPathLen, LPINT lpErrno);

/** Post a message to a window. There are none here. @return FALSE */
BOOL WSPAPI WPUPostMessage(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);

/**
 * What the calling thread wants called while it blocks (A20).
 *
 * @param lplpfnCallback  receives the function, or NULL for none
 * @param lpdwContext     receives the word to call it with
 * @return 0; WSAEFAULT
 */
int WSPAPI WPUQueryBlockingCallback(DWORD dwCatalogEntryId, LPBLOCKINGCALLBACK *lplpfnCallback,
                                    PDWORD_PTR lpdwContext, LPINT lpErrno);

/**
 * Queue a call for a thread; it runs in that thread's next alertable wait (F01).
 *
 * @param lpThreadId   from WPUOpenCurrentThread(); read before this returns (F16)
 * @param lpfnUserApc  the function
 * @param dwContext    handed to it, as wide as a pointer (F18)
 * @return 0; WSAEFAULT the thread is not valid, or has exited (F17)
 */
int WSPAPI WPUQueueApc(LPWSATHREADID lpThreadId, LPWSAUSERAPC lpfnUserApc, DWORD_PTR dwContext,
                       LPINT lpErrno);

/**
 * Name the calling thread for WPUQueueApc() and QueueUserAPC(). Each success is balanced by one
 * WPUCloseThread(), by any thread. @return 0; WSAEFAULT; WSAENOBUFS
 */
int WSPAPI WPUOpenCurrentThread(LPWSATHREADID lpThreadId, LPINT lpErrno);

/** Give up what WPUOpenCurrentThread() gave. @return 0; WSAEFAULT it is not valid */
int WSPAPI WPUCloseThread(LPWSATHREADID lpThreadId, LPINT lpErrno);

/**
 * Finish an overlapped operation: InternalHigh, then Internal, then the event. Only for sockets of
 * WPUCreateSocketHandle(), and not for operations with a completion routine. Exported, but no entry
 * of the table (O06).
 *
 * @param dwError        0 or the WSA* code; Internal receives the STATUS_* that E11 maps to it
 * @param cbTransferred  bytes
 * @return 0; WSAEINVAL another kind of socket (O06); WSAEFAULT
 */
int WSPAPI WPUCompleteOverlappedRequest(SOCKET s, LPWSAOVERLAPPED lpOverlapped, DWORD dwError,
                                        DWORD cbTransferred, LPINT lpErrno);

#ifdef __cplusplus
}
#endif

#endif
