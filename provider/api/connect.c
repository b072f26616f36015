/* SPDX-License-Identifier: BSD-3-Clause */
#include "api.h"

int WSAAPI connect(SOCKET s, const struct sockaddr *name, int namelen)
{
    return WSAConnect(s, name, namelen, NULL, NULL, NULL, NULL);
}

int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF lpCallerData,
                      LPWSABUF lpCalleeData, LPQOS lpSQOS, LPQOS lpGQOS)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPConnect(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS,
                                           lpGQOS, &error);
    return api_result(result, error);
}

int WSAAPI getpeername(SOCKET s, struct sockaddr *name, int *namelen)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPGetPeerName(s, name, namelen, &error);
    return api_result(result, error);
}

int WSAAPI listen(SOCKET s, int backlog)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPListen(s, backlog, &error);
    return api_result(result, error);
}

SOCKET WSAAPI accept(SOCKET s, struct sockaddr *addr, int *addrlen)
{
    return WSAAccept(s, addr, addrlen, NULL, 0);
}

SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *addr, LPINT addrlen,
                        LPCONDITIONPROC lpfnCondition, DWORD_PTR dwCallbackData)
{
    int error = WSANOTINITIALISED;
    SOCKET connection = INVALID_SOCKET;

    if (api_started())
        connection =
            api_provider.lpWSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData, &error);
    return api_socket(connection, error);
}

int WSAAPI shutdown(SOCKET s, int how)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPShutdown(s, how, &error);
    return api_result(result, error);
}

int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPSendDisconnect(s, lpOutboundDisconnectData, &error);
    return api_result(result, error);
}

int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPRecvDisconnect(s, lpInboundDisconnectData, &error);
    return api_result(result, error);
}
