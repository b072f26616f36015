/* SPDX-License-Identifier: BSD-3-Clause */
#include "stub_provider.h"

#include <stdio.h>
#include <string.h>

struct stub stub;

/* Remember a call and its arguments. @return 0 or SOCKET_ERROR, as the test wants it */
#define CALLED(name, ...) called(name, (uintptr_t[10]){__VA_ARGS__}, lpErrno)

static int called(const char *name, const uintptr_t *arguments, LPINT lpErrno)
{
    stub.called = name;
    for (int i = 0; i < 10; i++)
        stub.arguments[i] = arguments[i];
    if (stub.error == 0)
        return 0;
    *lpErrno = stub.error;
    return SOCKET_ERROR;
}

static SOCKET WSPAPI stub_socket(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo,
                                 GROUP g, DWORD dwFlags, LPINT lpErrno)
{
    if (lpProtocolInfo)
        stub.entry = *lpProtocolInfo;
    return CALLED("socket", (uintptr_t)af, (uintptr_t)type, (uintptr_t)protocol,
                  (uintptr_t)lpProtocolInfo, g, dwFlags)
               ? INVALID_SOCKET
               : 0x77;
}

static int WSPAPI stub_close(SOCKET s, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("close", 0);
}

static int WSPAPI stub_bind(SOCKET s, const struct sockaddr *name, int namelen, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("bind", (uintptr_t)name, (uintptr_t)namelen);
}

static int WSPAPI stub_getsockname(SOCKET s, struct sockaddr *name, LPINT namelen, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("getsockname", (uintptr_t)name, (uintptr_t)namelen);
}

static SOCKET WSPAPI stub_join_leaf(SOCKET s, const struct sockaddr *name, int namelen,
                                    LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
                                    LPQOS lpGQOS, DWORD dwFlags, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("joinleaf", (uintptr_t)name, (uintptr_t)namelen, (uintptr_t)lpCallerData,
                  (uintptr_t)lpCalleeData, (uintptr_t)lpSQOS, (uintptr_t)lpGQOS, dwFlags)
               ? INVALID_SOCKET
               : s;
}

static int WSPAPI stub_setsockopt(SOCKET s, int level, int optname, const char *optval, int optlen,
                                  LPINT lpErrno)
{
    stub.s = s;
    return CALLED("setsockopt", (uintptr_t)level, (uintptr_t)optname, (uintptr_t)optval,
                  (uintptr_t)optlen);
}

static int WSPAPI stub_getsockopt(SOCKET s, int level, int optname, char *optval, LPINT optlen,
                                  LPINT lpErrno)
{
    stub.s = s;
    int result = CALLED("getsockopt", (uintptr_t)level, (uintptr_t)optname, (uintptr_t)optval,
                        (uintptr_t)optlen);

    if (result == 0 && optname == SO_PROTOCOL_INFOW && *optlen == sizeof(stub.entry))
        memcpy(optval, &stub.entry, sizeof(stub.entry));
    return result;
}

static int WSPAPI stub_ioctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
                             LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
                             LPWSAOVERLAPPED lpOverlapped,
                             LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                             LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("ioctl", dwIoControlCode, (uintptr_t)lpvInBuffer, cbInBuffer,
                  (uintptr_t)lpvOutBuffer, cbOutBuffer, (uintptr_t)lpcbBytesReturned,
                  (uintptr_t)lpOverlapped, (uintptr_t)lpCompletionRoutine, (uintptr_t)lpThreadId);
}

static int WSPAPI stub_recv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                            LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                            LPWSAOVERLAPPED lpOverlapped,
                            LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                            LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    stub.s = s;
    stub.buffer = lpBuffers[0];
    if (lpThreadId)
        stub.thread = *lpThreadId;
    int result = CALLED("recv", (uintptr_t)lpBuffers, dwBufferCount,
                        (uintptr_t)lpNumberOfBytesRecvd, *lpFlags, (uintptr_t)lpOverlapped,
                        (uintptr_t)lpCompletionRoutine, (uintptr_t)lpThreadId);

    if (result == 0)
        *lpNumberOfBytesRecvd = 5;
    return result;
}

static int WSPAPI stub_recvfrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                                LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                                struct sockaddr *lpFrom, LPINT lpFromlen,
                                LPWSAOVERLAPPED lpOverlapped,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                                LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    stub.s = s;
    stub.buffer = lpBuffers[0];
    if (lpThreadId)
        stub.thread = *lpThreadId;
    int result =
        CALLED("recvfrom", (uintptr_t)lpBuffers, dwBufferCount, (uintptr_t)lpNumberOfBytesRecvd,
               *lpFlags, (uintptr_t)lpFrom, (uintptr_t)lpFromlen, (uintptr_t)lpOverlapped,
               (uintptr_t)lpCompletionRoutine, (uintptr_t)lpThreadId);

    if (result == 0)
        *lpNumberOfBytesRecvd = 6;
    return result;
}

static SOCKET WSPAPI stub_accept(SOCKET s, struct sockaddr *addr, LPINT addrlen,
                                 LPCONDITIONPROC lpfnCondition, DWORD_PTR dwCallbackData,
                                 LPINT lpErrno)
{
    stub.s = s;
    return CALLED("accept", (uintptr_t)addr, (uintptr_t)addrlen, (uintptr_t)lpfnCondition,
                  dwCallbackData)
               ? INVALID_SOCKET
               : 0x88;
}

static int WSPAPI stub_connect(SOCKET s, const struct sockaddr *name, int namelen,
                               LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
                               LPQOS lpGQOS, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("connect", (uintptr_t)name, (uintptr_t)namelen, (uintptr_t)lpCallerData,
                  (uintptr_t)lpCalleeData, (uintptr_t)lpSQOS, (uintptr_t)lpGQOS);
}

static int WSPAPI stub_getpeername(SOCKET s, struct sockaddr *name, LPINT namelen, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("getpeername", (uintptr_t)name, (uintptr_t)namelen);
}

static int WSPAPI stub_listen(SOCKET s, int backlog, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("listen", (uintptr_t)backlog);
}

static int WSPAPI stub_shutdown(SOCKET s, int how, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("shutdown", (uintptr_t)how);
}

static int WSPAPI stub_send_disconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("senddisconnect", (uintptr_t)lpOutboundDisconnectData);
}

static int WSPAPI stub_recv_disconnect(SOCKET s, LPWSABUF lpInboundDisconnectData, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("recvdisconnect", (uintptr_t)lpInboundDisconnectData);
}

static int WSPAPI stub_send(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                            LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                            LPWSAOVERLAPPED lpOverlapped,
                            LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                            LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    stub.s = s;
    stub.buffer = lpBuffers[0];
    if (lpThreadId)
        stub.thread = *lpThreadId;
    int result =
        CALLED("send", (uintptr_t)lpBuffers, dwBufferCount, (uintptr_t)lpNumberOfBytesSent, dwFlags,
               (uintptr_t)lpOverlapped, (uintptr_t)lpCompletionRoutine, (uintptr_t)lpThreadId);

    if (result == 0)
        *lpNumberOfBytesSent = 7;
    return result;
}

static int WSPAPI stub_sendto(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                              LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                              const struct sockaddr *lpTo, int iTolen, LPWSAOVERLAPPED lpOverlapped,
                              LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                              LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    stub.s = s;
    stub.buffer = lpBuffers[0];
    if (lpThreadId)
        stub.thread = *lpThreadId;
    int result =
        CALLED("sendto", (uintptr_t)lpBuffers, dwBufferCount, (uintptr_t)lpNumberOfBytesSent,
               dwFlags, (uintptr_t)lpTo, (uintptr_t)iTolen, (uintptr_t)lpOverlapped,
               (uintptr_t)lpCompletionRoutine, (uintptr_t)lpThreadId);

    if (result == 0)
        *lpNumberOfBytesSent = 8;
    return result;
}

static int WSPAPI stub_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                              const PTIMEVAL timeout, LPINT lpErrno)
{
    stub.has_timeout = timeout != NULL;
    if (timeout)
        stub.timeout = *timeout;
    return CALLED("select", (uintptr_t)nfds, (uintptr_t)readfds, (uintptr_t)writefds,
                  (uintptr_t)exceptfds)
               ? SOCKET_ERROR
               : 3;
}

static int WSPAPI stub_event_select(SOCKET s, WSAEVENT hEventObject, LONG lNetworkEvents,
                                    LPINT lpErrno)
{
    stub.s = s;
    return CALLED("eventselect", (uintptr_t)hEventObject, (uintptr_t)lNetworkEvents);
}

static int WSPAPI stub_enum_network_events(SOCKET s, WSAEVENT hEventObject,
                                           LPWSANETWORKEVENTS lpNetworkEvents, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("enumevents", (uintptr_t)hEventObject, (uintptr_t)lpNetworkEvents);
}

static int WSPAPI stub_async_select(SOCKET s, HWND hWnd, unsigned int wMsg, LONG lEvent,
                                    LPINT lpErrno)
{
    stub.s = s;
    return CALLED("asyncselect", (uintptr_t)hWnd, wMsg, (uintptr_t)lEvent);
}

static int WSPAPI stub_duplicate(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOW lpProtocolInfo,
                                 LPINT lpErrno)
{
    stub.s = s;
    int result = CALLED("duplicate", dwProcessId, (uintptr_t)lpProtocolInfo);

    if (result == 0 && lpProtocolInfo)
        *lpProtocolInfo = stub.entry;
    return result;
}

static BOOL WSPAPI stub_qos(SOCKET s, LPWSABUF lpQOSName, LPQOS lpQOS, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("qos", (uintptr_t)lpQOSName, (uintptr_t)lpQOS) == 0;
}

static int WSPAPI stub_cancel_blocking(LPINT lpErrno)
{
    return CALLED("cancel", 0);
}

/* Writes the text that the test has put there. */
static INT WSPAPI stub_to_string(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
                                 LPWSAPROTOCOL_INFOW lpProtocolInfo, LPWSTR lpszAddressString,
                                 LPDWORD lpdwAddressStringLength, LPINT lpErrno)
{
    DWORD length = 0;

    while (stub.text[length++])
        continue;
    stub.entry = *lpProtocolInfo;
    int result =
        CALLED("tostring", (uintptr_t)lpsaAddress, dwAddressLength, 0, 0, *lpdwAddressStringLength);

    if (result == 0 && length > *lpdwAddressStringLength) {
        *lpErrno = WSAEFAULT;
        result = SOCKET_ERROR;
    } else if (result == 0) {
        memcpy(lpszAddressString, stub.text, length * sizeof(WCHAR));
    } else {
        return result;
    }
    *lpdwAddressStringLength = length;
    return result;
}

/* Keeps the text for the test. */
static INT WSPAPI stub_to_address(LPWSTR AddressString, INT AddressFamily,
                                  LPWSAPROTOCOL_INFOW lpProtocolInfo, LPSOCKADDR lpAddress,
                                  LPINT lpAddressLength, LPINT lpErrno)
{
    size_t length = 0;

    stub.entry = *lpProtocolInfo;
    do
        stub.text[length] = AddressString[length];
    while (AddressString[length++]);
    return CALLED("toaddress", (uintptr_t)AddressFamily, (uintptr_t)lpAddress,
                  (uintptr_t)lpAddressLength);
}

static BOOL WSPAPI stub_result(SOCKET s, LPWSAOVERLAPPED lpOverlapped, LPDWORD lpcbTransfer,
                               BOOL fWait, LPDWORD lpdwFlags, LPINT lpErrno)
{
    stub.s = s;
    return CALLED("result", (uintptr_t)lpOverlapped, (uintptr_t)lpcbTransfer, (uintptr_t)fWait,
                  (uintptr_t)lpdwFlags) == 0;
}

static int WSPAPI stub_cleanup(LPINT lpErrno)
{
    stub.cleanups++;
    return CALLED("cleanup", 0);
}

int WSPAPI WSPStartup(WORD wVersionRequested, LPWSPDATA lpWSPData,
                      LPWSAPROTOCOL_INFOW lpProtocolInfo, WSPUPCALLTABLE UpcallTable,
                      LPWSPPROC_TABLE lpProcTable)
{
    if (stub.startup_error)
        return stub.startup_error;
    stub.startups++;
    stub.protocol = *lpProtocolInfo;
    stub.upcalls = UpcallTable;
    lpWSPData->wVersion = wVersionRequested;
    *lpProcTable = (WSPPROC_TABLE){
        .lpWSPAccept = stub_accept,
        .lpWSPAddressToString = stub_to_string,
        .lpWSPAsyncSelect = stub_async_select,
        .lpWSPBind = stub_bind,
        .lpWSPCancelBlockingCall = stub_cancel_blocking,
        .lpWSPCleanup = stub_cleanup,
        .lpWSPCloseSocket = stub_close,
        .lpWSPConnect = stub_connect,
        .lpWSPDuplicateSocket = stub_duplicate,
        .lpWSPEnumNetworkEvents = stub_enum_network_events,
        .lpWSPEventSelect = stub_event_select,
        .lpWSPGetOverlappedResult = stub_result,
        .lpWSPGetPeerName = stub_getpeername,
        .lpWSPGetQOSByName = stub_qos,
        .lpWSPGetSockName = stub_getsockname,
        .lpWSPGetSockOpt = stub_getsockopt,
        .lpWSPIoctl = stub_ioctl,
        .lpWSPJoinLeaf = stub_join_leaf,
        .lpWSPListen = stub_listen,
        .lpWSPRecv = stub_recv,
        .lpWSPRecvDisconnect = stub_recv_disconnect,
        .lpWSPRecvFrom = stub_recvfrom,
        .lpWSPSelect = stub_select,
        .lpWSPSend = stub_send,
        .lpWSPSendDisconnect = stub_send_disconnect,
        .lpWSPSendTo = stub_sendto,
        .lpWSPSetSockOpt = stub_setsockopt,
        .lpWSPShutdown = stub_shutdown,
        .lpWSPSocket = stub_socket,
        .lpWSPStringToAddress = stub_to_address,
    };
    return 0;
}

int wirerx_start(const char *configuration_path, struct wirerx_error *error)
{
    stub.configuration = configuration_path;
    if (stub.dataplane_error) {
        snprintf(error->text, sizeof(error->text), "%s:7: the line that is wrong",
                 configuration_path);
        return stub.dataplane_error;
    }
    stub.dataplane_starts++;
    return 0;
}

int wirerx_stop(void)
{
    stub.dataplane_stops++;
    return 0;
}

const char *wirerx_version(void)
{
    return "1.2.3";
}
