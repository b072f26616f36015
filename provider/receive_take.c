/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_take.h"

/* --- traits ------------------------------------------------------------------------------------- */

bool receive_is_byte_stream(const WSAPROTOCOL_INFOW *protocol, DWORD flags)
{
    if (!(protocol->dwServiceFlags1 & XP1_MESSAGE_ORIENTED))
        return true; /* Q01 */
    if (protocol->dwServiceFlags1 & XP1_PSEUDO_STREAM)
        return true;                   /* Q02 */
    return (flags & MSG_PARTIAL) != 0; /* Q03, Q04 */
}

enum receive_manner receive_manner_of(const WSAPROTOCOL_INFOW *protocol)
{
    if (receive_is_byte_stream(protocol, 0))
        return RECEIVE_BYTES;
    if (protocol->dwServiceFlags1 & XP1_PARTIAL_MESSAGE)
        return RECEIVE_PARTS; /* Q05 */
    if (protocol->dwServiceFlags1 & XP1_GUARANTEED_DELIVERY)
        return RECEIVE_MESSAGES; /* Q06 */
    return RECEIVE_DATAGRAMS;    /* Q07 */
}

void receive_settle_plain(struct endpoint *endpoint)
{
    const struct wsp_socket *socket = socket_of(endpoint);
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;

    bool plain = socket->manner == RECEIVE_DATAGRAMS && socket->peer_port == 0 &&
                 socket->network.selected == 0 && !socket->receive_shut && !socket->send_only &&
                 !socket->note_time && (protocol->dwServiceFlags1 & XP1_CONNECTIONLESS) &&
                 !(protocol->dwServiceFlags1 & XP1_UNI_SEND);
    atomic_store_explicit(&endpoint->plain, plain, memory_order_relaxed);
    atomic_store_explicit(&endpoint->plain_nonblocking, plain && socket->nonblocking,
                          memory_order_relaxed);
}

/* --- looking ------------------------------------------------------------------------------------ */

static enum rx_kind kind_of(const struct ring_element *element)
{
    return (enum rx_kind)element_meta(element)->kind;
}

static bool from_peer(const struct wsp_socket *socket, const struct ring_element *element)
{
    const struct rx_meta *meta = element_meta(element);

    return meta->source == socket->peer_address && meta->source_port == socket->peer_port;
}

/* What was queued before the socket was connected and is not the peer's goes, counted (I05). What
 * arrives later the lcore does not put in. */
static const struct ring_element *front_from_peer(struct endpoint *endpoint,
                                                  struct wsp_socket *socket)
{
    const struct ring_element *element;

    while ((element = endpoint_front(endpoint)) != NULL && socket->peer_port != 0 &&
           kind_of(element) < RX_PORT_UNREACHABLE && !from_peer(socket, element)) {
        endpoint_count(&endpoint->peer_filtered, 1);
        endpoint_consume(endpoint, element);
    }
    return element;
}

/* An end, or an error of something sent. Used up by the receive that it ends; an end stays with the
 * socket. */
static void look_at_condition(const struct ring_element *element, const struct wsp_socket *socket,
                              struct received *got)
{
    *got = (struct received){.elements = 1, .first = element};
    switch (kind_of(element)) {
    case RX_END:
        got->status = socket->manner == RECEIVE_BYTES ? OVERLAPPED_SUCCESS /* J02 */
                                                      : OVERLAPPED_GRACEFUL_DISCONNECT;
        break;
    case RX_ABORT:
        got->status = OVERLAPPED_CONNECTION_RESET; /* Q09 */
        break;
    case RX_TIME_EXCEEDED:
        got->status = OVERLAPPED_HOP_LIMIT_EXCEEDED; /* I15 */
        break;
    default:
        got->status = OVERLAPPED_PORT_UNREACHABLE; /* I12 */
        break;
    }
}

/* The message in front, or with `whole_stream` everything in front of a condition. */
struct extent {
    uint32_t elements;
    uint64_t bytes;
    bool complete; /* the message's last part is there; of a stream: a condition ends it */
    bool cut;      /* a condition stands where a message's next part should */
};

/* Looks at the ring, up to its end where it finds none: whoever waits for more relies on no second look
 * after it (receive_now()). */
static struct extent measure(struct endpoint *endpoint, const struct wsp_socket *socket,
                             bool whole_stream)
{
    struct extent extent = {0, 0, false, false};
    const struct ring_element *element;

    while ((element = endpoint_peek(endpoint, extent.elements)) != NULL) {
        enum rx_kind kind = kind_of(element);

        if (rx_is_condition(kind)) {
            extent.complete = whole_stream;
            extent.cut = !whole_stream;
            break;
        }
        extent.elements++;
        extent.bytes += element->length;
        if (kind == RX_DATAGRAM && !whole_stream) {
            extent.complete = true;
            break;
        }
    }
    extent.bytes -= socket->position; /* what receives before this one have had of the first */
    return extent;
}

/* Copy from the front on, as much of the extent as fits. */
static void copy_extent(struct endpoint *endpoint, const struct wsp_socket *socket,
                        const struct receive_room *room, const struct extent *extent,
                        struct received *got)
{
    struct scatter to;
    uint32_t position = socket->position;

    *got = (struct received){.first = endpoint_peek(endpoint, 0)};
    scatter_begin(&to, room->buffers, room->count, room->clients_array);
    while (got->elements < extent->elements) {
        const struct ring_element *element = endpoint_peek(endpoint, got->elements);
        uint32_t copied;

        if (!scatter_put(&to, element, position, &copied)) {
            *got = (struct received){.status = OVERLAPPED_ACCESS_VIOLATION,
                                     .position = socket->position,
                                     .first = got->first};
            return; /* nothing is taken: data that was acknowledged is not dropped */
        }
        got->bytes += copied;
        position += copied;
        if (position < element->length)
            break;
        got->elements++;
        position = 0;
    }
    got->position = position;
    if (!scatter_source(got->first, room->from, room->fromlen))
        *got = (struct received){.status = OVERLAPPED_ACCESS_VIOLATION,
                                 .position = socket->position,
                                 .first = got->first};
}

/* A reliable message: all of it, or nothing (Q06). */
static void look_at_message(struct endpoint *endpoint, const struct wsp_socket *socket,
                            const struct receive_room *room, const struct extent *extent,
                            struct received *got)
{
    copy_extent(endpoint, socket, room, extent, got);
    if (got->status == OVERLAPPED_SUCCESS && got->bytes < extent->bytes) {
        got->status = OVERLAPPED_BUFFER_OVERFLOW;
        got->elements = 0; /* it stays whole for a larger receive */
        got->position = 0;
    }
}

/* A message of which parts may be received: what fits of it; with MSG_PARTIAL what has arrived, even if
 * that is not all yet (H16). Never more than one message. */
static bool look_at_parts(struct endpoint *endpoint, const struct wsp_socket *socket,
                          const struct receive_room *room, struct received *got)
{
    struct extent extent = measure(endpoint, socket, false);

    if (extent.elements == 0)
        return false;
    if (!extent.complete && !extent.cut && !(room->flags & MSG_PARTIAL) &&
        scatter_room(room->buffers, room->count, room->clients_array) > extent.bytes)
        return false;
    copy_extent(endpoint, socket, room, &extent, got);
    if (got->status == OVERLAPPED_SUCCESS && !(extent.complete && got->elements == extent.elements))
        got->status = OVERLAPPED_RECEIVE_PARTIAL; /* Q05 */
    return true;
}

/* A byte stream: everything that is there and fits (B04, B05); with MSG_WAITALL not before it fills the
 * room, unless the stream ends (H12). No room at all waits for data and takes none (G04, G05). */
static bool look_at_bytes(struct endpoint *endpoint, const struct wsp_socket *socket,
                          const struct receive_room *room, struct received *got)
{
    struct extent extent = measure(endpoint, socket, true);

    if (extent.bytes == 0 && extent.elements == 0)
        return false;
    if ((room->flags & MSG_WAITALL) && !extent.complete &&
        scatter_room(room->buffers, room->count, room->clients_array) > extent.bytes)
        return false;
    copy_extent(endpoint, socket, room, &extent, got);
    return true;
}

/* The end of the circuit, which an earlier receive has found: for good (J02, J06, Q08, Q09). */
static bool look_at_end(const struct wsp_socket *socket, struct received *got)
{
    *got = (struct received){.status = socket->end};
    return socket->ended;
}

/* Parts of a message whose rest will never come because a condition follows them. */
static void discard_broken_message(struct endpoint *endpoint, struct wsp_socket *socket,
                                   const struct extent *extent)
{
    for (uint32_t i = 0; i < extent->elements; i++)
        endpoint_consume_front(endpoint);
    endpoint_count(&endpoint->truncated, 1);
    socket->position = 0;
}

bool receive_look_special(struct endpoint *endpoint, struct wsp_socket *socket,
                          const struct receive_room *room, struct received *got)
{
    const struct ring_element *element = front_from_peer(endpoint, socket);
    struct extent extent;

    if (element == NULL)
        return look_at_end(socket, got);
    if (rx_is_condition(kind_of(element))) {
        look_at_condition(element, socket, got);
        return true;
    }
    switch (socket->manner) {
    case RECEIVE_BYTES:
        return look_at_bytes(endpoint, socket, room, got);
    case RECEIVE_PARTS:
        return look_at_parts(endpoint, socket, room, got);
    case RECEIVE_MESSAGES:
        extent = measure(endpoint, socket, false);
        if (extent.cut) {
            discard_broken_message(endpoint, socket, &extent);
            return receive_look_special(endpoint, socket, room, got); /* at the condition */
        }
        if (extent.complete)
            look_at_message(endpoint, socket, room, &extent, got);
        return extent.complete;
    case RECEIVE_DATAGRAMS:
    default:
        receive_look_datagram(element, room, got);
        return true;
    }
}

/* --- taking ------------------------------------------------------------------------------------- */

/* The endpoint's counters, and what the socket has to remember. */
static void note(struct endpoint *endpoint, struct wsp_socket *socket, const struct received *got)
{
    enum rx_kind kind = kind_of(got->first);

    if (rx_is_condition(kind)) {
        endpoint_count(&endpoint->conditions, 1);
        if (kind == RX_END || kind == RX_ABORT) {
            socket->ended = true;
            socket->end = got->status;
        }
        return;
    }
    endpoint_count(&endpoint->received, 1);
    if (got->status == OVERLAPPED_BUFFER_OVERFLOW)
        endpoint_count(&endpoint->truncated, 1);
    else if (got->status == OVERLAPPED_ACCESS_VIOLATION)
        endpoint_count(&endpoint->faulted, 1);
}

void receive_consume_special(struct endpoint *endpoint, struct wsp_socket *socket,
                             const struct received *got)
{
    if (got->first == NULL)
        return;
    note(endpoint, socket, got);
    socket->position = got->position;
    for (uint32_t i = 0; i < got->elements; i++)
        endpoint_consume_front(endpoint);
}

/* --- being ready ---------------------------------------------------------------------------------- */

static bool is_end(enum rx_kind kind)
{
    return kind == RX_END || kind == RX_ABORT;
}

enum receive_ready receive_ready(struct endpoint *endpoint, struct wsp_socket *socket)
{
    const struct ring_element *element = front_from_peer(endpoint, socket);
    struct extent extent;

    if (element == NULL) {
        if (!socket->ended)
            return RECEIVE_NOTHING;
        return socket->end == OVERLAPPED_CONNECTION_RESET ? RECEIVE_ABORTED : RECEIVE_ENDED;
    }
    if (is_end(kind_of(element)))
        return kind_of(element) == RX_ABORT ? RECEIVE_ABORTED : RECEIVE_ENDED;
    if (rx_is_condition(kind_of(element)))
        return RECEIVE_DATA;
    switch (socket->manner) {
    case RECEIVE_MESSAGES:
        extent = measure(endpoint, socket, false);
        if (extent.cut) {
            discard_broken_message(endpoint, socket, &extent);
            return receive_ready(endpoint, socket);
        }
        return extent.complete ? RECEIVE_DATA : RECEIVE_NOTHING;
    case RECEIVE_PARTS:
        extent = measure(endpoint, socket, false);
        return extent.complete || extent.cut ? RECEIVE_DATA : RECEIVE_NOTHING;
    case RECEIVE_BYTES:
    case RECEIVE_DATAGRAMS:
    default:
        return RECEIVE_DATA;
    }
}

uint32_t receive_data_end(const struct endpoint *endpoint)
{
    uint32_t tail = atomic_load_explicit(&endpoint->tail, memory_order_acquire);
    const struct socket_store *store = atomic_load_explicit(&endpoint->store, memory_order_acquire);

    if (tail != atomic_load_explicit(&endpoint->head, memory_order_relaxed) &&
        is_end(kind_of(&store->ring[(tail - 1) & (store->slots - 1)])))
        return tail - 1;
    return tail;
}

bool receive_look_error(struct endpoint *endpoint, struct wsp_socket *socket, struct received *got)
{
    const struct ring_element *element = front_from_peer(endpoint, socket);

    if (element == NULL || !rx_is_condition(kind_of(element)) || kind_of(element) == RX_END)
        return false;
    look_at_condition(element, socket, got);
    return true;
}

void receive_pass_over_others(struct endpoint *endpoint, struct wsp_socket *socket)
{
    (void)front_from_peer(endpoint, socket);
}

uint32_t receive_readable(struct endpoint *endpoint, struct wsp_socket *socket)
{
    const struct ring_element *element = front_from_peer(endpoint, socket);

    if (element == NULL || rx_is_condition(kind_of(element)))
        return 0;
    if (socket->manner == RECEIVE_DATAGRAMS)
        return element->length;
    uint64_t bytes = measure(endpoint, socket, socket->manner == RECEIVE_BYTES).bytes;
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}
