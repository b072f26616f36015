/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_POSTED_H
#define WIRERX_POSTED_H

/**
 * @file
 * Operations posted for later, receives and sends, and how they end.
 *
 * A record is taken by the poster under LOCK and filled there. It then belongs to one of the socket's
 * posted lists until somebody who holds LOCK takes it off: that one, and no other, completes it. An
 * operation that was started ends exactly once.
 *
 * Completing has two halves. Under LOCK: the payload, InternalHigh, then Internal (release; clause
 * D13). After LOCK: the event or the APC. Completions are gathered between the two, because no
 * upcall may run under LOCK.
 */

#include <stdbool.h>
#include <stdint.h>

#include "receive_message.h"
#include "socket.h"

/** WSABUFs that fit in a record; longer arrays are kept beside it, and the room is used again. */
#define PENDING_INLINE_BUFFERS 4u

/** Most WSABUFs of one overlapped call. */
#define PENDING_MAX_BUFFERS 1024u

/** Completions under one hold of LOCK. */
#define COMPLETION_BATCH 32u

/** Rows beside them: one for the event of a WSPEventSelect, one for the calls of WSPSelect. */
#define COMPLETION_WATCH_ROWS 2u

/** Which list. */
enum posted_kind {
    POSTED_RECEIVE,
    POSTED_SEND,
};

struct posted_operation {
    struct posted_operation *next; /**< of whichever list it is on */
    struct wsp_socket *owner;      /**< constant once set */

    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    WSATHREADID thread; /**< who started it; all zero: unknown */
    HANDLE event;       /**< NULL: none, or there is a routine (D11) */
    enum posted_kind kind;
    struct sockaddr *from; /**< of a receive, with the next two */
    LPINT fromlen;
    DWORD wanted;                   /**< MSG_* as the call gave them */
    struct receive_message message; /**< of WSARecvMsg; valid unless it is simple */
    bool simple; /**< a receive into one buffer, without flags, that does not ask for the source */
    uint32_t buffers_count;
    uint32_t buffers_capacity;
    WSABUF *buffers; /**< inline_buffers, or memory of its own that stays with the record */
    WSABUF inline_buffers[PENDING_INLINE_BUFFERS];

    /* What the routine is told. */
    DWORD error;
    DWORD bytes;
    DWORD flags;

    struct send_record record; /**< of a send: the datagram's, all but the payload */
};

struct select_bell;

/**
 * What is still owed for what happened under LOCK: indications of ended operations, and of network
 * events. Lives on the stack of whoever holds LOCK; one socket's.
 */
struct completion_batch {
    unsigned ended; /**< operations ended under this hold of LOCK, indicated or not */
    unsigned count; /**< rows */
    struct {
        HANDLE event;                     /**< to be set, or NULL */
        struct posted_operation *routine; /**< record whose APC is to be queued, or NULL */
        struct select_bell *bell;         /**< to be rung, or NULL */
    } rows[COMPLETION_BATCH + COMPLETION_WATCH_ROWS];
};

/** A record for the caller to fill, with room for `buffers` WSABUFs. Under LOCK; may allocate. */
struct posted_operation *posted_take(struct wsp_socket *socket, enum posted_kind kind,
                                     uint32_t buffers);

/** Give back a record that was not posted, or has ended. Under LOCK. */
static inline void posted_give_back(struct posted_operation *operation)
{
    operation->next = operation->owner->unused;
    operation->owner->unused = operation;
}

/** Append to its list and announce it. Under LOCK. Fence F2 or F5 is the caller's. */
void posted_append(struct endpoint *endpoint, struct posted_operation *operation);

static inline void posted_list_append(struct posted_list *list, struct posted_operation *operation)
{
    operation->next = NULL;
    if (list->first == NULL)
        list->first = operation;
    else
        list->last->next = operation;
    list->last = operation;
}

/** posted_append() of a receive. */
static inline void posted_append_receive(struct endpoint *endpoint, struct wsp_socket *socket,
                                         struct posted_operation *receive)
{
    posted_list_append(&socket->receives, receive);
    single_writer_add32(&endpoint->posted, 1);
}

/** The first receive, which is there, off its list. Under LOCK. */
static inline void posted_shift_receive(struct endpoint *endpoint, struct wsp_socket *socket)
{
    socket->receives.first = socket->receives.first->next;
    if (socket->receives.first == NULL)
        socket->receives.last = NULL;
    single_writer_add32(&endpoint->posted, UINT32_MAX);
}

/** Operations posted. Exact under LOCK. */
uint32_t posted_count(struct endpoint *endpoint, enum posted_kind kind);

/**
 * Have the lcore serve the endpoint whenever data arrives (receives) or room is made (sends), whether
 * operations are posted or not. Under LOCK. Fence F2 or F5 is the caller's, before it looks itself.
 */
void posted_watch(struct endpoint *endpoint, enum posted_kind kind, bool watched);
bool posted_is_watched(struct endpoint *endpoint, enum posted_kind kind);

/** The first of a list that is not empty, taken off it. Under LOCK. */
struct posted_operation *posted_remove_first(struct endpoint *endpoint, enum posted_kind kind);

typedef bool posted_predicate(const struct posted_operation *operation, const void *argument);

/** The first operation for which the predicate holds, receives before sends; NULL: there is none. Under
 *  LOCK. */
const struct posted_operation *posted_find(const struct wsp_socket *socket,
                                           posted_predicate *matches, const void *argument);

/** The same, taken off its list. What it held up is then to be served. */
struct posted_operation *posted_remove(struct endpoint *endpoint, posted_predicate *matches,
                                       const void *argument);

/** Take both lists off, as one. Under LOCK. */
struct posted_operation *posted_remove_all(struct endpoint *endpoint);

/**
 * End an operation. Under LOCK, off its list, with room in the batch. The record may be used again when
 * this returns, unless a routine still has to be told.
 * @param status  NTSTATUS for Internal; the routine is told the WSA error that it maps to
 */
void posted_finish(struct posted_operation *operation, uint32_t status, uint32_t bytes,
                   struct completion_batch *batch);

/** End all of a list that was taken off, without data, and indicate it. Not under LOCK. */
void posted_end_list(struct posted_operation *list, uint32_t status);

/** ... as cancelled. */
void posted_cancel_list(struct posted_operation *list);

/** Begin with nothing owed: the rows are large, and are not zeroed. */
static inline void completion_begin(struct completion_batch *batch)
{
    batch->ended = batch->count = 0;
}

/** Owe the indication of an operation that ends, if it asks for one. Under LOCK, with room in the batch.
 *  @return false: it does not, and its record may be used again */
static inline bool completion_add(struct completion_batch *batch,
                                  struct posted_operation *operation)
{
    batch->ended++;
    if (operation->routine == NULL && operation->event == NULL)
        return false;
    batch->rows[batch->count].event = operation->event;
    batch->rows[batch->count].routine = operation->routine != NULL ? operation : NULL;
    batch->rows[batch->count].bell = NULL;
    batch->count++;
    return operation->routine != NULL;
}

/** Owe the setting of a socket's selected event. Under LOCK; there is always room for it. */
void completion_add_event(struct completion_batch *batch, HANDLE event);

/** Owe the ringing of a socket's bell. Under LOCK; there is always room for it. */
void completion_add_bell(struct completion_batch *batch, struct select_bell *bell);

/** Deliver what is owed: events set, APCs queued, bells rung. Not under LOCK. Empties the batch. */
void completion_signal(struct completion_batch *batch);

/** An APC was queued and will never run: its thread has exited. */
void posted_forget_routine(LPWSAUSERAPC routine, DWORD_PTR context);

#endif
