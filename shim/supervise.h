/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SUPERVISE_H
#define WIRERX_SUPERVISE_H

/**
 * @file
 * While receivers receive: show how it goes and notice when to end.
 */

#include <signal.h>

#include "receiver.h"
#include "run.h"

/** The signals that ask for an end. Block them before any thread is started. */
sigset_t supervise_signals(void);

/**
 * Wait for the end of a run; fills run->end and what belongs to it. The signals of
 * supervise_signals() are blocked in all threads, so that only this one takes them.
 */
void supervise(struct run *run, const struct reception *reception, const struct receiver *receivers,
               unsigned receiver_count);

#endif
