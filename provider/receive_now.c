/* SPDX-License-Identifier: BSD-3-Clause */

/* Non-overlapped receives: all but what receive_quick.h does. */

#include "guard.h"
#include "overlapped_status.h"
#include "receive.h"
#include "receive_quick.h"
#include "receive_take.h"
#include "shutdown.h"
#include "watch.h"

_Thread_local struct wirerx_receive_info receive_last;

int wirerx_last_receive(struct wirerx_receive_info *info)
{
    if (info == NULL)
        return WSAEFAULT;
    if (receive_last.burst_tsc == 0)
        return WSAEINVAL;
    *info = receive_last;
    return 0;
}

/* An error is told once, by a peek as by any receive (I13), and an end stays with the socket. */
static bool is_condition(const struct received *got)
{
    return got->first != NULL && rx_is_condition((enum rx_kind)element_meta(got->first)->kind);
}

static void remember(const struct endpoint *endpoint, const struct wsp_socket *socket,
                     const struct ring_element *element)
{
    receive_remember(element, element_meta(element));
    if (unlikely(!endpoint_is_plain(endpoint)) && socket->note_time)
        receive_last_time = receive_time_of(element);
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
    if (unlikely(call->message != NULL) &&
        !receive_message_write(socket, call->message, got->first, got->status))
        return WSAEFAULT;
    if ((error == 0 || error == WSAEMSGSIZE) && /* I02; A12 */
        (!guard_store32(call->bytes_received, got->bytes) || !guard_store32(call->flags, flags)))
        return WSAEFAULT;
    if (got->first != NULL)
        remember(endpoint, socket, got->first);
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
    return batch->ended >= COMPLETION_BATCH ? endpoint_known_tail(endpoint) - 1
                                            : endpoint_known_tail(endpoint);
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
    return 0;
}

static int relock(const struct socket_reference *reference)
{
    int error = socket_relock(reference);

    return error == WSAENOTSOCK ? WSA_OPERATION_ABORTED : error; /* B11: closed meanwhile */
}

/* After a wait the quick receive is tried first: its client counts the nanoseconds. */
static enum quick quick_again(const struct socket_reference *reference,
                              const struct receive_call *call)
{
    uint64_t word = (uint64_t)reference->generation << LOCK_WORD_GENERATION_SHIFT;

    uint64_t self = quick_self();

    if (self == 0)
        return QUICK_NO;
    enum quick quick =
        quick_take(reference->endpoint, word, self, quick_nothing_seen(reference->endpoint),
                   call->buffers, call->bytes_received, call->flags, call->from, call->fromlen);
    if (quick == QUICK_LOCKED_EMPTY) {
        quick_unlock(reference->endpoint);
        return QUICK_EMPTY;
    }
    if (quick < QUICK_DONE)
        return quick;
    quick_pay(reference->endpoint, quick);
    return QUICK_DONE;
}

int receive_or_wait(const struct socket_reference *reference, const struct receive_call *call,
                    receive_taker *taker, void *argument, struct completion_batch *batch)
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
        if (found || error != 0) {
            if (unlikely(!endpoint_is_plain(endpoint))) {
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
        enum quick quick = call->quick ? quick_again(reference, call) : QUICK_NO;
        if (quick == QUICK_NO)
            error = relock(reference);
        else if (quick == QUICK_EMPTY)
            error = WSAEWOULDBLOCK; /* somebody has changed its mind */
        if (error != 0 || quick == QUICK_DONE)
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

int receive_now_locked(const struct socket_reference *reference, const struct receive_call *call)
{
    struct receive_room room = {call->buffers, call->buffers_count, true,
                                call->from,    call->fromlen,       call->flags_in};
    struct one one = {call, &room};
    struct completion_batch batch;

    completion_begin(&batch);
    return receive_or_wait(reference, call, take_one, &one, &batch);
}

int receive_now(const struct socket_reference *reference, const struct receive_call *call)
{
    int error = socket_relock(reference);

    return error != 0 ? error : receive_now_locked(reference, call);
}
