/* SPDX-License-Identifier: BSD-3-Clause */
#include "blocking.h"

#include <pthread.h>
#include <stdlib.h>

#include "guard.h"
#include "host/stack_mark.h"
#include "quick_obstacles.h"
#include "socket.h"
#include "spi.h"

enum frame_kind {
    FRAME_CALL,    /**< a blocking call */
    FRAME_ROUTINE, /**< a completion routine (blocking_enter_routine()) */
};

/** What the thread knows of a record on its stack. Not on the stack, because a call may be left by
 *  longjmp(). */
struct frame {
    struct blocking_call *call;
    uint64_t mark; /**< what is in the record for as long as it is one */
    struct stack_mark stack;
    void *memory; /**< blocking_own() */
    enum frame_kind kind;
    bool in_callback;
    bool forked;
    _Atomic bool cancelled; /**< set by signal handlers of the thread, too */
};

/* Written by the thread alone; its signal handlers put it back as they found it. */
static _Thread_local struct {
    uint32_t depth;
    uint64_t marks;
    struct frame frames[BLOCKING_MAX_DEPTH];
} mine;

_Atomic bool blocking_has_callbacks;

/* Is the record still there? Its frame is, and it has not been overwritten by a later call of the same
 * function; the stack of a coroutine may be gone altogether, so that it is read with care. */
static bool is_live(const struct frame *frame, uintptr_t asker)
{
    uint64_t mark;

    return guard_copy_from(&mark, &frame->call->mark, sizeof mark) && mark == frame->mark &&
           !stack_mark_is_left(&frame->stack, asker);
}

/* Frames without those that were left by longjmp(). Changes nothing: for signal handlers, too. */
static uint32_t live_depth(uintptr_t asker)
{
    uint32_t depth = mine.depth;

    while (depth > 0 && !is_live(&mine.frames[depth - 1], asker))
        depth--;
    return depth;
}

static struct frame *frame_of(const struct blocking_call *call)
{
    return &mine.frames[call->level];
}

static void drop_frames(uint32_t depth)
{
    while (mine.depth > depth) {
        struct frame *frame = &mine.frames[mine.depth - 1];

        if (frame->memory != NULL)
            free(frame->memory);
        frame->memory = NULL;
        mine.depth--;
    }
}

static bool push(struct blocking_call *call, enum frame_kind kind)
{
    uint32_t level = live_depth(call->stack.end);
    struct frame *frame = &mine.frames[level];

    drop_frames(level);
    if (level == BLOCKING_MAX_DEPTH)
        return false;
    call->level = level;
    /* Odd times the address: another one for every call, and no value that a stack happens to hold. */
    call->mark = ++mine.marks * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)call;
    do { /* again if a signal handler has made a call of its own meanwhile, in this frame */
        *frame = (struct frame){
            .call = call,
            .mark = call->mark,
            .stack = call->stack,
            .kind = kind,
        };
        atomic_signal_fence(memory_order_seq_cst);
        mine.depth = level + 1;
        atomic_signal_fence(memory_order_seq_cst);
    } while (frame->call != call || frame->mark != call->mark);
    return true;
}

static void pop(struct blocking_call *call)
{
    call->mark = 0;
    if (mine.depth > call->level) {
        frame_of(call)->memory = NULL; /* the call's own again */
        drop_frames(call->level);
    }
}

bool blocking_in_callback(uintptr_t asker)
{
    uint32_t depth = live_depth(asker);

    return depth > 0 && mine.frames[depth - 1].in_callback;
}

int blocking_begin_marked(struct blocking_call *call, const WSAPROTOCOL_INFOW *protocol)
{
    int error;

    if (unlikely(atomic_load_explicit(&blocking_has_callbacks, memory_order_relaxed)) &&
        blocking_in_callback(call->stack.end))
        return WSAEINPROGRESS;
    call->callback = NULL;
    call->context = 0;
    call->callback_due = 0;
    if (provider_upcalls.lpWPUQueryBlockingCallback != NULL &&
        provider_upcalls.lpWPUQueryBlockingCallback(protocol->dwCatalogEntryId, &call->callback,
                                                    &call->context, &error) != 0)
        call->callback = NULL;
    if (call->callback != NULL) {
        atomic_store_explicit(&blocking_has_callbacks, true, memory_order_relaxed);
        quick_obstacle_set(OBSTACLE_CALLBACKS, true);
    }
    return push(call, FRAME_CALL) ? 0 : WSAENOBUFS;
}

void blocking_end(struct blocking_call *call)
{
    pop(call);
}

static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool exit_key_made;

static void thread_exits(void *frames)
{
    (void)frames;
    drop_frames(0);
}

static void make_exit_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_exits) == 0;
}

void blocking_own(struct blocking_call *call, void *memory)
{
    pthread_once(&exit_key_once, make_exit_key);
    if (exit_key_made)
        pthread_setspecific(exit_key, &mine);
    frame_of(call)->memory = memory;
}

bool blocking_cancelled(const struct blocking_call *call)
{
    return atomic_load_explicit(&frame_of(call)->cancelled, memory_order_relaxed);
}

/* TRUE says "wait on", FALSE that the call was cancelled. */
static void run_callback(struct blocking_call *call)
{
    struct frame *frame = frame_of(call);

    frame->in_callback = true;
    BOOL wait_on = call->callback(call->context);
    frame->in_callback = false;
    if (!wait_on)
        atomic_store_explicit(&frame->cancelled, true, memory_order_relaxed);
    call->callback_due = wake_clock() + BLOCKING_SLICE_NS;
}

enum blocking_wake blocking_pause(struct blocking_call *call)
{
    bool ran = provider_host_is_own && host_run_apcs();

    if (call->callback != NULL && !frame_of(call)->forked && wake_clock() >= call->callback_due) {
        run_callback(call);
        ran = true;
    }
    if (frame_of(call)->forked)
        return BLOCKING_FORKED;
    pthread_testcancel();
    return ran ? BLOCKING_LOOK_AGAIN : BLOCKING_IDLE;
}

struct announcement {
    void (*withdraw)(void *argument, bool leaves);
    void *argument;
};

static void withdraw_and_leave(void *announcement)
{
    struct announcement *announced = announcement;

    announced->withdraw(announced->argument, true);
}

/* Another host's APCs and its way of interrupting have no futex: look now and then. */
static enum host_wake foreign_sleep(const struct frame *frame, const struct wake_word *words,
                                    unsigned count, uint64_t deadline,
                                    struct announcement *announced)
{
    if (atomic_load(&frame->cancelled))
        return HOST_WOKEN;
    return wake_sleep_or_end(words, count, deadline, withdraw_and_leave, announced) == WAKE_TIMEOUT
               ? HOST_TIMEOUT
               : HOST_WOKEN;
}

enum blocking_wake blocking_sleep(struct blocking_call *call, const struct wake_word *words,
                                  unsigned count, uint64_t deadline,
                                  void (*withdraw)(void *argument, bool leaves), void *argument)
{
    struct announcement announced = {withdraw, argument};
    struct frame *frame = frame_of(call);
    uint64_t until = deadline;
    enum host_wake woken;

    if (call->callback != NULL)
        until = RTE_MIN(until, call->callback_due);
    if (provider_host_is_own) {
        woken = host_sleep(words, count, until, &frame->cancelled, withdraw_and_leave, &announced);
    } else {
        until = RTE_MIN(until, wake_clock() + BLOCKING_SLICE_NS);
        woken = foreign_sleep(frame, words, count, until, &announced);
    }
    withdraw(argument, woken != HOST_WOKEN);
    if (woken == HOST_WOKEN)
        return BLOCKING_LOOK_AGAIN;
    if (woken == HOST_TIMEOUT && until == deadline)
        return BLOCKING_TIMED_OUT;
    return blocking_pause(call) == BLOCKING_FORKED ? BLOCKING_FORKED : BLOCKING_LOOK_AGAIN;
}

int blocking_cancel(void)
{
    for (uint32_t depth = live_depth(STACK_FRAME_END); depth > 0; depth--) {
        struct frame *frame = &mine.frames[depth - 1];

        if (frame->kind == FRAME_CALL) {
            atomic_store(&frame->cancelled, true);
            if (provider_host_is_own)
                host_interrupt_sleep();
            return 0;
        }
    }
    return WSAEINVAL; /* N02 */
}

int WSPAPI spi_cancel_blocking_call(LPINT error)
{
    return spi_result(error, blocking_cancel());
}

void blocking_enter_routine_marked(struct blocking_call *call)
{
    if (!push(call, FRAME_ROUTINE))
        call->level = BLOCKING_MAX_DEPTH; /* too deep to be told apart */
}

void blocking_leave_routine(struct blocking_call *call)
{
    pop(call);
}

void blocking_forked(void)
{
    for (uint32_t i = 0; i < mine.depth; i++)
        mine.frames[i].forked = true;
}
