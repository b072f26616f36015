/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_POSTED_RECEIVES_H
#define WIRERX_POSTED_RECEIVES_H

/**
 * @file
 * Overlapped receives that are posted ahead: each with its own OVERLAPPED and buffer, several
 * outstanding on every socket. Receives of one socket are filled in the order in which they were
 * posted (clause G08), but may be indicated in another (F14). So the datagrams of a socket are taken
 * from its oldest receive on, whichever indication came first.
 */

#include "receiver.h"
#include "winsock2.h"

/** One overlapped receive. The OVERLAPPED comes first: a completion routine is given only that. */
struct posted_receive {
    WSAOVERLAPPED overlapped;
    struct posted_line *line;
    char *payload;
    bool ended; /**< for a mode that learns of ends out of order: with these results */
    int error;
    DWORD bytes;
};

/** One socket's receives, a circle of which `posted` from `head` on are outstanding. */
struct posted_line {
    SOCKET socket;
    void *owner; /**< the mode's own */
    struct posted_receive *receives;
    unsigned head;
    unsigned posted;
};

struct posted_receives {
    unsigned depth; /**< receives of one line */
    unsigned line_count;
    struct posted_line *lines;
    struct posted_receive *receives;
    char *payloads;
};

/**
 * Memory for the receives of a receiver's sockets, and burst time stamps switched on where the
 * receiver measures latency. @return false: the receiver has been told of the failure
 */
bool posted_receives_create(struct posted_receives *posted, struct receiver *receiver, void *owner);

void posted_receives_free(struct posted_receives *posted);

/** The oldest outstanding receive of a line; NULL: none. */
static inline struct posted_receive *posted_line_oldest(const struct posted_line *line)
{
    return line->posted > 0 ? &line->receives[line->head] : NULL;
}

/**
 * Start the line's next receive, with the event in its OVERLAPPED or with a routine.
 * @return false: it was not started, and the receiver has been told
 */
bool posted_line_start(struct posted_line *line, unsigned depth, struct receiver *receiver,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/** The oldest receive has been taken. */
static inline void posted_line_advance(struct posted_line *line, unsigned depth)
{
    line->head = (line->head + 1) % depth;
    line->posted--;
}

/** When the datagram's burst came off the device (SO_WIRERX_STAMP); 0 where that is off. */
static inline uint64_t posted_receive_burst_tsc(const struct posted_receive *receive)
{
    return (uint64_t)receive->overlapped.OffsetHigh << 32 | receive->overlapped.Offset;
}

#endif
