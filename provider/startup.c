/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPStartup and WSPCleanup. */

#include <pthread.h>
#include <string.h>

#include "../dataplane/dataplane.h"
#include "blocking.h"
#include "guard.h"
#include "host/host.h"
#include "pending_receive.h"
#include "quick_obstacles.h"
#include "spi.h"

#define SPI_VERSION MAKEWORD(2, 2)

static struct owner_mutex startup_lock;
static unsigned startups;

/* O01 */
static void fill_table(LPWSPPROC_TABLE table)
{
    table->lpWSPAccept = spi_accept;
    table->lpWSPAddressToString = spi_address_to_string;
    table->lpWSPAsyncSelect = spi_async_select;
    table->lpWSPBind = spi_bind;
    table->lpWSPCancelBlockingCall = spi_cancel_blocking_call;
    table->lpWSPCleanup = spi_cleanup;
    table->lpWSPCloseSocket = spi_close_socket;
    table->lpWSPConnect = spi_connect;
    table->lpWSPDuplicateSocket = spi_duplicate_socket;
    table->lpWSPEnumNetworkEvents = spi_enum_network_events;
    table->lpWSPEventSelect = spi_event_select;
    table->lpWSPGetOverlappedResult = spi_get_overlapped_result;
    table->lpWSPGetPeerName = spi_get_peer_name;
    table->lpWSPGetQOSByName = spi_get_qos_by_name;
    table->lpWSPGetSockName = spi_get_sock_name;
    table->lpWSPGetSockOpt = spi_get_sock_opt;
    table->lpWSPIoctl = spi_ioctl;
    table->lpWSPJoinLeaf = spi_join_leaf;
    table->lpWSPListen = spi_listen;
    table->lpWSPRecv = spi_recv;
    table->lpWSPRecvDisconnect = spi_recv_disconnect;
    table->lpWSPRecvFrom = spi_recv_from;
    table->lpWSPSelect = spi_select;
    table->lpWSPSend = spi_send;
    table->lpWSPSendDisconnect = spi_send_disconnect;
    table->lpWSPSendTo = spi_send_to;
    table->lpWSPSetSockOpt = spi_set_sock_opt;
    table->lpWSPShutdown = spi_shutdown;
    table->lpWSPSocket = spi_socket;
    table->lpWSPStringToAddress = spi_string_to_address;
}

/* The first one. A host may start a provider several times, but it is one host. */
static int take_host(const WSPUPCALLTABLE *upcalls)
{
    if (startups != 0)
        return memcmp(&provider_upcalls, upcalls, sizeof *upcalls) == 0 ? 0
                                                                        : WSAEPROVIDERFAILEDINIT;
    if (guard_install() != 0)
        return WSASYSNOTREADY;
    provider_upcalls = *upcalls; /* O01: by value, and copied */
    provider_host_is_own = host_is_own(upcalls);
    quick_obstacle_set(OBSTACLE_FOREIGN_HOST, !provider_host_is_own);
    if (provider_host_is_own) {
        host_check_sockets_by(socket_is_open);
        host_on_thread_exit(pending_thread_exit);
        host_on_dropped_apc(posted_forget_routine);
    }
    return 0;
}

int WSPAPI WSPStartup(WORD wVersionRequested, LPWSPDATA lpWSPData,
                      LPWSAPROTOCOL_INFOW lpProtocolInfo, WSPUPCALLTABLE UpcallTable,
                      LPWSPPROC_TABLE lpProcTable)
{
    static const WCHAR description[] = u"wirerx: Winsock receive provider over DPDK";

    (void)lpProtocolInfo; /* one provider, no chain */
    if (lpWSPData == NULL || lpProcTable == NULL)
        return WSAEFAULT;
    if (LOBYTE(wVersionRequested) < 2 ||
        (LOBYTE(wVersionRequested) == 2 && HIBYTE(wVersionRequested) < 2))
        return WSAVERNOTSUPPORTED; /* SPI 2.2 is the oldest there is */
    if (owner_mutex_lock(&startup_lock) != 0)
        return WSAEINPROGRESS; /* a signal handler */
    int error = take_host(&UpcallTable);
    if (error == 0)
        startups++;
    owner_mutex_unlock(&startup_lock);
    if (error != 0)
        return error;
    memset(lpWSPData, 0, sizeof *lpWSPData);
    lpWSPData->wVersion = SPI_VERSION;
    lpWSPData->wHighVersion = SPI_VERSION;
    memcpy(lpWSPData->szDescription, description, sizeof description);
    fill_table(lpProcTable);
    return 0;
}

int WSPAPI spi_cleanup(LPINT error_pointer)
{
    int error = 0;

    if (dataplane_control_is_mine() || owner_mutex_lock(&startup_lock) != 0)
        return spi_fail(error_pointer, WSAEINPROGRESS); /* a signal handler */
    if (startups == 0) {
        error = WSANOTINITIALISED;
    } else if (--startups == 0) { /* O02 */
        spi_close_all();
        if (provider_host_is_own) {
            host_check_sockets_by(NULL);
            host_on_thread_exit(NULL);
            host_on_dropped_apc(NULL);
        }
        guard_remove();
    }
    owner_mutex_unlock(&startup_lock);
    return spi_result(error_pointer, error);
}

/* --- fork ----------------------------------------------------------------------------------------- */

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
    blocking_forked();
}

__attribute__((constructor(FORK_HANDLERS_STARTUP))) static void handle_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
