/* SPDX-License-Identifier: BSD-3-Clause */

/* Socket options of sending. */

#include "options.h"
#include "wirerx/ws2tcpip.h"

static DWORD get_send_buffer(const struct socket_reference *r)
{
    return r->endpoint->send.limit;
}

/* Room for one datagram there is always. A larger queue is made when the present one is empty. */
static int set_send_buffer(const struct socket_reference *r, DWORD value)
{
    if (value > INT32_MAX)
        return WSAEINVAL;
    r->endpoint->send.limit = value;
    return 0;
}

static DWORD get_send_timeout(const struct socket_reference *r)
{
    return r->socket->send_timeout_ms;
}

static int set_send_timeout(const struct socket_reference *r, DWORD value)
{
    r->socket->send_timeout_ms = value;
    return 0;
}

static DWORD get_broadcast(const struct socket_reference *r)
{
    return r->socket->broadcast;
}

static int set_broadcast(const struct socket_reference *r, DWORD value)
{
    r->socket->broadcast = value != 0;
    return 0;
}

static DWORD get_ttl(const struct socket_reference *r)
{
    return r->socket->ttl;
}

static int set_ttl(const struct socket_reference *r, DWORD value)
{
    if (value == 0 || value > UINT8_MAX)
        return WSAEINVAL;
    r->socket->ttl = (uint8_t)value;
    return 0;
}

static DWORD get_tos(const struct socket_reference *r)
{
    return r->socket->tos;
}

static int set_tos(const struct socket_reference *r, DWORD value)
{
    if (value > UINT8_MAX)
        return WSAEINVAL;
    r->socket->tos = (uint8_t)value;
    return 0;
}

static DWORD get_dont_fragment(const struct socket_reference *r)
{
    return r->socket->dont_fragment;
}

static int set_dont_fragment(const struct socket_reference *r, DWORD value)
{
    r->socket->dont_fragment = value != 0;
    return 0;
}

static DWORD get_mtu_discover(const struct socket_reference *r)
{
    return r->socket->mtu_discover;
}

static int set_mtu_discover(const struct socket_reference *r, DWORD value)
{
    if (value >= IP_PMTUDISC_MAX)
        return WSAEINVAL;
    r->socket->mtu_discover = (uint8_t)value;
    return 0;
}

static DWORD get_multicast_ttl(const struct socket_reference *r)
{
    return r->socket->multicast_ttl;
}

static DWORD get_multicast_loop(const struct socket_reference *r)
{
    return !atomic_load_explicit(&r->endpoint->refuses_looped_groups, memory_order_relaxed);
}

static DWORD get_multicast_interface(const struct socket_reference *r)
{
    return r->socket->multicast_interface;
}

/* The configuration may be read only while the endpoint is not down (route.h). */
static int set_multicast_interface(const struct socket_reference *r, DWORD value)
{
    if (atomic_load_explicit(&r->endpoint->state, memory_order_relaxed) == ENDPOINT_NET_DOWN)
        return WSAENETDOWN;
    if (value != 0 && !dataplane_is_own_address(value))
        return WSAEADDRNOTAVAIL;
    r->socket->multicast_interface = value;
    return 0;
}

int option_set_multicast_ttl(const struct socket_reference *r, DWORD value)
{
    if (value > UINT8_MAX)
        return WSAEINVAL;
    r->socket->multicast_ttl = (uint8_t)value;
    return 0;
}

/* Of the socket that receives: so Windows documents it, other than UNIX. */
int option_set_multicast_loop(const struct socket_reference *r, DWORD value)
{
    atomic_store_explicit(&r->endpoint->refuses_looped_groups, value == 0, memory_order_relaxed);
    return 0;
}

const struct option_row send_option_rows[] = {
    {SOL_SOCKET, SO_SNDBUF, OPTION_DWORD, get_send_buffer, set_send_buffer},
    {SOL_SOCKET, SO_SNDTIMEO, OPTION_DWORD, get_send_timeout, set_send_timeout},
    {SOL_SOCKET, SO_BROADCAST, OPTION_BOOL, get_broadcast, set_broadcast},
    {IPPROTO_IP, IP_TTL, OPTION_BYTE, get_ttl, set_ttl},
    {IPPROTO_IP, IP_TOS, OPTION_BYTE, get_tos, set_tos},
    {IPPROTO_IP, IP_DONTFRAGMENT, OPTION_BOOL, get_dont_fragment, set_dont_fragment},
    {IPPROTO_IP, IP_MTU_DISCOVER, OPTION_DWORD, get_mtu_discover, set_mtu_discover},
    {IPPROTO_IP, IP_MULTICAST_TTL, OPTION_BYTE, get_multicast_ttl, option_set_multicast_ttl},
    {IPPROTO_IP, IP_MULTICAST_LOOP, OPTION_BOOL, get_multicast_loop, option_set_multicast_loop},
    {IPPROTO_IP, IP_MULTICAST_IF, OPTION_DWORD, get_multicast_interface, set_multicast_interface},
};
const size_t send_option_rows_count = sizeof send_option_rows / sizeof send_option_rows[0];
