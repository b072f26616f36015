/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPConnect and WSPGetPeerName: a socket's other end. */

#include <string.h>

#include "guard.h"
#include "pending_receive.h"
#include "receive_take.h"
#include "spi.h"

/**
 * A peer stands in two places: in the socket's record, for what is in the ring already (I05), and with
 * the home lcore, which puts nothing else in (I04). Connecting sets the one, tells the lcore, and looks
 * whether the record still says the same. So however calls overlap, whoever tells the lcore last has
 * told it what the record says.
 *
 * The record comes first: what was not the peer's before this call, and came while it ran, is filtered
 * by either; what is the new peer's is never passed over once the lcore lets it in.
 */

struct peer {
    uint32_t address; /* network order */
    uint16_t port;    /* network order; 0: none */
};

static bool is_circuit(const struct wsp_socket *socket)
{
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;

    return !(protocol->dwServiceFlags1 & XP1_CONNECTIONLESS);
}

/* "The address supplied is all zeros": of a datagram socket that ends the connection. */
static bool is_dissolving(const struct sockaddr_in *address)
{
    return address->sin_family == AF_UNSPEC ||
           (address->sin_addr.s_addr == INADDR_ANY && address->sin_port == 0);
}

static int read_peer(const struct sockaddr *name, int namelen, bool circuit, struct peer *peer)
{
    struct sockaddr_in address;
    int error = spi_read_address(name, namelen, &address);

    *peer = (struct peer){0, 0};
    if (error == WSAEFAULT)
        return error;
    if (!circuit && is_dissolving(&address))
        return 0;
    if (error != 0)
        return error;
    if (address.sin_addr.s_addr == INADDR_ANY || address.sin_port == 0)
        return WSAEADDRNOTAVAIL;
    *peer = (struct peer){address.sin_addr.s_addr, address.sin_port};
    return 0;
}

/* IP carries no user data when it connects: none may be given, and none is received. */
static int check_user_data(LPWSABUF caller, LPWSABUF callee)
{
    WSABUF data;

    if (caller != NULL && (!guard_copy_from(&data, caller, sizeof data) || data.len != 0))
        return WSAEFAULT;
    return callee == NULL || guard_store32(&callee->len, 0) ? 0 : WSAEFAULT;
}

static bool is_kept_without_reserving(SERVICETYPE type)
{
    return type == SERVICETYPE_NOTRAFFIC || type == SERVICETYPE_BESTEFFORT ||
           type == SERVICETYPE_NOCHANGE;
}

/* Nothing is reserved for anybody, so that only what needs no reservation can be promised. */
static int check_quality(LPQOS wanted)
{
    QOS quality;

    if (wanted == NULL)
        return 0;
    if (!guard_copy_from(&quality, wanted, sizeof quality))
        return WSAEFAULT;
    return is_kept_without_reserving(quality.SendingFlowspec.ServiceType) &&
                   is_kept_without_reserving(quality.ReceivingFlowspec.ServiceType)
               ? 0
               : WSAEOPNOTSUPP;
}

/* The configuration that routes are made of stays while LOCK is held and the state is not "down". */
static int check_peer(const struct socket_reference *reference, const struct peer *peer)
{
    struct completion_batch batch = {.count = 0};
    int error = socket_relock(reference);

    if (error != 0)
        return error;
    if (atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
        ENDPOINT_NET_DOWN)
        error = WSAENETDOWN; /* A19 */
    else if (peer->port != 0 && !reference->socket->broadcast &&
             dataplane_route(peer->address, 0, 0).kind == ROUTE_BROADCAST)
        error = WSAEACCES;
    socket_unlock(reference->endpoint, &batch);
    return error;
}

static int set_peer(const struct socket_reference *reference, const struct peer *peer)
{
    struct completion_batch batch = {.count = 0};
    struct wsp_socket *socket = reference->socket;
    int error = socket_relock(reference);

    if (error != 0)
        return error;
    if (atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) !=
        ENDPOINT_ATTACHED) {
        error = WSAENETDOWN;
    } else if (is_circuit(socket) && socket->peer_port != 0) {
        error = WSAEISCONN; /* a circuit has one peer in its life */
    } else {
        socket->peer_address = peer->address;
        socket->peer_port = peer->port;
        receive_settle_plain(reference->endpoint);
        receive_pass_over_others(reference->endpoint, socket);
    }
    socket_unlock(reference->endpoint, &batch);
    return error;
}

/* The record's peer as it is now. */
static int get_peer(const struct socket_reference *reference, struct peer *peer)
{
    struct completion_batch batch = {.count = 0};
    int error = socket_relock(reference);

    if (error != 0)
        return error;
    *peer = (struct peer){reference->socket->peer_address, reference->socket->peer_port};
    socket_unlock(reference->endpoint, &batch);
    return 0;
}

static int connect_bound(const struct socket_reference *reference, const struct peer *peer)
{
    struct peer told, now = *peer;
    int error = set_peer(reference, peer);

    if (error != 0)
        return error;
    do {
        told = now;
        error = wsa_error_of(
            dataplane_connect(reference->endpoint, reference->generation, told.address, told.port));
        if (error == 0)
            error = get_peer(reference, &now);
    } while (error == 0 && (now.address != told.address || now.port != told.port));
    return error;
}

static int connect_socket(SOCKET s, const struct sockaddr *name, int namelen)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    struct peer peer;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    if (dataplane_control_is_mine())
        error = WSAEINPROGRESS; /* a signal handler: the lcore cannot be told now */
    bool circuit = is_circuit(reference.socket);
    bool connected = reference.socket->peer_port != 0;
    socket_unlock(reference.endpoint, &batch);
    if (error != 0)
        return error;

    error = read_peer(name, namelen, circuit, &peer);
    if (error != 0)
        return error;
    error = check_peer(&reference, &peer);
    if (error != 0)
        return error;
    if (peer.port == 0 && !connected)
        return 0; /* it has none to lose, and stays unbound if it is */
    error = spi_bind_implicitly(&reference);
    return error != 0 ? error : connect_bound(&reference, &peer);
}

int WSPAPI spi_connect(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF caller,
                       LPWSABUF callee, LPQOS sqos, LPQOS gqos, LPINT error_pointer)
{
    int error = socket_is_open(s) ? check_user_data(caller, callee) : WSAENOTSOCK;

    if (error == 0)
        error = check_quality(sqos);
    if (error == 0)
        error = check_quality(gqos);
    if (error == 0)
        error = connect_socket(s, name, namelen);
    return spi_result(error_pointer, error);
}

static int peer_name(SOCKET s, struct sockaddr *name, LPINT namelen)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    struct sockaddr_in address;
    INT room;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = reference.socket->peer_address;
    address.sin_port = reference.socket->peer_port;
    socket_unlock(reference.endpoint, &batch);
    if (address.sin_port == 0)
        return WSAENOTCONN;
    if (name == NULL || namelen == NULL || !guard_copy_from(&room, namelen, sizeof room) ||
        room < (INT)sizeof address || !guard_copy_to(name, &address, sizeof address) ||
        !guard_store32(namelen, sizeof address))
        return WSAEFAULT;
    return 0;
}

int WSPAPI spi_get_peer_name(SOCKET s, struct sockaddr *name, LPINT namelen, LPINT error)
{
    return spi_result(error, peer_name(s, name, namelen));
}
