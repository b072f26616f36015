/* SPDX-License-Identifier: BSD-3-Clause */
#include "pending_receive.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "blocking.h"
#include "guard.h"
#include "host/host.h"
#include "overlapped_status.h"
#include "receive_take.h"
#include "shutdown.h"
#include "watch.h"

/* --- records ---------------------------------------------------------------------------------- */

static void recycle(struct posted_receive *receive)
{
    struct wsp_socket *owner = receive->owner;
    struct posted_receive *head = atomic_load_explicit(&owner->recycled, memory_order_relaxed);

    do
        receive->next = head;
    while (!atomic_compare_exchange_weak_explicit(&owner->recycled, &head, receive,
                                                  memory_order_release, memory_order_relaxed));
}

static struct posted_receive *make_record(struct wsp_socket *socket)
{
    struct posted_receive *receive = calloc(1, sizeof *receive);

    if (receive == NULL)
        return NULL;
    receive->owner = socket;
    receive->buffers = receive->inline_buffers;
    receive->buffers_capacity = PENDING_INLINE_BUFFERS;
    return receive;
}

static bool make_room(struct posted_receive *receive, uint32_t buffers)
{
    if (buffers <= receive->buffers_capacity)
        return true;
    WSABUF *larger = malloc(buffers * sizeof *larger);
    if (larger == NULL)
        return false;
    if (receive->buffers != receive->inline_buffers)
        free(receive->buffers);
    receive->buffers = larger;
    receive->buffers_capacity = buffers;
    return true;
}

struct posted_receive *pending_take(struct wsp_socket *socket, uint32_t buffers)
{
    struct posted_receive *receive = socket->unused;

    if (receive == NULL) /* acquire: whoever recycled the record has finished with it */
        receive = atomic_exchange_explicit(&socket->recycled, NULL, memory_order_acquire);
    if (receive == NULL) {
        receive = make_record(socket);
        if (receive == NULL)
            return NULL;
        receive->next = NULL;
    }
    socket->unused = receive->next;
    if (make_room(receive, buffers))
        return receive;
    pending_give_back(receive);
    return NULL;
}

void pending_give_back(struct posted_receive *receive)
{
    receive->next = receive->owner->unused;
    receive->owner->unused = receive;
}

/* --- the posted list ---------------------------------------------------------------------------- */

/* What the lcore looks at after fence F1. Under LOCK there is one writer. */
static void set_posted(struct endpoint *endpoint, uint32_t posted)
{
    atomic_store_explicit(&endpoint->posted, posted, memory_order_relaxed);
}

static uint32_t posted_word(const struct endpoint *endpoint)
{
    return atomic_load_explicit(&endpoint->posted, memory_order_relaxed);
}

uint32_t pending_count(const struct endpoint *endpoint)
{
    return posted_word(endpoint) & ~ENDPOINT_WATCHED;
}

void pending_watch(struct endpoint *endpoint, bool watched)
{
    set_posted(endpoint, pending_count(endpoint) | (watched ? ENDPOINT_WATCHED : 0));
}

void pending_post(struct endpoint *endpoint, struct posted_receive *receive)
{
    struct wsp_socket *socket = receive->owner;

    receive->next = NULL;
    if (socket->first == NULL)
        socket->first = receive;
    else
        socket->last->next = receive;
    socket->last = receive;
    set_posted(endpoint, posted_word(endpoint) + 1);
}

static void remove_first(struct endpoint *endpoint, struct wsp_socket *socket)
{
    struct posted_receive *receive = socket->first;

    socket->first = receive->next;
    if (socket->first == NULL)
        socket->last = NULL;
    set_posted(endpoint, posted_word(endpoint) - 1);
}

struct posted_receive *pending_remove(struct endpoint *endpoint,
                                      bool (*matches)(const struct posted_receive *, const void *),
                                      const void *argument)
{
    struct wsp_socket *socket = socket_of(endpoint);
    struct posted_receive *before = NULL;

    for (struct posted_receive *r = socket->first; r != NULL; before = r, r = r->next) {
        if (!matches(r, argument))
            continue;
        if (before == NULL) {
            remove_first(endpoint, socket);
            return r;
        }
        before->next = r->next;
        if (socket->last == r)
            socket->last = before;
        set_posted(endpoint, posted_word(endpoint) - 1);
        return r;
    }
    return NULL;
}

struct posted_receive *pending_remove_all(struct endpoint *endpoint)
{
    struct wsp_socket *socket = socket_of(endpoint);
    struct posted_receive *list = socket->first;

    socket->first = socket->last = NULL;
    set_posted(endpoint, posted_word(endpoint) & ENDPOINT_WATCHED);
    return list;
}

/* --- ending ---------------------------------------------------------------------------------------- */

/* The client's OVERLAPPED: count first, then the status that makes it visible (D13). A fault here
 * means that the client has unmapped it; the operation ends all the same. */
static void publish_result(const struct posted_receive *receive, uint32_t status, uint32_t bytes)
{
    WSAOVERLAPPED *overlapped = receive->overlapped;

    if (guard_store64(&overlapped->InternalHigh, bytes))
        guard_store64_release(&overlapped->Internal, status);
}

/* Room in the batch is the caller's business. The record may be used again when this returns,
 * unless a routine still has to be told. */
static void finish(struct posted_receive *receive, uint32_t status, uint32_t bytes,
                   struct completion_batch *batch)
{
    HANDLE event = receive->event;

    receive->error = (DWORD)overlapped_error(status);
    receive->bytes = bytes;
    receive->flags = overlapped_flags(status);
    publish_result(receive, status, bytes);
    batch->rows[batch->count].event = event;
    batch->rows[batch->count].routine = receive->routine != NULL ? receive : NULL;
    batch->rows[batch->count].bell = NULL;
    batch->count++;
    if (receive->routine == NULL)
        recycle(receive);
}

void pending_end(struct posted_receive *receive, uint32_t status, struct completion_batch *batch)
{
    finish(receive, status, 0, batch);
}

/* SO_WIRERX_STAMP: the burst's time in Offset and OffsetHigh, which are one aligned 64-bit word. */
static void stamp(const struct wsp_socket *socket, const struct posted_receive *receive,
                  const struct ring_element *element)
{
    if (socket->stamp)
        guard_store64(&receive->overlapped->Offset, rx_meta(element->mbuf)->burst_tsc);
}

/* The datagram is gone even when the buffers were (A24): a posted receive has no second try. */
static void complete_with(struct endpoint *endpoint, struct posted_receive *receive,
                          const struct received *got, struct completion_batch *batch)
{
    if (got->first != NULL) { /* else the end of the circuit, found earlier */
        stamp(receive->owner, receive, got->first);
        receive_consume(endpoint, receive->owner, got);
    }
    finish(receive, got->status, got->bytes, batch);
}

static bool look_for(struct endpoint *endpoint, struct posted_receive *receive,
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

static bool serve_posted(struct endpoint *endpoint, struct wsp_socket *socket,
                         struct completion_batch *batch)
{
    struct posted_receive *receive;
    struct received got;

    while ((receive = socket->first) != NULL) {
        if (batch->count >= COMPLETION_BATCH)
            return endpoint_front(endpoint) != NULL || socket->ended;
        if (!look_for(endpoint, receive, &got))
            break;
        remove_first(endpoint, socket);
        complete_with(endpoint, receive, &got, batch);
    }
    return false;
}

bool pending_serve(struct endpoint *endpoint, struct completion_batch *batch)
{
    struct wsp_socket *socket = socket_of(endpoint);

    if (serve_posted(endpoint, socket, batch))
        return true;
    if (unlikely(posted_word(endpoint) & ENDPOINT_WATCHED)) {
        shutdown_discard(endpoint, socket);
        watch_serve(endpoint, socket, batch); /* M08: what is left of the data */
    }
    if (endpoint_seen_empty(endpoint))
        endpoint_flush_returns(endpoint);
    return false;
}

/* --- indicating ------------------------------------------------------------------------------------ */

/* Runs on the thread that started the operation, in an alertable wait. */
static void CALLBACK run_routine(DWORD_PTR context)
{
    struct posted_receive *receive = (struct posted_receive *)context;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = receive->routine;
    LPWSAOVERLAPPED overlapped = receive->overlapped;
    DWORD error = receive->error, bytes = receive->bytes, flags = receive->flags;

    if (provider_host_is_own && !host_begin_routine((uintptr_t)receive->owner))
        return;       /* a routine of this socket runs: this one comes after it (F08) */
    recycle(receive); /* before the routine: it may post again, or not return (longjmp) */
    if (unlikely(blocking_refused())) {
        struct blocking_call self;

        blocking_enter_routine(&self);
        routine(error, bytes, overlapped, flags);
        blocking_leave_routine(&self);
        return;
    }
    routine(error, bytes, overlapped, flags);
}

void completion_add_event(struct completion_batch *batch, HANDLE event)
{
    unsigned i = 0;

    while (i < batch->count && batch->rows[i].event != event)
        i++;
    batch->rows[i].event = event;
    if (i < batch->count) /* setting it twice says no more than once */
        return;
    batch->rows[i].routine = NULL;
    batch->rows[i].bell = NULL;
    batch->count++;
}

void completion_add_bell(struct completion_batch *batch, struct select_bell *bell)
{
    unsigned i = batch->count++;

    batch->rows[i].event = NULL;
    batch->rows[i].routine = NULL;
    batch->rows[i].bell = bell;
}

static void signal_all(struct completion_batch *batch)
{
    int error;

    for (unsigned i = 0; i < batch->count; i++) {
        struct posted_receive *receive = batch->rows[i].routine;

        if (receive != NULL) {
            /* The copy of the identity lives until the call returns (F16). */
            if (provider_upcalls.lpWPUQueueApc(&receive->thread, run_routine, (DWORD_PTR)receive,
                                               &error) != 0)
                recycle(receive); /* the thread has exited: the routine never runs (F15) */
        } else if (batch->rows[i].event != NULL) {
            provider_upcalls.lpWPUSetEvent(batch->rows[i].event, &error);
        } else if (batch->rows[i].bell != NULL) {
            select_ring(batch->rows[i].bell);
        }
    }
    batch->count = 0;
}

void completion_signal(struct completion_batch *batch)
{
    int state;

    if (provider_host_is_own) {
        signal_all(batch);
        return;
    }
    /* Another host's functions may be cancellation points, and what is not indicated now never is. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    signal_all(batch);
    pthread_setcancelstate(state, NULL);
}

void socket_release(struct endpoint *endpoint, struct completion_batch *batch)
{
    while (!lock_word_release(&endpoint->word)) {
        /* AGAIN was set and is cleared: data may have come that a posted receive wants. */
        if (pending_serve(endpoint, batch)) {
            lock_word_hand_back(&endpoint->word);
            break;
        }
    }
    if (batch->count != 0)
        completion_signal(batch);
}

void socket_unlock(struct endpoint *endpoint, struct completion_batch *batch)
{
    socket_release(endpoint, batch);
    /* The baton: whoever leaves data behind wakes the next sleeper. */
    if (unlikely(atomic_load_explicit(&endpoint->sleepers, memory_order_relaxed) != 0) &&
        endpoint_queued(endpoint) != 0)
        endpoint_wake_one(endpoint);
}

/* --- the dataplane's callbacks ---------------------------------------------------------------------- */

static bool serve_on_lcore(struct endpoint *endpoint)
{
    struct completion_batch batch;

    batch.count = 0;
    bool more = pending_serve(endpoint, &batch);

    lock_word_release_from_lcore(&endpoint->word, more);
    completion_signal(&batch);
    return more;
}

static void serve_as_client(struct endpoint *endpoint)
{
    bool more = true;

    while (more) {
        struct completion_batch batch = {.count = 0};
        uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);

        /* An even generation is a slot that is closed or closing: the lcore may be its consumer. */
        if ((lock_word_generation(word) & 1) == 0 ||
            lock_word_acquire(&endpoint->word, lock_word_generation(word)) != LOCK_ACQUIRED)
            return;
        more = pending_serve(endpoint, &batch);
        socket_unlock(endpoint, &batch);
    }
}

static bool must_leave_lcore(void)
{
    return !provider_host_is_own || guard_lost();
}

/* Indicates the ends of a list that has been taken off, a batch at a time. Not under LOCK. */
static void end_list(struct posted_receive *list, uint32_t status)
{
    struct completion_batch batch = {.count = 0};

    while (list != NULL) {
        struct posted_receive *receive = list;

        list = receive->next;
        pending_end(receive, status, &batch);
        if (batch.count == COMPLETION_BATCH)
            completion_signal(&batch);
    }
    completion_signal(&batch);
}

static void network_down(struct endpoint *endpoint)
{
    struct completion_batch batch = {.count = 0};
    uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
    const struct ring_element *element;

    if ((lock_word_generation(word) & 1) == 0 ||
        lock_word_acquire(&endpoint->word, lock_word_generation(word)) != LOCK_ACQUIRED)
        return; /* being closed: nothing waits any more */
    struct posted_receive *list = pending_remove_all(endpoint);
    while ((element = endpoint_front(endpoint)) != NULL)
        endpoint_consume(endpoint, element);
    endpoint_flush_returns(endpoint);
    atomic_store_explicit(&endpoint->state, ENDPOINT_NET_DOWN, memory_order_release);
    watch_net_down(endpoint, socket_of(endpoint), &batch);
    /* No lcore runs, so an AGAIN that one left behind is owed nothing. */
    while (!lock_word_release(&endpoint->word))
        continue;
    completion_signal(&batch);
    end_list(list, OVERLAPPED_NETWORK_UNREACHABLE); /* D18 */
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

/* --- cancelling --------------------------------------------------------------------------------------- */

void pending_cancel_list(struct posted_receive *list)
{
    end_list(list, OVERLAPPED_CANCELLED);
}

static bool started_by(const struct posted_receive *receive, const void *argument)
{
    return memcmp(&receive->thread, argument, sizeof(WSATHREADID)) == 0;
}

void pending_forget_routine(LPWSAUSERAPC routine, DWORD_PTR context)
{
    if (routine == run_routine)
        recycle((struct posted_receive *)context);
}

void pending_thread_exit(const WSATHREADID *id)
{
    for (uint32_t slot = 0; slot < CONFIG_MAX_SOCKETS; slot++) {
        struct endpoint *endpoint = endpoint_at(slot);
        struct posted_receive *list = NULL, *receive;

        if (endpoint == NULL) {
            slot += ENDPOINT_CHUNK - 1;
            continue;
        }
        uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
        struct socket_reference reference = {endpoint, socket_of(endpoint),
                                             lock_word_generation(word)};
        if ((reference.generation & 1) != 0 && socket_relock(&reference) == 0) {
            struct completion_batch batch = {.count = 0};

            while ((receive = pending_remove(endpoint, started_by, id)) != NULL) {
                receive->next = list;
                list = receive;
            }
            socket_unlock(endpoint, &batch);
            if (list != NULL) /* what was queued for them is for others now */
                serve_as_client(endpoint);
        }
        pending_cancel_list(list);
    }
}
