/* SPDX-License-Identifier: BSD-3-Clause */

/* Non-overlapped receives: the common road. */

#include "guard.h"
#include "receive.h"
#include "scatter.h"

#define NS_PER_MS 1000000u

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

/* Everything the call returns is written before the datagram is taken, so that a fault loses
 * nothing: the datagram stays and the call fails with WSAEFAULT. Under LOCK. */
static int take(struct endpoint *endpoint, const struct ring_element *element,
                const struct receive_call *call)
{
    uint32_t copied;
    bool peek = (call->flags_in & MSG_PEEK) != 0;

    if (!scatter_copy(element, call->buffers, call->buffers_count, true, &copied) ||
        !scatter_source(element, call->from, call->fromlen) ||
        !guard_store32(call->bytes_received, copied))
        return WSAEFAULT;
    bool truncated = copied < element->length;
    if (!truncated && !guard_store32(call->flags, 0)) /* H11 */
        return WSAEFAULT;
    receive_remember(element);
    if (!peek) { /* H01 */
        endpoint_count(&endpoint->received, 1);
        if (truncated)
            endpoint_count(&endpoint->truncated, 1);
        endpoint_consume(endpoint, element);
    }
    return truncated ? WSAEMSGSIZE : 0; /* I01, I02, H04 */
}

int receive_now(const struct socket_reference *reference, const struct receive_call *call)
{
    struct endpoint *endpoint = reference->endpoint;
    const struct wsp_socket *socket = reference->socket;
    struct completion_batch batch; /* not zeroed whole: it is large, and this is every receive */
    uint64_t deadline = 0;
    bool waited = false;
    int error = socket_relock(reference);

    batch.count = 0;
    if (error != 0)
        return error;
    for (;;) {
        error = receive_check_socket(reference, call);
        const struct ring_element *element = NULL;

        /* Posted receives come first: what is queued is theirs (G12). */
        if (error == 0 && socket->first == NULL)
            element = endpoint_front(endpoint);
        if (element != NULL)
            error = take(endpoint, element, call);
        else if (error == 0)
            endpoint_flush_returns(endpoint);
        bool nonblocking = socket->nonblocking;
        uint32_t timeout_ms = socket->receive_timeout_ms, spin_us = socket->spin_us;
        socket_unlock(endpoint, &batch);
        if (error != 0 || element != NULL)
            return error;
        if (nonblocking)
            return WSAEWOULDBLOCK; /* B06 */

        if (!waited)
            deadline =
                timeout_ms == 0 ? WAKE_FOREVER : wake_clock() + (uint64_t)timeout_ms * NS_PER_MS;
        waited = true;
        if (receive_wait(reference, spin_us, deadline) == RECEIVE_TIMED_OUT)
            return WSAETIMEDOUT; /* L01 */
        error = socket_relock(reference);
        if (error != 0) /* closed while this call was blocked: B11 */
            return error == WSAENOTSOCK ? WSA_OPERATION_ABORTED : error;
    }
}
