/* SPDX-License-Identifier: BSD-3-Clause */
#include "../host/blocking_hook.h"
#include "api.h"

/* What Winsock 2 took out of Winsock 1.1 is there for programs of that level alone (N02). */

/* @return 0 or the code */
static int check_level(void)
{
    return !api_started() ? WSANOTINITIALISED : api_level() >= 2 ? WSAEOPNOTSUPP : 0;
}

int WSAAPI WSACancelBlockingCall(void)
{
    int error = check_level();
    int result = SOCKET_ERROR;

    if (error == 0)
        result = api_provider.lpWSPCancelBlockingCall(&error);
    return api_result(result, error);
}

FARPROC WSAAPI WSASetBlockingHook(FARPROC lpBlockFunc)
{
    int error = check_level();

    if (error == 0 && !lpBlockFunc)
        error = WSAEFAULT;
    api_bool(error == 0, error);
    return error == 0 ? blocking_hook_set(lpBlockFunc) : NULL;
}

int WSAAPI WSAUnhookBlockingHook(void)
{
    int error = check_level();

    if (error == 0)
        blocking_hook_set(blocking_hook_default);
    return api_result(error == 0 ? 0 : SOCKET_ERROR, error);
}

BOOL WSAAPI WSAIsBlocking(void)
{
    int error = check_level();

    api_bool(error == 0, error);
    return error == 0 && blocking_hook_runs();
}
