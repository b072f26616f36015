/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_RECEIVE_H
#define WIRERX_BENCH_RECEIVE_H

/**
 * @file
 * What the sides have in common that receive through the provider.
 */

#include "bed.h"
#include "side.h"
#include "wirerx/ws2spi.h"

/** Datagrams taken from one socket before it is the next one's turn. */
#define RECEIVE_TURN 32u

/** What client.h speaks of. */
struct client {
    WSPPROC_TABLE provider;
    WSATHREADID thread;
    SOCKET *sockets;
    unsigned count;
};
extern struct client client;

/** Of a lane; the first one's is `client`. */
struct client *client_of(const struct bed *bed);

/** One receive that waits for data, one posted again and again. */
struct operation {
    WSAOVERLAPPED overlapped; /**< first: a completion routine is given its address */
    WSABUF buffer;
    struct operations *all;
    SOCKET socket;
};

/** All that are outstanding, in order of socket and of posting. */
struct operations {
    struct client *client;
    struct operation *rows;
    uint8_t *payloads;
    unsigned *next;                             /**< by socket: the one that completes next */
    const uint8_t *last;                        /**< where the last datagram went */
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine; /**< NULL: none */
};

/** Make them. Ends the program when memory is short. */
void operations_prepare(struct operations *operations, const struct bed *bed,
                        LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/** Make them and post them all. Ends the program when that fails. */
void operations_create(struct operations *operations, const struct bed *bed,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/** When their sockets have been closed and their routines have run. */
void operations_free(struct operations *operations);

/** Post one (again). */
void operation_post(struct operation *operation);

/** One has completed: is it what was sent? Ends the program if not. */
static inline void operation_check(const struct operation *operation, uint64_t status,
                                   uint64_t bytes)
{
    if (status != 0 || bytes != operation->buffer.len)
        bed_fail("an overlapped WSPRecv ends with status 0x%llx and %llu bytes",
                 (unsigned long long)status, (unsigned long long)bytes);
}

#endif
