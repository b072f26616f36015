/* SPDX-License-Identifier: BSD-3-Clause */
#include "api.h"

/* What Winsock 2 took out of Winsock 1.1 is there for programs of that level alone (N02). */

int WSAAPI WSACancelBlockingCall(void)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (api_started() && api_level() >= 2)
        error = WSAEOPNOTSUPP;
    else if (api_started())
        result = api_provider.lpWSPCancelBlockingCall(&error);
    return api_result(result, error);
}
