/* SPDX-License-Identifier: BSD-3-Clause */

/* Entries of WSPPROC_TABLE that are refused for good or until something larger is built, each with
 * the code that its page has for that. What the page wants checked is checked first, so that a
 * program's own mistake is told before our limits are. */

#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "guard.h"
#include "pending_receive.h"
#include "spi.h"

/* @return 0 it is a socket; WSAENOTSOCK (A05); WSAENETDOWN (A19); WSAEINPROGRESS */
static int check_socket(SOCKET s)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    if (atomic_load_explicit(&reference.endpoint->state, memory_order_relaxed) == ENDPOINT_NET_DOWN)
        error = WSAENETDOWN;
    socket_unlock(reference.endpoint, &batch);
    return error;
}

/* What every socket is refused. */
static int unsupported(SOCKET s)
{
    int error = check_socket(s);

    return error != 0 ? error : WSAEOPNOTSUPP;
}

/* "Not of a type that supports" listening or accepting: datagrams have no connections. Streams will
 * take these two over. */
int WSPAPI spi_listen(SOCKET s, int backlog, LPINT error)
{
    (void)backlog;
    return spi_result(error, unsupported(s));
}

SOCKET WSPAPI spi_accept(SOCKET s, struct sockaddr *name, LPINT length, LPCONDITIONPROC condition,
                         DWORD_PTR data, LPINT error)
{
    (void)name;
    (void)length;
    (void)condition;
    (void)data;
    spi_fail(error, unsupported(s));
    return INVALID_SOCKET;
}

/* There are no windows here to post messages to, and WPUPostMessage() of our host posts none. */
int WSPAPI spi_async_select(SOCKET s, HWND window, unsigned int message, LONG events, LPINT error)
{
    (void)window;
    (void)message;
    (void)events;
    return spi_result(error, unsupported(s));
}

static bool process_exists(DWORD process)
{
    int saved = errno;
    bool exists = process != 0 && process <= INT_MAX &&
                  (kill((pid_t)process, 0) == 0 || errno == EPERM); /* signal 0 is none */

    errno = saved;
    return exists;
}

/*
 * A socket lives in the process whose lcores serve it; until a dataplane is shared no other process
 * can take one over, nor the same one a second descriptor. The page has no code for a provider that
 * cannot do this: WSAEINVAL would blame arguments that are right, and WSAEMFILE or WSAENOBUFS invite
 * to try again. WSAEOPNOTSUPP is what Winsock's list of codes has for an operation that the object
 * does not support.
 */
static int duplicate(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOW info)
{
    int error = check_socket(s);

    if (error != 0)
        return error;
    if (info == NULL || !guard_prefault(info, sizeof *info))
        return WSAEFAULT;
    return process_exists(process) ? WSAEOPNOTSUPP : WSAEINVAL;
}

int WSPAPI spi_duplicate_socket(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOW info, LPINT error)
{
    return spi_result(error, duplicate(s, process, info));
}

/*
 * There are no templates, so that no name is one (WSAEINVAL), and the list of names, which an empty
 * name asks for, is the empty list: just the empty name that ends it.
 */
static int qos_by_name(SOCKET s, LPWSABUF name, LPQOS qos)
{
    int error = check_socket(s);
    WSABUF buffer;
    WCHAR first;

    if (error != 0)
        return error;
    if (name == NULL || !guard_copy_from(&buffer, name, sizeof buffer) ||
        buffer.len < sizeof first || !guard_copy_from(&first, buffer.buf, sizeof first))
        return WSAEFAULT;
    if (first == 0)
        return guard_copy_to(buffer.buf, &first, sizeof first) ? 0 : WSAEFAULT;
    if (qos == NULL || !guard_prefault(qos, sizeof *qos))
        return WSAEFAULT;
    return WSAEINVAL;
}

BOOL WSPAPI spi_get_qos_by_name(SOCKET s, LPWSABUF name, LPQOS qos, LPINT error_pointer)
{
    int error = error_pointer == NULL ? WSAEFAULT : qos_by_name(s, name, qos); /* A21 */

    spi_result(error_pointer, error);
    return error == 0;
}
