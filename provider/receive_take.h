/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_TAKE_H
#define WIRERX_RECEIVE_TAKE_H

/**
 * @file
 * What one receive takes from a socket's ring, non-overlapped and posted alike. What that is, a whole
 * datagram, a message, a part of one, or bytes, follows from the protocol's traits (Q01 to Q09) and
 * the flags of the call; nothing here asks which protocol it is.
 *
 * Taking has two halves, because a call that cannot return its result must not lose data:
 * receive_look() copies and says what would be taken, receive_consume() takes it. Both under one hold
 * of LOCK.
 */

#include <stdbool.h>
#include <stdint.h>

#include "overlapped_status.h"
#include "scatter.h"
#include "socket.h"

/** Where the bytes go, and under which flags. */
struct receive_room {
    const WSABUF *buffers;
    uint32_t count;
    bool clients_array; /**< the array itself is client memory */
    struct sockaddr *from;
    LPINT fromlen;
    DWORD flags; /**< MSG_* as the call gave them */
};

/** What a receive has got. */
struct received {
    uint32_t status;   /**< OVERLAPPED_*: how the receive ends */
    uint32_t bytes;    /**< copied */
    uint32_t elements; /**< of the ring, used up by it */
    uint32_t position; /**< bytes used of the element behind them */
    const struct ring_element
        *first; /**< the first of them; NULL: the end of the circuit, found earlier */
};

/** How receives of a protocol behave: the page's table, worked out once for each socket. */
enum receive_manner receive_manner_of(const WSAPROTOCOL_INFOW *protocol);

/** Is a receive with these flags one of a byte stream (Q01 to Q04)? */
bool receive_is_byte_stream(const WSAPROTOCOL_INFOW *protocol, DWORD flags);

/**
 * Work out endpoint.plain anew: datagrams from anybody, nothing that refuses receives, no network
 * events, no times, which is the case that is tuned. To be called whenever one of the things it depends on has changed: the
 * protocol, the peer, what has been shut down, which way the socket goes, network events, whether it
 * blocks, whether it notes times. Under LOCK.
 */
void receive_settle_plain(struct endpoint *endpoint);

/** The uncommon part of receive_look(). */
bool receive_look_special(struct endpoint *endpoint, struct wsp_socket *socket,
                          const struct receive_room *room, struct received *got);

/** The uncommon part of receive_consume(). */
void receive_consume_special(struct endpoint *endpoint, struct wsp_socket *socket,
                             const struct received *got);

/** A whole datagram into the room, the rest lost (Q07): the common receive. */
static inline void receive_look_datagram(const struct ring_element *element,
                                         const struct receive_room *room, struct received *got)
{
    got->status = OVERLAPPED_SUCCESS;
    got->elements = 1;
    got->position = 0;
    got->first = element;
    if (unlikely(
            !scatter_copy(element, room->buffers, room->count, room->clients_array, &got->bytes) ||
            !scatter_source(element, room->from, room->fromlen))) {
        got->status = OVERLAPPED_ACCESS_VIOLATION;
        got->bytes = 0;
    } else if (unlikely(got->bytes < element->length)) {
        got->status = OVERLAPPED_BUFFER_OVERFLOW; /* I01, D04 */
    }
}

/**
 * Copy what a receive gets now. Under LOCK.
 * @return false: there is not (enough) for it, it has to wait. Status ACCESS_VIOLATION: the client's
 *         memory was not there
 */
static inline bool receive_look(struct endpoint *endpoint, struct wsp_socket *socket,
                                const struct receive_room *room, struct received *got)
{
    const struct ring_element *element = endpoint_front(endpoint);

    if (unlikely(!endpoint_is_plain(endpoint) ||
                 (element != NULL && element_meta(element)->kind != RX_DATAGRAM)))
        return receive_look_special(endpoint, socket, room, got);
    if (element == NULL)
        return false;
    receive_look_datagram(element, room, got);
    return true;
}

/** Take what receive_look() has shown, count it, and remember an end of the circuit. Under LOCK. */
static inline void receive_consume(struct endpoint *endpoint, struct wsp_socket *socket,
                                   const struct received *got)
{
    if (unlikely(!endpoint_is_plain(endpoint) || got->status != OVERLAPPED_SUCCESS)) {
        receive_consume_special(endpoint, socket, got);
        return;
    }
    endpoint_count(&endpoint->received, 1);
    endpoint_consume_front(endpoint);
}

/** What a receive with room enough and no flags would find. */
enum receive_ready {
    RECEIVE_NOTHING, /**< it would have to wait */
    RECEIVE_DATA,    /**< data, or the error of something sent */
    RECEIVE_ENDED,   /**< all data has been read, and the peer has ended ... */
    RECEIVE_ABORTED, /**< ... or has reset the circuit */
};

/** Is there something for a receive? Copies nothing. Under LOCK, while attached. */
enum receive_ready receive_ready(struct endpoint *endpoint, struct wsp_socket *socket);

/** The ring's tail, less the end of the circuit if that came last: where the data ends. Under LOCK,
 *  while attached. */
uint32_t receive_data_end(const struct endpoint *endpoint);

/** Is an error in front, of something sent or of the circuit? For receive_consume(). Under LOCK, while
 *  attached. */
bool receive_look_error(struct endpoint *endpoint, struct wsp_socket *socket, struct received *got);

/** Discard, counted, what is queued in front and not from the peer (I05). Under LOCK, while attached. */
void receive_pass_over_others(struct endpoint *endpoint, struct wsp_socket *socket);

/**
 * Bytes that FIONREAD tells: of messages the first one's (L08u), of streams all (L08), as far as they
 * have arrived. Under LOCK, while attached.
 */
uint32_t receive_readable(struct endpoint *endpoint, struct wsp_socket *socket);

#endif
