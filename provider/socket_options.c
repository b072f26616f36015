/* SPDX-License-Identifier: BSD-3-Clause */

/* Socket options of the socket as such: whom it shares its name with, what it is; and why others are
 * refused. */

#include "options.h"
#include "wirerx/ws2tcpip.h"

static bool is_bound(const struct socket_reference *r)
{
    uint32_t address;
    uint16_t port;

    dataplane_binding(r->endpoint, &address, &port);
    return port != 0;
}

static DWORD get_reuse_address(const struct socket_reference *r)
{
    return r->socket->reuse_address;
}

/* Looked at when the socket is bound; later it has no effect, as documented. */
static int set_reuse_address(const struct socket_reference *r, DWORD value)
{
    if (value != 0 && r->socket->exclusive_address)
        return WSAEINVAL; /* the two contradict each other */
    r->socket->reuse_address = value != 0;
    return 0;
}

static DWORD get_exclusive_address(const struct socket_reference *r)
{
    return r->socket->exclusive_address;
}

static int set_exclusive_address(const struct socket_reference *r, DWORD value)
{
    if (is_bound(r) || (value != 0 && r->socket->reuse_address))
        return WSAEINVAL;
    r->socket->exclusive_address = value != 0;
    return 0;
}

static DWORD get_type(const struct socket_reference *r)
{
    const WSAPROTOCOL_INFOW *protocol = r->socket->protocol;

    return (DWORD)protocol->iSocketType;
}

static DWORD get_max_message(const struct socket_reference *r)
{
    const WSAPROTOCOL_INFOW *protocol = r->socket->protocol;

    return protocol->dwMessageSize;
}

/* SO_ACCEPTCONN: nothing here listens. SO_GROUP_ID: no socket is in a group (O03). */
static DWORD get_nothing(const struct socket_reference *r)
{
    (void)r;
    return 0;
}

const struct option_row socket_option_rows[] = {
    {SOL_SOCKET, SO_REUSEADDR, OPTION_BOOL, get_reuse_address, set_reuse_address},
    {SOL_SOCKET, SO_EXCLUSIVEADDRUSE, OPTION_BOOL, get_exclusive_address, set_exclusive_address},
    {SOL_SOCKET, SO_TYPE, OPTION_DWORD, get_type, NULL},
    {SOL_SOCKET, SO_MAX_MSG_SIZE, OPTION_DWORD, get_max_message, NULL},
    {SOL_SOCKET, SO_ACCEPTCONN, OPTION_BOOL, get_nothing, NULL},
    {SOL_SOCKET, SO_GROUP_ID, OPTION_DWORD, get_nothing, NULL},
};
const size_t socket_option_rows_count = sizeof socket_option_rows / sizeof socket_option_rows[0];

int option_refusal(int level, int name)
{
    if (level == SOL_SOCKET && (name == SO_RCVLOWAT || name == SO_SNDLOWAT))
        return WSAEINVAL; /* their page's word for "not supported" */
    return WSAENOPROTOOPT;
}
