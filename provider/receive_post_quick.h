/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_POST_QUICK_H
#define WIRERX_RECEIVE_POST_QUICK_H

/**
 * @file
 * The overlapped receive that is tuned, as receive_quick.h is for the others: one buffer, no flags, no
 * source, no routine, a plain socket. It does what receive_post() would do; everything else it leaves to
 * receive_post(), and then it has changed nothing but what that changes again: the event is reset,
 * Internal may be pending.
 *
 * Who completes it: with nothing in front of it and a plain datagram queued that fits, the caller itself,
 * without a record. Otherwise the record belongs to the posted list, and the operation to whoever takes
 * it off under LOCK, as ever (posted.h): the home lcore after fence F1, or a holder to whom AGAIN was left.
 */

#include "guard_prefault.h"
#include "host/host.h"
#include "overlapped_status.h"
#include "posted.h"
#include "receive_quick.h"

enum post_quick {
    POST_QUICK_NO,      /**< take the whole road */
    POST_QUICK_PENDING, /**< posted */
    POST_QUICK_DONE,    /**< complete */
};

/** What the call has given, read once. */
struct post_quick_call {
    WSAOVERLAPPED *overlapped;
    LPDWORD received, flags;
    WSATHREADID thread;
    HANDLE event;
    uint64_t to;
    uint32_t room;
};

/** The low bit of hEvent: indication.c. */
#define POST_QUICK_EVENT_MASK (~(uint64_t)1)

/** Without LOCK: so that a call that is refused leaves the event alone. With it: decides. */
static inline bool post_quick_may(struct endpoint *e, const struct wsp_socket *socket)
{
    return endpoint_is_plain(e) &&
           atomic_load_explicit(&e->state, memory_order_relaxed) == ENDPOINT_ATTACHED &&
           atomic_load_explicit(&socket->overlapped, memory_order_relaxed);
}

/** Under LOCK, with the datagram in front and nothing before the call. @return false: not done */
static inline bool post_quick_take(struct endpoint *e, const struct post_quick_call *call,
                                   uint32_t head)
{
    const struct ring_element *element = &e->ring[head & e->mask];
    void *internal = guard_member(call->overlapped, WSAOVERLAPPED, Internal);

    if (unlikely(
            !element_is_plain(element) || call->room < element->length ||
            !guard_put64(internal, OVERLAPPED_PENDING) ||
            !guard_copy_direct((void *)call->to, element_plain_payload(element), element->length) ||
            (call->received != NULL && !guard_put32(call->received, element->length)) ||
            !guard_put32(call->flags, 0) ||
            !guard_put64(guard_member(call->overlapped, WSAOVERLAPPED, InternalHigh),
                         element->length)))
        return false;
    quick_prefetch(e, element, head);
    endpoint_count(&e->received, 1);
    endpoint_consume_known(e, 1, element->length, head);
    guard_put64_release(internal, OVERLAPPED_SUCCESS); /* D13; a fault here ends it all the same */
    return true;
}

/** Under LOCK. @return false: no record, or no memory to write to; nothing is posted */
static inline bool post_quick_append(struct endpoint *e, struct wsp_socket *socket,
                                     const struct post_quick_call *call)
{
    struct posted_operation *receive = socket->unused;

    if (likely(receive != NULL)) {
        socket->unused = receive->next;
        receive->kind = POSTED_RECEIVE;
    } else if ((receive = posted_take(socket, POSTED_RECEIVE, 1)) == NULL) {
        return false;
    }
    if (unlikely(!guard_put64(guard_member(call->overlapped, WSAOVERLAPPED, Internal),
                              OVERLAPPED_PENDING))) {
        posted_give_back(receive);
        return false;
    }
    receive->overlapped = call->overlapped;
    receive->routine = NULL;
    receive->thread = call->thread;
    receive->event = call->event;
    receive->from = NULL;
    receive->fromlen = NULL;
    receive->wanted = 0;
    receive->simple = true;
    receive->buffers_count = 1;
    receive->buffers[0] = (WSABUF){.len = call->room, .buf = (char *)call->to};
    posted_append_receive(e, socket, receive);
    return true;
}

/** Under LOCK, which is released. */
static inline enum post_quick post_quick_locked(struct endpoint *e, struct wsp_socket *socket,
                                                const struct post_quick_call *call)
{
    uint32_t posted = atomic_load_explicit(&e->posted, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);

    /* Watched it is more than any limit. */
    if (unlikely(!post_quick_may(e, socket) || socket->stamp || posted >= socket->max_posted)) {
        quick_unlock(e);
        return POST_QUICK_NO;
    }
    if (posted == 0 && (head != endpoint_known_tail(e) || head != endpoint_look_at_tail(e))) {
        bool taken = post_quick_take(e, call, head);

        quick_unlock(e);
        return taken ? POST_QUICK_DONE : POST_QUICK_NO;
    }
    if (unlikely(!post_quick_append(e, socket, call))) {
        quick_unlock(e);
        return POST_QUICK_NO;
    }
    full_fence(); /* F2: `posted` above before the tail below */
    if (unlikely(endpoint_look_at_tail(e) != head)) {
        receive_serve_and_unlock(e);
        return POST_QUICK_PENDING;
    }
    quick_unlock(e);
    return POST_QUICK_PENDING;
}

static inline enum post_quick receive_post_quick(SOCKET s, const WSABUF *buffers, DWORD count,
                                                 LPDWORD received, LPDWORD flags,
                                                 LPWSAOVERLAPPED overlapped,
                                                 LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                                                 const int *error)
{
    struct post_quick_call call;
    uint64_t event;
    uint32_t flags_in;

    if (unlikely(count != 1 || routine != NULL || error == NULL || quick_self() == 0))
        return POST_QUICK_NO;
    struct endpoint *e = endpoint_at(socket_identity_slot(s));
    uint32_t generation = socket_identity_generation(s);
    if (unlikely(e == NULL || !socket_identity_is_possible(s) ||
                 lock_word_generation(atomic_load_explicit(&e->word, memory_order_relaxed)) !=
                     generation ||
                 !guard_load32(flags, &flags_in) || flags_in != 0 ||
                 !guard_load64(guard_member(buffers, WSABUF, buf), &call.to) ||
                 !guard_load32(guard_member(buffers, WSABUF, len), &call.room) ||
                 !guard_load64(guard_member(overlapped, WSAOVERLAPPED, hEvent), &event)))
        return POST_QUICK_NO;
    struct wsp_socket *socket = socket_of(e);
    if (unlikely(!post_quick_may(e, socket) ||
                 !guard_prefault_again((const void *)call.to, call.room) ||
                 !guard_prefault_again(overlapped, sizeof *overlapped) || /* A09b */
                 !host_current_thread(&call.thread)))
        return POST_QUICK_NO;
    call.overlapped = overlapped;
    call.received = received;
    call.flags = flags;
    call.event = (HANDLE)(uintptr_t)(event & POST_QUICK_EVENT_MASK);
    int ignored;
    if (call.event != NULL && !provider_upcalls.lpWPUResetEvent(call.event, &ignored)) /* D07 */
        return POST_QUICK_NO;
    if (unlikely(lock_word_acquire(&e->word, generation) != LOCK_ACQUIRED))
        return POST_QUICK_NO;
    enum post_quick done = post_quick_locked(e, socket, &call);
    if (done == POST_QUICK_DONE && call.event != NULL)
        provider_upcalls.lpWPUSetEvent(call.event, &ignored); /* C03 */
    return done;
}

#endif
