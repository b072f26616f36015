/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_WAIT_H
#define WIRERX_HOST_WAIT_H

/**
 * @file
 * Waiting for events, alertably or not. Client threads. Each wait that sleeps is a cancellation
 * point (pthread_cancel(), deferred); one that is cancelled consumes no event, and a wake-up that it
 * has taken is passed on.
 */

#include <stdbool.h>
#include <stdint.h>

#include "wirerx/wirerx_kernel.h"

/**
 * Wait until one of the events is signalled, or all are. Looks, spins for host_spin_ns, sleeps.
 *
 * The events come first, as on Windows: a wait that they satisfy at once runs no APC, alertable or
 * not. Otherwise, alertable, APCs that are queued run, all of them, and end the wait; no event is
 * then consumed. Of auto-reset events the one whose index is returned is consumed, or, for all, all
 * of them in one step. No event may be twice in a wait for all.
 *
 * @param events     1 to MAXIMUM_WAIT_OBJECTS handles; an event that is closed meanwhile ends the
 *                   wait as soon as it is looked at again, at once in a wait for one
 * @param deadline   CLOCK_MONOTONIC nanoseconds; WAKE_FOREVER; 0: look and return
 * @param error      receives the code of WAIT_FAILED: ERROR_INVALID_HANDLE,
 *                   ERROR_INVALID_PARAMETER a bad count or the same event twice,
 *                   ERROR_NOT_ENOUGH_MEMORY too many threads wait for one event
 * @return WAIT_OBJECT_0 + index (0 for all), WAIT_TIMEOUT, WAIT_IO_COMPLETION, WAIT_FAILED
 */
DWORD wait_for_events(const HANDLE *events, DWORD count, bool all, uint64_t deadline,
                      bool alertable, int *error);

/** Let time pass. @return 0, or WAIT_IO_COMPLETION when alertable and APCs have run */
DWORD wait_for_time(uint64_t deadline, bool alertable);

/** The deadline for a time-out in milliseconds; INFINITE is WAKE_FOREVER, 0 is 0. */
uint64_t wait_deadline(DWORD milliseconds);

#endif
