/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSendDisconnect and WSPRecvDisconnect: the end of one half, with data for the peer or from it. */

#include "guard.h"
#include "pending_receive.h"
#include "spi.h"

/*
 * What the two refuse alike. Data need a protocol that has room for them (XP1_DISCONNECT_DATA),
 * which neither UDP nor TCP has, so that a call that carries any ends here, and ends nothing else.
 */
static int check(SOCKET s, LPWSABUF data)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    WSABUF buffer;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    DWORD traits = reference.socket->protocol->dwServiceFlags1;
    bool connected = reference.socket->peer_port != 0;
    uint32_t state = atomic_load_explicit(&reference.endpoint->state, memory_order_relaxed);
    socket_unlock(reference.endpoint, &batch);
    if (state == ENDPOINT_NET_DOWN)
        return WSAENETDOWN; /* A19 */
    if (!(traits & XP1_CONNECTIONLESS) && !connected)
        return WSAENOTCONN;
    if (data != NULL && !guard_copy_from(&buffer, data, sizeof buffer))
        return WSAEFAULT;
    return data != NULL ? WSAENOPROTOOPT : 0;
}

/* Without data each is one half of WSPShutdown. A message circuit that ends with WSAEDISCON at the
 * peer (Q08) is ended by the same road. */
static int disconnect(SOCKET s, LPWSABUF data, int how, LPINT error_pointer)
{
    int error = check(s, data);

    return error != 0 ? spi_fail(error_pointer, error) : spi_shutdown(s, how, error_pointer);
}

int WSPAPI spi_send_disconnect(SOCKET s, LPWSABUF data, LPINT error)
{
    return disconnect(s, data, SD_SEND, error);
}

int WSPAPI spi_recv_disconnect(SOCKET s, LPWSABUF data, LPINT error)
{
    return disconnect(s, data, SD_RECEIVE, error);
}
