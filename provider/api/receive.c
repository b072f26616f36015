/* SPDX-License-Identifier: BSD-3-Clause */
#include "../receive_message.h"
#include "api.h"

int WSAAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd,
                   LPDWORD lpFlags, LPWSAOVERLAPPED lpOverlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;
    WSATHREADID id;

    if (api_started())
        result = api_provider.lpWSPRecv(s, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, lpFlags,
                                        lpOverlapped, lpCompletionRoutine,
                                        api_thread_for(lpCompletionRoutine, &id), &error);
    return api_result(result, error);
}

int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
                       LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags, struct sockaddr *lpFrom,
                       LPINT lpFromlen, LPWSAOVERLAPPED lpOverlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;
    WSATHREADID id;

    if (api_started())
        result = api_provider.lpWSPRecvFrom(
            s, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, lpFlags, lpFrom, lpFromlen,
            lpOverlapped, lpCompletionRoutine, api_thread_for(lpCompletionRoutine, &id), &error);
    return api_result(result, error);
}

int WSAAPI recv(SOCKET s, char *buf, int len, int flags)
{
    WSABUF buffer = {.len = (ULONG)len, .buf = buf};
    DWORD received = 0;
    DWORD in_and_out = (DWORD)flags;

    if (len < 0)
        return api_result(SOCKET_ERROR, api_started() ? WSAEINVAL : WSANOTINITIALISED);
    if (WSARecv(s, &buffer, 1, &received, &in_and_out, NULL, NULL) != 0)
        return SOCKET_ERROR;
    return (int)received;
}

int WSAAPI recvfrom(SOCKET s, char *buf, int len, int flags, struct sockaddr *from, int *fromlen)
{
    WSABUF buffer = {.len = (ULONG)len, .buf = buf};
    DWORD received = 0;
    DWORD in_and_out = (DWORD)flags;

    if (len < 0)
        return api_result(SOCKET_ERROR, api_started() ? WSAEINVAL : WSANOTINITIALISED);
    if (WSARecvFrom(s, &buffer, 1, &received, &in_and_out, from, fromlen, NULL, NULL) != 0)
        return SOCKET_ERROR;
    return (int)received;
}

BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped, LPDWORD lpcbTransfer,
                                   BOOL fWait, LPDWORD lpdwFlags)
{
    int error = WSANOTINITIALISED;
    BOOL result = FALSE;

    if (api_started())
        result = api_provider.lpWSPGetOverlappedResult(s, lpOverlapped, lpcbTransfer, fWait,
                                                       lpdwFlags, &error);
    return api_bool(result, error);
}

INT WINAPI api_receive_message(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
                               LPWSAOVERLAPPED lpOverlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    int error = WSAEOPNOTSUPP;
    int result = SOCKET_ERROR;
    WSATHREADID id;

    /* Who has this function has a socket, so the provider has been started. */
    if (provider_host_is_own || lpOverlapped == NULL || lpCompletionRoutine == NULL)
        result =
            spi_receive_message(s, lpMsg, lpdwNumberOfBytesRecvd, lpOverlapped, lpCompletionRoutine,
                                api_thread_for(lpCompletionRoutine, &id), &error);
    return api_result(result, error);
}
