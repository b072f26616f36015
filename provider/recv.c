/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPRecv and WSPRecvFrom. */

#include "receive.h"
#include "spi.h"
#include "watch.h"

/* M05: a receive that fails enables FD_READ again, wherever it fails. What receive_now() refuses it has
 * seen to itself. */
static void note_failure(const struct socket_reference *reference, int error)
{
    struct completion_batch batch = {.count = 0};

    if (error == WSAEFAULT || error == WSA_IO_PENDING || socket_relock(reference) != 0)
        return;
    watch_received(reference->endpoint, reference->socket, error, &batch);
    socket_unlock(reference->endpoint, &batch);
}

static int receive(SOCKET s, struct receive_call *call, LPINT error_pointer)
{
    struct socket_reference reference;
    int error;

    if (error_pointer == NULL)
        return SOCKET_ERROR; /* A21 */
    if (!socket_resolve(s, &reference) ||
        lock_word_generation(atomic_load_explicit(&reference.endpoint->word,
                                                  memory_order_relaxed)) != reference.generation)
        return spi_fail(error_pointer, WSAENOTSOCK); /* A05 */
    error = receive_check_call(call);
    if (error == 0 &&
        call->overlapped == NULL) /* B02: a routine without an OVERLAPPED is ignored */
        return spi_result(error_pointer, receive_now(&reference, call));
    if (error == 0)
        error = receive_post(&reference, call);
    if (error != 0)
        note_failure(&reference, error);
    return spi_result(error_pointer, error);
}

int WSPAPI spi_recv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                    LPWSATHREADID thread, LPINT error)
{
    struct receive_call call = {
        .buffers = buffers,
        .buffers_count = count,
        .bytes_received = received,
        .flags = flags,
        .overlapped = overlapped,
        .routine = routine,
        .thread = thread,
    };

    return receive(s, &call, error);
}

int WSPAPI spi_recv_from(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                         struct sockaddr *from, LPINT fromlen, LPWSAOVERLAPPED overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                         LPINT error)
{
    struct receive_call call = {
        .buffers = buffers,
        .buffers_count = count,
        .bytes_received = received,
        .flags = flags,
        .from = from,
        .fromlen = fromlen,
        .overlapped = overlapped,
        .routine = routine,
        .thread = thread,
    };

    return receive(s, &call, error);
}
