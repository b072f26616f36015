/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROVIDER_LEND_H
#define WIRERX_PROVIDER_LEND_H

/**
 * @file
 * A socket's loans: which of its frames clients hold. All of it under LOCK.
 *
 * The table is made by the first call that lends, by a client's thread, and stays with the slot. A token
 * is the slot, the row, and a number that no other loan of the slot has had lately; the numbers go on
 * when the slot becomes another socket's, so that old tokens mean nothing there.
 */

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct wsp_socket;
struct loan;

/** SO_WIRERX_MAX_LENT when nothing else is set, and its largest value. */
#define LOANS_DEFAULT 256u
#define LOANS_LIMIT 65535u

struct loans {
    struct loan *rows;
    uint32_t capacity;
    uint32_t first_free; /**< row; `capacity`: none */
    uint32_t out;        /**< loans outstanding */
    uint32_t buffers;    /**< their buffers */
    uint32_t maximum;    /**< SO_WIRERX_MAX_LENT */
    uint32_t number;     /**< of the last loan */
    uint64_t total;      /**< loans of this socket, ever */
};

/** For a new socket in the slot. */
void loans_reset(struct loans *loans);

/** Send home all that is out: the socket is being closed, or the network is down. Under LOCK. */
void loans_recall(struct endpoint *endpoint, struct wsp_socket *socket);

#endif
