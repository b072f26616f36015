/* SPDX-License-Identifier: BSD-3-Clause */

/* Non-overlapped receives: the common road. */

#include "guard.h"
#include "overlapped_status.h"
#include "receive.h"
#include "receive_take.h"
#include "shutdown.h"
#include "watch.h"

static _Thread_local struct {
    struct wirerx_receive_info info;
    bool known;
} last;

void receive_remember(const struct ring_element *element)
{
    last.info.burst_tsc = rx_meta(element->mbuf)->burst_tsc;
    last.info.drops = element->drops;
    last.known = true;
}

int wirerx_last_receive(struct wirerx_receive_info *info)
{
    if (info == NULL)
        return WSAEFAULT;
    if (!last.known)
        return WSAEINVAL;
    *info = last.info;
    return 0;
}

/* An error is told once, by a peek as by any receive (I13), and an end stays with the socket. */
static bool is_condition(const struct received *got)
{
    return got->first != NULL && rx_is_condition((enum rx_kind)rx_meta(got->first->mbuf)->kind);
}

/* Everything the call returns is written before anything is taken, so that a fault loses nothing: the
 * data stays and the call fails with WSAEFAULT. Under LOCK. @return 0 or WSA error */
static int take(struct endpoint *endpoint, struct wsp_socket *socket,
                const struct receive_call *call, const struct received *got)
{
    bool whole = likely(got->status == OVERLAPPED_SUCCESS);
    int error = whole ? 0 : overlapped_error(got->status);
    DWORD flags = whole ? 0 : overlapped_flags(got->status); /* H10, H11 */

    if (error == WSAEFAULT)
        return error;
    if ((error == 0 || error == WSAEMSGSIZE) && /* I02; A12 */
        (!guard_store32(call->bytes_received, got->bytes) || !guard_store32(call->flags, flags)))
        return WSAEFAULT;
    if (got->first != NULL)
        receive_remember(got->first);
    if (!(call->flags_in & MSG_PEEK) || is_condition(got)) /* H01, H04 */
        receive_consume(endpoint, socket, got);
    return error;
}

/* The baton of a receive that found too little: it is passed on once for what it has seen, and not for
 * ever between receivers none of whom it is enough for. */
static void unlock(struct endpoint *endpoint, struct completion_batch *batch, bool seen_before)
{
    if (seen_before)
        socket_release(endpoint, batch);
    else
        socket_unlock(endpoint, batch);
}

/* The tail up to which everything queued has been looked at and left; nothing may look at the ring between
 * that look and this. A full batch has ended the look early: then no tail there has been is it. */
static uint32_t seen_tail(const struct endpoint *endpoint, const struct completion_batch *batch)
{
    return batch->count >= COMPLETION_BATCH ? endpoint->cached_tail - 1 : endpoint->cached_tail;
}

/* Nothing was there, or not enough. @return 0: look again; else how the call ends */
static int wait_for_more(const struct socket_reference *reference,
                         const struct receive_limits *limits, struct blocking_call *waiting)
{
    if (blocking_cancelled(waiting))
        return WSAEINTR; /* N01; data that was there has won (N03) */
    switch (receive_wait(reference, limits, waiting)) {
    case BLOCKING_TIMED_OUT:
        return WSAETIMEDOUT; /* L01 */
    case BLOCKING_FORKED:
        return WSAENOTSOCK;
    default:
        break;
    }
    int error = socket_relock(reference);

    return error == WSAENOTSOCK ? WSA_OPERATION_ABORTED : error; /* B11: closed meanwhile */
}

__attribute__((noinline)) int receive_or_wait(const struct socket_reference *reference,
                                              const struct receive_call *call, receive_taker *taker,
                                              void *argument, struct completion_batch *batch)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    struct receive_limits limits = {.seen = 0};
    struct blocking_call waiting; /* from when on it has waited */
    bool waited = false;
    int error;

    for (;;) {
        bool found = false;

        error = receive_check_socket(reference, call);
        if (unlikely(error == WSAESHUTDOWN && waited))
            error = 0; /* J12: it was pending before */
        if (error == 0 && blocking_refused() && !socket->nonblocking)
            error = WSAEINPROGRESS; /* A20 */
        /* Posted receives come first: what is queued is theirs (G12). Those that it is not enough for
         * have looked at all of it when this returns, as a taker has when it finds nothing. */
        if (error == 0 && unlikely(socket->receives.first != NULL))
            pending_serve(endpoint, batch);
        if (error == 0 && socket->receives.first == NULL)
            found = taker(reference, argument, &error);
        if (!found && error == 0 && endpoint_seen_empty(endpoint))
            endpoint_flush_returns(endpoint);
        if (found || error != 0) {
            if (unlikely(!socket->plain)) {
                watch_received(endpoint, socket, error, batch);
                shutdown_discard(endpoint, socket);
            }
            socket_unlock(endpoint, batch);
            break;
        }
        uint32_t tail = seen_tail(endpoint, batch);
        bool seen_before = waited && tail == limits.seen;
        bool nonblocking = socket->nonblocking;
        const WSAPROTOCOL_INFOW *protocol = socket->protocol;

        if (!waited)
            limits = receive_limits_of(socket);
        socket->blocked |= !nonblocking;
        limits.seen = tail;
        unlock(endpoint, batch, seen_before);
        if (nonblocking)
            error = WSAEWOULDBLOCK; /* B06 */
        else if (!waited)
            error = blocking_begin(&waiting, protocol);
        if (error != 0)
            break;
        waited = true;
        error = wait_for_more(reference, &limits, &waiting);
        if (error != 0)
            break;
    }
    if (waited)
        blocking_end(&waiting);
    return error;
}

/* One receive with its room. */
struct one {
    const struct receive_call *call;
    const struct receive_room *room;
};

static bool take_one(const struct socket_reference *reference, void *argument, int *error)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    const struct one *one = argument;
    struct received got;

    if (!receive_look(endpoint, socket, one->room, &got))
        return false;
    *error = take(endpoint, socket, one->call, &got);
    return true;
}

int receive_now(const struct socket_reference *reference, const struct receive_call *call)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    struct completion_batch batch; /* not zeroed whole: it is large, and this is every receive */
    struct receive_room room = {call->buffers, call->buffers_count, true,
                                call->from,    call->fromlen,       call->flags_in};
    const struct ring_element *element;
    struct received got;
    int error = socket_relock(reference);

    batch.count = 0;
    if (error != 0)
        return error;
    /* The receive that is tuned: a plain socket, no flags, nobody before it, and a datagram there. */
    if (likely(socket->plain && call->flags_in == 0 && socket->receives.first == NULL &&
               atomic_load_explicit(&endpoint->state, memory_order_relaxed) == ENDPOINT_ATTACHED &&
               !blocking_has_hooks() && (element = endpoint_front(endpoint)) != NULL &&
               rx_meta(element->mbuf)->kind == RX_DATAGRAM)) {
        receive_look_datagram(element, &room, &got);
        if (likely(got.status != OVERLAPPED_ACCESS_VIOLATION &&
                   guard_store32(call->bytes_received, got.bytes) && /* I02 */
                   guard_store32(call->flags, 0))) {                 /* H10, H11 */
            receive_remember(element);
            endpoint_count(&endpoint->received, 1);
            if (unlikely(got.status == OVERLAPPED_BUFFER_OVERFLOW)) {
                endpoint_count(&endpoint->truncated, 1);
                error = WSAEMSGSIZE; /* I01 */
            }
            endpoint_consume(endpoint, element);
        } else {
            error = take(endpoint, socket, call, &got);
        }
        socket_unlock(endpoint, &batch);
        return error;
    }
    struct one one = {call, &room};
    return receive_or_wait(reference, call, take_one, &one, &batch);
}
