/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSetSockOpt and WSPGetSockOpt. One row per option; rows say where the value lives. */

#include <stddef.h>
#include <string.h>

#include "guard.h"
#include "options.h"
#include "pending_receive.h"
#include "protocols.h"
#include "spi.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2tcpip.h"

/** Largest SO_WIRERX_MAX_POSTED. */
#define MAX_POSTED_LIMIT 1048576u

static DWORD get_receive_buffer(const struct socket_reference *r)
{
    return atomic_load_explicit(&r->endpoint->bytes_limit, memory_order_relaxed);
}

static int set_receive_buffer(const struct socket_reference *r, DWORD value)
{
    if (value > INT32_MAX)
        return WSAEINVAL;
    atomic_store_explicit(&r->endpoint->bytes_limit, value, memory_order_relaxed); /* L06 */
    return 0;
}

static DWORD get_reuse_address(const struct socket_reference *r)
{
    return r->socket->reuse_address;
}

static int set_reuse_address(const struct socket_reference *r, DWORD value)
{
    r->socket->reuse_address = value != 0;
    return 0;
}

static DWORD get_receive_timeout(const struct socket_reference *r)
{
    return r->socket->receive_timeout_ms;
}

static int set_receive_timeout(const struct socket_reference *r, DWORD value)
{
    r->socket->receive_timeout_ms = value; /* L05: milliseconds, exactly */
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

static DWORD get_stamp(const struct socket_reference *r)
{
    return r->socket->stamp;
}

static int set_stamp(const struct socket_reference *r, DWORD value)
{
    r->socket->stamp = value != 0;
    return 0;
}

static DWORD get_max_posted(const struct socket_reference *r)
{
    return r->socket->max_posted;
}

static int set_max_posted(const struct socket_reference *r, DWORD value)
{
    if (value == 0 || value > MAX_POSTED_LIMIT)
        return WSAEINVAL;
    r->socket->max_posted = value; /* C08 */
    return 0;
}

static const struct option_row option_rows[] = {
    {SOL_SOCKET, SO_RCVBUF, OPTION_DWORD, get_receive_buffer, set_receive_buffer},
    {SOL_SOCKET, SO_REUSEADDR, OPTION_BOOL, get_reuse_address, set_reuse_address},
    {SOL_SOCKET, SO_RCVTIMEO, OPTION_DWORD, get_receive_timeout, set_receive_timeout},
    {SOL_SOCKET, SO_TYPE, OPTION_DWORD, get_type, NULL},
    {SOL_SOCKET, SO_MAX_MSG_SIZE, OPTION_DWORD, get_max_message, NULL},
    {SOL_SOCKET, SO_WIRERX_STAMP, OPTION_BOOL, get_stamp, set_stamp},
    {SOL_SOCKET, SO_WIRERX_MAX_POSTED, OPTION_DWORD, get_max_posted, set_max_posted},
};

static const struct option_row *find_row(int level, int name)
{
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++)
        if (option_rows[i].level == level && option_rows[i].name == name)
            return &option_rows[i];
    for (size_t i = 0; i < send_option_rows_count; i++)
        if (send_option_rows[i].level == level && send_option_rows[i].name == name)
            return &send_option_rows[i];
    return NULL;
}

/* --- setting ------------------------------------------------------------------------------------ */

static int set_membership(SOCKET s, int name, const char *value, int length)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    struct ip_mreq request;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    socket_unlock(reference.endpoint, &batch); /* joining waits for lcores */
    if (length < (int)sizeof request || !guard_copy_from(&request, value, sizeof request))
        return WSAEFAULT;
    uint32_t group = request.imr_multiaddr.s_addr, interface = request.imr_interface.s_addr;
    int result = name == IP_ADD_MEMBERSHIP
                     ? dataplane_join(reference.endpoint, reference.generation, group, interface)
                     : dataplane_leave(reference.endpoint, reference.generation, group, interface);
    error = wsa_error_of(result);
    return error == WSAEINVAL ? WSAEADDRNOTAVAIL : error; /* O07: a bad address */
}

static int set_option(SOCKET s, int level, int name, const char *value, int length)
{
    struct completion_batch batch = {.count = 0};
    const struct option_row *row = find_row(level, name);
    struct socket_reference reference;
    DWORD number = 0;
    int error;

    if (level == IPPROTO_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP))
        return set_membership(s, name, value, length);
    error = socket_lock(s, &reference);
    if (error != 0)
        return error;
    if (row == NULL || row->set == NULL)
        error = WSAENOPROTOOPT;
    else if (value == NULL || length < (row->kind == OPTION_DWORD ? (int)sizeof number : 1) ||
             !guard_copy_from(&number, value, RTE_MIN((size_t)length, sizeof number)))
        error = WSAEFAULT;
    else
        error = row->set(&reference, number);
    socket_unlock(reference.endpoint, &batch);
    return error;
}

int WSPAPI spi_set_sock_opt(SOCKET s, int level, int name, const char *value, int length,
                            LPINT error)
{
    return spi_result(error, set_option(s, level, name, value, length));
}

/* --- getting ------------------------------------------------------------------------------------ */

static int give(char *value, LPINT length, INT room, const void *from, size_t bytes)
{
    if (room < (INT)bytes)
        return WSAEFAULT;
    return guard_copy_to(value, from, bytes) && guard_store32(length, (uint32_t)bytes) ? 0
                                                                                       : WSAEFAULT;
}

/* The narrow form of a protocol's description: the name is ASCII. */
static void narrow(WSAPROTOCOL_INFOA *narrow, const WSAPROTOCOL_INFOW *wide)
{
    memset(narrow, 0, sizeof *narrow);
    memcpy(narrow, wide, offsetof(WSAPROTOCOL_INFOW, szProtocol));
    for (size_t i = 0; i < WSAPROTOCOL_LEN && wide->szProtocol[i] != 0; i++)
        narrow->szProtocol[i] = (char)wide->szProtocol[i];
}

static int give_protocol(const WSAPROTOCOL_INFOW *protocol, int name, char *value, LPINT length,
                         INT room)
{
    WSAPROTOCOL_INFOA ascii;

    if (name == SO_PROTOCOL_INFOW)
        return give(value, length, room, protocol, sizeof *protocol);
    narrow(&ascii, protocol);
    return give(value, length, room, &ascii, sizeof ascii);
}

static int get_option(SOCKET s, int level, int name, char *value, LPINT length)
{
    struct completion_batch batch = {.count = 0};
    const struct option_row *row = find_row(level, name);
    struct socket_reference reference;
    bool wants_protocol =
        level == SOL_SOCKET && (name == SO_PROTOCOL_INFOW || name == SO_PROTOCOL_INFOA);
    DWORD number = 0;
    INT room;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    const WSAPROTOCOL_INFOW *protocol = reference.socket->protocol;
    if (row != NULL)
        number = row->get(&reference);
    socket_unlock(reference.endpoint, &batch);
    if (row == NULL && !wants_protocol)
        return WSAENOPROTOOPT;
    if (value == NULL || length == NULL || !guard_copy_from(&room, length, sizeof room))
        return WSAEFAULT;
    return wants_protocol ? give_protocol(protocol, name, value, length, room)
                          : give(value, length, room, &number, sizeof number);
}

int WSPAPI spi_get_sock_opt(SOCKET s, int level, int name, char *value, LPINT length, LPINT error)
{
    return spi_result(error, get_option(s, level, name, value, length));
}
