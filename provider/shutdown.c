/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPShutdown. */

#include "shutdown.h"

#include "circuit.h"
#include "pending_receive.h"
#include "receive_take.h"
#include "spi.h"
#include "watch.h"

void shutdown_discard(struct endpoint *endpoint, struct wsp_socket *socket)
{
    const struct ring_element *element;
    uint32_t kept = socket->blocked ? 1 : 0;

    if (!socket->receive_shut || socket->receives.first != NULL ||
        atomic_load_explicit(&endpoint->sleepers, memory_order_relaxed) != 0)
        return;
    while (endpoint_peek(endpoint, kept) != NULL && (element = endpoint_front(endpoint)) != NULL) {
        endpoint_count(&endpoint->shut_discarded, 1);
        endpoint_consume(endpoint, element);
        socket->position = 0;
    }
}

static void shut_receiving(struct endpoint *endpoint, struct wsp_socket *socket)
{
    socket->receive_shut = true;
    receive_settle_plain(endpoint);
    watch_settle(endpoint, socket);
    full_fence(); /* F2: watched, above, before the tail that is looked at next */
}

/* J16: a circuit's peer is told that nothing follows, behind all that was sent. @return as circuit_end() */
static int shut_sending(const struct socket_reference *reference)
{
    int error = circuit_end(reference, RX_END);

    if (error == 0)
        reference->socket->send_shut = true;
    return error;
}

static int check(const struct socket_reference *reference, int how)
{
    const WSAPROTOCOL_INFOW *protocol = reference->socket->protocol;

    if (how != SD_RECEIVE && how != SD_SEND && how != SD_BOTH)
        return WSAEINVAL; /* J14h */
    if (atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
        ENDPOINT_NET_DOWN)
        return WSAENETDOWN; /* A19 */
    if (!(protocol->dwServiceFlags1 & XP1_CONNECTIONLESS) && reference->socket->peer_port == 0)
        return WSAENOTCONN; /* J14 */
    return 0;
}

static int shut_down(SOCKET s, int how)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    error = check(&reference, how);
    if (error == 0 && how != SD_RECEIVE)
        error = shut_sending(&reference); /* first: it may find no room */
    if (error == 0) {
        if (how != SD_SEND)
            shut_receiving(reference.endpoint, reference.socket);
        pending_serve(reference.endpoint,
                      &batch); /* what is queued goes to who has posted, or goes */
        watch_serve(reference.endpoint, reference.socket,
                    &batch); /* a WSPSelect sees what changed */
    }
    socket_unlock(reference.endpoint, &batch);
    return error;
}

int WSPAPI spi_shutdown(SOCKET s, int how, LPINT error)
{
    return spi_result(error, shut_down(s, how));
}
