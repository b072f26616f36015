/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_MESSAGE_H
#define WIRERX_RECEIVE_MESSAGE_H

/**
 * @file
 * WSARecvMsg: a receive that also tells what came along with a datagram, by flags and control messages.
 *
 * Of the latter there are, in this order and as far as the socket asks for them: SO_TIMESTAMP
 * (SIO_TIMESTAMPING), a UINT64; SO_WIRERX_TIME (the option), a struct wirerx_receive_time. One that does
 * not fit is left out with all behind it, and MSG_CTRUNC is set; the datagram is received all the same.
 */

#include <stdbool.h>
#include <stdint.h>

#include "socket.h"
#include "wirerx/wirerx_time.h"

/** Where a datagram's time goes, beside its bytes: client memory, but for this record. */
struct receive_message {
    LPWSAMSG message; /**< NULL: there is none */
    CHAR *control;    /**< as they were when the call was made */
    ULONG control_bytes;
};

/**
 * WSARecvMsg's arguments, and a thread for its routine. As WSPRecvFrom, and: WSAEFAULT the WSAMSG, or what
 * it points to; WSAEOPNOTSUPP the protocol is a byte stream.
 */
int WSPAPI spi_receive_message(SOCKET s, LPWSAMSG message, LPDWORD received,
                               LPWSAOVERLAPPED overlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                               LPINT error);

/**
 * Write flags and control messages of a datagram; of a condition nothing. Under LOCK, before it is consumed.
 * @param status  OVERLAPPED_*: how its receive ends
 * @return false: client memory was not there
 */
bool receive_message_write(const struct wsp_socket *socket, const struct receive_message *to,
                           const struct ring_element *element, uint32_t status);

/** The time of a datagram in a ring. Under LOCK, while attached. */
struct wirerx_receive_time receive_time_of(const struct ring_element *element);

/** What wirerx_last_receive_time() tells; source 0: nothing yet. */
extern _Thread_local struct wirerx_receive_time receive_last_time;

#endif
