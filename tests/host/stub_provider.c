/* SPDX-License-Identifier: BSD-3-Clause */
#include "stub_provider.h"

#include <stdio.h>

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
    return CALLED("getsockopt", (uintptr_t)level, (uintptr_t)optname, (uintptr_t)optval,
                  (uintptr_t)optlen);
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
        .lpWSPBind = stub_bind,
        .lpWSPCleanup = stub_cleanup,
        .lpWSPCloseSocket = stub_close,
        .lpWSPGetOverlappedResult = stub_result,
        .lpWSPGetSockName = stub_getsockname,
        .lpWSPGetSockOpt = stub_getsockopt,
        .lpWSPIoctl = stub_ioctl,
        .lpWSPJoinLeaf = stub_join_leaf,
        .lpWSPRecv = stub_recv,
        .lpWSPRecvFrom = stub_recvfrom,
        .lpWSPSetSockOpt = stub_setsockopt,
        .lpWSPSocket = stub_socket,
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
