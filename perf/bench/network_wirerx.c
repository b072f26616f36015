/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx: WSPRecv that blocks, one datagram a call, on a dataplane over one end of the veth pair. */

#include <rte_cycles.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "dataplane/dataplane.h"
#include "network.h"
#include "provider/host/host.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2spi.h"
#include "wirerx/ws2tcpip.h"

static WSPPROC_TABLE provider;
static SOCKET socket_handle;

static int fail(char *reason, size_t size, const char *what, int error)
{
    snprintf(reason, size, "%s fails with Winsock error %d", what, error);
    return -1;
}

static int open_socket(char *reason, size_t size)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(NETWORK_PORT)};
    struct ip_mreq membership = {.imr_multiaddr = {.s_addr = htonl(NETWORK_GROUP)}};
    DWORD wait = NETWORK_WAIT_MS;
    int error = 0;

    socket_handle = provider.lpWSPSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
                                         WSA_FLAG_OVERLAPPED, &error);
    if (socket_handle == INVALID_SOCKET ||
        provider.lpWSPSetSockOpt(socket_handle, SOL_SOCKET, SO_RCVTIMEO, (const char *)&wait,
                                 sizeof wait, &error) != 0 ||
        provider.lpWSPBind(socket_handle, (const struct sockaddr *)&any, sizeof any, &error) != 0 ||
        provider.lpWSPSetSockOpt(socket_handle, IPPROTO_IP, IP_ADD_MEMBERSHIP,
                                 (const char *)&membership, sizeof membership, &error) != 0)
        return fail(reason, size, "opening and joining a socket", error);
    return 0;
}

static int open_over(struct network *network, char *device, char *reason, size_t size)
{
    struct config config = config_default();
    struct config_port port = config_port_default();
    struct config_address address = {NETWORK_ADDRESS, NETWORK_PREFIX};
    struct config_error error;
    WSPDATA data;

    port.device = device;
    port.addresses = &address;
    port.addresses_count = 1;
    config.cores = &network->lcore_cpu;
    config.cores_count = 1;
    config.ports = &port;
    config.ports_count = 1;
    config.sockets.maximum = 4;
    config.sockets.ring_slots = NETWORK_QUEUE;
    config.sockets.ring_bytes = NETWORK_QUEUE_BYTES;
    config.sockets.spin_us =
        network->options->spin_us >= 0 ? (unsigned)network->options->spin_us : NETWORK_SPIN_US;
    if (client_start_dataplane(&config, false, &error) != 0) {
        snprintf(reason, size, "%s", error.text);
        return -1;
    }
    int code = WSPStartup(MAKEWORD(2, 2), &data, NULL, host_upcalls(), &provider);
    if (code != 0) {
        dataplane_stop();
        return fail(reason, size, "WSPStartup", code);
    }
    if (open_socket(reason, size) != 0) {
        dataplane_stop();
        return -1;
    }
    return 0;
}

static int open_af_xdp(struct network *network, char *reason, size_t size)
{
    /* busy_budget=0, as in configs/af-xdp.yaml: no system call for each look at an empty queue. */
    char device[] = "vdev:net_af_xdp0,iface=" NETWORK_RECEIVER ",busy_budget=0";

    return open_over(network, device, reason, size);
}

static int open_af_packet(struct network *network, char *reason, size_t size)
{
    char device[] = "vdev:net_af_packet0,iface=" NETWORK_RECEIVER;

    return open_over(network, device, reason, size);
}

static bool receive(struct network *network, char *reason, size_t size)
{
    static uint8_t payload[NETWORK_ROOM];
    WSABUF buffer = {.len = sizeof payload, .buf = (char *)payload};

    for (;;) {
        DWORD length, flags = 0;
        int error;

        if (provider.lpWSPRecv(socket_handle, &buffer, 1, &length, &flags, NULL, NULL, NULL,
                               &error) != 0) {
            if (error == WSAETIMEDOUT)
                return true;
            fail(reason, size, "WSPRecv", error);
            return false;
        }
        network_take(network, payload, length);
    }
}

static uint64_t lost(struct network *network)
{
    struct wirerx_socket_counters counters;

    (void)network;
    if (wirerx_socket_counters(socket_handle, &counters) != 0)
        return 0;
    return counters.drop_ring_full + counters.drop_pool_share;
}

static void close_all(struct network *network)
{
    int error;

    (void)network;
    provider.lpWSPCloseSocket(socket_handle, &error);
    provider.lpWSPCleanup(&error);
    dataplane_stop();
}

const struct way way_wirerx_af_xdp = {
    .name = "wirerx_af_xdp",
    .what = "WSPRecv that blocks, one datagram a call, over net_af_xdp",
    .open = open_af_xdp,
    .receive = receive,
    .lost = lost,
    .close = close_all,
};

const struct way way_wirerx_af_packet = {
    .name = "wirerx_af_packet",
    .what = "the same over net_af_packet",
    .open = open_af_packet,
    .receive = receive,
    .lost = lost,
    .close = close_all,
};
