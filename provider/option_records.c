/* SPDX-License-Identifier: BSD-3-Clause */

/* Socket options that are read as a record: what the protocol is, who the two ends are, what went
 * wrong. */

#include <stddef.h>
#include <string.h>

#include "options.h"
#include "overlapped_status.h"
#include "receive_take.h"
#include "spi.h"
#include "wirerx/ws2tcpip.h"

/* --- the protocol ------------------------------------------------------------------------------- */

static int give_protocol(const struct socket_reference *r, const struct option_room *room)
{
    const WSAPROTOCOL_INFOW *protocol = r->socket->protocol;

    return option_give(room, protocol, sizeof *protocol);
}

/* The narrow form: the name is ASCII. */
static int give_narrow_protocol(const struct socket_reference *r, const struct option_room *room)
{
    const WSAPROTOCOL_INFOW *wide = r->socket->protocol;
    WSAPROTOCOL_INFOA narrow;

    memset(&narrow, 0, sizeof narrow);
    memcpy(&narrow, wide, offsetof(WSAPROTOCOL_INFOW, szProtocol));
    for (size_t i = 0; i < WSAPROTOCOL_LEN && wide->szProtocol[i] != 0; i++)
        narrow.szProtocol[i] = (char)wide->szProtocol[i];
    return option_give(room, &narrow, sizeof narrow);
}

/* --- the ends ------------------------------------------------------------------------------------ */

/* The addresses stand behind the record, which points to them. */
struct ends {
    CSADDR_INFO info;
    struct sockaddr_in local;
    struct sockaddr_in remote;
};

/* There is none: NULL, and no length. */
static void set_end(SOCKET_ADDRESS *end, struct sockaddr_in *name, char *at, uint32_t address,
                    uint16_t port)
{
    if (port == 0)
        return;
    name->sin_family = AF_INET;
    name->sin_addr.s_addr = address;
    name->sin_port = port;
    end->lpSockaddr = (LPSOCKADDR)at;
    end->iSockaddrLength = sizeof *name;
}

static int give_ends(const struct socket_reference *r, const struct option_room *room)
{
    const WSAPROTOCOL_INFOW *protocol = r->socket->protocol;
    struct ends ends;
    uint32_t address;
    uint16_t port;

    memset(&ends, 0, sizeof ends);
    spi_own_name(r, &address, &port);
    set_end(&ends.info.LocalAddr, &ends.local, room->value + offsetof(struct ends, local), address,
            port);
    set_end(&ends.info.RemoteAddr, &ends.remote, room->value + offsetof(struct ends, remote),
            r->socket->peer_address, r->socket->peer_port);
    ends.info.iSocketType = protocol->iSocketType;
    ends.info.iProtocol = protocol->iProtocol;
    return option_give(room, &ends, sizeof ends);
}

/* --- the path ----------------------------------------------------------------------------------- */

/**
 * IP_MTU: the longest IPv4 packet that reaches the peer whole, as far as is known. Of a peer in this process
 * that is the longest there is.
 */
static int give_mtu(const struct socket_reference *r, const struct option_room *room)
{
    const struct wsp_socket *socket = r->socket;
    uint32_t address;
    uint16_t port;

    if (atomic_load_explicit(&r->endpoint->state, memory_order_relaxed) == ENDPOINT_NET_DOWN)
        return WSAENETDOWN;
    if (socket->peer_port == 0)
        return WSAENOTCONN;
    dataplane_binding(r->endpoint, &address, &port);
    struct route route =
        dataplane_route(socket->peer_address, address, socket->multicast_interface);
    DWORD mtu = RTE_MIN(route.mtu, dataplane_path_mtu(r->endpoint, socket->peer_address));
    return option_give(room, &mtu, sizeof mtu);
}

/* --- what went wrong ------------------------------------------------------------------------------ */

/**
 * SO_ERROR (L12): the error that the next receive would be told, if it is one of something sent or the
 * reset of a circuit; told once, and then no receive is told of it any more. Errors come in order with
 * the data, so that one behind datagrams is not told before they are read. A reset goes on failing
 * receives (J06, J09).
 */
static int give_error(const struct socket_reference *r, const struct option_room *room)
{
    struct endpoint *endpoint = r->endpoint;
    uint32_t state = atomic_load_explicit(&endpoint->state, memory_order_relaxed);
    struct received got;
    DWORD error = 0;

    if (state == ENDPOINT_NET_DOWN)
        return WSAENETDOWN; /* A19 */
    bool found = state == ENDPOINT_ATTACHED && receive_look_error(endpoint, r->socket, &got);
    if (found)
        error = (DWORD)overlapped_error(got.status);
    int result = option_give(room, &error, sizeof error);
    if (found && result == 0)
        receive_consume(endpoint, r->socket, &got);
    return result;
}

static const struct option_record records[] = {
    {SOL_SOCKET, SO_PROTOCOL_INFOW, give_protocol},
    {SOL_SOCKET, SO_PROTOCOL_INFOA, give_narrow_protocol},
    {SOL_SOCKET, SO_BSP_STATE, give_ends},
    {SOL_SOCKET, SO_ERROR, give_error},
    {IPPROTO_IP, IP_MTU, give_mtu},
};

const struct option_record *option_find_record(int level, int name)
{
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        if (records[i].level == level && records[i].name == name)
            return &records[i];
    return NULL;
}
