/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cancel.h"

#include <stddef.h>

#include "../host/host.h"
#include "api.h"

/* Windows' own calls, on sockets: they go past the provider's table, which has no entry for them. */

static BOOL cancelled(int error)
{
    if (error)
        WSASetLastError(error == WSAENOTSOCK ? ERROR_INVALID_HANDLE : error);
    return error == 0;
}

BOOL WINAPI CancelIo(HANDLE hFile)
{
    WSATHREADID self;
    uint32_t count;

    if (!host_current_thread(&self))
        return cancelled(ERROR_NOT_ENOUGH_MEMORY);
    return cancelled(cancel_operations((SOCKET)hFile, NULL, &self, &count));
}

BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
{
    uint32_t count;
    int error = cancel_operations((SOCKET)hFile, lpOverlapped, NULL, &count);

    return cancelled(error == 0 && count == 0 ? ERROR_NOT_FOUND : error);
}
