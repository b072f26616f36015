/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSocket and WSPCloseSocket: the beginning and the end of a socket. */

#include <string.h>

#include "circuit.h"
#include "guard.h"
#include "network_events.h"
#include "pending_receive.h"
#include "protocols.h"
#include "receive_take.h"
#include "spi.h"
#include "watch.h"
#include "wirerx/ws2tcpip.h"

#define MULTIPOINT_FLAGS                                                                    \
    (WSA_FLAG_MULTIPOINT_C_ROOT | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_ROOT | \
     WSA_FLAG_MULTIPOINT_D_LEAF)
#define KNOWN_FLAGS (WSA_FLAG_OVERLAPPED | MULTIPOINT_FLAGS | WSA_FLAG_NO_HANDLE_INHERIT)

/** As on Windows. */
#define DEFAULT_TTL 128
#define DEFAULT_MULTICAST_TTL 1

static int check_socket_flags(DWORD flags, GROUP group)
{
    DWORD multipoint = flags & MULTIPOINT_FLAGS;

    if (group != 0)
        return WSAEINVAL; /* O03 */
    if (flags & ~(DWORD)KNOWN_FLAGS)
        return WSAEINVAL;
    /* IP multicast has no roots: every member is a leaf, on both planes. */
    if (multipoint != 0 && multipoint != (WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF))
        return WSAEINVAL;
    return 0;
}

/* The slot was free, but stale handles may read what is atomic here. */
static void set_up(struct endpoint *endpoint, const WSAPROTOCOL_INFOW *protocol, DWORD flags)
{
    struct wsp_socket *socket = socket_of(endpoint);

    socket->protocol = protocol;
    socket->overlapped = (flags & WSA_FLAG_OVERLAPPED) != 0;
    socket->multipoint = (flags & MULTIPOINT_FLAGS) != 0;
    socket->send_only = false;
    socket->receive_only = false;
    socket->nonblocking = false;
    socket->reuse_address = false;
    socket->exclusive_address = false;
    socket->stamp = false;
    socket->timestamping = false;
    socket->note_time = false;
    socket->receive_timeout_ms = 0;
    socket->spin_us = dataplane_default_spin_us();
    socket->max_posted = SOCKET_MAX_POSTED_DEFAULT;
    socket->manner = receive_manner_of(protocol);
    socket->receive_shut = socket->send_shut = false;
    socket->ended = false;
    socket->blocked = false;
    socket->position = 0;
    socket->peer_address = 0;
    socket->peer_port = 0;
    socket->send_timeout_ms = 0;
    socket->broadcast = false;
    socket->ttl = DEFAULT_TTL;
    socket->multicast_ttl = DEFAULT_MULTICAST_TTL;
    socket->tos = 0;
    socket->dont_fragment = false;
    socket->mtu_discover = IP_PMTUDISC_NOT_SET;
    socket->multicast_interface = 0;
    socket->send_blocked = false;
    socket->awaited = 0;
    loans_reset(&socket->loans);
    network_events_reset(socket);
    receive_settle_plain(endpoint);
}

static int open_socket(const WSAPROTOCOL_INFOW *protocol, DWORD flags, SOCKET *s)
{
    struct completion_batch batch = {.count = 0};
    struct endpoint *endpoint;
    int result = dataplane_endpoint_open(&endpoint);
    int error = 0;

    if (result != 0)
        return wsa_error_of(result);
    uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
    struct socket_reference reference = {endpoint, socket_of(endpoint), lock_word_generation(word)};
    uintptr_t identity = socket_identity(endpoint->slot, reference.generation);
    /* Nobody knows the handle yet; LOCK is for whoever guesses it. */
    socket_relock(&reference);
    set_up(endpoint, protocol, flags);
    socket_unlock(endpoint, &batch);
    *s = provider_upcalls.lpWPUCreateSocketHandle(protocol->dwCatalogEntryId, identity, &error);
    if (*s == INVALID_SOCKET) { /* O04 */
        socket_relock(&reference);
        lock_word_retire(&endpoint->word);
        dataplane_endpoint_close(endpoint);
        return error != 0 ? error : WSAENOBUFS;
    }
    socket_relock(&reference);
    reference.socket->handle = *s;
    socket_unlock(endpoint, &batch);
    return 0;
}

SOCKET WSPAPI spi_socket(int af, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP g,
                         DWORD flags, LPINT error_pointer)
{
    WSAPROTOCOL_INFOW copy;
    SOCKET s = INVALID_SOCKET;
    int error = check_socket_flags(flags, g);

    if (error == 0 && info != NULL && !guard_copy_from(&copy, info, sizeof copy))
        error = WSAEFAULT;
    if (error == 0) {
        const WSAPROTOCOL_INFOW *found =
            provider_find_protocol(af, type, protocol, info != NULL ? &copy : NULL, &error);
        if (found != NULL)
            error = open_socket(found, flags, &s);
    }
    spi_result(error_pointer, error);
    return error == 0 ? s : INVALID_SOCKET;
}

/* LOCK is held; afterwards the handle is stale and everything that waited on it has ended. */
static void close_locked(const struct socket_reference *reference)
{
    struct endpoint *endpoint = reference->endpoint;
    struct posted_operation *list = posted_remove_all(endpoint);
    SOCKET handle = reference->socket->handle;
    struct select_bell *bell = watch_close(endpoint, reference->socket); /* K05 */
    int ignored;

    loans_recall(endpoint, reference->socket);
    circuit_end(reference, RX_END); /* K11; a peer without room for it has lost it */
    lock_word_retire(&endpoint->word);
    posted_cancel_list(list);    /* K02, K03 */
    endpoint_wake_all(endpoint); /* B11 */
    endpoint_wake_senders(endpoint);
    if (bell != NULL)
        select_ring(bell);
    dataplane_endpoint_close(endpoint);
    provider_upcalls.lpWPUCloseSocketHandle(handle, &ignored);
}

int WSPAPI spi_close_socket(SOCKET s, LPINT error_pointer)
{
    struct socket_reference reference;
    /* A signal handler may not begin what it could not finish: the lcore has to be told. */
    int error = dataplane_control_is_mine() ? WSAEINPROGRESS : socket_lock(s, &reference);

    if (error == 0)
        close_locked(&reference);
    return spi_result(error_pointer, error);
}

void spi_close_all(void)
{
    for (uint32_t slot = 0; slot < CONFIG_MAX_SOCKETS; slot++) {
        struct endpoint *endpoint = endpoint_at(slot);

        if (endpoint == NULL) {
            slot += ENDPOINT_CHUNK - 1;
            continue;
        }
        uint64_t word = atomic_load_explicit(&endpoint->word, memory_order_relaxed);
        struct socket_reference reference = {endpoint, socket_of(endpoint),
                                             lock_word_generation(word)};
        if ((reference.generation & 1) != 0 && socket_relock(&reference) == 0)
            close_locked(&reference);
    }
}
