/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SEND_POST_H
#define WIRERX_SEND_POST_H

/**
 * @file
 * Overlapped sends: done within the call where there is room, else posted, and served when the home
 * lcore has made room (fences F4 and F5, dataplane/send_queue.h).
 */

#include "posted.h"
#include "send.h"

/** Overlapped: send now or post. @return 0, WSA_IO_PENDING or WSA error */
int send_post(const struct socket_reference *reference, const struct send_call *call);

/**
 * Put posted sends in the send queue, in their order, until there is no room or the batch is full; then,
 * if somebody watches for room and there is some, watch_writable(). Under LOCK.
 * @return true: a posted send and room for it are left
 */
bool send_serve(struct endpoint *endpoint, struct wsp_socket *socket,
                struct completion_batch *batch);

#endif
