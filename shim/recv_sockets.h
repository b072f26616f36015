/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECV_SOCKETS_H
#define WIRERX_RECV_SOCKETS_H

/**
 * @file
 * The sockets of a run of `wirerx recv`: one for each --join and --stall, or one for all.
 */

#include "recv_options.h"
#include "wirerx.h"

struct recv_socket {
    SOCKET handle;
    const struct recv_join *joins; /**< consecutive ones of the command line */
    unsigned join_count;
    bool stall; /**< never read */
    struct wirerx_socket_counters counters;
};

struct recv_sockets {
    struct recv_socket *rows;
    unsigned count;
    SOCKET *read; /**< the handles that are to be read */
    unsigned read_count;
};

/** How many sockets these options need. */
unsigned recv_sockets_needed(const struct recv_options *options);

/**
 * Open, bind and join them. WSAStartup() and the dataplane come first.
 * @return 0, or -1 with the error set; recv_sockets_close() is due either way
 */
int recv_sockets_open(struct recv_sockets *sockets, const struct recv_options *options,
                      struct command_error *error);

/** Read every socket's counters. */
void recv_sockets_count(struct recv_sockets *sockets);

/** Of a socket after wirerx_stop(): what was in its ring and is gone unread. */
uint64_t recv_socket_unread(const struct recv_socket *row);

/** What the dataplane has put into the rings of the sockets that are read. */
uint64_t recv_sockets_delivered(const struct recv_sockets *sockets);

/** The socket's name in messages: its only group, or the first of them. NULL: not one of ours. */
const char *recv_sockets_name(const struct recv_sockets *sockets, SOCKET handle);

void recv_sockets_close(struct recv_sockets *sockets);

#endif
