/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped receives: check, complete at once where data waits, else post (clauses C, D). */

#include <string.h>

#include "guard_prefault.h"
#include "indication.h"
#include "overlapped_status.h"
#include "receive.h"
#include "scatter.h"
#include "watch.h"

/* All of the client's memory must be there and writable now (A09b); what happens to it later is the
 * guarded copy's business (A24). */
static int prefault(const struct receive_call *call)
{
    WSABUF buffer;

    if (call->buffers_count > PENDING_MAX_BUFFERS)
        return WSAENOBUFS;
    for (DWORD i = 0; i < call->buffers_count; i++) {
        if (!guard_copy_from(&buffer, scatter_buffer(call->buffers, i), sizeof buffer))
            return WSAEFAULT; /* A23 */
        if (buffer.len != 0 && !guard_prefault_again(buffer.buf, buffer.len))
            return WSAEFAULT;
    }
    if (!guard_prefault_again(call->overlapped, sizeof *call->overlapped))
        return WSAEFAULT;
    if (call->message != NULL &&
        (!guard_prefault_again(call->message->message, sizeof *call->message->message) ||
         !guard_prefault_again(call->message->control, call->message->control_bytes)))
        return WSAEFAULT;
    if (call->from != NULL &&
        (!guard_prefault_again(call->from, sizeof(struct sockaddr_in)) ||
         (call->fromlen != NULL && !guard_prefault_again(call->fromlen, sizeof(INT)))))
        return WSAEFAULT;
    return 0;
}

static int fill_record(struct posted_operation *receive, const struct receive_call *call,
                       const struct indication *indication)
{
    receive->overlapped = call->overlapped;
    receive->routine = call->routine;
    receive->thread = indication->thread;
    receive->event = indication->event;
    receive->from = call->from;
    receive->fromlen = call->fromlen;
    receive->wanted = call->flags_in;
    receive->simple = call->buffers_count == 1 && call->from == NULL && call->flags_in == 0 &&
                      call->message == NULL;
    if (!receive->simple)
        receive->message =
            call->message != NULL ? *call->message : (struct receive_message){.message = NULL};
    receive->buffers_count = call->buffers_count;
    /* G02: the array is the client's again when the call returns. */
    return guard_copy_from(receive->buffers, call->buffers,
                           call->buffers_count * sizeof *call->buffers)
               ? 0
               : WSAEFAULT;
}

/* What an operation that ended within the call returns (C02, C05). */
static int immediate_result(const struct receive_call *call, const struct posted_operation *receive)
{
    DWORD error = receive->error, bytes = receive->bytes, flags = receive->flags;

    if (error != 0)
        return WSA_IO_PENDING; /* C05: one error, one indication */
    if (call->bytes_received != NULL)
        guard_store32(call->bytes_received, bytes);
    guard_store32(call->flags, flags);
    return 0;
}

/* Under LOCK. */
static int post(const struct socket_reference *reference, const struct receive_call *call,
                const struct indication *indication, struct completion_batch *batch)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    int error = receive_check_socket(reference, call);

    if (error != 0)
        return error;
    if (posted_count(endpoint, POSTED_RECEIVE) >= socket->max_posted)
        return WSAEWOULDBLOCK; /* C08 */
    struct posted_operation *receive = posted_take(socket, POSTED_RECEIVE, call->buffers_count);
    if (receive == NULL)
        return WSAENOBUFS;
    error = fill_record(receive, call, indication);
    if (error == 0 && !guard_store64(&call->overlapped->Internal, OVERLAPPED_PENDING))
        error = WSAEFAULT;
    if (error != 0) {
        posted_give_back(receive);
        return error;
    }
    bool first = socket->receives.first == NULL;
    posted_append(endpoint, receive);
    full_fence(); /* F2: `posted` above before the tail below */
    pending_serve(endpoint, batch);
    watch_received(endpoint, socket, 0, batch);
    /* Only the first in line can have been served within the call and still be ours to read: its
     * record comes back under LOCK, which we hold. */
    if (first && socket->receives.first != receive)
        return immediate_result(call, receive);
    return WSA_IO_PENDING;
}

void receive_serve_and_unlock(struct endpoint *endpoint)
{
    struct completion_batch batch;

    completion_begin(&batch);
    pending_serve(endpoint, &batch);
    socket_unlock(endpoint, &batch);
}

/* The error of a check without LOCK, unless the slot was another socket's by then (A05), or is no longer
 * in the state that it found. */
static int confirmed_error(const struct socket_reference *reference,
                           const struct receive_call *call)
{
    struct completion_batch batch = {.count = 0};
    int error = socket_relock(reference);

    if (error != 0)
        return error;
    error = receive_check_socket(reference, call);
    socket_unlock(reference->endpoint, &batch);
    return error;
}

int receive_post(const struct socket_reference *reference, const struct receive_call *call)
{
    struct completion_batch batch;
    struct indication indication = {.event = NULL};
    /* Before the event is reset and memory is touched; the check under LOCK decides. */
    int error = receive_check_socket(reference, call);

    completion_begin(&batch);
    if (unlikely(error != 0))
        error = confirmed_error(reference, call);
    if (error == 0)
        error = prefault(call);
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
