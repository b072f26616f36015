/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch.h"

#include "network_events.h"

static void ring(const struct endpoint *endpoint, struct wsp_socket *socket,
                 struct completion_batch *batch)
{
    socket->awaited = 0;
    completion_add_bell(batch, select_bell_of(endpoint));
}

void watch_settle(struct endpoint *endpoint, struct wsp_socket *socket)
{
    posted_watch(endpoint, POSTED_SEND, socket->send_blocked || (socket->awaited & SELECT_WRITE));
    posted_watch(endpoint, POSTED_RECEIVE,
                 (socket->awaited & SELECT_READ) || socket->receive_shut ||
                     network_events_need_arrivals(socket));
}

void watch_serve(struct endpoint *endpoint, struct wsp_socket *socket,
                 struct completion_batch *batch)
{
    network_events_record(endpoint, socket, batch);
    if (((socket->awaited & SELECT_READ) && select_readable(endpoint, socket)) ||
        ((socket->awaited & SELECT_WRITE) && select_writable(endpoint, socket))) {
        ring(endpoint, socket, batch);
        watch_settle(endpoint, socket);
    }
}

void watch_received(struct endpoint *endpoint, struct wsp_socket *socket, int error,
                    struct completion_batch *batch)
{
    if (socket->network.selected != 0 && error != WSAEFAULT) { /* M05 */
        network_events_enable(socket, FD_READ);
        network_events_record(endpoint, socket, batch); /* M04 */
    }
}

void watch_bound(const struct socket_reference *reference)
{
    struct completion_batch batch = {.count = 0};

    if (socket_relock(reference) != 0)
        return; /* closed meanwhile */
    watch_serve(reference->endpoint, reference->socket, &batch);
    socket_unlock(reference->endpoint, &batch);
}

void watch_send_blocked(struct endpoint *endpoint, struct wsp_socket *socket)
{
    socket->send_blocked = true;
    network_events_enable(socket, FD_WRITE);
    watch_settle(endpoint, socket);
}

void watch_writable(struct endpoint *endpoint, struct wsp_socket *socket,
                    struct completion_batch *batch)
{
    socket->send_blocked = false;
    watch_settle(endpoint, socket);
    watch_serve(endpoint, socket, batch);
}

void watch_net_down(struct endpoint *endpoint, struct wsp_socket *socket,
                    struct completion_batch *batch)
{
    network_events_net_down(socket, batch);
    if (socket->awaited != 0)
        ring(endpoint, socket, batch);
    posted_watch(endpoint, POSTED_RECEIVE, false); /* nothing arrives any more */
    posted_watch(endpoint, POSTED_SEND, false);
}

struct select_bell *watch_close(struct endpoint *endpoint, struct wsp_socket *socket)
{
    struct select_bell *bell = socket->awaited != 0 ? select_bell_of(endpoint) : NULL;

    socket->awaited = 0;
    network_events_reset(socket);
    posted_watch(endpoint, POSTED_RECEIVE, false);
    posted_watch(endpoint, POSTED_SEND, false);
    return bell;
}
