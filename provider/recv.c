/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPRecv and WSPRecvFrom. */

#include "receive.h"
#include "receive_post_quick.h"
#include "receive_quick.h"
#include "spi.h"
#include "watch.h"

#define OUT_OF_LINE __attribute__((noinline, cold))

/* M05: a receive that fails enables FD_READ again, wherever it fails. What receive_now() refuses it has
 * seen to itself. */
static OUT_OF_LINE void note_failure(const struct socket_reference *reference, int error)
{
    struct completion_batch batch = {.count = 0};

    if (error == WSAEFAULT || socket_relock(reference) != 0)
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
    if (error != 0 && error != WSA_IO_PENDING)
        note_failure(&reference, error);
    return spi_result(error_pointer, error);
}

/* What receive_quick() has left, in two: out of line, so that it costs the quick receive no registers. */
static OUT_OF_LINE int receive_wholly(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received,
                                      LPDWORD flags, struct sockaddr *from, LPINT fromlen,
                                      LPWSAOVERLAPPED overlapped,
                                      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                                      LPWSATHREADID thread, LPINT error)
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

static OUT_OF_LINE int receive_locked(struct endpoint *endpoint, LPWSABUF buffers, LPDWORD received,
                                      LPDWORD flags, struct sockaddr *from, LPINT fromlen,
                                      LPINT error)
{
    const struct receive_call call = {
        .buffers = buffers,
        .buffers_count = 1,
        .bytes_received = received,
        .flags = flags,
        .from = from,
        .fromlen = fromlen,
        .quick = true,
    };
    uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
    struct socket_reference reference = {endpoint, socket_of(endpoint), lock_word_generation(word)};

    return spi_result(error, receive_now_locked(&reference, &call));
}

/* Overlapped, and without a source. The parameters are those of spi_recv(), so that it jumps here. */
static __attribute__((noinline)) int receive_overlapped(SOCKET s, LPWSABUF buffers, DWORD count,
                                                        LPDWORD received, LPDWORD flags,
                                                        LPWSAOVERLAPPED overlapped,
                                                        LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                                                        LPWSATHREADID thread, LPINT error)
{
    switch (receive_post_quick(s, buffers, count, received, flags, overlapped, routine, error)) {
    case POST_QUICK_DONE:
        return 0;
    case POST_QUICK_PENDING:
        guard_put32(error, WSA_IO_PENDING); /* C01 */
        return SOCKET_ERROR;
    case POST_QUICK_NO:
    default:
        return receive_wholly(s, buffers, count, received, flags, NULL, NULL, overlapped, routine,
                              thread, error);
    }
}

int WSPAPI spi_recv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                    LPWSATHREADID thread, LPINT error)
{
    struct endpoint *e;

    if (overlapped != NULL)
        return receive_overlapped(s, buffers, count, received, flags, overlapped, routine, thread,
                                  error);
    switch (receive_quick(s, buffers, count, received, flags, NULL, NULL, overlapped, error, &e)) {
    case QUICK_DONE:
        return 0;
    case QUICK_LOCKED:
        return receive_locked(e, buffers, received, flags, NULL, NULL, error);
    case QUICK_EMPTY:
        return spi_fail(error, WSAEWOULDBLOCK); /* B06 */
    case QUICK_NO:
    default:
        return receive_wholly(s, buffers, count, received, flags, NULL, NULL, overlapped, routine,
                              thread, error);
    }
}

int WSPAPI spi_recv_from(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                         struct sockaddr *from, LPINT fromlen, LPWSAOVERLAPPED overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                         LPINT error)
{
    struct endpoint *e;

    switch (
        receive_quick(s, buffers, count, received, flags, from, fromlen, overlapped, error, &e)) {
    case QUICK_DONE:
        return 0;
    case QUICK_LOCKED:
        return receive_locked(e, buffers, received, flags, from, fromlen, error);
    case QUICK_EMPTY:
        return spi_fail(error, WSAEWOULDBLOCK); /* B06 */
    case QUICK_NO:
    default:
        return receive_wholly(s, buffers, count, received, flags, from, fromlen, overlapped,
                              routine, thread, error);
    }
}
