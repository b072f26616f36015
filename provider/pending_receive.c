/* SPDX-License-Identifier: BSD-3-Clause */
#include "pending_receive.h"

#include <string.h>

#include "guard.h"
#include "guard_inline.h"
#include "host/host.h"
#include "overlapped_status.h"
#include "quick_obstacles.h"
#include "receive_take.h"
#include "send_post.h"
#include "shutdown.h"
#include "watch.h"

/* --- serving -------------------------------------------------------------------------------------- */

/* SO_WIRERX_STAMP: the burst's time in Offset and OffsetHigh, which are one aligned 64-bit word. */
static void stamp(const struct wsp_socket *socket, const struct posted_operation *receive,
                  const struct ring_element *element)
{
    if (socket->stamp)
        guard_store64(&receive->overlapped->Offset, element_meta(element)->burst_tsc);
}

/* The datagram is gone even when the buffers were (A24): a posted receive has no second try. */
static void complete_with(struct endpoint *endpoint, struct posted_operation *receive,
                          struct received *got, struct completion_batch *batch)
{
    if (!receive->simple && receive->message.message != NULL &&
        got->status != OVERLAPPED_ACCESS_VIOLATION &&
        !receive_message_write(receive->owner, &receive->message, got->first, got->status))
        got->status = OVERLAPPED_ACCESS_VIOLATION;
    if (got->first != NULL) { /* else the end of the circuit, found earlier */
        stamp(receive->owner, receive, got->first);
        receive_consume(endpoint, receive->owner, got);
    }
    posted_finish(receive, got->status, got->bytes, batch);
}

static bool look_for(struct endpoint *endpoint, struct posted_operation *receive,
                     struct received *got)
{
    struct receive_room room = {
        .buffers = receive->buffers,
        .count = receive->buffers_count,
        .from = receive->from,
        .fromlen = receive->fromlen,
        .flags = receive->wanted,
    };

    return receive_look(endpoint, receive->owner, &room, got);
}

/** Payload bytes that one service by an lcore copies before it leaves the rest to the next: while it copies
 *  it polls no queue. Clients copy for themselves. */
#define SERVE_BYTES_ON_LCORE 32768u

/* One datagram for one receive, where both are as simple as they mostly are; as look_for() and
 * complete_with() would do it. The record comes back under LOCK, the next to be used. */
static inline bool complete_simply(struct endpoint *endpoint, struct wsp_socket *socket,
                                   struct posted_operation *receive,
                                   const struct ring_element *front, struct completion_batch *batch)
{
    const struct ring_element element = *front;
    WSAOVERLAPPED *overlapped = receive->overlapped;

    if (unlikely(!receive->simple || !element_is_plain(&element) ||
                 receive->buffers[0].len < element.length ||
                 !guard_copy_direct(receive->buffers[0].buf, element_plain_payload(&element),
                                    element.length)))
        return false;
    posted_shift_receive(endpoint, socket);
    endpoint_count(&endpoint->received, 1);
    endpoint_consume(endpoint, &element);
    receive->error = 0;
    receive->bytes = element.length;
    receive->flags = 0;
    if (guard_put64(guard_member(overlapped, WSAOVERLAPPED, InternalHigh), element.length))
        guard_put64_release(guard_member(overlapped, WSAOVERLAPPED, Internal),
                            OVERLAPPED_SUCCESS); /* D13 */
    if (!completion_add(batch, receive))
        posted_give_back(receive);
    return true;
}

/* Nothing is to be written but what every receive is given, and by guarded instructions in line. */
static bool may_complete_simply(const struct endpoint *endpoint, const struct wsp_socket *socket)
{
    return !quick_is_obstructed() && endpoint_is_plain(endpoint) && !socket->stamp;
}

static bool serve_receives(struct endpoint *endpoint, struct wsp_socket *socket,
                           struct completion_batch *batch, uint64_t most_bytes)
{
    bool simply = may_complete_simply(endpoint, socket);
    const struct ring_element *front;
    struct posted_operation *receive;
    struct received got;
    uint64_t bytes = 0;

    while ((receive = socket->receives.first) != NULL) {
        if (batch->ended >= COMPLETION_BATCH || bytes >= most_bytes)
            return endpoint_front(endpoint) != NULL || socket->ended;
        if (likely(simply)) {
            if ((front = endpoint_front(endpoint)) == NULL)
                break;
            uint32_t length = front->length;
            if (likely(complete_simply(endpoint, socket, receive, front, batch))) {
                bytes += length;
                continue;
            }
        }
        if (!look_for(endpoint, receive, &got))
            break;
        posted_remove_first(endpoint, POSTED_RECEIVE);
        complete_with(endpoint, receive, &got, batch);
        bytes += got.bytes;
    }
    return false;
}

static bool serve(struct endpoint *endpoint, struct completion_batch *batch, uint64_t most_bytes)
{
    struct wsp_socket *socket = socket_of(endpoint);

    bool more = serve_receives(endpoint, socket, batch, most_bytes);

    if (unlikely(socket->sends.first != NULL || posted_is_watched(endpoint, POSTED_SEND)))
        more |= send_serve(endpoint, socket, batch);
    if (more)
        return true;
    if (unlikely(posted_is_watched(endpoint, POSTED_RECEIVE))) {
        shutdown_discard(endpoint, socket);
        watch_serve(endpoint, socket, batch); /* M08: what is left of the data */
    }
    return false;
}

bool pending_serve(struct endpoint *endpoint, struct completion_batch *batch)
{
    return serve(endpoint, batch, UINT64_MAX);
}

/* --- releasing LOCK ------------------------------------------------------------------------------- */

void socket_release(struct endpoint *endpoint, struct completion_batch *batch)
{
    while (!lock_word_release(&endpoint->word)) {
        /* AGAIN was set and is cleared: data may have come that a posted receive wants. */
        if (pending_serve(endpoint, batch)) {
            lock_word_hand_back(&endpoint->word);
            break;
        }
    }
    batch->ended = 0; /* of this hold; the next one begins anew */
    if (batch->count != 0)
        completion_signal(batch);
}

void socket_pass_baton(struct endpoint *endpoint)
{
    if (unlikely(atomic_load_explicit(&endpoint->sleepers, memory_order_relaxed) != 0) &&
        endpoint_queued(endpoint) != 0)
        endpoint_wake_one(endpoint);
}

void socket_unlock(struct endpoint *endpoint, struct completion_batch *batch)
{
    socket_release(endpoint, batch);
    socket_pass_baton(endpoint);
}

void socket_unlock_owing(struct endpoint *endpoint)
{
    struct completion_batch batch = {.count = 0};

    socket_unlock(endpoint, &batch);
}

/* --- the dataplane's callbacks ---------------------------------------------------------------------- */

static bool serve_on_lcore(struct endpoint *endpoint)
{
    struct completion_batch batch;

    completion_begin(&batch);
    bool more = serve(endpoint, &batch, SERVE_BYTES_ON_LCORE);

    lock_word_release_from_lcore(&endpoint->word, more);
    completion_signal(&batch);
    return more;
}

void pending_serve_all(struct endpoint *endpoint, uint32_t generation)
{
    bool more = true;

    while (more) {
        struct completion_batch batch = {.count = 0};

        if (lock_word_acquire(&endpoint->word, generation) != LOCK_ACQUIRED)
            return;
        more = pending_serve(endpoint, &batch);
        socket_unlock(endpoint, &batch);
    }
}

static void serve_as_client(struct endpoint *endpoint)
{
    uint32_t generation =
        lock_word_generation(atomic_load_explicit(&endpoint->word, memory_order_relaxed));

    /* An even generation is a slot that is closed or closing: the lcore may be its consumer. */
    if ((generation & 1) != 0)
        pending_serve_all(endpoint, generation);
}

static bool must_leave_lcore(void)
{
    return !provider_host_is_own || guard_lost();
}

static void network_down(struct endpoint *endpoint)
{
    struct completion_batch batch = {.count = 0};
    uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
    const struct ring_element *element;

    if ((lock_word_generation(word) & 1) == 0 ||
        lock_word_acquire(&endpoint->word, lock_word_generation(word)) != LOCK_ACQUIRED) {
        /* Being closed: nothing waits any more. The caller is the next consumer: acquire, with the
         * release in lock_word_retire(), so that it finds what the last one has left. */
        (void)atomic_load_explicit(&endpoint->word, memory_order_acquire);
        return;
    }
    struct posted_operation *list = posted_remove_all(endpoint);
    while ((element = endpoint_front(endpoint)) != NULL)
        endpoint_consume(endpoint, element);
    loans_recall(endpoint, socket_of(endpoint));
    atomic_store_explicit(&endpoint->state, ENDPOINT_NET_DOWN, memory_order_release);
    watch_net_down(endpoint, socket_of(endpoint), &batch);
    /* No lcore runs, so an AGAIN that one left behind is owed nothing. */
    while (!lock_word_release(&endpoint->word))
        continue;
    completion_signal(&batch);
    posted_end_list(list, OVERLAPPED_NETWORK_UNREACHABLE); /* D18 */
    endpoint_wake_all(endpoint);
    endpoint_wake_senders(endpoint);
}

static void tick(void)
{
    guard_check();
}

const struct endpoint_operations pending_operations = {
    .serve = serve_on_lcore,
    .serve_from_service = serve_as_client,
    .on_service_thread = must_leave_lcore,
    .network_down = network_down,
    .tick = tick,
};

/* --- threads that exit ---------------------------------------------------------------------------- */

static bool started_by(const struct posted_operation *receive, const void *argument)
{
    return memcmp(&receive->thread, argument, sizeof(WSATHREADID)) == 0;
}

void pending_thread_exit(const WSATHREADID *id)
{
    for (uint32_t slot = 0; slot < CONFIG_MAX_SOCKETS; slot++) {
        struct endpoint *endpoint = endpoint_at(slot);
        struct posted_operation *list = NULL, *receive;

        if (endpoint == NULL) {
            slot += ENDPOINT_CHUNK - 1;
            continue;
        }
        uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
        struct socket_reference reference = {endpoint, socket_of(endpoint),
                                             lock_word_generation(word)};
        if ((reference.generation & 1) != 0 && socket_relock(&reference) == 0) {
            struct completion_batch batch = {.count = 0};

            while ((receive = posted_remove(endpoint, started_by, id)) != NULL) {
                receive->next = list;
                list = receive;
            }
            socket_unlock(endpoint, &batch);
            if (list != NULL) /* what was queued for them is for others now */
                pending_serve_all(endpoint, reference.generation);
        }
        posted_cancel_list(list);
    }
}
