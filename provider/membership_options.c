/* SPDX-License-Identifier: BSD-3-Clause */

/* Socket options that join and leave groups, of all sources or of some. */

#include <string.h>

#include "guard.h"
#include "options.h"
#include "pending_receive.h"
#include "spi.h"
#include "wirerx/ws2tcpip.h"

/** What an option's value is. */
enum request_kind {
    REQUEST_IP,        /**< IP_MREQ */
    REQUEST_IP_SOURCE, /**< IP_MREQ_SOURCE */
    REQUEST_GROUP,     /**< GROUP_REQ */
    REQUEST_SOURCE,    /**< GROUP_SOURCE_REQ */
};

static const struct membership_row {
    int name;
    enum request_kind kind;
    enum dataplane_source_change change;
} rows[] = {
    {IP_ADD_MEMBERSHIP, REQUEST_IP, DATAPLANE_JOIN},
    {IP_DROP_MEMBERSHIP, REQUEST_IP, DATAPLANE_LEAVE},
    {IP_ADD_SOURCE_MEMBERSHIP, REQUEST_IP_SOURCE, DATAPLANE_JOIN_SOURCE},
    {IP_DROP_SOURCE_MEMBERSHIP, REQUEST_IP_SOURCE, DATAPLANE_LEAVE_SOURCE},
    {IP_BLOCK_SOURCE, REQUEST_IP_SOURCE, DATAPLANE_BLOCK_SOURCE},
    {IP_UNBLOCK_SOURCE, REQUEST_IP_SOURCE, DATAPLANE_UNBLOCK_SOURCE},
    {MCAST_JOIN_GROUP, REQUEST_GROUP, DATAPLANE_JOIN},
    {MCAST_LEAVE_GROUP, REQUEST_GROUP, DATAPLANE_LEAVE},
    {MCAST_JOIN_SOURCE_GROUP, REQUEST_SOURCE, DATAPLANE_JOIN_SOURCE},
    {MCAST_LEAVE_SOURCE_GROUP, REQUEST_SOURCE, DATAPLANE_LEAVE_SOURCE},
    {MCAST_BLOCK_SOURCE, REQUEST_SOURCE, DATAPLANE_BLOCK_SOURCE},
    {MCAST_UNBLOCK_SOURCE, REQUEST_SOURCE, DATAPLANE_UNBLOCK_SOURCE},
};

const struct membership_row *membership_find(int level, int name)
{
    for (size_t i = 0; level == IPPROTO_IP && i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].name == name)
            return &rows[i];
    return NULL;
}

/** What all of them say; network order. */
struct request {
    uint32_t group, interface, source;
};

/* @return 0; WSAEINVAL: another family's address */
static int take_address(const SOCKADDR_STORAGE *from, uint32_t *address)
{
    struct sockaddr_in name;

    if (from->ss_family != AF_INET)
        return WSAEINVAL;
    memcpy(&name, from, sizeof name);
    *address = name.sin_addr.s_addr;
    return 0;
}

/* 0 is the default, which is every port here; 1 the first port of the configuration. */
static int take_index(ULONG index, uint32_t *interface)
{
    *interface = htonl(index);
    return index >> 24 == 0 ? 0 : WSAEADDRNOTAVAIL;
}

static int read_request(enum request_kind kind, const char *value, int length,
                        struct request *request)
{
    static const int lengths[] = {
        [REQUEST_IP] = sizeof(IP_MREQ),
        [REQUEST_IP_SOURCE] = sizeof(IP_MREQ_SOURCE),
        [REQUEST_GROUP] = sizeof(GROUP_REQ),
        [REQUEST_SOURCE] = sizeof(GROUP_SOURCE_REQ),
    };
    union {
        IP_MREQ ip;
        IP_MREQ_SOURCE ip_source;
        GROUP_REQ group;
        GROUP_SOURCE_REQ source;
    } from;
    int error;

    if (length < lengths[kind] || !guard_copy_from(&from, value, (size_t)lengths[kind]))
        return WSAEFAULT;
    *request = (struct request){0};
    switch (kind) {
    case REQUEST_IP:
        request->group = from.ip.imr_multiaddr.s_addr;
        request->interface = from.ip.imr_interface.s_addr;
        return 0;
    case REQUEST_IP_SOURCE:
        request->group = from.ip_source.imr_multiaddr.s_addr;
        request->source = from.ip_source.imr_sourceaddr.s_addr;
        request->interface = from.ip_source.imr_interface.s_addr;
        return 0;
    case REQUEST_GROUP:
        error = take_address(&from.group.gr_group, &request->group);
        return error != 0 ? error : take_index(from.group.gr_interface, &request->interface);
    case REQUEST_SOURCE:
        error = take_address(&from.source.gsr_group, &request->group);
        if (error == 0)
            error = take_address(&from.source.gsr_source, &request->source);
        return error != 0 ? error : take_index(from.source.gsr_interface, &request->interface);
    }
    return WSAEINVAL;
}

/* Is a mistake one of the addresses, or one of the manner? */
static bool has_bad_address(const struct membership_row *row, const struct request *request)
{
    return !spi_is_multicast(request->group) ||
           (row->change >= DATAPLANE_JOIN_SOURCE && !spi_is_source(request->source));
}

int membership_set(SOCKET s, const struct membership_row *row, const char *value, int length)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    struct request request;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    socket_unlock(reference.endpoint, &batch); /* joining waits for lcores */
    error = read_request(row->kind, value, length, &request);
    if (error != 0)
        return error;
    if (has_bad_address(row, &request))
        return WSAEADDRNOTAVAIL; /* O07 */
    return wsa_error_of(dataplane_change_group(reference.endpoint, reference.generation,
                                               row->change, request.group, request.interface,
                                               request.source));
}
