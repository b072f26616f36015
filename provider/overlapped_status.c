/* SPDX-License-Identifier: BSD-3-Clause */
#include "overlapped_status.h"

#include "wirerx/winsock2.h"

static const struct {
    uint32_t status;
    int error;
} rows[] = {
    {OVERLAPPED_SUCCESS, 0},
    {OVERLAPPED_PENDING, WSA_IO_INCOMPLETE},
    {OVERLAPPED_BUFFER_OVERFLOW, WSAEMSGSIZE},
    {OVERLAPPED_ACCESS_VIOLATION, WSAEFAULT},
    {OVERLAPPED_INSUFFICIENT_RESOURCES, WSAENOBUFS},
    {OVERLAPPED_CANCELLED, WSA_OPERATION_ABORTED},
    {OVERLAPPED_NETWORK_UNREACHABLE, WSAENETDOWN}, /* D18 */
    {OVERLAPPED_CONNECTION_RESET, WSAECONNRESET},
    {OVERLAPPED_PORT_UNREACHABLE, WSAECONNRESET},
    {OVERLAPPED_HOP_LIMIT_EXCEEDED, WSAENETRESET}, /* I15 */
    {0xC000013Cu, WSAECONNRESET},                  /* REMOTE_DISCONNECT */
    {0xC0000241u, WSAECONNABORTED},                /* CONNECTION_ABORTED */
    {0xC000013Bu, WSAECONNABORTED},                /* LOCAL_DISCONNECT */
    {OVERLAPPED_GRACEFUL_DISCONNECT, WSAEDISCON},
    {0xC0000240u, WSAEINTR},     /* REQUEST_ABORTED */
    {0xC000023Au, WSAENOTCONN},  /* CONNECTION_INVALID */
    {0xC0000140u, WSAENOTCONN},  /* INVALID_CONNECTION */
    {0xC00000B0u, WSAESHUTDOWN}, /* PIPE_DISCONNECTED */
    {0xC00000B5u, WSAETIMEDOUT}, /* IO_TIMEOUT */
};

int overlapped_error(uint32_t status)
{
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].error;
    return overlapped_is_success(status) ? 0 : WSAEINVAL;
}

uint32_t overlapped_flags(uint32_t status)
{
    return status == OVERLAPPED_RECEIVE_PARTIAL ? MSG_PARTIAL : 0;
}

bool overlapped_is_success(uint32_t status)
{
    return (int32_t)status >= 0 && status != OVERLAPPED_PENDING;
}
