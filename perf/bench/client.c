/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <rte_cycles.h>
#include <stdlib.h>

#include "bed.h"
#include "capture.h"
#include "provider/host/host.h"
#include "provider/pending_receive.h"
#include "provider/socket.h"
#include "receive.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2tcpip.h"

#define SPI_VERSION MAKEWORD(2, 2)

struct client client;
static struct client others[BED_MAX_LANES - 1];

struct client *client_of(const struct bed *bed)
{
    return bed->lane == 0 ? &client : &others[bed->lane - 1];
}

int client_start_dataplane(const struct config *config, bool by_hand, struct config_error *error)
{
    return dataplane_start(config, &pending_operations, by_hand, error);
}

static int join(const struct client *of, SOCKET socket, unsigned group, int *error)
{
    struct ip_mreq membership = {.imr_multiaddr = {.s_addr = htonl(capture_group(group))}};

    return of->provider.lpWSPSetSockOpt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP,
                                        (const char *)&membership, sizeof membership, error);
}

static int open_socket(const struct client *of, unsigned lane, unsigned index)
{
    const WSPPROC_TABLE *provider = &of->provider;
    SOCKET *socket = &of->sockets[index];
    /* All sockets of one UDP port are at home on one lcore, those of the next on another. */
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)(CAPTURE_PORT + lane))};
    BOOL on = TRUE;
    int error = 0;

    *socket = provider->lpWSPSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED,
                                    &error);
    if (*socket == INVALID_SOCKET ||
        provider->lpWSPSetSockOpt(*socket, SOL_SOCKET, SO_REUSEADDR, (const char *)&on, sizeof on,
                                  &error) != 0 ||
        provider->lpWSPBind(*socket, (const struct sockaddr *)&any, sizeof any, &error) != 0 ||
        join(of, *socket, index, &error) != 0)
        return bed_refuse("socket %u cannot be opened and joined: Winsock error %d", index, error);
    return 0;
}

int client_start(const struct bed *bed)
{
    WSPUPCALLTABLE upcalls = host_upcalls();
    struct client *of = client_of(bed);
    WSPDATA data;
    int error = WSPStartup(SPI_VERSION, &data, NULL, upcalls, &of->provider);

    if (error != 0)
        return bed_refuse("WSPStartup fails with Winsock error %d", error);
    if (upcalls.lpWPUOpenCurrentThread(&of->thread, &error) != 0)
        return bed_refuse("WPUOpenCurrentThread fails with Winsock error %d", error);
    of->sockets = calloc(bed->options->sockets, sizeof *of->sockets);
    return of->sockets != NULL ? 0 : bed_refuse("out of memory");
}

static int open_until(struct client *of, unsigned lane, unsigned count)
{
    for (; of->count < count; of->count++)
        if (open_socket(of, lane, of->count) != 0)
            return -1;
    return 0;
}

int client_open_until(unsigned count)
{
    return open_until(&client, 0, count);
}

static void set_nonblocking(const struct client *of, bool nonblocking)
{
    for (unsigned i = 0; i < of->count; i++) {
        u_long value = nonblocking;
        DWORD returned;
        int error;

        if (of->provider.lpWSPIoctl(of->sockets[i], FIONBIO, &value, sizeof value, NULL, 0,
                                    &returned, NULL, NULL, NULL, &error) != 0)
            bed_fail("WSPIoctl(FIONBIO) fails with Winsock error %d", error);
    }
}

int client_open(const struct bed *bed)
{
    struct client *of = client_of(bed);

    if (client_start(bed) != 0 || open_until(of, bed->lane, bed->options->sockets) != 0)
        return -1;
    set_nonblocking(of, true);
    return 0;
}

void client_join(unsigned socket, unsigned group)
{
    int error = 0;

    if (join(&client, client.sockets[socket], group, &error) != 0)
        bed_fail("socket %u cannot join one more group: Winsock error %d", socket, error);
}

size_t client_record_bytes(void)
{
    return sizeof(struct wsp_socket);
}

void client_close_of(const struct bed *bed)
{
    struct client *of = client_of(bed);
    int error;

    while (of->count != 0)
        if (of->provider.lpWSPCloseSocket(of->sockets[--of->count], &error) != 0)
            bed_fail("WSPCloseSocket fails with Winsock error %d", error);
}

void client_close(void)
{
    client_close_of(&(struct bed){.lane = 0});
}

void client_cleanup_of(const struct bed *bed)
{
    struct client *of = client_of(bed);
    int error;

    if (of->provider.lpWSPCleanup(&error) != 0)
        bed_fail("WSPCleanup fails with Winsock error %d", error);
    free(of->sockets);
}

void client_cleanup(void)
{
    client_cleanup_of(&(struct bed){.lane = 0});
}

void client_set_nonblocking(bool nonblocking)
{
    set_nonblocking(&client, nonblocking);
}

void client_set_wait_spin(unsigned microseconds)
{
    atomic_store(&host_spin_ns, microseconds * UINT64_C(1000));
}

void client_set_timeout(double milliseconds)
{
    DWORD value = (DWORD)milliseconds;
    int error;

    for (unsigned i = 0; i < client.count; i++)
        if (client.provider.lpWSPSetSockOpt(client.sockets[i], SOL_SOCKET, SO_RCVTIMEO,
                                            (const char *)&value, sizeof value, &error) != 0)
            bed_fail("WSPSetSockOpt(SO_RCVTIMEO) fails with Winsock error %d", error);
}

unsigned client_receive_paced(const struct bed *bed, unsigned wanted, unsigned first,
                              uint64_t *ticks)
{
    uint8_t payload[CAPTURE_PAYLOAD_ROOM];
    WSABUF buffer = {.len = bed->options->payload, .buf = (char *)payload};
    struct wirerx_receive_info info;

    for (unsigned taken = 0, at = first; taken < wanted; taken++) {
        DWORD received, flags = 0;
        int error;

        if (client.provider.lpWSPRecv(client.sockets[at], &buffer, 1, &received, &flags, NULL, NULL,
                                      NULL, &error) != 0) {
            if (error != WSAETIMEDOUT)
                bed_fail("WSPRecv fails with Winsock error %d", error);
            return taken;
        }
        uint64_t now = rte_rdtsc();
        wirerx_last_receive(&info);
        ticks[taken] = now - info.burst_tsc;
        at = at + 1 == client.count ? 0 : at + 1;
    }
    return wanted;
}
