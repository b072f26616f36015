/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BATCH_H
#define WIRERX_BATCH_H

/**
 * @file
 * Many datagrams in one call, copied. Part of wirerx.h.
 *
 *     struct wirerx_datagram datagrams[32];          buffers and buffers_count filled in once
 *     DWORD taken;
 *     while (wirerx_receive_batch(s, datagrams, 32, &taken) == 0)
 *         for (DWORD i = 0; i < taken; i++)
 *             use(&datagrams[i]);
 */

#include <stdint.h>

#include "winsock2.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is known about a received datagram beside its bytes. */
struct wirerx_receive_info {
    uint64_t burst_tsc; /**< CPU time-stamp counter when the dataplane took its burst off the NIC */
    uint32_t drops;     /**< datagrams this socket had lost before this one, modulo 2^32 */
};

/** Datagrams that one call takes at most, however many entries it is given. */
#define WIRERX_BATCH_MAX 64u

/** One entry of a batch. A call reads the first two members and writes the others. */
struct wirerx_datagram {
    WSABUF *buffers;     /**< in: where the bytes go; filled in array order (G01) */
    DWORD buffers_count; /**< in: 1 or more */
    DWORD bytes;         /**< how many have been written there */
    DWORD flags;         /**< as WSPRecv's lpFlags: MSG_PARTIAL, or 0 */
    INT error;           /**< 0; WSAEMSGSIZE: it did not fit, and the rest is lost (I01) */
    struct wirerx_receive_info info;
    struct sockaddr_in source; /**< who sent it */
};

/**
 * Receive up to `count` datagrams that are there, in order, with the results of as many non-overlapped
 * WSPRecvFrom calls with no flags that end at once: under one hold of the socket's lock, and with all of
 * their places in the ring given back in one step.
 *
 * If none is there the call waits for the first as WSPRecv does: not at all on a nonblocking socket;
 * with SO_RCVTIMEO, APCs, WSPCancelBlockingCall and the blocking callback as ever. It never waits for
 * a second. Overlapped receives that are posted come first (G12). Nothing can be peeked at.
 *
 * An entry that is cut has `error` WSAEMSGSIZE, and the batch goes on. Whatever else would end a
 * WSPRecv with an error (a condition in the queue, memory that cannot be written, an entry without
 * buffers) ends the batch in front of it and is told by the next call, which finds it first: so an
 * error means that nothing was received, and a fault loses no datagram. Entries behind the last one
 * received are as they were, though bytes may have been written to the buffers of the next. Fewer than
 * there are may be received: WIRERX_BATCH_MAX at a time, and none is begun when 64 KiB have been copied.
 *
 * The entries and the arrays of WSABUFs are the call's until it returns. wirerx_last_receive() tells of
 * the last datagram received.
 *
 * @param received  receives how many; written only with 0
 * @return 0: one or more; WSAEINVAL count or buffers_count is 0, or the socket is not bound (A17);
 *         WSAEFAULT the entries, what they point to or `received`; WSAEOPNOTSUPP the protocol is a byte
 *         stream; every error of WSPRecv
 */
int wirerx_receive_batch(SOCKET s, struct wirerx_datagram *datagrams, DWORD count, DWORD *received);

#ifdef __cplusplus
}
#endif

#endif
