/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROVIDER_SEND_H
#define WIRERX_PROVIDER_SEND_H

/**
 * @file
 * WSPSend and WSPSendTo: one call with its arguments, from what it is refused for to the send queue.
 *
 * A send has been done when the datagram is in the socket's send queue; the home lcore does the rest.
 * Where there is no room, a call that may block waits, an overlapped one is posted, and both are served
 * in their order: nobody overtakes a posted send.
 */

#include "blocking.h"
#include "gather.h"
#include "pending_receive.h"
#include "socket.h"

/** The arguments of one call; all pointers are the client's and not to be trusted. */
struct send_call {
    LPWSABUF buffers;
    DWORD buffers_count;
    LPDWORD bytes_sent;
    DWORD flags;
    bool names_target; /**< WSPSendTo */
    const struct sockaddr *to;
    int tolen;
    LPWSAOVERLAPPED overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    LPWSATHREADID thread;

    /* Read once. */
    struct sockaddr_in target; /**< *to; sin_port and all zero: there is none */
    bool has_target;
    uint64_t length;
};

/**
 * Validate what can be validated without LOCK, and read what is only read once.
 * @return 0; WSAEINVAL; WSAEFAULT; WSAEAFNOSUPPORT
 */
int send_check_call(const struct socket_reference *reference, struct send_call *call);

/**
 * ... and what needs LOCK: state, traits, where it goes.
 *
 * @param record  receives the datagram's, all but the payload
 * @return 0 or WSA error. 0 of an unbound socket: it is to be bound first (spi_bind_implicitly(), A18)
 */
int send_check_socket(const struct socket_reference *reference, const struct send_call *call,
                      struct send_record *record);

/**
 * Put a datagram in the send queue. Under LOCK, after send_check_socket().
 *
 * @param bytes_sent  NULL, or where the client wants the count: it is written before anything is sent
 * @return 0; WSAEWOULDBLOCK there is no room; WSAEFAULT; WSAENOBUFS. But for 0 nothing is sent
 */
int send_put(struct endpoint *endpoint, const struct send_record *record,
             const struct gather *payload, LPDWORD bytes_sent);

/** Has the socket no name yet? */
static inline bool send_is_unbound(const struct endpoint *endpoint)
{
    return atomic_load_explicit(&endpoint->state, memory_order_relaxed) == ENDPOINT_UNBOUND;
}

/** Non-overlapped: send now, or wait for room. Takes LOCK itself. @return 0 or WSA error */
int send_now(const struct socket_reference *reference, const struct send_call *call);

/** How long a blocking send waits, and what for. */
struct send_limits {
    uint64_t deadline; /**< CLOCK_MONOTONIC nanoseconds or WAKE_FOREVER */
    uint32_t spin_us;
    /* As they were under LOCK: the wait is for other ones. */
    uint32_t head;
    uint32_t sequence;
};

/** Of a call that begins to wait now. Under LOCK. */
struct send_limits send_limits_of(const struct wsp_socket *socket);

/** What the call has looked at. Under LOCK. */
void send_limits_look(struct send_limits *limits, const struct endpoint *endpoint);

/** Wait until there may be room: as receive_wait(). Not under LOCK. */
enum blocking_wake send_wait(const struct socket_reference *reference,
                             const struct send_limits *limits, struct blocking_call *call);

#endif
