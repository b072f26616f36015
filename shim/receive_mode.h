/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_MODE_H
#define WIRERX_RECEIVE_MODE_H

/**
 * @file
 * The four ways in which a Winsock client can receive. Each is a small program over the public
 * interface, in a file of its own.
 */

#include <stdbool.h>

struct receiver;

struct receive_mode {
    const char *name;
    bool thread_per_socket; /**< else one thread serves all sockets */
    /**
     * On the receiving thread: receive into receiver_take() until it returns false, or until
     * receives fail because the dataplane was stopped. On return no receive is outstanding.
     */
    void (*run)(struct receiver *receiver);
};

extern const struct receive_mode receive_blocking;
extern const struct receive_mode receive_nonblocking;
extern const struct receive_mode receive_event;
extern const struct receive_mode receive_apc;

/** NULL: no such mode. */
const struct receive_mode *receive_mode_find(const char *name);

#endif
