/* SPDX-License-Identifier: BSD-3-Clause */
#include "thread.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "event.h"
#include "host.h"

#define CHUNK_SHIFT 5
_Static_assert(THREAD_MAX == TABLE_MAX_CHUNKS << CHUNK_SHIFT, "the table holds THREAD_MAX threads");

static struct table threads = TABLE_INITIALIZER(HANDLE_THREAD, struct thread, CHUNK_SHIFT);

static _Thread_local struct thread *self;
static _Thread_local WSATHREADID self_id;

static pthread_key_t exit_key;
static bool exit_key_made;

static _Atomic(void (*)(const WSATHREADID *)) exit_callback;

/* A key's destructor runs on every road out of a thread: return, pthread_exit(), cancellation. */
static void thread_exits(void *thread)
{
    struct thread *t = thread;
    WSATHREADID id = self_id;
    HANDLE end = atomic_exchange_explicit(&t->end, NULL, memory_order_relaxed);
    void (*callback)(const WSATHREADID *) =
        atomic_load_explicit(&exit_callback, memory_order_acquire);

    apc_close(&t->apcs);
    self = NULL; /* a destructor that runs later and needs an identity gets a new one */
    if (callback)
        callback(&id);
    if (atomic_load_explicit(&t->apcs.queue, memory_order_relaxed) >> 32 != 0)
        table_give(&threads, &t->entry); /* else its generations are used up */
    event_set(end);                      /* NULL, or closed: nothing happens */
}

static void before_fork(void)
{
    table_before_fork(&threads);
}

static void after_fork_in_parent(void)
{
    table_after_fork_in_parent(&threads);
}

static void after_fork_in_child(void)
{
    table_after_fork_in_child(&threads);
    if (self)
        self_id.Reserved = (DWORD_PTR)syscall(SYS_gettid);
}

/* Not at the first use, which a signal handler might interrupt. */
__attribute__((constructor(FORK_HANDLERS_INNERMOST))) static void begin(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_exits) == 0;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

struct thread *thread_current_if_known(void)
{
    return self;
}

struct thread *thread_current(void)
{
    if (self)
        return self;
    struct thread *t = exit_key_made ? table_take(&threads) : NULL;

    if (!t)
        return NULL;
    if (pthread_setspecific(exit_key, t) != 0) {
        table_give(&threads, &t->entry);
        return NULL;
    }
    uint32_t generation = apc_open(&t->apcs);

    self_id.ThreadHandle = table_handle(&threads, &t->entry, generation);
    self_id.Reserved = thread_system_number();
    self = t;
    return t;
}

struct thread *thread_current_with(uint32_t *generation)
{
    return thread_current() ? thread_find(self_id.ThreadHandle, generation) : NULL;
}

void thread_set_end(HANDLE event)
{
    atomic_store_explicit(&self->end, event, memory_order_release);
}

struct thread *thread_find_by_end(HANDLE event, uint32_t *generation)
{
    struct thread *t;

    if (event_look(event) == EVENT_STALE)
        return NULL; /* closed: nobody's handle, though its thread may go on */
    for (uint32_t slot = 0; slot < THREAD_MAX; slot++) {
        if (!(t = table_at(&threads, slot)))
            break;
        /* The generation between two looks at the event: it belongs to the event's thread. */
        if (atomic_load_explicit(&t->end, memory_order_acquire) != event)
            continue;
        *generation = (uint32_t)(atomic_load_explicit(&t->apcs.queue, memory_order_acquire) >> 32);
        if (atomic_load_explicit(&t->end, memory_order_relaxed) == event)
            return t;
    }
    return NULL;
}

DWORD thread_system_number(void)
{
    return (DWORD)syscall(SYS_gettid);
}

struct thread *thread_find(HANDLE handle, uint32_t *generation)
{
    return table_find(&threads, handle, generation);
}

bool thread_is_or_was(HANDLE handle)
{
    uint32_t generation;
    struct thread *t = thread_find(handle, &generation);

    return t && generation <= atomic_load_explicit(&t->apcs.queue, memory_order_acquire) >> 32;
}

bool host_current_thread(WSATHREADID *id)
{
    if (!thread_current())
        return false;
    *id = self_id;
    return true;
}

bool host_thread_is_current(const WSATHREADID *id)
{
    return self && id->ThreadHandle == self_id.ThreadHandle;
}

int host_reserve_apc(const WSATHREADID *id)
{
    uint32_t generation;
    struct thread *t = thread_find(id->ThreadHandle, &generation);

    return t ? apc_reserve(&t->apcs, generation) : WSAEINVAL;
}

void host_cancel_apc(const WSATHREADID *id)
{
    uint32_t generation;
    struct thread *t = thread_find(id->ThreadHandle, &generation);

    if (t)
        apc_cancel(&t->apcs, generation);
}

void host_on_thread_exit(void (*callback)(const WSATHREADID *id))
{
    atomic_store_explicit(&exit_callback, callback, memory_order_release);
}

void host_on_dropped_apc(void (*callback)(LPWSAUSERAPC routine, DWORD_PTR context))
{
    apc_on_drop(callback);
}

bool host_begin_routine(uintptr_t key)
{
    return !self || apc_begin_routine(&self->apcs, key);
}
