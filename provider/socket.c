/* SPDX-License-Identifier: BSD-3-Clause */
#include "socket.h"

#include <errno.h>

#include "guard.h"

struct wsp_socket provider_sockets[CONFIG_MAX_SOCKETS];

WSPUPCALLTABLE provider_upcalls;
bool provider_host_is_own;

bool socket_resolve(SOCKET s, struct socket_reference *reference)
{
    DWORD_PTR identity = s;
    int error;

    if (!provider_host_is_own &&
        (provider_upcalls.lpWPUQuerySocketHandleContext == NULL ||
         provider_upcalls.lpWPUQuerySocketHandleContext(s, &identity, &error) != 0))
        return false;
    uint32_t slot = socket_identity_slot(identity);
    reference->endpoint = endpoint_at(slot);
    if (reference->endpoint == NULL || !socket_identity_is_possible(identity))
        return false;
    reference->generation = socket_identity_generation(identity);
    reference->socket = &provider_sockets[slot];
    return true;
}

bool socket_is_open(SOCKET s)
{
    struct socket_reference reference;

    return socket_resolve(s, &reference) &&
           lock_word_generation(atomic_load_explicit(&reference.endpoint->word,
                                                     memory_order_relaxed)) == reference.generation;
}

int socket_relock(const struct socket_reference *reference)
{
    switch (lock_word_acquire(&reference->endpoint->word, reference->generation)) {
    case LOCK_ACQUIRED:
        return 0;
    case LOCK_OWN_THREAD:
        return WSAEINPROGRESS;
    case LOCK_STALE:
    default:
        return WSAENOTSOCK;
    }
}

int socket_lock(SOCKET s, struct socket_reference *reference)
{
    if (!socket_resolve(s, reference))
        return WSAENOTSOCK;
    return socket_relock(reference);
}

int spi_fail(LPINT error_pointer, int error)
{
    if (error_pointer != NULL)
        guard_store32(error_pointer, (uint32_t)error);
    return SOCKET_ERROR;
}

int spi_result(LPINT error_pointer, int error)
{
    return error == 0 ? 0 : spi_fail(error_pointer, error);
}

int wsa_error_of(int negative_errno)
{
    switch (negative_errno) {
    case 0:
        return 0;
    case -ENETDOWN:
        return WSAENETDOWN;
    case -EMFILE:
        return WSAEMFILE;
    case -EINVAL:
        return WSAEINVAL;
    case -EACCES:
        return WSAEACCES;
    case -EADDRINUSE:
        return WSAEADDRINUSE;
    case -EADDRNOTAVAIL:
        return WSAEADDRNOTAVAIL;
    case -EALREADY:
        return WSAEALREADY;
    case -EDEADLK:
        return WSAEINPROGRESS;
    case -ENOTSOCK:
        return WSAENOTSOCK;
    case -ENODEV:
        return WSASYSNOTREADY;
    default:
        return WSAENOBUFS;
    }
}
