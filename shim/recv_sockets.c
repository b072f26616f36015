/* SPDX-License-Identifier: BSD-3-Clause */
#include "recv_sockets.h"

#include <stdlib.h>

#include "ws2tcpip.h"

unsigned recv_sockets_needed(const struct recv_options *options)
{
    return options->one_socket ? options->join_count > 0 : options->join_count;
}

static int failed(const struct recv_join *join, const char *call, struct command_error *error)
{
    int code = WSAGetLastError();

    if (code == WSAEMFILE || code == WSAENOBUFS)
        return command_error(error, "%s: too many sockets: the dataplane has no room for another",
                             join->name);
    return command_error(error, "%s: %s failed with Winsock error %d", join->name, call, code);
}

static int add_membership(SOCKET handle, const struct recv_join *join, struct command_error *error)
{
    struct ip_mreq membership = {0};

    membership.imr_multiaddr.s_addr = htonl(join->group);
    membership.imr_interface.s_addr = htonl(INADDR_ANY);
    if (setsockopt(handle, IPPROTO_IP, IP_ADD_MEMBERSHIP, (const char *)&membership,
                   sizeof membership) != 0)
        return failed(join, "setsockopt(IP_ADD_MEMBERSHIP)", error);
    return 0;
}

static int open_row(struct recv_socket *row, bool times, struct command_error *error)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    BOOL on = TRUE;

    row->handle = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (row->handle == INVALID_SOCKET)
        return failed(row->joins, "WSASocketW", error);
    /* Many sockets may have one port, each with a group of its own. */
    if (setsockopt(row->handle, SOL_SOCKET, SO_REUSEADDR, (const char *)&on, sizeof on) != 0)
        return failed(row->joins, "setsockopt(SO_REUSEADDR)", error);
    if (times &&
        setsockopt(row->handle, SOL_SOCKET, SO_WIRERX_TIME, (const char *)&on, sizeof on) != 0)
        return failed(row->joins, "setsockopt(SO_WIRERX_TIME)", error);
    any.sin_port = htons(row->joins->port);
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(row->handle, (const struct sockaddr *)&any, sizeof any) != 0)
        return failed(row->joins, "bind", error);
    for (unsigned i = 0; i < row->join_count; i++)
        if (add_membership(row->handle, &row->joins[i], error) != 0)
            return -1;
    return 0;
}

int recv_sockets_open(struct recv_sockets *sockets, const struct recv_options *options,
                      struct command_error *error)
{
    unsigned needed = recv_sockets_needed(options);

    *sockets = (struct recv_sockets){0};
    sockets->rows = calloc(needed + 1, sizeof *sockets->rows);
    sockets->read = calloc(needed + 1, sizeof *sockets->read);
    if (sockets->rows == NULL || sockets->read == NULL)
        return command_error(error, "out of memory");
    for (unsigned i = 0; i < needed; i++) {
        struct recv_socket *row = &sockets->rows[sockets->count++];
        row->handle = INVALID_SOCKET;
        row->joins = &options->joins[i];
        row->join_count = options->one_socket ? options->join_count : 1;
        row->stall = row->joins->stall;
        if (open_row(row, options->times != NULL, error) != 0)
            return -1;
        if (!row->stall)
            sockets->read[sockets->read_count++] = row->handle;
    }
    return 0;
}

void recv_sockets_count(struct recv_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->count; i++)
        wirerx_socket_counters(sockets->rows[i].handle, &sockets->rows[i].counters);
}

uint64_t recv_socket_unread(const struct recv_socket *row)
{
    return row->counters.delivered - row->counters.received;
}

uint64_t recv_sockets_delivered(const struct recv_sockets *sockets)
{
    uint64_t delivered = 0;

    for (unsigned i = 0; i < sockets->count; i++)
        if (!sockets->rows[i].stall)
            delivered += sockets->rows[i].counters.delivered;
    return delivered;
}

const char *recv_sockets_name(const struct recv_sockets *sockets, SOCKET handle)
{
    for (unsigned i = 0; i < sockets->count; i++)
        if (sockets->rows[i].handle == handle)
            return sockets->rows[i].joins->name;
    return NULL;
}

void recv_sockets_close(struct recv_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->count; i++)
        if (sockets->rows[i].handle != INVALID_SOCKET)
            closesocket(sockets->rows[i].handle);
    free(sockets->rows);
    free(sockets->read);
    *sockets = (struct recv_sockets){0};
}
