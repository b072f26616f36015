/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_APC_H
#define WIRERX_HOST_APC_H

/**
 * @file
 * One thread's queue of APCs: any number of pushers, the thread itself runs them.
 *
 * A queued APC is a node. Nodes are allocated when a place is reserved, by a client thread, and
 * then never freed, so that a push finds one without allocating. Pushing is two compare-and-swaps:
 * take a node from the free list, put it on the queue. Both lists are stacks; the thread takes the
 * whole queue at once and turns it round. No pusher waits for another, nor the thread for a pusher.
 *
 *     queue     | generation : 32 | SLEEPING : 1 | newest node : 31 |
 *     reserved  | generation : 32 | places : 32                     |
 *     free      | tag        : 32 | first node : 32                 |
 *
 * The generation in the queue word is the thread's identity: a push for a thread that has exited
 * fails in its compare-and-swap. SLEEPING stands in the same word, so that no fence is needed: of
 * going to sleep and pushing, one sees the other. The futex is the low half.
 *
 * Routines of one key (a socket) never nest, F08: see apc_begin_routine().
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "stack_mark.h"

/** Places that may be reserved on one thread. */
#define APC_MAX (65536u - APC_SPARE)

/**
 * Nodes beyond the places: what pushers that were late for an earlier thread of this slot may hold
 * for the few instructions until they put it back.
 */
#define APC_SPARE 64u

/** Alertable waits within routines within alertable waits; the next one runs no APCs. */
#define APC_MAX_DEPTH 32u

/** Nodes lie in chunks of 128, 128, 256, 512, ... so that they are found without a look-up. */
#define APC_CHUNKS 10u

struct apc_node {
    LPWSAUSERAPC routine;
    DWORD_PTR context;
    uintptr_t key;         /**< deferred: the socket whose routine must return first */
    _Atomic uint32_t next; /**< node + 1, 0 at the end */
};

/** An APC that runs. Not on the stack, because a routine may leave by longjmp(). */
struct apc_frame {
    struct stack_mark stack; /**< the frame that called it */
    uintptr_t key;           /**< 0 until it has said */
    uint32_t node;           /**< still held (node + 1): it has not said */
    bool deferred;
};

/** First and last of a list that only the thread uses; nodes + 1. */
struct apc_list {
    uint32_t first;
    uint32_t last;
};

struct apc_queue {
    _Alignas(64) _Atomic uint64_t queue;
    _Atomic uint64_t free;
    _Alignas(64) _Atomic uint64_t reserved;
    _Atomic uint32_t nodes; /**< allocated */
    _Atomic(struct apc_node *) chunks[APC_CHUNKS];
    /* The thread's own from here on. */
    struct apc_list pending;  /**< taken off the queue, to run next */
    struct apc_list deferred; /**< to run when their key is free */
    uint32_t depth;
    struct apc_frame frames[APC_MAX_DEPTH];
};

/** Begin a thread's life under an odd generation. Returns it. */
uint32_t apc_open(struct apc_queue *q);

/** End it, on the thread: from now on pushes and reservations fail. What is queued never runs. */
void apc_close(struct apc_queue *q);

/** Told of every APC that apc_close() drops. */
typedef void apc_drop_callback(LPWSAUSERAPC routine, DWORD_PTR context);
void apc_on_drop(apc_drop_callback *callback);

/** Is this the generation of a living thread? Any thread; the answer may be old at once. */
bool apc_is_open(struct apc_queue *q, uint32_t generation);

/**
 * Reserve a place. Client threads; may allocate.
 * @return 0, WSAEINVAL the thread has exited, WSAEWOULDBLOCK no place or no memory is left
 */
int apc_reserve(struct apc_queue *q, uint32_t generation);

/** Give a place back. Any thread; nothing happens when the thread has exited. */
void apc_cancel(struct apc_queue *q, uint32_t generation);

/**
 * Queue an APC on a reserved place, and wake the thread if it sleeps alertably. Any thread, lcores
 * too: never waits, allocates or locks.
 * @return false: the thread has exited (or, without a place, no node is left)
 */
bool apc_push(struct apc_queue *q, uint32_t generation, LPWSAUSERAPC routine, DWORD_PTR context);

/* The rest is for the thread itself. */

/** Something is queued that apc_run() would look at. */
bool apc_is_pending(const struct apc_queue *q);

/** Is there room for another alertable wait inside this one? If not, do not wait alertably. */
bool apc_may_run(struct apc_queue *q);

/**
 * Run what is queued, and what those routines queue, until nothing is left that may run now.
 *
 * A routine may do anything: start operations, wait alertably itself, leave by longjmp(), end its
 * thread. One that was left by longjmp() counts as returned as soon as it matters.
 *
 * @return how many have run
 */
unsigned apc_run(struct apc_queue *q);

/** As host_begin_routine(). */
bool apc_begin_routine(struct apc_queue *q, uintptr_t key);

/** Announce an alertable sleep. @return false: something is queued, do not sleep */
bool apc_prepare_sleep(struct apc_queue *q, struct wake_word *word);

/** The sleep is over. */
void apc_finish_sleep(struct apc_queue *q);

#endif
