/* SPDX-License-Identifier: BSD-3-Clause */
#include "api.h"

int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject, LONG lNetworkEvents)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPEventSelect(s, hEventObject, lNetworkEvents, &error);
    return api_result(result, error);
}

int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject, LPWSANETWORKEVENTS lpNetworkEvents)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPEnumNetworkEvents(s, hEventObject, lpNetworkEvents, &error);
    return api_result(result, error);
}

int WSAAPI WSAAsyncSelect(SOCKET s, HWND hWnd, u_int wMsg, LONG lEvent)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPAsyncSelect(s, hWnd, wMsg, lEvent, &error);
    return api_result(result, error);
}

int wirerx_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                  const PTIMEVAL timeout)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPSelect(nfds, readfds, writefds, exceptfds, timeout, &error);
    return api_result(result, error);
}

int WSAAPI __WSAFDIsSet(SOCKET s, fd_set *set)
{
    return set ? FD_ISSET(s, set) : 0;
}
