/* SPDX-License-Identifier: BSD-3-Clause */
#include "send_post.h"

#include "guard.h"
#include "indication.h"
#include "overlapped_status.h"
#include "scatter.h"
#include "spi.h"
#include "watch.h"

/* --- serving ------------------------------------------------------------------------------------ */

static uint32_t status_of(int error)
{
    switch (error) {
    case 0:
        return OVERLAPPED_SUCCESS;
    case WSAEFAULT: /* the memory has gone since it was posted, as of a receive (A24) */
        return OVERLAPPED_ACCESS_VIOLATION;
    default:
        return OVERLAPPED_INSUFFICIENT_RESOURCES;
    }
}

static bool serve_posted(struct endpoint *endpoint, struct wsp_socket *socket,
                         struct completion_batch *batch)
{
    struct posted_operation *send;

    while ((send = socket->sends.first) != NULL) {
        struct gather payload = {send->buffers, send->buffers_count, false};

        if (batch->ended >= COMPLETION_BATCH)
            return send_queue_has_room(&endpoint->send, send->record.length);
        int error = send_put(endpoint, &send->record, &payload, NULL);
        if (error == WSAEWOULDBLOCK)
            break;
        posted_remove_first(endpoint, POSTED_SEND);
        posted_finish(send, status_of(error), error == 0 ? send->record.length : 0, batch);
    }
    return false;
}

bool send_serve(struct endpoint *endpoint, struct wsp_socket *socket,
                struct completion_batch *batch)
{
    if (serve_posted(endpoint, socket, batch))
        return true;
    if (posted_is_watched(endpoint, POSTED_SEND) && socket->sends.first == NULL &&
        send_queue_is_writable(&endpoint->send))
        watch_writable(endpoint, socket, batch);
    return false;
}

/* --- posting ------------------------------------------------------------------------------------ */

/* What the call is refused for, before its event is reset; and the name that the socket needs. */
static int check_and_bind(const struct socket_reference *reference, const struct send_call *call)
{
    struct completion_batch batch = {.count = 0};
    struct send_record record;

    for (;;) {
        int error = socket_relock(reference);

        if (error != 0)
            return error;
        error = send_check_socket(reference, call, &record);
        bool bound = !send_is_unbound(reference->endpoint);
        socket_unlock(reference->endpoint, &batch);
        if (error != 0 || bound)
            return error;
        error = spi_bind_implicitly(reference); /* A18 */
        if (error != 0)
            return error;
    }
}

/* All of the client's memory must be there now; what happens to it later is the guarded copy's
 * business. */
static int check_memory(const struct send_call *call)
{
    struct gather payload = {call->buffers, call->buffers_count, true};

    if (call->buffers_count > PENDING_MAX_BUFFERS)
        return WSAENOBUFS;
    if (!gather_is_readable(&payload) ||
        !guard_prefault(call->overlapped, sizeof *call->overlapped))
        return WSAEFAULT;
    return 0;
}

static int fill_record(struct posted_operation *send, const struct send_call *call,
                       const struct indication *indication)
{
    struct gather payload = {send->buffers, call->buffers_count, false};
    uint64_t length;

    send->overlapped = call->overlapped;
    send->routine = call->routine;
    send->thread = indication->thread;
    send->event = indication->event;
    send->buffers_count = call->buffers_count;
    /* G02: the array is the client's again when the call returns. */
    if (!guard_copy_from(send->buffers, call->buffers,
                         call->buffers_count * sizeof *call->buffers) ||
        !gather_length(&payload, &length) || length != call->length)
        return WSAEFAULT; /* it is not there, or changes under the call */
    return guard_store64(&call->overlapped->Internal, OVERLAPPED_PENDING) ? 0 : WSAEFAULT;
}

/* What an operation that ended within the call returns (C02, C05). */
static int immediate_result(const struct send_call *call, const struct posted_operation *send)
{
    DWORD error = send->error, bytes = send->bytes;

    if (error != 0)
        return WSA_IO_PENDING; /* one error, one indication */
    if (call->bytes_sent != NULL)
        guard_store32(call->bytes_sent, bytes);
    return 0;
}

/* Under LOCK. */
static int post(const struct socket_reference *reference, const struct send_call *call,
                const struct indication *indication, struct completion_batch *batch)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    struct send_record record;
    int error = send_check_socket(reference, call, &record);

    if (error == 0 && dataplane_send_prepare(endpoint) != 0)
        error = WSAENOBUFS;
    if (error != 0)
        return error;
    if (posted_count(endpoint, POSTED_SEND) >= socket->max_posted)
        return WSAEWOULDBLOCK; /* C08 */
    struct posted_operation *send = posted_take(socket, POSTED_SEND, call->buffers_count);
    if (send == NULL)
        return WSAENOBUFS;
    send->record = record;
    error = fill_record(send, call, indication);
    if (error != 0) {
        posted_give_back(send);
        return error;
    }
    bool first = socket->sends.first == NULL;
    posted_append(endpoint, send);
    full_fence(); /* F5: `posted` above before the head below */
    send_serve(endpoint, socket, batch);
    /* Only the first in line can have been served within the call and still be ours to read: its
     * record comes back under LOCK, which we hold. */
    if (first && socket->sends.first != send)
        return immediate_result(call, send);
    return WSA_IO_PENDING;
}

int send_post(const struct socket_reference *reference, const struct send_call *call)
{
    struct completion_batch batch;
    struct indication indication = {.event = NULL};
    int error = check_and_bind(reference, call);

    completion_begin(&batch);
    if (error == 0)
        error = check_memory(call);
    if (error == 0)
        error = indication_prepare(call->overlapped, call->routine, call->thread, &indication);
    if (error != 0)
        return error;
    error = socket_relock(reference);
    if (error == 0) {
        error = post(reference, call, &indication, &batch);
        socket_unlock(reference->endpoint, &batch);
    }
    if (error != 0 && error != WSA_IO_PENDING)
        indication_cancel(&indication);
    return error;
}
