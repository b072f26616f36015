/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SERVICE_H
#define WIRERX_SERVICE_H

/**
 * @file
 * The service thread: EAL's main lcore, a thread of our own. Mostly asleep and not pinned. It alone
 * calls EAL's and ethdev's control functions, makes the wake-ups that exceed an lcore's budget, and
 * serves the sockets whose completions may not run on an lcore. It never touches a packet otherwise.
 *
 * EAL can be initialised once per process; the thread then lives as long as the process.
 */

#include "config.h"
#include "lcore.h"

/**
 * Start the thread and EAL if they are not there yet, and make sure that what EAL was started with
 * fits this configuration (cores and memory cannot change later).
 * @return 0, or -1 with the reason
 */
int service_ensure(const struct config *config, struct config_error *error);

/** Run a function on the service thread and wait for its result. Not from the thread itself. */
int service_call(int (*function)(void *argument), void *argument);

/** Which lcores' deferred work to do, and whose ticks. NULL, 0: none. Only on the service thread. */
void service_attach(struct lcore *lcores, unsigned count,
                    const struct endpoint_operations *operations);

/** Whose clocks to look at, with each tick. NULL, 0: none. Only on the service thread. */
void service_attach_ports(struct port *ports, unsigned count);

/** Do what the lcores have deferred so far. On the service thread: also before they go away, or who waits
 *  for one of those wake-ups would sleep on. */
void service_do_deferred(void);

/** Make the service thread look. Any thread; a syscall only if it sleeps. */
void service_wake(void);

/** In the child of a fork: the thread is not there, and EAL cannot be started again. */
void service_forked(void);

/** DPDK's id of the lcore at this place in the configuration. */
unsigned service_lcore_id(unsigned index);

#endif
