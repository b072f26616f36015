/* SPDX-License-Identifier: BSD-3-Clause */

/* What a send is refused for before anything is started: the error tables of the LPWSPSEND and
 * LPWSPSENDTO pages, and where they are silent what receives do (clauses A, H, J, P). */

#include <string.h>

#include "guard.h"
#include "send.h"
#include "spi.h"
#include "wirerx/ws2tcpip.h"

/** Without options. */
#define IP_AND_UDP_HEADERS 28u

/** MSG_DONTROUTE changes nothing: the pages let a provider ignore it. */
#define KNOWN_FLAGS (MSG_DONTROUTE | MSG_OOB | MSG_PARTIAL)

static bool has_connections(const WSAPROTOCOL_INFOW *protocol)
{
    return !(protocol->dwServiceFlags1 & XP1_CONNECTIONLESS);
}

int send_check_call(const struct socket_reference *reference, struct send_call *call)
{
    const WSAPROTOCOL_INFOW *protocol = reference->socket->protocol;
    struct gather payload = {call->buffers, call->buffers_count, true};

    if (call->buffers_count == 0)
        return WSAEINVAL; /* as of a receive (A11); an empty datagram is one buffer of length 0 */
    if (call->bytes_sent == NULL && call->overlapped == NULL)
        return WSAEFAULT;
    if (call->flags & ~(DWORD)KNOWN_FLAGS)
        return WSAEINVAL;
    /* The peer of a circuit is not to be chosen: lpTo and iToLen are ignored. */
    if (call->names_target && call->to != NULL && !has_connections(protocol)) {
        int error = spi_read_address(call->to, call->tolen, &call->target);

        if (error != 0)
            return error;
        call->has_target = true;
    }
    return gather_length(&payload, &call->length) ? 0 : WSAEFAULT;
}

static int check_traits(const struct wsp_socket *socket, const struct send_call *call)
{
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;

    if (socket->receive_only || (protocol->dwServiceFlags1 & XP1_UNI_RECV))
        return WSAEOPNOTSUPP;
    if ((call->flags & MSG_OOB) && !(protocol->dwServiceFlags1 & XP1_EXPEDITED_DATA))
        return WSAEOPNOTSUPP;
    if ((call->flags & MSG_PARTIAL) && !(protocol->dwServiceFlags1 & XP1_PARTIAL_MESSAGE))
        return WSAEOPNOTSUPP;
    if (call->overlapped != NULL && !socket->overlapped)
        return WSAEINVAL; /* P01 */
    return 0;
}

/* A named target comes before the peer, for this one datagram (the SendTo page). */
static int find_target(const struct wsp_socket *socket, const struct send_call *call,
                       struct send_record *record)
{
    if (call->has_target) {
        record->destination = call->target.sin_addr.s_addr;
        record->destination_port = call->target.sin_port;
        return record->destination == 0 || record->destination_port == 0 ? WSAEADDRNOTAVAIL : 0;
    }
    record->destination = socket->peer_address;
    record->destination_port = socket->peer_port;
    if (record->destination_port != 0)
        return 0;
    return call->names_target && !has_connections(socket->protocol) ? WSAEDESTADDRREQ : WSAENOTCONN;
}

/* A time to live of 0 is for this host only (RFC 1122, 3.2.1.7), and so is what is no UDP. */
static bool leaves(const struct wsp_socket *socket, const struct send_record *record)
{
    return record->ttl != 0 && record->kind == RX_DATAGRAM && !has_connections(socket->protocol);
}

/* IP_MTU_DISCOVER, and where that is not set IP_DONTFRAGMENT. */
static PMTUD_STATE discovery_of(const struct wsp_socket *socket)
{
    if (socket->mtu_discover != IP_PMTUDISC_NOT_SET)
        return (PMTUD_STATE)socket->mtu_discover;
    return socket->dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_NOT_SET;
}

/* What must not be cut has to fit: the path, or to probe it the link alone. */
static int check_fit(const struct socket_reference *reference, const struct route *route,
                     struct send_record *record)
{
    PMTUD_STATE discovery = discovery_of(reference->socket);
    uint32_t limit = route->mtu;

    if (discovery == IP_PMTUDISC_NOT_SET)
        return 0; /* SEND_CUT */
    if (discovery == IP_PMTUDISC_DONT) {
        record->cutting = SEND_CUT_TO_LINK;
        return 0;
    }
    record->cutting = SEND_UNCUT;
    if (discovery == IP_PMTUDISC_DO && record->hop != ROUTE_STAYS)
        limit = RTE_MIN(limit, dataplane_path_mtu(reference->endpoint, record->destination));
    return record->length + IP_AND_UDP_HEADERS <= limit ? 0 : WSAEMSGSIZE;
}

static int find_route(const struct socket_reference *reference, struct send_record *record)
{
    const struct wsp_socket *socket = reference->socket;
    uint32_t address;

    dataplane_binding(reference->endpoint, &address, &record->source_port);
    struct route route = dataplane_route(record->destination, address, socket->multicast_interface);
    record->source = route.source;
    record->via = route.via;
    record->ttl = route.kind == ROUTE_GROUP ? socket->multicast_ttl : socket->ttl;
    record->tos = socket->tos;
    record->hop = leaves(socket, record) ? route.hop : ROUTE_STAYS;
    switch (route.kind) {
    case ROUTE_OWN:
        return 0;
    case ROUTE_GROUP:
        return check_fit(reference, &route, record);
    case ROUTE_BROADCAST:
        return socket->broadcast ? check_fit(reference, &route, record) : WSAEACCES;
    case ROUTE_LINK:
    case ROUTE_ROUTER:
        if (record->hop == ROUTE_STAYS) /* its port does not transmit */
            return WSAEHOSTUNREACH;
        return check_fit(reference, &route, record);
    case ROUTE_NO_SOURCE: /* Linux says EINVAL; this is what Windows has for an address that is none */
        return WSAEADDRNOTAVAIL;
    case ROUTE_NONE:
    default:
        return WSAENETUNREACH;
    }
}

int send_check_socket(const struct socket_reference *reference, const struct send_call *call,
                      struct send_record *record)
{
    const struct wsp_socket *socket = reference->socket;
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;
    int error;

    *record = (struct send_record){
        .kind = call->flags & MSG_PARTIAL ? RX_PART : RX_DATAGRAM,
        .length = (uint16_t)RTE_MIN(call->length, SEND_MAX_PAYLOAD),
    };
    if (atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
        ENDPOINT_NET_DOWN)
        return WSAENETDOWN; /* A19 */
    error = check_traits(socket, call);
    if (error != 0)
        return error;
    error = find_target(socket, call, record);
    if (error != 0)
        return error;
    if (socket->send_shut)
        return WSAESHUTDOWN; /* J16 */
    if (call->length > SEND_MAX_PAYLOAD ||
        (protocol->dwMessageSize != 0 && call->length > protocol->dwMessageSize))
        return WSAEMSGSIZE; /* and nothing is sent */
    return find_route(reference, record);
}
