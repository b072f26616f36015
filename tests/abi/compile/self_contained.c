/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client's source file, compiled (never run) by ../self_contained.py as C and as C++, with libc's
 * headers before or after ours. It uses everything that libc and Windows both have a name for, and
 * mentions every function that the library exports.
 */

#ifdef LIBC_BEFORE
#include "libc_headers.h"
#endif

#include <mswsock.h>
#include <winsock2.h>
#include <ws2spi.h>
#include <ws2tcpip.h>

#ifdef LIBC_AFTER
#include "libc_headers.h"
#endif

#ifdef __cplusplus
#define SAME(what, bytes) static_assert((what) == (bytes), #what)
#else
#define SAME(what, bytes) _Static_assert((what) == (bytes), #what)
#endif

/* ../compare.py compares the layouts in C; these must hold in C++ too. */
SAME(sizeof(DWORD), 4);
SAME(sizeof(LONG), 4);
SAME(sizeof(u_long), 4);
SAME(sizeof(WCHAR), 2);
SAME(sizeof(SOCKET), sizeof(void *));
SAME(sizeof(OVERLAPPED), 32);
SAME(offsetof(OVERLAPPED, hEvent), 24);
SAME(sizeof(WSABUF), 16);
SAME(offsetof(WSABUF, buf), 8);
SAME(sizeof(fd_set), 8 + 64 * sizeof(SOCKET));
SAME(sizeof(TIMEVAL), 8);
SAME(sizeof(WSADATA), 408);
SAME(sizeof(WSAPROTOCOL_INFOA), 372);
SAME(sizeof(WSAPROTOCOL_INFOW), 628);
SAME(sizeof(struct sockaddr_in6), 28);
SAME(sizeof(SOCKADDR_STORAGE), 128);
SAME(sizeof(WSPPROC_TABLE), 30 * sizeof(void *));
SAME(sizeof(WSPUPCALLTABLE), 15 * sizeof(void *));

/* Members may have the names of functions, which macros would not allow. */
struct calls {
    int bind, recv, socket, select, htons;
};

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*any_function)(void);
extern const any_function exported[];
int receive_some(SOCKET s, char *buffer, int room, struct calls *count);
u_int fill(fd_set *set, SOCKET s);
int ready(fd_set *set, TIMEVAL *windows, struct timeval *system);
int number_of(const struct calls *count);
LPCWSTR name_of_it(void);

const any_function exported[] = {
    (any_function)CancelIo,
    (any_function)CancelIoEx,
    (any_function)CloseHandle,
    (any_function)CreateEventA,
    (any_function)CreateEventW,
    (any_function)CreateThread,
    (any_function)ExitThread,
    (any_function)GetCurrentThread,
    (any_function)GetCurrentThreadId,
    (any_function)GetLastError,
    (any_function)GetTickCount,
    (any_function)GetTickCount64,
    (any_function)InetNtopA,
    (any_function)InetPtonA,
    (any_function)QueueUserAPC,
    (any_function)ResetEvent,
    (any_function)SetEvent,
    (any_function)SetLastError,
    (any_function)Sleep,
    (any_function)SleepEx,
    (any_function)WPUCloseEvent,
    (any_function)WPUCloseSocketHandle,
    (any_function)WPUCloseThread,
    (any_function)WPUCompleteOverlappedRequest,
    (any_function)WPUCreateEvent,
    (any_function)WPUCreateSocketHandle,
    (any_function)WPUFDIsSet,
    (any_function)WPUGetProviderPath,
    (any_function)WPUModifyIFSHandle,
    (any_function)WPUOpenCurrentThread,
    (any_function)WPUPostMessage,
    (any_function)WPUQueryBlockingCallback,
    (any_function)WPUQuerySocketHandleContext,
    (any_function)WPUQueueApc,
    (any_function)WPUResetEvent,
    (any_function)WPUSetEvent,
    (any_function)WSAAccept,
    (any_function)WSAAddressToStringA,
    (any_function)WSAAddressToStringW,
    (any_function)WSAAsyncSelect,
    (any_function)WSACancelBlockingCall,
    (any_function)WSACleanup,
    (any_function)WSACloseEvent,
    (any_function)WSAConnect,
    (any_function)WSACreateEvent,
    (any_function)WSADuplicateSocketA,
    (any_function)WSADuplicateSocketW,
    (any_function)WSAEnumNetworkEvents,
    (any_function)WSAEnumProtocolsA,
    (any_function)WSAEnumProtocolsW,
    (any_function)WSAEventSelect,
    (any_function)WSAGetLastError,
    (any_function)WSAGetOverlappedResult,
    (any_function)WSAGetQOSByName,
    (any_function)WSAHtonl,
    (any_function)WSAHtons,
    (any_function)WSAIoctl,
    (any_function)WSAIsBlocking,
    (any_function)WSAJoinLeaf,
    (any_function)WSANtohl,
    (any_function)WSANtohs,
    (any_function)WSARecv,
    (any_function)WSARecvDisconnect,
    (any_function)WSARecvFrom,
    (any_function)WSAResetEvent,
    (any_function)WSASend,
    (any_function)WSASendDisconnect,
    (any_function)WSASendTo,
    (any_function)WSASetBlockingHook,
    (any_function)WSASetEvent,
    (any_function)WSASetLastError,
    (any_function)WSASocketA,
    (any_function)WSASocketW,
    (any_function)WSAStartup,
    (any_function)WSAStringToAddressA,
    (any_function)WSAStringToAddressW,
    (any_function)WSAUnhookBlockingHook,
    (any_function)WSAWaitForMultipleEvents,
    (any_function)WSPStartup,
    (any_function)WaitForMultipleObjects,
    (any_function)WaitForMultipleObjectsEx,
    (any_function)WaitForSingleObject,
    (any_function)WaitForSingleObjectEx,
    (any_function)__WSAFDIsSet,
    (any_function)accept,
    (any_function)bind,
    (any_function)closesocket,
    (any_function)connect,
    (any_function)getpeername,
    (any_function)getsockname,
    (any_function)getsockopt,
    (any_function)inet_addr,
    (any_function)inet_ntoa,
    (any_function)inet_ntop,
    (any_function)inet_pton,
    (any_function)ioctlsocket,
    (any_function)listen,
    (any_function)recv,
    (any_function)recvfrom,
    (any_function)send,
    (any_function)sendto,
    (any_function)setsockopt,
    (any_function)shutdown,
    (any_function)socket,
    (any_function)wirerx_select,
};

int receive_some(SOCKET s, char *buffer, int room, struct calls *count)
{
    u_long nonblocking = 1;
    struct sockaddr_in here;
    WSABUF buffers[1];
    DWORD bytes, flags = 0;
    WSAOVERLAPPED operation;
    unsigned char *zero = (unsigned char *)&operation;

    here.sin_family = AF_INET;
    here.sin_port = htons(4660);
    here.sin_addr.s_addr = htonl(INADDR_ANY);
    count->bind++;
    if (bind(s, (const struct sockaddr *)&here, (int)sizeof(here)) == SOCKET_ERROR)
        return WSAGetLastError();
    if (ioctlsocket(s, (LONG)FIONBIO, &nonblocking) == SOCKET_ERROR)
        return WSAGetLastError();

    for (size_t i = 0; i < sizeof(operation); i++)
        zero[i] = 0;
    operation.hEvent = WSACreateEvent();
    buffers[0].len = (ULONG)room;
    buffers[0].buf = buffer;
    count->recv++;
    if (WSARecv(s, buffers, 1, &bytes, &flags, &operation, NULL) == 0)
        return (int)bytes;
    if (WSAGetLastError() == WSA_IO_PENDING && !HasOverlappedIoCompleted(&operation))
        return operation.Internal == STATUS_PENDING ? 0 : -1;
    return recv(s, buffer, room, MSG_PEEK);
}

u_int fill(fd_set *set, SOCKET s)
{
    FD_ZERO(set);
    FD_SET(s, set);
    if (!FD_ISSET(s, set))
        FD_CLR(s, set);
    return set->fd_count;
}

/* The name of the one function that is a macro may still be a member's and a variable's. */
int number_of(const struct calls *count)
{
    int select = count->select;

    return select + (count->select) + (*&count->bind);
}

/* A time of either type, or none. */
int ready(fd_set *set, TIMEVAL *windows, struct timeval *system)
{
    return select(0, set, NULL, NULL, windows) + select(0, set, NULL, NULL, system) +
           select(0, NULL, set, NULL, NULL);
}

LPCWSTR name_of_it(void)
{
    return u"wirerx";
}

#ifdef __cplusplus
}
#endif
