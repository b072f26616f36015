/* SPDX-License-Identifier: BSD-3-Clause */

/* Non-overlapped sends: the common road. */

#include "send_post.h"
#include "spi.h"
#include "watch.h"

/* @return 0: look again; else how the call ends */
static int wait_for_room(const struct socket_reference *reference, const struct send_limits *limits,
                         struct blocking_call *waiting)
{
    if (blocking_cancelled(waiting))
        return WSAEINTR; /* N01 */
    switch (send_wait(reference, limits, waiting)) {
    case BLOCKING_TIMED_OUT:
        return WSAETIMEDOUT;
    case BLOCKING_FORKED:
        return WSAENOTSOCK;
    default:
        break;
    }
    int error = socket_relock(reference);

    return error == WSAENOTSOCK ? WSA_OPERATION_ABORTED : error; /* B11: closed meanwhile */
}

/* Under LOCK. @return 0 sent; WSAEWOULDBLOCK no room, or others are in front; other WSA errors */
static int try_once(const struct socket_reference *reference, const struct send_call *call,
                    struct completion_batch *batch)
{
    struct gather payload = {call->buffers, call->buffers_count, true};
    struct wsp_socket *socket = reference->socket;
    struct send_record record;
    int error = send_check_socket(reference, call, &record);

    if (error == 0 && blocking_refused() && !socket->nonblocking)
        error = WSAEINPROGRESS; /* A20 */
    if (error != 0 || send_is_unbound(reference->endpoint))
        return error;
    if (unlikely(socket->sends.first != NULL)) { /* the room is theirs first, as data is (G12) */
        send_serve(reference->endpoint, socket, batch);
        if (socket->sends.first != NULL)
            return WSAEWOULDBLOCK;
    }
    return send_put(reference->endpoint, &record, &payload, call->bytes_sent);
}

int send_now(const struct socket_reference *reference, const struct send_call *call)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    struct completion_batch batch;
    struct send_limits limits = {.head = 0};
    struct blocking_call waiting; /* from when on it has waited */
    bool waited = false;
    int error = socket_relock(reference);

    completion_begin(&batch);
    if (error != 0)
        return error;
    for (;;) {
        error = try_once(reference, call, &batch);
        bool bind_first = error == 0 && send_is_unbound(endpoint);
        bool full = error == WSAEWOULDBLOCK;
        bool nonblocking = socket->nonblocking;
        const WSAPROTOCOL_INFOW *protocol = socket->protocol;

        if (full && nonblocking) {
            watch_send_blocked(endpoint, socket);
            full_fence(); /* F5: watched before the head below */
            send_serve(endpoint, socket, &batch);
        }
        if (full && !waited)
            limits = send_limits_of(socket);
        if (full)
            send_limits_look(&limits, endpoint);
        socket_unlock(endpoint, &batch);
        if (bind_first) {
            error = spi_bind_implicitly(reference); /* A18 */
            if (error == 0)
                error = socket_relock(reference);
            if (error != 0)
                break;
            continue;
        }
        if (!full || nonblocking)
            break;
        error = waited ? 0 : blocking_begin(&waiting, protocol);
        if (error != 0)
            break;
        waited = true;
        error = wait_for_room(reference, &limits, &waiting);
        if (error != 0)
            break;
    }
    if (waited)
        blocking_end(&waiting);
    return error;
}
