/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BLOCKING_H
#define WIRERX_BLOCKING_H

/**
 * @file
 * What every blocking call of the SPI shares: receives and sends that wait, WSPSelect (the calls on
 * whose pages WSAEINTR and WSAEINPROGRESS stand; WSPGetOverlappedResult is none of them). While it
 * waits the thread's APCs run (B08), the host's blocking callback is called, WSPCancelBlockingCall
 * finds it (N01), and the thread may be cancelled by pthread_cancel().
 *
 *     error = blocking_begin(&call, protocol);            nothing was there, and it may wait
 *     while (error == 0) {
 *         switch (blocking_pause(&call)) ...              client code runs here, if any is due
 *         announce the wait; full fence; look again       (or take back and look)
 *         switch (blocking_sleep(&call, words, ...)) ...  takes back the announcement, then as pause
 *         look; there is something: break                 data wins against the mark (N03)
 *         if (blocking_cancelled(&call)) error = WSAEINTR;
 *     }
 *     blocking_end(&call);
 *
 * Client code runs only in blocking_pause() and blocking_sleep(), and with nothing announced to
 * others and no lock held: it may do anything, leave by longjmp() and end its thread or fork
 * included. So nothing that has to be undone may be outstanding when they are called, but for what
 * blocking_sleep()'s withdraw() takes back.
 *
 * State is the thread's own. Calls that were left by longjmp() are found when the thread makes the next
 * one or asks for it (host/stack_mark.h). Signal handlers may call blocking_cancel(), and may make blocking calls.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../dataplane/dataplane.h"
#include "host/host.h"
#include "host/stack_mark.h"
#include "wirerx/ws2spi.h"

/** Blocking calls within APCs within blocking calls; the next one fails with WSAENOBUFS. Few, because the
 *  library's thread-local storage must fit into what dlopen() has left. */
#define BLOCKING_MAX_DEPTH 16u

/** The callback is called this often; and a foreign host's thread looks this often for what has no
 *  futex of ours. */
#define BLOCKING_SLICE_NS UINT64_C(10000000)

/** A blocking call that has begun to wait. On its stack. */
struct blocking_call {
    struct stack_mark stack;
    uint64_t mark;
    uint32_t level;
    LPBLOCKINGCALLBACK callback; /**< NULL: the host has none */
    DWORD_PTR context;
    uint64_t callback_due; /**< CLOCK_MONOTONIC nanoseconds */
};

/** What came of a pause or a sleep. */
enum blocking_wake {
    BLOCKING_IDLE,       /**< of a pause: nothing was due */
    BLOCKING_LOOK_AGAIN, /**< a word changed, or client code has run, or for no reason */
    BLOCKING_TIMED_OUT,  /**< the deadline has passed */
    /** Client code has forked and this is the child: no socket of the parent is there, and none may
     *  be touched. The call fails with WSAENOTSOCK at once, without another look. */
    BLOCKING_FORKED,
};

/** Some host has given a callback: without one nobody can be inside it. */
extern _Atomic bool blocking_has_callbacks;

/** The uncommon part of blocking_refused(). @param asker  as stack_mark_is_left() has it */
bool blocking_in_callback(uintptr_t asker);

/** Has a host had blocking callbacks since the start? One load. */
static inline bool blocking_has_hooks(void)
{
    return atomic_load_explicit(&blocking_has_callbacks, memory_order_relaxed);
}

/**
 * Is the calling thread inside its blocking callback, so that a call on a blocking socket fails with
 * WSAEINPROGRESS (A20), whether or not it would find something at once? Calls that cannot block
 * (overlapped, nonblocking) do not ask. One load unless a host has callbacks.
 */
static inline __attribute__((always_inline)) bool blocking_refused(void)
{
    return unlikely(blocking_has_hooks()) && blocking_in_callback(STACK_FRAME_END);
}

/** The rest of blocking_begin(). */
int blocking_begin_marked(struct blocking_call *call, const WSAPROTOCOL_INFOW *protocol);

/**
 * A call begins to wait. Asks the host for its callback: not under LOCK, and not before it is known
 * that the call has to wait. Inlined, because it marks the frame of the function that waits.
 * @return 0; WSAEINPROGRESS (A20); WSAENOBUFS too many within one another
 */
static inline __attribute__((always_inline)) int blocking_begin(struct blocking_call *call,
                                                                const WSAPROTOCOL_INFOW *protocol)
{
    call->stack = (struct stack_mark){STACK_FRAME_END, stack_mark_code()};
    return blocking_begin_marked(call, protocol);
}

/** It is over, however it ended. */
void blocking_end(struct blocking_call *call);

/**
 * Have memory freed (free()) if client code or a cancellation never lets the call return. One piece; the
 * call frees it itself after blocking_end().
 */
void blocking_own(struct blocking_call *call, void *memory);

/** Has it been cancelled, by WSPCancelBlockingCall or by the callback? Look for data first (N03). */
bool blocking_cancelled(const struct blocking_call *call);

/** Run what client code is due: APCs, the callback. Never sleeps. A cancellation point. */
enum blocking_wake blocking_pause(struct blocking_call *call);

/**
 * Sleep until a word no longer has its value, client code is due, or the call is cancelled; then take
 * back what was announced, and run the client code. A cancellation point.
 *
 * @param words     1 to HOST_SLEEP_MAX_WORDS of them
 * @param deadline  CLOCK_MONOTONIC nanoseconds, or WAKE_FOREVER
 * @param withdraw  called exactly once, before any client code, also when the thread is cancelled.
 *                  `leaves`: the call is not going to look at once, so that a wake-up which it has
 *                  taken is to be passed on (lock_word.h: the baton). May not wait, or be a
 *                  cancellation point
 */
enum blocking_wake blocking_sleep(struct blocking_call *call, const struct wake_word *words,
                                  unsigned count, uint64_t deadline,
                                  void (*withdraw)(void *argument, bool leaves), void *argument);

/**
 * Mark the innermost blocking call of the calling thread: WSPCancelBlockingCall. From an APC, a
 * completion routine, the callback, or a signal handler of this thread.
 * @return 0; WSAEINVAL there is none (N02)
 */
int blocking_cancel(void);

/** The rest of blocking_enter_routine(). */
void blocking_enter_routine_marked(struct blocking_call *call);

/**
 * A completion routine begins to run: until it ends the thread does not count as inside its callback,
 * even when an alertable wait within that runs the routine (F08: routines may call).
 */
static inline __attribute__((always_inline)) void blocking_enter_routine(struct blocking_call *call)
{
    call->stack = (struct stack_mark){STACK_FRAME_END, stack_mark_code()};
    blocking_enter_routine_marked(call);
}

void blocking_leave_routine(struct blocking_call *call);

/** In the child of a fork, on the thread that forked: its calls were the parent's. */
void blocking_forked(void);

#endif
