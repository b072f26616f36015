/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPIoctl. */

#include "ioctl.h"

#include "guard.h"
#include "options.h"
#include "pending_receive.h"
#include "receive_take.h"
#include "spi.h"
#include "wirerx/mswsock.h"

static int set_nonblocking(const struct socket_reference *reference, LPVOID in, DWORD in_bytes)
{
    struct wsp_socket *socket = reference->socket;
    ULONG wanted;

    if (in_bytes < sizeof wanted || !guard_copy_from(&wanted, in, sizeof wanted))
        return WSAEFAULT;
    if (wanted == 0 && socket->network.selected != 0)
        return WSAEINVAL; /* M01: nonblocking as long as network events are selected */
    socket->nonblocking = wanted != 0;
    receive_settle_plain(reference->endpoint);
    return 0;
}

/* L08, L08u. The consumer's part of an endpoint is LOCK's only while
 * it is attached: once it is down, the service thread empties it without. */
static int readable_bytes(const struct socket_reference *reference, LPVOID out, DWORD out_bytes,
                          DWORD *written)
{
    struct endpoint *endpoint = reference->endpoint;
    uint32_t state = atomic_load_explicit(&endpoint->state, memory_order_relaxed);
    uint32_t bytes = 0;

    if (state == ENDPOINT_NET_DOWN)
        return WSAENETDOWN; /* A19 */
    if (state == ENDPOINT_ATTACHED)
        bytes = receive_readable(endpoint, reference->socket);
    if (out_bytes < sizeof(ULONG) || !guard_store32(out, bytes))
        return WSAEFAULT;
    *written = sizeof(ULONG);
    return 0;
}

/* Controls that take one number, which may be given as a single byte where it is a boolean. Under
 * LOCK. */
static int set_ignored(const struct socket_reference *reference, enum rx_kind kind, DWORD wanted)
{
    _Atomic uint32_t *ignored = &reference->endpoint->ignored_conditions;

    if (wanted)
        atomic_fetch_and_explicit(ignored, ~(1u << kind), memory_order_relaxed);
    else
        atomic_fetch_or_explicit(ignored, 1u << kind, memory_order_relaxed);
    return 0;
}

static int set_connection_reset(const struct socket_reference *reference, DWORD wanted)
{
    return set_ignored(reference, RX_PORT_UNREACHABLE, wanted); /* L11 */
}

static int set_network_reset(const struct socket_reference *reference, DWORD wanted)
{
    return set_ignored(reference, RX_TIME_EXCEEDED, wanted);
}

/* Sends are not timed. */
static int set_timestamping(const struct socket_reference *reference, const void *in,
                            DWORD in_bytes)
{
    struct wsp_socket *socket = reference->socket;
    TIMESTAMPING_CONFIG wanted;

    if (in_bytes < sizeof wanted || !guard_copy_from(&wanted, in, sizeof wanted))
        return WSAEFAULT;
    if (wanted.Flags & ~(ULONG)(TIMESTAMPING_FLAG_RX | TIMESTAMPING_FLAG_TX))
        return WSAEINVAL;
    if ((wanted.Flags & TIMESTAMPING_FLAG_TX) || socket->manner == RECEIVE_BYTES)
        return WSAEOPNOTSUPP;
    socket->timestamping = (wanted.Flags & TIMESTAMPING_FLAG_RX) != 0;
    return 0;
}

static const struct {
    DWORD code;
    DWORD least_bytes;
    int (*set)(const struct socket_reference *, DWORD value);
} number_rows[] = {
    {(DWORD)SIO_UDP_CONNRESET, 1, set_connection_reset},
    {(DWORD)SIO_UDP_NETRESET, 1, set_network_reset},
    {(DWORD)SIO_MULTIPOINT_LOOPBACK, 1, option_set_multicast_loop},
    {(DWORD)SIO_MULTICAST_SCOPE, sizeof(DWORD), option_set_multicast_ttl},
};

static int set_number(const struct socket_reference *reference, DWORD code, LPVOID in,
                      DWORD in_bytes)
{
    DWORD value = 0;

    for (size_t i = 0; i < sizeof number_rows / sizeof number_rows[0]; i++) {
        if (number_rows[i].code != code)
            continue;
        if (in_bytes < number_rows[i].least_bytes ||
            !guard_copy_from(&value, in, RTE_MIN(in_bytes, (DWORD)sizeof value)))
            return WSAEFAULT;
        return number_rows[i].set(reference, value);
    }
    return WSAEOPNOTSUPP;
}

/* Under LOCK. */
static int carry_out(const struct socket_reference *reference, struct ioctl_call *call)
{
    if (call->code == (DWORD)FIONBIO)
        return set_nonblocking(reference, call->in, call->in_bytes);
    if (call->code == (DWORD)FIONREAD)
        return readable_bytes(reference, call->out, call->out_bytes, &call->written);
    if (call->code == (DWORD)SIO_TIMESTAMPING)
        return set_timestamping(reference, call->in, call->in_bytes);
    int error = ioctl_query(reference, call);
    return error != WSAEOPNOTSUPP ? error
                                  : set_number(reference, call->code, call->in, call->in_bytes);
}

static int control(SOCKET s, struct ioctl_call *call, LPDWORD returned)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    bool waits = ioctl_is_filter(call->code);
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    if (waits)
        socket_unlock(reference.endpoint, &batch); /* joining waits for lcores */
    if (returned == NULL)
        error = WSAEFAULT; /* L10 */
    else
        error = waits ? ioctl_filter(&reference, call) : carry_out(&reference, call);
    /* Where there is too little room it is told how much there must be. */
    if ((error == 0 || (error == WSAEFAULT && call->written != 0)) &&
        !guard_store32(returned, call->written))
        error = WSAEFAULT;
    if (!waits)
        socket_unlock(reference.endpoint, &batch);
    return error;
}

int WSPAPI spi_ioctl(SOCKET s, DWORD code, LPVOID in, DWORD in_bytes, LPVOID out, DWORD out_bytes,
                     LPDWORD returned, LPWSAOVERLAPPED overlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread, LPINT error)
{
    /* Every control that is served ends within the call; asked for as an overlapped operation it
     * is refused rather than left without its indication. */
    (void)routine;
    (void)thread;
    if (overlapped != NULL)
        return spi_fail(error, WSAEOPNOTSUPP);
    struct ioctl_call call = {code, in, in_bytes, out, out_bytes, 0};
    return spi_result(error, control(s, &call, returned));
}
