/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_POSTED_RECEIVES_H
#define WIRERX_POSTED_RECEIVES_H

/**
 * @file
 * Overlapped receives that are posted ahead: each with its own OVERLAPPED and buffer, several
 * outstanding on every socket. Receives of one socket are filled in the order in which they were
 * posted (clause G08), so a datagram that completes is followed by the next operation's.
 */

#include "receiver.h"
#include "winsock2.h"

/** One overlapped receive. The OVERLAPPED comes first: a completion routine is given only that. */
struct posted_receive {
    WSAOVERLAPPED overlapped;
    SOCKET socket;
    void *owner; /**< the mode's own */
    char *payload;
};

struct posted_receives {
    unsigned depth; /**< operations of one socket */
    unsigned count; /**< of all sockets: those of socket i are [i * depth, (i + 1) * depth) */
    struct posted_receive *operations;
    char *payloads;
};

/**
 * Memory for the operations of a receiver's sockets, and burst time stamps switched on where the
 * receiver measures latency. @return false: the receiver has been told of the failure
 */
bool posted_receives_create(struct posted_receives *posted, struct receiver *receiver, void *owner);

void posted_receives_free(struct posted_receives *posted);

/**
 * Start one receive, with an event in its OVERLAPPED or with a routine.
 * @return false: it was not started, and the receiver has been told
 */
bool posted_receive_start(struct posted_receive *operation, struct receiver *receiver,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/** When the datagram's burst came off the device (SO_WIRERX_STAMP); 0 where that is off. */
static inline uint64_t posted_receive_burst_tsc(const struct posted_receive *operation)
{
    return (uint64_t)operation->overlapped.OffsetHigh << 32 | operation->overlapped.Offset;
}

#endif
