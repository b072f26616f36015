/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSend and WSPSendTo. */

#include "send_post.h"
#include "spi.h"

static int send_it(SOCKET s, struct send_call *call, LPINT error_pointer)
{
    struct socket_reference reference;
    int error;

    if (error_pointer == NULL)
        return SOCKET_ERROR; /* as of a receive (A21) */
    if (!socket_resolve(s, &reference) ||
        lock_word_generation(atomic_load_explicit(&reference.endpoint->word,
                                                  memory_order_relaxed)) != reference.generation)
        return spi_fail(error_pointer, WSAENOTSOCK); /* A05 */
    error = send_check_call(&reference, call);
    if (error == 0) /* B02: a routine without an OVERLAPPED is ignored */
        error = call->overlapped == NULL ? send_now(&reference, call) : send_post(&reference, call);
    return spi_result(error_pointer, error);
}

int WSPAPI spi_send(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                    LPWSATHREADID thread, LPINT error)
{
    struct send_call call = {
        .buffers = buffers,
        .buffers_count = count,
        .bytes_sent = sent,
        .flags = flags,
        .overlapped = overlapped,
        .routine = routine,
        .thread = thread,
    };

    return send_it(s, &call, error);
}

int WSPAPI spi_send_to(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
                       const struct sockaddr *to, int tolen, LPWSAOVERLAPPED overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                       LPINT error)
{
    struct send_call call = {
        .buffers = buffers,
        .buffers_count = count,
        .bytes_sent = sent,
        .flags = flags,
        .names_target = true,
        .to = to,
        .tolen = tolen,
        .overlapped = overlapped,
        .routine = routine,
        .thread = thread,
    };

    return send_it(s, &call, error);
}
