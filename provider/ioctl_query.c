/* SPDX-License-Identifier: BSD-3-Clause */

/* Controls that ask for something, and those whose pages have a word of their own for "not here". */

#include <stddef.h>
#include <string.h>

#include "api/api.h"
#include "guard.h"
#include "ioctl.h"
#include "spi.h"
#include "wirerx/mswsock.h"

/* Most addresses of SIO_ADDRESS_LIST_QUERY. */
#define MAX_ADDRESSES (CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES)

int ioctl_give(struct ioctl_call *call, const void *from, DWORD bytes)
{
    call->written = bytes;
    return call->out_bytes >= bytes && guard_copy_to(call->out, from, bytes) ? 0 : WSAEFAULT;
}

static struct sockaddr_in name_of(uint32_t address)
{
    struct sockaddr_in name;

    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = address;
    return name;
}

static bool is_down(const struct socket_reference *reference)
{
    return atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
           ENDPOINT_NET_DOWN;
}

/* The list, and behind it the addresses that it points to. */
static int give_addresses(const struct socket_reference *reference, struct ioctl_call *call)
{
    uint32_t addresses[MAX_ADDRESSES];
    char *out = call->out;

    if (is_down(reference))
        return WSAENETDOWN;
    INT count = (INT)dataplane_own_addresses(addresses, MAX_ADDRESSES);
    size_t names = offsetof(SOCKET_ADDRESS_LIST, Address) + (size_t)count * sizeof(SOCKET_ADDRESS);
    call->written = (DWORD)(names + (size_t)count * sizeof(struct sockaddr_in));
    if (call->out_bytes < call->written || !guard_copy_to(out, &count, sizeof count))
        return WSAEFAULT;
    for (INT i = 0; i < count; i++) {
        struct sockaddr_in name = name_of(addresses[i]);
        char *entry =
            out + offsetof(SOCKET_ADDRESS_LIST, Address) + (size_t)i * sizeof(SOCKET_ADDRESS);
        char *behind = out + names + (size_t)i * sizeof name;
        SOCKET_ADDRESS row;

        memset(&row, 0, sizeof row);
        row.lpSockaddr = (LPSOCKADDR)behind;
        row.iSockaddrLength = sizeof name;
        if (!guard_copy_to(entry, &row, sizeof row) || !guard_copy_to(behind, &name, sizeof name))
            return WSAEFAULT;
    }
    return 0;
}

static int give_broadcast_address(const struct socket_reference *reference, struct ioctl_call *call)
{
    const WSAPROTOCOL_INFOW *protocol = reference->socket->protocol;
    struct sockaddr_in name = name_of(INADDR_BROADCAST);

    return protocol->dwServiceFlags1 & XP1_SUPPORT_BROADCAST ? ioctl_give(call, &name, sizeof name)
                                                             : WSAEINVAL;
}

/* By which of our addresses the stack would reach a destination. */
static int give_route(const struct socket_reference *reference, struct ioctl_call *call)
{
    struct sockaddr_in destination;
    int error =
        spi_read_address(call->in, (int)RTE_MIN(call->in_bytes, (DWORD)INT32_MAX), &destination);

    if (error != 0)
        return error;
    if (is_down(reference))
        return WSAENETDOWN;
    if (destination.sin_addr.s_addr == INADDR_ANY)
        return WSAEINVAL;
    struct route route =
        dataplane_route(destination.sin_addr.s_addr, 0, reference->socket->multicast_interface);
    if (route.kind == ROUTE_NONE)
        return WSAENETUNREACH;
    struct sockaddr_in name = name_of(route.source);
    return ioctl_give(call, &name, sizeof name);
}

/* Of extensions WSARecvMsg is served; every other GUID is an unknown one. */
static int give_function(const struct socket_reference *reference, struct ioctl_call *call)
{
    static const GUID receive_message = WSAID_WSARECVMSG;
    LPFN_WSARECVMSG function = api_receive_message;
    GUID wanted;

    (void)reference;
    if (call->in_bytes < sizeof wanted || !guard_copy_from(&wanted, call->in, sizeof wanted) ||
        call->out_bytes < sizeof function)
        return WSAEFAULT;
    return memcmp(&wanted, &receive_message, sizeof wanted) == 0
               ? ioctl_give(call, &function, sizeof function)
               : WSAEINVAL;
}

/* Nothing is layered over our sockets, or under them. */
static int give_base_handle(const struct socket_reference *reference, struct ioctl_call *call)
{
    return ioctl_give(call, &reference->socket->handle, sizeof reference->socket->handle);
}

/* SIOCATMARK is for streams that have urgent data. */
static int refuse_mark(const struct socket_reference *reference, struct ioctl_call *call)
{
    (void)reference;
    (void)call;
    return WSAEINVAL;
}

/* What is queued for sending leaves within a pass of the lcore; a full ring loses the newest (L07). */
static int refuse_unsupported(const struct socket_reference *reference, struct ioctl_call *call)
{
    (void)reference;
    (void)call;
    return WSAENOPROTOOPT;
}

static const struct {
    DWORD code;
    int (*answer)(const struct socket_reference *, struct ioctl_call *);
} rows[] = {
    {(DWORD)SIO_ADDRESS_LIST_QUERY, give_addresses},
    {(DWORD)SIO_GET_BROADCAST_ADDRESS, give_broadcast_address},
    {(DWORD)SIO_ROUTING_INTERFACE_QUERY, give_route},
    {(DWORD)SIO_GET_EXTENSION_FUNCTION_POINTER, give_function},
    {(DWORD)SIO_BASE_HANDLE, give_base_handle},
    {(DWORD)SIOCATMARK, refuse_mark},
    {(DWORD)SIO_FLUSH, refuse_unsupported},
    {(DWORD)SIO_ENABLE_CIRCULAR_QUEUEING, refuse_unsupported},
};

int ioctl_query(const struct socket_reference *reference, struct ioctl_call *call)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == call->code)
            return rows[i].answer(reference, call);
    return WSAEOPNOTSUPP;
}
