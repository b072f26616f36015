/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPBind, WSPGetSockName, WSPJoinLeaf: names of sockets and groups. */

#include <errno.h>
#include <string.h>

#include "guard.h"
#include "pending_receive.h"
#include "receive_take.h"
#include "spi.h"
#include "watch.h"

int spi_read_address(const struct sockaddr *name, int namelen, struct sockaddr_in *address)
{
    if (name == NULL || namelen < (int)sizeof *address ||
        !guard_copy_from(address, name, sizeof *address))
        return WSAEFAULT;
    return address->sin_family == AF_INET ? 0 : WSAEAFNOSUPPORT;
}

/* What an operation on the dataplane needs, read under LOCK; the operation itself is done after it,
 * because it waits for lcores. It carries the generation, so that a socket that is closed meanwhile
 * is refused there. */
struct settings {
    enum dataplane_sharing sharing;
    bool multipoint;
};

static enum dataplane_sharing sharing_of(const struct wsp_socket *socket)
{
    if (socket->exclusive_address)
        return DATAPLANE_SHARE_EXCLUSIVE;
    return socket->reuse_address ? DATAPLANE_SHARE : DATAPLANE_SHARE_NOT;
}

static int look(SOCKET s, struct socket_reference *reference, struct settings *settings)
{
    struct completion_batch batch = {.count = 0};
    int error = socket_lock(s, reference);

    if (error != 0)
        return error;
    settings->sharing = sharing_of(reference->socket);
    settings->multipoint = reference->socket->multipoint;
    socket_unlock(reference->endpoint, &batch);
    return 0;
}

static int bind_socket(SOCKET s, const struct sockaddr *name, int namelen)
{
    struct socket_reference reference;
    struct sockaddr_in address;
    struct settings settings;
    int error = look(s, &reference, &settings);

    if (error == 0)
        error = spi_read_address(name, namelen, &address);
    if (error != 0)
        return error;
    if (spi_is_multicast(address.sin_addr.s_addr))
        return WSAEADDRNOTAVAIL; /* as on Windows: bind to the port, join the group */
    error =
        wsa_error_of(dataplane_bind(reference.endpoint, reference.generation,
                                    address.sin_addr.s_addr, address.sin_port, settings.sharing));
    if (error == 0)
        watch_bound(&reference);
    return error;
}

int spi_bind_implicitly(const struct socket_reference *reference)
{
    struct completion_batch batch = {.count = 0};
    uint32_t address;
    uint16_t port;

    dataplane_binding(reference->endpoint, &address, &port);
    if (port != 0)
        return 0;
    int error = socket_relock(reference);
    if (error != 0)
        return error;
    enum dataplane_sharing sharing = sharing_of(reference->socket);
    socket_unlock(reference->endpoint, &batch);
    int result = dataplane_bind(reference->endpoint, reference->generation, 0, 0, sharing);
    if (result == -EINVAL)
        return 0; /* another thread has bound it */
    if (result == 0)
        watch_bound(reference);
    return wsa_error_of(result);
}

int WSPAPI spi_bind(SOCKET s, const struct sockaddr *name, int namelen, LPINT error)
{
    return spi_result(error, bind_socket(s, name, namelen));
}

void spi_own_name(const struct socket_reference *reference, uint32_t *address, uint16_t *port)
{
    const struct wsp_socket *socket = reference->socket;

    dataplane_binding(reference->endpoint, address, port);
    if (*address == 0 && socket->peer_port != 0 &&
        atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) !=
            ENDPOINT_NET_DOWN)
        *address = dataplane_route(socket->peer_address, 0, socket->multicast_interface).source;
}

static int sock_name(SOCKET s, struct sockaddr *name, LPINT namelen)
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
    spi_own_name(&reference, &address.sin_addr.s_addr, &address.sin_port);
    socket_unlock(reference.endpoint, &batch);
    if (name == NULL || namelen == NULL || !guard_copy_from(&room, namelen, sizeof room) ||
        room < (INT)sizeof address)
        return WSAEFAULT;
    if (address.sin_port == 0)
        return WSAEINVAL; /* not bound */
    if (!guard_copy_to(name, &address, sizeof address) || !guard_store32(namelen, sizeof address))
        return WSAEFAULT;
    return 0;
}

int WSPAPI spi_get_sock_name(SOCKET s, struct sockaddr *name, LPINT namelen, LPINT error)
{
    return spi_result(error, sock_name(s, name, namelen));
}

static int join_leaf(SOCKET s, const struct sockaddr *name, int namelen, DWORD flags)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    struct sockaddr_in address;
    struct settings settings;
    uint32_t bound_address;
    uint16_t bound_port;
    int error = look(s, &reference, &settings);

    if (error == 0)
        error = spi_read_address(name, namelen, &address);
    if (error != 0)
        return error;
    if (!settings.multipoint)
        return WSAEINVAL; /* O07 */
    if (flags != JL_SENDER_ONLY && flags != JL_RECEIVER_ONLY && flags != JL_BOTH)
        return WSAEINVAL;
    if (!spi_is_multicast(address.sin_addr.s_addr))
        return WSAEADDRNOTAVAIL;
    dataplane_binding(reference.endpoint, &bound_address, &bound_port);
    if (bound_port == 0) {
        error = wsa_error_of(dataplane_bind(reference.endpoint, reference.generation, 0,
                                            address.sin_port, settings.sharing));
        if (error != 0)
            return error;
        watch_bound(&reference);
    }
    if (flags != JL_SENDER_ONLY) {
        error = wsa_error_of(
            dataplane_join(reference.endpoint, reference.generation, address.sin_addr.s_addr, 0));
        if (error != 0)
            return error == WSAEADDRINUSE ? WSAEISCONN : error; /* O07 */
    }
    error = socket_relock(&reference);
    if (error != 0)
        return error;
    reference.socket->send_only = flags == JL_SENDER_ONLY; /* O09 */
    reference.socket->receive_only = flags == JL_RECEIVER_ONLY;
    receive_settle_plain(reference.endpoint);
    socket_unlock(reference.endpoint, &batch);
    return 0;
}

SOCKET WSPAPI spi_join_leaf(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF caller,
                            LPWSABUF callee, LPQOS sqos, LPQOS gqos, DWORD flags,
                            LPINT error_pointer)
{
    int error = join_leaf(s, name, namelen, flags);

    (void)caller; /* IP multicast carries neither user data nor flow specifications at a join */
    (void)callee;
    (void)sqos;
    (void)gqos;
    spi_result(error_pointer, error);
    return error == 0 ? s : INVALID_SOCKET;
}
