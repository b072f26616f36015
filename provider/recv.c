/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPRecv and WSPRecvFrom. */

#include "receive.h"
#include "receive_post_quick.h"
#include "receive_quick.h"
#include "spi.h"
#include "watch.h"

/* Without clones of it, whose parameters would be in other registers; clang makes none. */
#ifdef __clang__
#define AS_DECLARED __attribute__((noinline))
#else
#define AS_DECLARED __attribute__((noinline, noclone))
#endif
#define OUT_OF_LINE AS_DECLARED __attribute__((cold))

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

int receive_run(SOCKET s, struct receive_call *call, LPINT error_pointer)
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

    return receive_run(s, &call, error);
}

/*
 * What receive_quick() has left. Out of line, and with the parameters of a call that is not overlapped in
 * the registers that they came in, so that the quick receive ends in jumps to here and keeps nothing for it.
 * (B02: without an OVERLAPPED a routine is ignored.) Where LOCK is held the endpoint stands for the socket, and
 * the arguments have been checked.
 */

static OUT_OF_LINE int recv_wholly(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received,
                                   LPDWORD flags, LPINT error)
{
    return receive_wholly(s, buffers, count, received, flags, NULL, NULL, NULL, NULL, NULL, error);
}

static OUT_OF_LINE int recv_from_locked(struct endpoint *e, LPWSABUF buffers, DWORD unused,
                                        LPDWORD received, LPDWORD flags, struct sockaddr *from,
                                        LPINT fromlen, LPINT error)
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
    uint64_t word = atomic_load_explicit(&e->word, memory_order_relaxed);
    struct socket_reference reference = {e, socket_of(e), lock_word_generation(word)};

    (void)unused;
    return spi_result(error, receive_now_locked(&reference, &call));
}

static OUT_OF_LINE int recv_locked(struct endpoint *e, LPWSABUF buffers, DWORD unused,
                                   LPDWORD received, LPDWORD flags, LPINT error)
{
    return recv_from_locked(e, buffers, unused, received, flags, NULL, NULL, error);
}

/* Neither QUICK_NO nor QUICK_LOCKED. */
static OUT_OF_LINE int receive_ended(struct endpoint *endpoint, enum quick quick, LPINT error)
{
    if (quick == QUICK_LOCKED_EMPTY)
        quick_unlock(endpoint);
    if (quick < QUICK_DONE)
        return spi_fail(error, WSAEWOULDBLOCK); /* B06 */
    quick_pay(endpoint, quick);
    return 0;
}

/* Overlapped, and without a source. The parameters are those of spi_recv(), so that it jumps here. */
static AS_DECLARED int receive_overlapped(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received,
                                          LPDWORD flags, LPWSAOVERLAPPED overlapped,
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

/* `error` is volatile to stay on the stack, where it came: hardly any call needs it. */
int WSPAPI spi_recv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                    LPWSATHREADID thread, LPINT volatile error)
{
    struct endpoint *e;

    if (overlapped != NULL)
        return receive_overlapped(s, buffers, count, received, flags, overlapped, routine, thread,
                                  error);
    enum quick quick = receive_quick(s, buffers, count, received, flags, NULL, NULL, error, &e);
    if (likely(quick == QUICK_DONE))
        return 0;
    if (quick == QUICK_NO)
        return recv_wholly(s, buffers, count, received, flags, error);
    if (quick == QUICK_LOCKED)
        return recv_locked(e, buffers, 0, received, flags, error);
    return receive_ended(e, quick, error);
}

int WSPAPI spi_recv_from(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                         struct sockaddr *from, LPINT fromlen, LPWSAOVERLAPPED overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                         LPINT volatile error)
{
    struct endpoint *e;

    if (overlapped != NULL)
        return receive_wholly(s, buffers, count, received, flags, from, fromlen, overlapped,
                              routine, thread, error);
    enum quick quick = receive_quick(s, buffers, count, received, flags, from, fromlen, error, &e);
    if (likely(quick == QUICK_DONE))
        return 0;
    if (quick == QUICK_NO)
        return receive_wholly(s, buffers, count, received, flags, from, fromlen, NULL, NULL, NULL,
                              error);
    if (quick == QUICK_LOCKED)
        return recv_from_locked(e, buffers, 0, received, flags, from, fromlen, error);
    return receive_ended(e, quick, error);
}
