/* SPDX-License-Identifier: BSD-3-Clause */

/* What a receive is refused for before anything is started (clauses A, H, I, P). */

#include "guard.h"
#include "receive.h"
#include "receive_take.h"

#define KNOWN_FLAGS (MSG_PEEK | MSG_OOB | MSG_PARTIAL | MSG_PUSH_IMMEDIATE | MSG_WAITALL)

int receive_check_call(struct receive_call *call)
{
    if (call->buffers_count == 0)
        return WSAEINVAL; /* A11 */
    if (call->bytes_received == NULL && call->overlapped == NULL)
        return WSAEFAULT; /* A07 */
    if (call->flags == NULL)
        return WSAEFAULT; /* A10 */
    if (!guard_copy_from(&call->flags_in, call->flags, sizeof call->flags_in))
        return WSAEFAULT;
    if (call->flags_in & ~(DWORD)KNOWN_FLAGS)
        return WSAEINVAL; /* A14 */
    if (call->from != NULL) {
        INT room; /* whoever wants the source says how much room there is for it */

        if (call->fromlen == NULL || !guard_copy_from(&room, call->fromlen, sizeof room) ||
            room < (INT)sizeof(struct sockaddr_in))
            return WSAEFAULT; /* I08 */
    }
    return 0;
}

/* MSG_WAITALL waits for a stream to fill the room, which what cannot wait cannot do. */
static bool can_wait_for_all(const struct wsp_socket *socket, const struct receive_call *call)
{
    if (!receive_is_byte_stream(socket->protocol, call->flags_in))
        return false; /* H13b */
    if (call->overlapped == NULL && socket->nonblocking)
        return false;                                                  /* H13 */
    return (call->flags_in & (MSG_OOB | MSG_PEEK | MSG_PARTIAL)) == 0; /* H13 */
}

static int check_flags(const struct wsp_socket *socket, const struct receive_call *call)
{
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;
    DWORD flags = call->flags_in;

    if ((flags & MSG_OOB) && !(protocol->dwServiceFlags1 & XP1_EXPEDITED_DATA))
        return WSAEOPNOTSUPP; /* H05 */
    if ((flags & MSG_PARTIAL) && !(protocol->dwServiceFlags1 & XP1_PARTIAL_MESSAGE))
        return WSAEOPNOTSUPP; /* H16 */
    if ((flags & MSG_WAITALL) && !can_wait_for_all(socket, call))
        return WSAEOPNOTSUPP;
    if ((flags & MSG_PEEK) && call->overlapped != NULL)
        return WSAEOPNOTSUPP; /* H03 */
    return 0;
}

int receive_check_special(const struct socket_reference *reference, const struct receive_call *call)
{
    const struct wsp_socket *socket = reference->socket;
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;
    int error;

    /* Of a protocol that has connections it matters first whether there is one. */
    if (unlikely(!(protocol->dwServiceFlags1 & XP1_CONNECTIONLESS) && socket->peer_port == 0))
        return WSAENOTCONN; /* A15 */
    switch (atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed)) {
    case ENDPOINT_ATTACHED:
        break;
    case ENDPOINT_NET_DOWN:
        return WSAENETDOWN; /* A19 */
    default:
        return WSAEINVAL; /* A17 */
    }
    if (socket->send_only || (protocol->dwServiceFlags1 & XP1_UNI_SEND))
        return WSAEOPNOTSUPP; /* H15 */
    error = check_flags(socket, call);
    if (error != 0)
        return error;
    if (call->overlapped != NULL && !socket->overlapped)
        return WSAEINVAL; /* P01 */
    if (call->message != NULL && socket->manner == RECEIVE_BYTES)
        return WSAEOPNOTSUPP; /* its datagrams have neither ends nor sources */
    if (socket->receive_shut)
        return WSAESHUTDOWN; /* I16, J11: with data queued, too */
    return 0;
}
