/* SPDX-License-Identifier: BSD-3-Clause */
#include "../host/host.h"
#include "api.h"

static _Thread_local int last_error;

int WSAAPI WSAGetLastError(void)
{
    return last_error;
}

void WSAAPI WSASetLastError(int iError)
{
    last_error = iError;
}

int api_result(int result, int error)
{
    last_error = result == SOCKET_ERROR ? error : 0;
    return result;
}

SOCKET api_socket(SOCKET result, int error)
{
    last_error = result == INVALID_SOCKET ? error : 0;
    return result;
}

BOOL api_bool(bool succeeded, int error)
{
    last_error = succeeded ? 0 : error;
    return succeeded;
}

LPWSATHREADID api_thread_for(LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, WSATHREADID *id)
{
    if (!routine || !host_current_thread(id))
        return NULL;
    return id;
}
