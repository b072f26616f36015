/* SPDX-License-Identifier: BSD-3-Clause */
#include "../guard.h"
#include "api.h"

SOCKET WSAAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo,
                         GROUP g, DWORD dwFlags)
{
    int error = WSANOTINITIALISED;
    SOCKET s = INVALID_SOCKET;

    if (api_started())
        s = api_provider.lpWSPSocket(af, type, protocol, lpProtocolInfo, g, dwFlags, &error);
    return api_socket(s, error);
}

SOCKET WSAAPI WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo,
                         GROUP g, DWORD dwFlags)
{
    WSAPROTOCOL_INFOW wide;

    if (!lpProtocolInfo)
        return WSASocketW(af, type, protocol, NULL, g, dwFlags);
    if (!api_widen_entry(lpProtocolInfo, &wide))
        return api_socket(INVALID_SOCKET, api_started() ? WSAEFAULT : WSANOTINITIALISED);
    return WSASocketW(af, type, protocol, &wide, g, dwFlags);
}

SOCKET WSAAPI socket(int af, int type, int protocol)
{
    return WSASocketW(af, type, protocol, NULL, 0, WSA_FLAG_OVERLAPPED);
}

int WSAAPI closesocket(SOCKET s)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPCloseSocket(s, &error);
    return api_result(result, error);
}

int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOW lpProtocolInfo)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPDuplicateSocket(s, dwProcessId, lpProtocolInfo, &error);
    return api_result(result, error);
}

int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOA lpProtocolInfo)
{
    WSAPROTOCOL_INFOW wide;
    WSAPROTOCOL_INFOA narrow;
    bool there = lpProtocolInfo && guard_copy_from(&narrow, lpProtocolInfo, sizeof(narrow));
    int result = WSADuplicateSocketW(s, dwProcessId, there ? &wide : NULL);

    if (result != 0)
        return result;
    if (there)
        api_narrow_entry(&wide, &narrow);
    if (!there || !guard_copy_to(lpProtocolInfo, &narrow, sizeof(narrow)))
        return api_result(SOCKET_ERROR, WSAEFAULT);
    return 0;
}

int WSAAPI bind(SOCKET s, const struct sockaddr *name, int namelen)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPBind(s, name, namelen, &error);
    return api_result(result, error);
}

int WSAAPI getsockname(SOCKET s, struct sockaddr *name, int *namelen)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPGetSockName(s, name, namelen, &error);
    return api_result(result, error);
}

SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF lpCallerData,
                          LPWSABUF lpCalleeData, LPQOS lpSQOS, LPQOS lpGQOS, DWORD dwFlags)
{
    int error = WSANOTINITIALISED;
    SOCKET leaf = INVALID_SOCKET;

    if (api_started())
        leaf = api_provider.lpWSPJoinLeaf(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS,
                                          lpGQOS, dwFlags, &error);
    return api_socket(leaf, error);
}

int WSAAPI setsockopt(SOCKET s, int level, int optname, const char *optval, int optlen)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPSetSockOpt(s, level, optname, optval, optlen, &error);
    return api_result(result, error);
}

int WSAAPI getsockopt(SOCKET s, int level, int optname, char *optval, int *optlen)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPGetSockOpt(s, level, optname, optval, optlen, &error);
    return api_result(result, error);
}

int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
                    LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
                    LPWSAOVERLAPPED lpOverlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;
    WSATHREADID id;

    if (api_started())
        result = api_provider.lpWSPIoctl(s, dwIoControlCode, lpvInBuffer, cbInBuffer, lpvOutBuffer,
                                         cbOutBuffer, lpcbBytesReturned, lpOverlapped,
                                         lpCompletionRoutine,
                                         api_thread_for(lpCompletionRoutine, &id), &error);
    return api_result(result, error);
}

BOOL WSAAPI WSAGetQOSByName(SOCKET s, LPWSABUF lpQOSName, LPQOS lpQOS)
{
    int error = WSANOTINITIALISED;
    BOOL result = FALSE;

    if (api_started())
        result = api_provider.lpWSPGetQOSByName(s, lpQOSName, lpQOS, &error);
    return api_bool(result, error);
}

int WSAAPI ioctlsocket(SOCKET s, LONG cmd, u_long *argp)
{
    DWORD returned;

    switch ((DWORD)cmd) {
    case FIONBIO:
        return WSAIoctl(s, FIONBIO, argp, sizeof(*argp), NULL, 0, &returned, NULL, NULL);
    case FIONREAD:
    case SIOCATMARK:
        return WSAIoctl(s, (DWORD)cmd, NULL, 0, argp, sizeof(*argp), &returned, NULL, NULL);
    default:
        return api_result(SOCKET_ERROR, api_started() ? WSAEINVAL : WSANOTINITIALISED);
    }
}
