/* SPDX-License-Identifier: BSD-3-Clause */
#include "posted.h"

#include <pthread.h>
#include <stdlib.h>

#include "blocking.h"
#include "guard.h"
#include "host/host.h"
#include "overlapped_status.h"
#include "select.h"

/* --- records ---------------------------------------------------------------------------------- */

static void recycle(struct posted_operation *operation)
{
    struct wsp_socket *owner = operation->owner;
    struct posted_operation *head = atomic_load_explicit(&owner->recycled, memory_order_relaxed);

    do
        operation->next = head;
    while (!atomic_compare_exchange_weak_explicit(&owner->recycled, &head, operation,
                                                  memory_order_release, memory_order_relaxed));
}

static struct posted_operation *make_record(struct wsp_socket *socket)
{
    struct posted_operation *operation = calloc(1, sizeof *operation);

    if (operation == NULL)
        return NULL;
    operation->owner = socket;
    operation->buffers = operation->inline_buffers;
    operation->buffers_capacity = PENDING_INLINE_BUFFERS;
    return operation;
}

static bool make_room(struct posted_operation *operation, uint32_t buffers)
{
    if (buffers <= operation->buffers_capacity)
        return true;
    WSABUF *larger = malloc(buffers * sizeof *larger);
    if (larger == NULL)
        return false;
    if (operation->buffers != operation->inline_buffers)
        free(operation->buffers);
    operation->buffers = larger;
    operation->buffers_capacity = buffers;
    return true;
}

struct posted_operation *posted_take(struct wsp_socket *socket, enum posted_kind kind,
                                     uint32_t buffers)
{
    struct posted_operation *operation = socket->unused;

    if (operation == NULL) /* acquire: whoever recycled the record has finished with it */
        operation = atomic_exchange_explicit(&socket->recycled, NULL, memory_order_acquire);
    if (operation == NULL) {
        operation = make_record(socket);
        if (operation == NULL)
            return NULL;
        operation->next = NULL;
    }
    socket->unused = operation->next;
    operation->kind = kind;
    if (make_room(operation, buffers))
        return operation;
    posted_give_back(operation);
    return NULL;
}

/* --- the posted lists --------------------------------------------------------------------------- */

static struct posted_list *list_of(struct wsp_socket *socket, enum posted_kind kind)
{
    return kind == POSTED_RECEIVE ? &socket->receives : &socket->sends;
}

/* What the lcore looks at after fences F1 and F4. Under LOCK there is one writer. */
static _Atomic uint32_t *word_of(struct endpoint *endpoint, enum posted_kind kind)
{
    return kind == POSTED_RECEIVE ? &endpoint->posted : &endpoint->send.posted;
}

static uint32_t get(_Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

uint32_t posted_count(struct endpoint *endpoint, enum posted_kind kind)
{
    return get(word_of(endpoint, kind)) & ~ENDPOINT_WATCHED;
}

bool posted_is_watched(struct endpoint *endpoint, enum posted_kind kind)
{
    return (get(word_of(endpoint, kind)) & ENDPOINT_WATCHED) != 0;
}

void posted_watch(struct endpoint *endpoint, enum posted_kind kind, bool watched)
{
    set(word_of(endpoint, kind), posted_count(endpoint, kind) | (watched ? ENDPOINT_WATCHED : 0));
}

void posted_append(struct endpoint *endpoint, struct posted_operation *operation)
{
    _Atomic uint32_t *word = word_of(endpoint, operation->kind);

    posted_list_append(list_of(operation->owner, operation->kind), operation);
    set(word, get(word) + 1);
}

/* Take out the one that follows `before`, or the first when that is NULL. */
static struct posted_operation *take_out(struct endpoint *endpoint, struct posted_list *list,
                                         enum posted_kind kind, struct posted_operation *before)
{
    struct posted_operation **link = before == NULL ? &list->first : &before->next;
    struct posted_operation *operation = *link;
    _Atomic uint32_t *word = word_of(endpoint, kind);

    *link = operation->next;
    if (list->last == operation)
        list->last = before;
    set(word, get(word) - 1);
    if (kind == POSTED_SEND && list->first == NULL)
        endpoint_senders_may_look(endpoint); /* nobody is in front of blocked ones now */
    return operation;
}

struct posted_operation *posted_remove_first(struct endpoint *endpoint, enum posted_kind kind)
{
    return take_out(endpoint, list_of(socket_of(endpoint), kind), kind, NULL);
}

static struct posted_operation *remove_from(struct endpoint *endpoint, enum posted_kind kind,
                                            posted_predicate *matches, const void *argument)
{
    struct posted_list *list = list_of(socket_of(endpoint), kind);
    struct posted_operation *before = NULL;

    for (struct posted_operation *o = list->first; o != NULL; before = o, o = o->next)
        if (matches(o, argument))
            return take_out(endpoint, list, kind, before);
    return NULL;
}

struct posted_operation *posted_remove(struct endpoint *endpoint, posted_predicate *matches,
                                       const void *argument)
{
    struct posted_operation *removed = remove_from(endpoint, POSTED_RECEIVE, matches, argument);

    return removed != NULL ? removed : remove_from(endpoint, POSTED_SEND, matches, argument);
}

struct posted_operation *posted_remove_all(struct endpoint *endpoint)
{
    struct wsp_socket *socket = socket_of(endpoint);
    struct posted_operation *all = socket->receives.first;

    if (all == NULL)
        all = socket->sends.first;
    else
        socket->receives.last->next = socket->sends.first;
    socket->receives = socket->sends = (struct posted_list){NULL, NULL};
    for (int kind = POSTED_RECEIVE; kind <= POSTED_SEND; kind++) {
        _Atomic uint32_t *word = word_of(endpoint, (enum posted_kind)kind);

        set(word, get(word) & ENDPOINT_WATCHED);
    }
    return all;
}

const struct posted_operation *posted_find(const struct wsp_socket *socket,
                                           posted_predicate *matches, const void *argument)
{
    const struct posted_operation *lists[] = {socket->receives.first, socket->sends.first};

    for (int kind = POSTED_RECEIVE; kind <= POSTED_SEND; kind++)
        for (const struct posted_operation *o = lists[kind]; o != NULL; o = o->next)
            if (matches(o, argument))
                return o;
    return NULL;
}

/* --- ending ---------------------------------------------------------------------------------------- */

/* The client's OVERLAPPED: count first, then the status that makes it visible (D13). A fault here
 * means that the client has unmapped it; the operation ends all the same. */
static void publish_result(const struct posted_operation *operation, uint32_t status,
                           uint32_t bytes)
{
    WSAOVERLAPPED *overlapped = operation->overlapped;

    if (guard_store64(&overlapped->InternalHigh, bytes))
        guard_store64_release(&overlapped->Internal, status);
}

void posted_finish(struct posted_operation *operation, uint32_t status, uint32_t bytes,
                   struct completion_batch *batch)
{
    operation->error = (DWORD)overlapped_error(status);
    operation->bytes = bytes;
    operation->flags = overlapped_flags(status);
    publish_result(operation, status, bytes);
    if (!completion_add(batch, operation))
        recycle(operation);
}

/* --- indicating ------------------------------------------------------------------------------------ */

/* Runs on the thread that started the operation, in an alertable wait. */
static void CALLBACK run_routine(DWORD_PTR context)
{
    struct posted_operation *operation = (struct posted_operation *)context;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = operation->routine;
    LPWSAOVERLAPPED overlapped = operation->overlapped;
    DWORD error = operation->error, bytes = operation->bytes, flags = operation->flags;

    if (provider_host_is_own && !host_begin_routine((uintptr_t)operation->owner))
        return;         /* a routine of this socket runs: this one comes after it (F08) */
    recycle(operation); /* before the routine: it may post again, or not return (longjmp) */
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
        struct posted_operation *operation = batch->rows[i].routine;

        if (operation != NULL) {
            /* The copy of the identity lives until the call returns (F16). */
            if (provider_upcalls.lpWPUQueueApc(&operation->thread, run_routine,
                                               (DWORD_PTR)operation, &error) != 0)
                recycle(operation); /* the thread has exited: the routine never runs (F15) */
        } else if (batch->rows[i].event != NULL) {
            provider_upcalls.lpWPUSetEvent(batch->rows[i].event, &error);
        } else if (batch->rows[i].bell != NULL) {
            select_ring(batch->rows[i].bell);
        }
    }
    completion_begin(batch);
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

/* Indicates the ends of a list that has been taken off, a batch at a time. Not under LOCK. */
void posted_end_list(struct posted_operation *list, uint32_t status)
{
    struct completion_batch batch = {.count = 0};

    while (list != NULL) {
        struct posted_operation *operation = list;

        list = operation->next;
        posted_finish(operation, status, 0, &batch);
        if (batch.count == COMPLETION_BATCH)
            completion_signal(&batch);
    }
    completion_signal(&batch);
}

void posted_cancel_list(struct posted_operation *list)
{
    posted_end_list(list, OVERLAPPED_CANCELLED);
}

void posted_forget_routine(LPWSAUSERAPC routine, DWORD_PTR context)
{
    if (routine == run_routine)
        recycle((struct posted_operation *)context);
}
