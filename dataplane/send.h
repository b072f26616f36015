/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_DATAPLANE_SEND_H
#define WIRERX_DATAPLANE_SEND_H

/**
 * @file
 * The sending side of an lcore: from the records of send queues to frames, and from there back into
 * this stack, out to the network (host_send.h), or both.
 */

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct lcore;

/** Datagrams, and bytes of them, that an lcore makes frames of in one pass; the rest waits. */
#define SEND_PASS_RECORDS 32u
#define SEND_PASS_BYTES 65536u

/** Make frames of what sockets at home here have sent, within the pass's bounds. On the lcore, in every
 *  pass in which send_is_due(). */
void send_run(struct lcore *lcore);

/**
 * The same for one endpoint that nobody can send on any more. On the lcore.
 * @return true: there is more
 */
bool send_drain(struct lcore *lcore, struct endpoint *endpoint);

/** The endpoint is at home here no longer: off the list of senders. What it has queued is lost and
 *  counted. On the lcore, or in its place. */
void send_forget(struct lcore *lcore, struct endpoint *endpoint);

#endif
