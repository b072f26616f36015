/* SPDX-License-Identifier: BSD-3-Clause */
#include "api.h"

int WSAAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent,
                   DWORD dwFlags, LPWSAOVERLAPPED lpOverlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;
    WSATHREADID id;

    if (api_started())
        result = api_provider.lpWSPSend(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent, dwFlags,
                                        lpOverlapped, lpCompletionRoutine,
                                        api_thread_for(lpCompletionRoutine, &id), &error);
    return api_result(result, error);
}

int WSAAPI WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent,
                     DWORD dwFlags, const struct sockaddr *lpTo, int iTolen,
                     LPWSAOVERLAPPED lpOverlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;
    WSATHREADID id;

    if (api_started())
        result = api_provider.lpWSPSendTo(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent, dwFlags,
                                          lpTo, iTolen, lpOverlapped, lpCompletionRoutine,
                                          api_thread_for(lpCompletionRoutine, &id), &error);
    return api_result(result, error);
}

/* WSABUF has no const; a send only reads. */
static WSABUF one_buffer(const char *buf, int len)
{
    return (WSABUF){.len = (ULONG)len, .buf = (char *)(uintptr_t)buf};
}

int WSAAPI send(SOCKET s, const char *buf, int len, int flags)
{
    WSABUF buffer = one_buffer(buf, len);
    DWORD sent = 0;

    if (len < 0)
        return api_result(SOCKET_ERROR, api_started() ? WSAEINVAL : WSANOTINITIALISED);
    if (WSASend(s, &buffer, 1, &sent, (DWORD)flags, NULL, NULL) != 0)
        return SOCKET_ERROR;
    return (int)sent;
}

int WSAAPI sendto(SOCKET s, const char *buf, int len, int flags, const struct sockaddr *to,
                  int tolen)
{
    WSABUF buffer = one_buffer(buf, len);
    DWORD sent = 0;

    if (len < 0)
        return api_result(SOCKET_ERROR, api_started() ? WSAEINVAL : WSANOTINITIALISED);
    if (WSASendTo(s, &buffer, 1, &sent, (DWORD)flags, to, tolen, NULL, NULL) != 0)
        return SOCKET_ERROR;
    return (int)sent;
}
