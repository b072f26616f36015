/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_H
#define WIRERX_HOST_H

/**
 * @file
 * Our own host side of the SPI: what ws2_32.dll is to a provider on Windows. It supplies the 15
 * upcalls, events, threads with APC queues, and alertable waits. The provider knows it only through
 * the upcall table, and through the few functions here that a foreign host has no equivalent for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "../../dataplane/dataplane.h"
#include "wirerx/ws2spi.h"

/** Nanoseconds for which a wait for events spins before it sleeps; default 50,000. Any thread. */
extern _Atomic uint64_t host_spin_ns;

/** The 15 upcalls of this host. */
WSPUPCALLTABLE host_upcalls(void);

/** Is this table ours? Then upcalls never block and may run on an lcore. */
bool host_is_own(const WSPUPCALLTABLE *upcalls);

/**
 * How this host's services that take a SOCKET find out whether it is one (O06); `is_open` must be
 * callable on any thread. NULL, the default: every value but 0 and INVALID_SOCKET is taken for one.
 */
void host_check_sockets_by(bool (*is_open)(SOCKET s));

/** Why host_sleep() returned. */
enum host_wake {
    HOST_WOKEN,       /**< a word changed, or for no reason: look again */
    HOST_TIMEOUT,     /**< the deadline passed */
    HOST_APCS_QUEUED, /**< APCs are queued to this thread: host_run_apcs() */
};

/** Most words of host_sleep(). */
#define HOST_SLEEP_MAX_WORDS 64u

/**
 * The wait inside a blocking call: sleep until one of the words no longer has its value, or an APC is
 * queued to this thread. Runs none itself, so that the caller can first take back what it has announced
 * to others: a routine may take its time, end its thread or leave by longjmp(). No lock may be held.
 *
 * A cancellation point: a thread that is cancelled here calls undo(argument) on its way out.
 *
 * @param words     1 to HOST_SLEEP_MAX_WORDS of them
 * @param stop      do not sleep while this is true. Set by a signal handler of this thread that then
 *                  calls host_interrupt_sleep(), it ends the sleep in which the handler runs
 * @param deadline  CLOCK_MONOTONIC nanoseconds, or WAKE_FOREVER
 */
enum host_wake host_sleep(const struct wake_word *words, unsigned count, uint64_t deadline,
                          const _Atomic bool *stop, void (*undo)(void *argument), void *argument);

/**
 * The alertable part of such a wait: run the APCs that are queued to this thread (clauses B08, F10).
 * Inside as many alertable waits as a thread can have it runs none.
 * @return true: one or more have run
 */
bool host_run_apcs(void);

/** End the host_sleep() of the calling thread: for its signal handlers. */
void host_interrupt_sleep(void);

/** Is this an event of this host, open at this moment? Any thread; leaves its state alone. */
bool host_is_event(HANDLE event);

/**
 * Before an operation with a completion routine is started: make sure that the APC of thread `id`
 * can be queued without fail later, by an lcore that may not allocate. Every success is consumed by
 * exactly one lpWPUQueueApc upcall of host_upcalls() or one host_cancel_apc(). (The exported
 * WPUQueueApc() reserves for itself and may therefore allocate.)
 * @return 0, WSAEINVAL the thread is gone or was never one (A22), WSAEWOULDBLOCK its queue is full
 *         (C08)
 */
int host_reserve_apc(const WSATHREADID *id);

/** Give back a reservation that will not be used. */
void host_cancel_apc(const WSATHREADID *id);

/**
 * First act of an APC that runs a completion routine: says whose. Routines of one socket never
 * nest, F08, but Windows would run them in an alertable wait inside a routine. So when a routine of
 * the same key is running further down this thread's stack, the host takes the APC back: the caller
 * returns at once, having done nothing, and is called again, with the same context, as soon as that
 * routine has returned. An alertable wait does not end because of an APC that was taken back.
 *
 * With true the reservation is used up: a routine that starts the next operation has room for it.
 *
 * @param key  the socket, not 0
 * @return false: return at once. true: go on (also when no APC of this host is running)
 */
bool host_begin_routine(uintptr_t key);

/** Identity of the calling thread, registering it on first use. @return false: table full. */
bool host_current_thread(WSATHREADID *id);

/** Does this identity name the calling thread? */
bool host_thread_is_current(const WSATHREADID *id);

/**
 * Called when a registered thread exits, on that thread, after its identity has become stale (so no
 * APC can reach it any more) and after host_on_dropped_apc()'s calls. The provider cancels the
 * thread's pending operations there (F15, K07). One callback at a time; NULL: none. It must not
 * need an identity of its own (wait alertably, start an operation with a routine).
 */
void host_on_thread_exit(void (*callback)(const WSATHREADID *id));

/**
 * Called for every queued APC that will never run, because its thread exits: on that thread, before
 * the callback above. What the context stands for is the provider's to free. NULL: none.
 */
void host_on_dropped_apc(void (*callback)(LPWSAUSERAPC routine, DWORD_PTR context));

#endif
