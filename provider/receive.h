/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_H
#define WIRERX_RECEIVE_H

/**
 * @file
 * WSPRecv and WSPRecvFrom, the part they share: one call with its arguments.
 */

#include "blocking.h"
#include "pending_receive.h"
#include "receive_message.h"
#include "socket.h"
#include "wirerx/wirerx.h"

/** The arguments of one call; all pointers are the client's and not to be trusted. */
struct receive_call {
    LPWSABUF buffers;
    DWORD buffers_count;
    LPDWORD bytes_received;
    LPDWORD flags;
    struct sockaddr *from;
    LPINT fromlen;
    LPWSAOVERLAPPED overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    LPWSATHREADID thread;
    const struct receive_message *message; /**< of WSARecvMsg; NULL: another call */
    DWORD flags_in;                        /**< *flags, read once */
    bool quick;                            /**< receive_quick() had nothing against the arguments */
};

/** A receive with all of its checks, whichever call it is of. @return 0 or SOCKET_ERROR, and *error */
int receive_run(SOCKET s, struct receive_call *call, LPINT error);

/** Validate what can be validated without the socket (A07, A10, A11, A14). @return 0 or WSA error */
int receive_check_call(struct receive_call *call);

/** The uncommon part of receive_check_socket(). */
int receive_check_special(const struct socket_reference *reference,
                          const struct receive_call *call);

/** ... and what needs it: state, traits, flags. Binding only under LOCK. @return 0 or WSA error */
static inline int receive_check_socket(const struct socket_reference *reference,
                                       const struct receive_call *call)
{
    uint32_t state = atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed);

    if (likely(state == ENDPOINT_ATTACHED && call->flags_in == 0 &&
               (call->overlapped == NULL || reference->socket->overlapped) && /* P01 */
               endpoint_is_plain(reference->endpoint)))
        return 0;
    return receive_check_special(reference, call);
}

/** Non-overlapped: return data now, or wait for it. Takes LOCK itself. @return 0 or WSA error */
int receive_now(const struct socket_reference *reference, const struct receive_call *call);

/**
 * Take what is there for a call, under LOCK, while attached and with no receive posted. Finding nothing
 * it has looked at all that is queued.
 * @param error  receives how the call ends, if there is something: 0 or WSA error
 * @return false: there is not (enough) for it, it has to wait
 */
typedef bool receive_taker(const struct socket_reference *reference, void *argument, int *error);

/**
 * Everything but a datagram that is there for the asking: what the call is refused for, posted receives
 * before it, and waiting where that is asked for. LOCK is held, and is not any more on return.
 * @return 0 or WSA error
 */
int receive_or_wait(const struct socket_reference *reference, const struct receive_call *call,
                    receive_taker *taker, void *argument, struct completion_batch *batch);

/** Overlapped: complete at once or post. @return 0, WSA_IO_PENDING or WSA error */
int receive_post(const struct socket_reference *reference, const struct receive_call *call);

/** A receive was posted with data queued, after fence F2: serve, release LOCK, signal. */
void receive_serve_and_unlock(struct endpoint *endpoint);

/** receive_now() when LOCK is held and the arguments have been checked; releases it. */
int receive_now_locked(const struct socket_reference *reference, const struct receive_call *call);

/** What wirerx_last_receive() tells. No call has got anything yet: burst_tsc is 0. */
extern _Thread_local struct wirerx_receive_info receive_last;

static inline void receive_remember(const struct ring_element *element, const struct rx_meta *meta)
{
    receive_last.burst_tsc = meta->burst_tsc;
    receive_last.drops = element->drops;
}

/** How long a blocking receive waits, and what for. */
struct receive_limits {
    uint64_t deadline; /**< CLOCK_MONOTONIC nanoseconds or WAKE_FOREVER */
    uint32_t spin_us;
    uint32_t seen; /**< the ring's tail when the call last looked: it waits for another one */
};

/** Of a call that begins to wait now. Under LOCK. */
struct receive_limits receive_limits_of(const struct wsp_socket *socket);

/**
 * Wait until there may be more than the call has seen: spin for the socket's time, then sleep. Client
 * code that is due runs first (blocking.h: APCs, B08, and the callback). Not under LOCK. Whoever leaves
 * without having taken data passes the baton on.
 */
enum blocking_wake receive_wait(const struct socket_reference *reference,
                                const struct receive_limits *limits, struct blocking_call *call);

#endif
