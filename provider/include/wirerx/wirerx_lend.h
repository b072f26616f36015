/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_LEND_H
#define WIRERX_LEND_H

/**
 * @file
 * Datagrams without a copy: their payload is lent where the dataplane has put it, and given back. Part
 * of wirerx.h.
 *
 *     struct wirerx_loan loans[32] = {0};
 *     DWORD lent;
 *     while (wirerx_lend(s, loans, 32, &lent) == 0) {
 *         for (DWORD i = 0; i < lent; i++) {
 *             use(loans[i].payload, loans[i].bytes);
 *             tokens[i] = loans[i].token;
 *         }
 *         wirerx_return(s, tokens, lent, NULL);
 *     }
 *
 * What is lent may only be read: other sockets of the same group have the same bytes. It stays as it is
 * until it is returned, the socket is closed, or the dataplane stops. After that the memory is still
 * there to be read, for as long as the process lives, but other datagrams come and go in it: a late
 * reader finds nonsense, never a fault.
 *
 * Buffers that are out are the socket's: they count towards its share of the pool as those in its ring
 * do, so a client that returns nothing stops receiving, and nobody else does. Counted in
 * wirerx_socket_counters: lent, and lent_buffers for those that are out now.
 */

#include <stdint.h>

#include "winsock2.h"
#include "wirerx_batch.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Socket option, level SOL_SOCKET, DWORD, default 256, at most 65,535: buffers that may be out at a
 * time. Never more than the ring has slots (sockets.ring_slots), whatever this says.
 */
#define SO_WIRERX_MAX_LENT 0x57520003

/** One datagram that is lent. A call reads `more` and `more_count`, and writes the others. */
struct wirerx_loan {
    uint64_t token;      /**< for wirerx_return(); never 0 */
    const void *payload; /**< its first piece: all of it where the device has not cut the frame */
    DWORD payload_bytes; /**< of the first piece */
    DWORD bytes;         /**< of all of them: the datagram's length */
    WSABUF *more;        /**< in: where the further pieces are told, in order; may be NULL */
    DWORD more_count;    /**< in: how many of them there is room for */
    DWORD pieces;        /**< how many pieces there are, the first included */
    struct wirerx_receive_info info;
    struct sockaddr_in source; /**< who sent it */
};

/**
 * Have up to `count` datagrams lent that are there, in order. Waits for the first, is refused, and ends
 * as wirerx_receive_batch() does: an error means that nothing was lent, and a fault loses no datagram.
 * One that is in more pieces than there is room for ends the call in front of it; the next one fails
 * with WSAEMSGSIZE, and it stays.
 *
 * @param lent  receives how many; written only with 0
 * @return 0: one or more; WSAEINVAL count is 0, or the socket is not bound (A17); WSAEFAULT the loans,
 *         what they point to or `lent`; WSAEMSGSIZE; WSAENOBUFS there is a datagram, and with it more
 *         buffers would be out than may be: return some; WSAEOPNOTSUPP the protocol has no datagrams;
 *         every error of WSPRecv but these
 */
int wirerx_lend(SOCKET s, struct wirerx_loan *loans, DWORD count, DWORD *lent);

/**
 * Give back what was lent, in any order, from any thread. Does not wait but for the socket's lock.
 *
 * Tokens are taken one after the other. One that is none of this socket's loans (returned before,
 * another socket's, made up) ends the call: those in front of it have been returned, those behind it
 * have not.
 *
 * @param returned  NULL, or receives how many have been returned, whatever the result
 * @return 0; WSAEINVAL such a token; WSAENOTSOCK the socket is closed, and WSAENETDOWN the dataplane has
 *         stopped: nothing of it is out any more; WSAEFAULT `tokens` or `returned`; WSAEINPROGRESS in a
 *         signal handler of a thread that is in a call on this socket
 */
int wirerx_return(SOCKET s, const uint64_t *tokens, DWORD count, DWORD *returned);

#ifdef __cplusplus
}
#endif

#endif
