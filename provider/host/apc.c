/* SPDX-License-Identifier: BSD-3-Clause */
#include "apc.h"

#include "../../dataplane/dataplane.h"

#include <pthread.h>
#include <stdlib.h>

static _Atomic(apc_drop_callback *) drop_callback;

#define FIRST_CHUNK_SHIFT 7
#define SLEEPING 0x80000000u

/* Nodes are named by their number + 1, so that 0 is none. */

static struct apc_node *node_at(struct apc_queue *q, uint32_t name)
{
    uint32_t number = name - 1;
    uint32_t log2 =
        number >> FIRST_CHUNK_SHIFT ? 31 - (uint32_t)__builtin_clz(number) : FIRST_CHUNK_SHIFT - 1;
    uint32_t first = number >> FIRST_CHUNK_SHIFT ? 1u << log2 : 0;
    struct apc_node *chunk =
        atomic_load_explicit(&q->chunks[log2 - (FIRST_CHUNK_SHIFT - 1)], memory_order_acquire);

    return &chunk[number - first];
}

static uint64_t pack(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static uint32_t high(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static uint32_t low(uint64_t word)
{
    return (uint32_t)word;
}

static _Atomic uint32_t *futex_of(struct apc_queue *q)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half comes first");
    return (_Atomic uint32_t *)(void *)&q->queue;
}

static bool change(_Atomic uint64_t *word, uint64_t *seen, uint64_t desired)
{
    return atomic_compare_exchange_weak_explicit(word, seen, desired, memory_order_acq_rel,
                                                 memory_order_acquire);
}

/* --- the free list ---------------------------------------------------------------------------- */

static uint32_t take_node(struct apc_queue *q)
{
    uint64_t seen = atomic_load_explicit(&q->free, memory_order_acquire);
    uint32_t next;

    do {
        if (low(seen) == 0)
            return 0;
        /* Somebody else may take and use it meanwhile; the tag then makes us try again. */
        next = atomic_load_explicit(&node_at(q, low(seen))->next, memory_order_relaxed);
    } while (!change(&q->free, &seen, pack(high(seen) + 1, next)));
    return low(seen);
}

/* Give back a chain of nodes. */
static void give_nodes(struct apc_queue *q, uint32_t first, uint32_t last)
{
    uint64_t seen = atomic_load_explicit(&q->free, memory_order_relaxed);

    do
        atomic_store_explicit(&node_at(q, last)->next, low(seen), memory_order_relaxed);
    while (!change(&q->free, &seen, pack(high(seen) + 1, first)));
}

/* Have at least `wanted` nodes. Growing is rare, so that all threads share the lock. */
static struct owner_mutex growing;

static bool grow(struct apc_queue *q, uint32_t wanted)
{
    bool grown = true;

    if (owner_mutex_lock(&growing) != 0)
        return false; /* a signal handler */
    for (;;) {
        uint32_t nodes = atomic_load_explicit(&q->nodes, memory_order_relaxed);

        if (nodes >= wanted)
            break;
        uint32_t more = nodes ? nodes : 1u << FIRST_CHUNK_SHIFT;
        struct apc_node *chunk = calloc(more, sizeof(*chunk));

        if (!chunk) {
            grown = false;
            break;
        }
        for (uint32_t i = 0; i + 1 < more; i++)
            atomic_store_explicit(&chunk[i].next, nodes + i + 2, memory_order_relaxed);
        uint32_t index = nodes ? (uint32_t)__builtin_ctz(nodes) - (FIRST_CHUNK_SHIFT - 1) : 0;

        atomic_store_explicit(&q->chunks[index], chunk, memory_order_release);
        give_nodes(q, nodes + 1, nodes + more);
        atomic_store_explicit(&q->nodes, nodes + more, memory_order_release);
    }
    owner_mutex_unlock(&growing);
    return grown;
}

static void before_fork(void)
{
    owner_mutex_before_fork(&growing);
}

static void after_fork_in_parent(void)
{
    owner_mutex_after_fork_in_parent(&growing);
}

static void after_fork_in_child(void)
{
    owner_mutex_after_fork_in_child(&growing);
}

__attribute__((constructor(FORK_HANDLERS_INNERMOST))) static void handle_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* --- places ----------------------------------------------------------------------------------- */

int apc_reserve(struct apc_queue *q, uint32_t generation)
{
    uint64_t seen = atomic_load_explicit(&q->reserved, memory_order_relaxed);

    do {
        if (high(seen) != generation)
            return WSAEINVAL;
        if (low(seen) == APC_MAX)
            return WSAEWOULDBLOCK;
    } while (!change(&q->reserved, &seen, seen + 1));
    uint32_t wanted = low(seen) + 1 + APC_SPARE;

    if (atomic_load_explicit(&q->nodes, memory_order_acquire) < wanted && !grow(q, wanted)) {
        apc_cancel(q, generation);
        return WSAEWOULDBLOCK;
    }
    return 0;
}

void apc_cancel(struct apc_queue *q, uint32_t generation)
{
    uint64_t seen = atomic_load_explicit(&q->reserved, memory_order_relaxed);

    do {
        /* 0: somebody has queued an APC without a place, which is then missing here. */
        if (high(seen) != generation || low(seen) == 0)
            return;
    } while (!change(&q->reserved, &seen, seen - 1));
}

/* --- pushing ---------------------------------------------------------------------------------- */

bool apc_push(struct apc_queue *q, uint32_t generation, LPWSAUSERAPC routine, DWORD_PTR context)
{
    uint64_t seen = atomic_load_explicit(&q->queue, memory_order_relaxed);

    if (high(seen) != generation)
        return false;
    uint32_t name = take_node(q);

    if (name == 0)
        return false;
    struct apc_node *node = node_at(q, name);

    node->routine = routine;
    node->context = context;
    do {
        if (high(seen) != generation) {
            give_nodes(q, name, name);
            return false;
        }
        atomic_store_explicit(&node->next, low(seen) & ~SLEEPING, memory_order_relaxed);
    } while (!change(&q->queue, &seen, pack(generation, name)));
    if (low(seen) & SLEEPING)
        wake(futex_of(q), 1);
    return true;
}

/* --- the thread's lists ----------------------------------------------------------------------- */

static uint32_t next_of(struct apc_queue *q, uint32_t name)
{
    return atomic_load_explicit(&node_at(q, name)->next, memory_order_relaxed);
}

static void set_next(struct apc_queue *q, uint32_t name, uint32_t next)
{
    atomic_store_explicit(&node_at(q, name)->next, next, memory_order_relaxed);
}

static void append(struct apc_queue *q, struct apc_list *list, uint32_t name)
{
    set_next(q, name, 0);
    if (list->last)
        set_next(q, list->last, name);
    else
        list->first = name;
    list->last = name;
}

/* Take out the node that follows `before`, or the first when that is 0. */
static uint32_t take_out(struct apc_queue *q, struct apc_list *list, uint32_t before)
{
    uint32_t name = before ? next_of(q, before) : list->first;
    uint32_t next = next_of(q, name);

    if (before)
        set_next(q, before, next);
    else
        list->first = next;
    if (list->last == name)
        list->last = before;
    return name;
}

static void drop_list(struct apc_queue *q, struct apc_list *list)
{
    apc_drop_callback *callback = atomic_load_explicit(&drop_callback, memory_order_acquire);

    for (uint32_t name = callback ? list->first : 0; name; name = next_of(q, name))
        callback(node_at(q, name)->routine, node_at(q, name)->context);
    if (list->first)
        give_nodes(q, list->first, list->last);
    *list = (struct apc_list){0, 0};
}

/* The queue has the newest first; the list gets the oldest first. */
static void append_reversed(struct apc_queue *q, struct apc_list *list, uint32_t newest)
{
    uint32_t oldest = 0;
    uint32_t next;

    for (uint32_t name = newest; name; name = next) {
        next = next_of(q, name);
        set_next(q, name, oldest);
        oldest = name;
    }
    if (list->last)
        set_next(q, list->last, oldest);
    else
        list->first = oldest;
    list->last = newest;
}

static void take_queue(struct apc_queue *q)
{
    uint64_t seen = atomic_load_explicit(&q->queue, memory_order_relaxed);

    if ((low(seen) & ~SLEEPING) == 0)
        return;
    while (!change(&q->queue, &seen, pack(high(seen), 0)))
        ;
    append_reversed(q, &q->pending, low(seen) & ~SLEEPING);
}

static bool key_runs(const struct apc_queue *q, uint32_t depth, uintptr_t key)
{
    for (uint32_t i = 0; i < depth; i++)
        if (q->frames[i].key == key)
            return true;
    return false;
}

/* The next one that may run: first those that had to wait for their key. @return 0: none */
static uint32_t next_to_run(struct apc_queue *q)
{
    uint32_t before = 0;

    for (uint32_t name = q->deferred.first; name; before = name, name = next_of(q, name))
        if (!key_runs(q, q->depth, node_at(q, name)->key))
            return take_out(q, &q->deferred, before);
    if (!q->pending.first)
        take_queue(q);
    return q->pending.first ? take_out(q, &q->pending, 0) : 0;
}

/* --- running ---------------------------------------------------------------------------------- */

/* The APC of a frame no longer needs its node or its place. */
static void release_node(struct apc_queue *q, struct apc_frame *frame)
{
    if (frame->node == 0)
        return;
    give_nodes(q, frame->node, frame->node);
    frame->node = 0;
    apc_cancel(q, high(atomic_load_explicit(&q->queue, memory_order_relaxed)));
}

static void drop_frames(struct apc_queue *q, uint32_t depth)
{
    while (q->depth > depth)
        release_node(q, &q->frames[--q->depth]);
}

/* @return 1 when it has run, 0 when it had to be put back */
static unsigned run_one(struct apc_queue *q, uint32_t name, struct stack_mark stack)
{
    struct apc_node *node = node_at(q, name);
    uint32_t level = q->depth++;
    struct apc_frame *frame = &q->frames[level];

    *frame = (struct apc_frame){.stack = stack, .node = name};
    node->routine(node->context);
    unsigned ran = frame->deferred ? 0 : 1;

    drop_frames(q, level); /* also what was left behind by longjmp() within the routine */
    return ran;
}

/* Frames that were left by longjmp(), and those within them. */
static void drop_left_frames(struct apc_queue *q, uintptr_t asker)
{
    while (q->depth && stack_mark_is_left(&q->frames[q->depth - 1].stack, asker))
        drop_frames(q, q->depth - 1);
}

bool apc_may_run(struct apc_queue *q)
{
    if (q->depth == APC_MAX_DEPTH)
        drop_left_frames(q, STACK_FRAME_END);
    return q->depth < APC_MAX_DEPTH;
}

bool apc_is_pending(const struct apc_queue *q)
{
    return q->pending.first ||
           (low(atomic_load_explicit(&q->queue, memory_order_relaxed)) & ~SLEEPING);
}

__attribute__((noinline)) unsigned apc_run(struct apc_queue *q)
{
    struct stack_mark here = {.end = STACK_FRAME_END};
    unsigned ran = 0;
    uint32_t name;

    if (!q->deferred.first && !apc_is_pending(q))
        return 0;
    here.code = stack_mark_code();
    drop_left_frames(q, here.end);
    while (apc_may_run(q) && (name = next_to_run(q)) != 0)
        ran += run_one(q, name, here);
    return ran;
}

bool apc_begin_routine(struct apc_queue *q, uintptr_t key)
{
    if (q->depth == 0 || q->frames[q->depth - 1].node == 0)
        return true;
    struct apc_frame *frame = &q->frames[q->depth - 1];

    if (key_runs(q, q->depth - 1, key)) {
        node_at(q, frame->node)->key = key;
        append(q, &q->deferred, frame->node);
        frame->node = 0;
        frame->deferred = true;
        return false;
    }
    frame->key = key;
    release_node(q, frame);
    return true;
}

/* --- sleeping --------------------------------------------------------------------------------- */

bool apc_prepare_sleep(struct apc_queue *q, struct wake_word *word)
{
    uint64_t seen = atomic_load_explicit(&q->queue, memory_order_relaxed);

    do {
        if (low(seen) & ~SLEEPING)
            return false;
    } while (!change(&q->queue, &seen, pack(high(seen), SLEEPING)));
    *word = (struct wake_word){futex_of(q), SLEEPING};
    return true;
}

void apc_finish_sleep(struct apc_queue *q)
{
    if (low(atomic_load_explicit(&q->queue, memory_order_relaxed)) & SLEEPING)
        atomic_fetch_and_explicit(&q->queue, ~(uint64_t)SLEEPING, memory_order_acq_rel);
}

/* --- life ------------------------------------------------------------------------------------- */

void apc_on_drop(apc_drop_callback *callback)
{
    atomic_store_explicit(&drop_callback, callback, memory_order_release);
}

uint32_t apc_open(struct apc_queue *q)
{
    uint32_t generation = high(atomic_load_explicit(&q->queue, memory_order_relaxed)) + 1;

    q->depth = 0;
    atomic_store_explicit(&q->reserved, pack(generation, 0), memory_order_release);
    atomic_store_explicit(&q->queue, pack(generation, 0), memory_order_release);
    return generation;
}

void apc_close(struct apc_queue *q)
{
    uint32_t next = high(atomic_load_explicit(&q->queue, memory_order_relaxed)) + 1;

    /* Places first: a reservation never succeeds for a thread whose queue is closed. */
    atomic_store_explicit(&q->reserved, pack(next, 0), memory_order_release);
    uint64_t last = atomic_exchange_explicit(&q->queue, pack(next, 0), memory_order_acq_rel);

    if (low(last) & ~SLEEPING)
        append_reversed(q, &q->pending, low(last) & ~SLEEPING);
    drop_list(q, &q->pending);
    drop_list(q, &q->deferred);
    drop_frames(q, 0);
}

bool apc_is_open(struct apc_queue *q, uint32_t generation)
{
    return high(atomic_load_explicit(&q->queue, memory_order_acquire)) == generation;
}
