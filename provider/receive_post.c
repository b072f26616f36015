/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped receives: check, complete at once where data waits, else post (clauses C, D). */

#include <string.h>

#include "guard.h"
#include "host/host.h"
#include "overlapped_status.h"
#include "receive.h"
#include "scatter.h"
#include "watch.h"

/** Low bit of hEvent: "no completion-port packet" on Windows; masked off (D14). */
#define EVENT_NO_PACKET 1u

/* Who starts the operation, and what its indication needs, is settled before LOCK: upcalls may not
 * run under it. */
struct indication {
    HANDLE event;
    WSATHREADID thread;
    bool reserved; /* an APC's place is reserved on `thread` */
};

static int prepare_routine(const struct receive_call *call, struct indication *indication)
{
    if (call->thread == NULL ||
        !guard_copy_from(&indication->thread, call->thread, sizeof indication->thread))
        return WSAEFAULT; /* A22; F16: copied, the client may reuse its storage */
    if (!provider_host_is_own)
        return 0;
    int error = host_reserve_apc(&indication->thread);
    indication->reserved = error == 0;
    return error;
}

static int prepare_event(const struct receive_call *call, struct indication *indication)
{
    HANDLE event;
    int error;

    if (!guard_copy_from(&event, &call->overlapped->hEvent, sizeof event))
        return WSAEFAULT;
    event = (HANDLE)((uintptr_t)event & ~(uintptr_t)EVENT_NO_PACKET);
    if (event != NULL && !provider_upcalls.lpWPUResetEvent(event, &error))
        return WSA_INVALID_HANDLE; /* D17; D07: it is reset now */
    indication->event = event;
    if (provider_host_is_own && !host_current_thread(&indication->thread))
        return WSAENOBUFS; /* so that the operation ends when this thread does (K07) */
    return 0;
}

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
        if (buffer.len != 0 && !guard_prefault(buffer.buf, buffer.len))
            return WSAEFAULT;
    }
    if (!guard_prefault(call->overlapped, sizeof *call->overlapped))
        return WSAEFAULT;
    if (call->from != NULL &&
        (!guard_prefault(call->from, sizeof(struct sockaddr_in)) ||
         (call->fromlen != NULL && !guard_prefault(call->fromlen, sizeof(INT)))))
        return WSAEFAULT;
    return 0;
}

static int fill_record(struct posted_receive *receive, const struct receive_call *call,
                       const struct indication *indication)
{
    receive->overlapped = call->overlapped;
    receive->routine = call->routine;
    receive->thread = indication->thread;
    receive->event = indication->event;
    receive->from = call->from;
    receive->fromlen = call->fromlen;
    receive->wanted = call->flags_in;
    receive->buffers_count = call->buffers_count;
    /* G02: the array is the client's again when the call returns. */
    return guard_copy_from(receive->buffers, call->buffers,
                           call->buffers_count * sizeof *call->buffers)
               ? 0
               : WSAEFAULT;
}

/* What an operation that ended within the call returns (C02, C05). */
static int immediate_result(const struct receive_call *call, const struct posted_receive *receive)
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
    if (pending_count(endpoint) >= socket->max_posted)
        return WSAEWOULDBLOCK; /* C08 */
    struct posted_receive *receive = pending_take(socket, call->buffers_count);
    if (receive == NULL)
        return WSAENOBUFS;
    error = fill_record(receive, call, indication);
    if (error == 0 && !guard_store64(&call->overlapped->Internal, OVERLAPPED_PENDING))
        error = WSAEFAULT;
    if (error != 0) {
        pending_give_back(receive);
        return error;
    }
    bool first = socket->first == NULL;
    pending_post(endpoint, receive);
    full_fence(); /* F2: `posted` above before the tail below */
    pending_serve(endpoint, batch);
    watch_received(endpoint, socket, 0, batch);
    /* Only the first in line can have been served within the call and still be ours to read: its
     * record comes back under LOCK, which we hold. */
    if (first && batch->count != 0 && socket->first != receive)
        return immediate_result(call, receive);
    return WSA_IO_PENDING;
}

int receive_post(const struct socket_reference *reference, const struct receive_call *call)
{
    struct completion_batch batch;
    struct indication indication = {.event = NULL};
    /* Before the event is reset and memory is touched; the check under LOCK decides. */
    int error = receive_check_socket(reference, call);

    batch.count = 0;
    if (error == 0)
        error = prefault(call);
    if (error == 0)
        error = call->routine != NULL ? prepare_routine(call, &indication)
                                      : prepare_event(call, &indication);
    if (error != 0)
        return error;
    error = socket_relock(reference);
    if (error == 0) {
        error = post(reference, call, &indication, &batch);
        socket_unlock(reference->endpoint, &batch);
    }
    if (error != 0 && error != WSA_IO_PENDING && indication.reserved)
        host_cancel_apc(&indication.thread);
    return error;
}
