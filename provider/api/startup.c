/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dataplane/dataplane.h"
#include "../host/blocking_hook.h"
#include "../host/catalogue.h"
#include "../host/host.h"
#include "api.h"
#include "wirerx/wirerx.h"

WSPPROC_TABLE api_provider;
_Atomic unsigned api_startups;

static _Atomic WORD
    lowest_version; /* answered since the first WSAStartup(); major in the low byte */

static struct owner_mutex startup_lock;
static bool dataplane_is_ours; /* WIRERX_CONFIG: the last WSACleanup() stops what we started */

/* The highest version that both know. @return 0: there is none */
static WORD negotiate(WORD requested)
{
    WORD major = LOBYTE(requested);
    WORD minor = HIBYTE(requested);

    if (major == 0)
        return 0;
    if (major == 1)
        return MAKEWORD(1, minor ? 1 : 0);
    return MAKEWORD(2, major > 2 || minor > 2 ? 2 : minor);
}

/* Under startup_lock, before the start is counted: who finds it counted finds the version. */
static void remember_version(WORD version)
{
    WORD lowest = atomic_load_explicit(&lowest_version, memory_order_relaxed);

    if (!api_started() || LOBYTE(version) < LOBYTE(lowest))
        atomic_store_explicit(&lowest_version, version, memory_order_relaxed);
}

BYTE api_level(void)
{
    return LOBYTE(atomic_load_explicit(&lowest_version, memory_order_relaxed));
}

/* A program that knows nothing of wirerx.h is configured from outside. */
static int start_configured_dataplane(void)
{
    const char *path = getenv("WIRERX_CONFIG");
    struct wirerx_error error;

    if (!path || !*path)
        return 0;
    switch (wirerx_start(path, &error)) {
    case 0:
        dataplane_is_ours = true;
        return 0;
    case WSAEALREADY:
        return 0;
    default:
        fprintf(stderr, "wirerx: %s\n", error.text);
        return WSASYSNOTREADY;
    }
}

static void stop_own_dataplane(void)
{
    if (dataplane_is_ours)
        wirerx_stop();
    dataplane_is_ours = false;
}

static int first_startup(void)
{
    WSAPROTOCOL_INFOW protocol = catalogue[0];
    WSPDATA data;
    int error = start_configured_dataplane();

    if (error)
        return error;
    error = WSPStartup(WINSOCK_VERSION, &data, &protocol, host_upcalls(), &api_provider);
    if (error)
        stop_own_dataplane();
    return error;
}

int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData)
{
    WORD version = negotiate(wVersionRequested);
    int error = 0;

    if (!lpWSAData)
        return WSAEFAULT;
    memset(lpWSAData, 0, sizeof(*lpWSAData));
    lpWSAData->wVersion = version;
    lpWSAData->wHighVersion = WINSOCK_VERSION;
    if (version == 0)
        return WSAVERNOTSUPPORTED;
    snprintf(lpWSAData->szDescription, sizeof(lpWSAData->szDescription), "wirerx %s",
             wirerx_version());
    strcpy(lpWSAData->szSystemStatus, "Running");
    if (LOBYTE(version) == 1) { /* later versions find out otherwise */
        lpWSAData->iMaxSockets = 32767;
        lpWSAData->iMaxUdpDg = (USHORT)catalogue[0].dwMessageSize;
    }
    if (owner_mutex_lock(&startup_lock) != 0)
        return WSAEINPROGRESS; /* a signal handler */
    if (!api_started())
        error = first_startup();
    if (!error) {
        remember_version(version);
        atomic_fetch_add_explicit(&api_startups, 1, memory_order_release);
    }
    owner_mutex_unlock(&startup_lock);
    return error;
}

int WSAAPI WSACleanup(void)
{
    int error = WSANOTINITIALISED;
    int result = SOCKET_ERROR;

    if (owner_mutex_lock(&startup_lock) != 0)
        return api_result(SOCKET_ERROR, WSAEINPROGRESS); /* a signal handler */
    if (api_started()) {
        bool last = atomic_fetch_sub_explicit(&api_startups, 1, memory_order_acq_rel) == 1;

        result = last ? api_provider.lpWSPCleanup(&error) : 0;
        if (last) {
            blocking_hook_forget_all();
            stop_own_dataplane();
        }
    }
    owner_mutex_unlock(&startup_lock);
    return api_result(result, error);
}

static void before_fork(void)
{
    owner_mutex_before_fork(&startup_lock);
}

static void after_fork_in_parent(void)
{
    owner_mutex_after_fork_in_parent(&startup_lock);
}

static void after_fork_in_child(void)
{
    owner_mutex_after_fork_in_child(&startup_lock);
}

__attribute__((constructor(FORK_HANDLERS_API_STARTUP))) static void handle_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
