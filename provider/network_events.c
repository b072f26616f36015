/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPEventSelect and WSPEnumNetworkEvents. */

#include "network_events.h"

#include <string.h>

#include "guard.h"
#include "host/host.h"
#include "receive_take.h"
#include "spi.h"
#include "watch.h"

/* --- recording ---------------------------------------------------------------------------------- */

bool network_events_need_arrivals(const struct wsp_socket *socket)
{
    return (socket->network.selected & (FD_READ | FD_CLOSE)) != 0;
}

static void record(struct wsp_socket *socket, unsigned bit, int error,
                   struct completion_batch *batch)
{
    socket->network.recorded |= 1 << bit;
    socket->network.reported |= 1 << bit;
    socket->network.errors[bit] = error;
    completion_add_event(batch, socket->network.event);
}

static bool is_open_question(const struct wsp_socket *socket, LONG event)
{
    return (socket->network.selected & event) != 0 && (socket->network.reported & event) == 0;
}

/* What a receive would find. Data that posted receives wait for is theirs (G12, M08); after SD_RECEIVE
 * it is nobody's, and what this side does is no network event (M12). */
static enum receive_ready look(struct endpoint *endpoint, struct wsp_socket *socket)
{
    if (socket->receives.first != NULL || socket->receive_shut)
        return RECEIVE_NOTHING;
    return receive_ready(endpoint, socket);
}

void network_events_record(struct endpoint *endpoint, struct wsp_socket *socket,
                           struct completion_batch *batch)
{
    uint32_t data_end;

    if (socket->network.selected == 0 ||
        atomic_load_explicit(&endpoint->state, memory_order_relaxed) != ENDPOINT_ATTACHED)
        return;
    if (is_open_question(socket, FD_WRITE) && !socket->send_blocked && !socket->send_shut)
        record(socket, FD_WRITE_BIT, 0, batch); /* M18 */
    if (!network_events_need_arrivals(socket))
        return;
    switch (look(endpoint, socket)) {
    case RECEIVE_DATA:
        data_end = receive_data_end(endpoint);
        if ((socket->network.selected & FD_READ) == 0 ||
            (!is_open_question(socket, FD_READ) && socket->network.tail == data_end))
            break; /* reported already, and nothing has come since */
        socket->network.tail = data_end;
        record(socket, FD_READ_BIT, 0, batch); /* M02, M03 */
        break;
    case RECEIVE_ENDED: /* M11: all data has been read */
        if (is_open_question(socket, FD_CLOSE))
            record(socket, FD_CLOSE_BIT, 0, batch); /* M09 */
        break;
    case RECEIVE_ABORTED:
        if (is_open_question(socket, FD_CLOSE))
            record(socket, FD_CLOSE_BIT, WSAECONNRESET, batch); /* M10 */
        break;
    case RECEIVE_NOTHING:
    default:
        break;
    }
}

void network_events_enable(struct wsp_socket *socket, LONG events)
{
    socket->network.recorded &= ~events;
    socket->network.reported &= ~events;
}

void network_events_net_down(struct wsp_socket *socket, struct completion_batch *batch)
{
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;
    LONG possible = FD_READ | FD_WRITE;

    if (!(protocol->dwServiceFlags1 & XP1_CONNECTIONLESS))
        possible |= FD_CLOSE | FD_OOB;
    for (unsigned bit = 0; bit < FD_MAX_EVENTS; bit++)
        if (socket->network.selected & possible & (1 << bit))
            record(socket, bit, WSAENETDOWN, batch);
}

void network_events_reset(struct wsp_socket *socket)
{
    memset(&socket->network, 0, sizeof socket->network);
}

/* --- WSPEventSelect ------------------------------------------------------------------------------- */

/* Other hosts' events are opaque: what can be asked of them is to set and to reset them, which would
 * change them. */
static int check_selection(WSAEVENT event, LONG events)
{
    if (events & ~(LONG)FD_ALL_EVENTS)
        return WSAEINVAL;
    if (events != 0 && (event == NULL || (provider_host_is_own && !host_is_event(event))))
        return WSAEINVAL;
    return 0;
}

/* Under LOCK. */
static void change_selection(struct endpoint *endpoint, struct wsp_socket *socket, WSAEVENT event,
                             LONG events, struct completion_batch *batch)
{
    socket->nonblocking = true; /* M01 */
    if (events == 0) {
        network_events_enable(socket, ~(LONG)FD_CLOSE);
        socket->network.event = NULL; /* M15 */
    } else {
        network_events_enable(socket, socket->network.recorded); /* M06, M07 */
        socket->network.event = event;
    }
    socket->network.recorded = 0;
    socket->network.selected = events;
    receive_settle_plain(endpoint);
    watch_settle(endpoint, socket);
    full_fence(); /* F2: WATCHED above before the tail below */
    network_events_record(endpoint, socket, batch);
}

static int event_select(SOCKET s, WSAEVENT event, LONG events)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    int refused = check_selection(event, events);
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    if (refused == 0 && events != 0 &&
        atomic_load_explicit(&reference.endpoint->state, memory_order_relaxed) == ENDPOINT_NET_DOWN)
        refused = WSAENETDOWN;
    if (refused == 0)
        change_selection(reference.endpoint, reference.socket, event, events, &batch);
    socket_unlock(reference.endpoint, &batch);
    return refused;
}

int WSPAPI spi_event_select(SOCKET s, WSAEVENT event, LONG events, LPINT error)
{
    return spi_result(error, event_select(s, event, events));
}

/* --- WSPEnumNetworkEvents --------------------------------------------------------------------------- */

/* Under LOCK. Elements of events that are not recorded are left alone (M14). */
static bool give(const struct wsp_socket *socket, LPWSANETWORKEVENTS to)
{
    for (unsigned bit = 0; bit < FD_MAX_EVENTS; bit++)
        if ((socket->network.recorded & (1 << bit)) &&
            !guard_store32(&to->iErrorCode[bit], (uint32_t)socket->network.errors[bit]))
            return false;
    return guard_store32(&to->lNetworkEvents, (uint32_t)socket->network.recorded);
}

/* After the dataplane has stopped the record is still to be had, and nothing after it. Under LOCK. */
static bool has_ended(const struct socket_reference *reference)
{
    return reference->socket->network.recorded == 0 &&
           atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
               ENDPOINT_NET_DOWN;
}

/* Under LOCK. */
static int take_record(struct wsp_socket *socket, LPWSANETWORKEVENTS to,
                       struct completion_batch *batch)
{
    if (give(socket, to)) {
        socket->network.recorded = 0;
        return 0;
    }
    if (socket->network.recorded != 0) /* it stays, so its signal has to stay */
        completion_add_event(batch, socket->network.event);
    return WSAEFAULT;
}

static int enumerate(SOCKET s, WSAEVENT event, LPWSANETWORKEVENTS to)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    WSANETWORKEVENTS unused;
    int ignored;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    if (has_ended(&reference))
        error = WSAENETDOWN;
    socket_unlock(reference.endpoint, &batch);
    if (error != 0)
        return error;
    /* A call that fails resets nothing, so what can be refused is refused before. */
    if (to == NULL || !guard_copy_from(&unused, to, sizeof unused))
        return WSAEFAULT;
    if (event != NULL && !provider_upcalls.lpWPUResetEvent(event, &ignored))
        return WSAEINVAL;
    error = socket_relock(&reference);
    if (error != 0)
        return error;
    error = take_record(reference.socket, to, &batch);
    socket_unlock(reference.endpoint, &batch);
    return error;
}

int WSPAPI spi_enum_network_events(SOCKET s, WSAEVENT event, LPWSANETWORKEVENTS events, LPINT error)
{
    return spi_result(error, enumerate(s, event, events));
}
