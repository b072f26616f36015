/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PENDING_RECEIVE_H
#define WIRERX_PENDING_RECEIVE_H

/**
 * @file
 * Receives posted for later, and how they end.
 *
 * A record is taken by the poster under LOCK and filled there. It then belongs to the socket's
 * posted list until somebody who holds LOCK takes it off: that one, and no other, completes it. An
 * operation that was started ends exactly once.
 *
 * Completing has two halves. Under LOCK: the payload, InternalHigh, then Internal (release; clause
 * D13). After LOCK: the event or the APC. Completions are gathered between the two, because no
 * upcall may run under LOCK.
 */

#include <stdbool.h>
#include <stdint.h>

#include "socket.h"

/** WSABUFs that fit in a record; longer arrays are kept beside it, and the room is used again. */
#define PENDING_INLINE_BUFFERS 4u

/** Most WSABUFs of one overlapped receive. */
#define PENDING_MAX_BUFFERS 1024u

/** Completions gathered under one hold of LOCK. */
#define COMPLETION_BATCH 32u

/** Rows beside them: one for the event of a WSPEventSelect, one for the calls of WSPSelect. */
#define COMPLETION_WATCH_ROWS 2u

struct posted_receive {
    struct posted_receive *next; /**< of whichever list it is on */
    struct wsp_socket *owner;    /**< constant once set */

    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    WSATHREADID thread; /**< who started it; all zero: unknown */
    HANDLE event;       /**< NULL: none, or there is a routine (D11) */
    struct sockaddr *from;
    LPINT fromlen;
    DWORD wanted; /**< MSG_* as the call gave them */
    uint32_t buffers_count;
    uint32_t buffers_capacity;
    WSABUF *buffers; /**< inline_buffers, or memory of its own that stays with the record */
    WSABUF inline_buffers[PENDING_INLINE_BUFFERS];

    /* What the routine is told. */
    DWORD error;
    DWORD bytes;
    DWORD flags;
};

struct select_bell;

/**
 * What is still owed for what happened under LOCK: indications of ended operations, and of network
 * events. Lives on the stack of whoever holds LOCK; one socket's.
 */
struct completion_batch {
    unsigned count;
    struct {
        HANDLE event;                   /**< to be set, or NULL */
        struct posted_receive *routine; /**< record whose APC is to be queued, or NULL */
        struct select_bell *bell;       /**< to be rung, or NULL */
    } rows[COMPLETION_BATCH + COMPLETION_WATCH_ROWS];
};

/** A record for the caller to fill, with room for `buffers` WSABUFs. Under LOCK; may allocate. */
struct posted_receive *pending_take(struct wsp_socket *socket, uint32_t buffers);

/** Give back a record that was not posted. Under LOCK. */
void pending_give_back(struct posted_receive *receive);

/** Append to the posted list and announce it. Under LOCK. Fence F2 is the caller's. */
void pending_post(struct endpoint *endpoint, struct posted_receive *receive);

/** Receives posted. Exact under LOCK. */
uint32_t pending_count(const struct endpoint *endpoint);

/** Have the lcore serve the endpoint after every burst, posted receives or not. Under LOCK. Fence F2 is
 *  the caller's, before it looks for data itself. */
void pending_watch(struct endpoint *endpoint, bool watched);

/** First posted receive for which the predicate holds, taken off the list. Under LOCK. */
struct posted_receive *pending_remove(struct endpoint *endpoint,
                                      bool (*matches)(const struct posted_receive *, const void *),
                                      const void *argument);

/** Take the whole posted list off. Under LOCK. */
struct posted_receive *pending_remove_all(struct endpoint *endpoint);

/**
 * Match data with posted receives until either is used up or the batch is full; then, if the endpoint is
 * watched, shutdown_discard() and watch_serve(). Under LOCK.
 * @return true: data and posted receives are left, and what watches has not been served
 */
bool pending_serve(struct endpoint *endpoint, struct completion_batch *batch);

/**
 * End an operation without data: cancelled, network down. The record must be off the list.
 * @param status  NTSTATUS for Internal; the routine is told the WSA error that it maps to
 */
void pending_end(struct posted_receive *receive, uint32_t status, struct completion_batch *batch);

/** Owe the setting of a socket's selected event. Under LOCK; there is always room for it. */
void completion_add_event(struct completion_batch *batch, HANDLE event);

/** Owe the ringing of a socket's bell. Under LOCK; there is always room for it. */
void completion_add_bell(struct completion_batch *batch, struct select_bell *bell);

/** Deliver what is owed: events set, APCs queued, bells rung. Not under LOCK. Empties the batch. */
void completion_signal(struct completion_batch *batch);

/** Release LOCK by rule R1, serving what is owed, then signal. */
void socket_release(struct endpoint *endpoint, struct completion_batch *batch);

/** socket_release(), and pass the baton on. */
void socket_unlock(struct endpoint *endpoint, struct completion_batch *batch);

/** The dataplane's callbacks: see struct endpoint_operations. */
extern const struct endpoint_operations pending_operations;

/** End the operations of a list that was taken off: cancelled. Not under LOCK. */
void pending_cancel_list(struct posted_receive *list);

/** An APC was queued and will never run: its thread has exited. */
void pending_forget_routine(LPWSAUSERAPC routine, DWORD_PTR context);

/** A registered thread exits: its operations end as cancelled (F15, K07). */
void pending_thread_exit(const WSATHREADID *id);

#endif
