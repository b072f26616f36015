/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPIoctl: controls that ask, and those that are refused in words of their own. */

#include "support/suite.h"

#include "harness.h"
#include "wirerx/mswsock.h"

#include <stddef.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(controls, open_quiet, close_all);

SUITE_TEST(controls, addresses_are_listed) // SIO_ADDRESS_LIST_QUERY
{
    SOCKET s = make_socket();
    struct sockaddr_in here = address_of(HERE, 0);
    _Alignas(8) char room[256];
    SOCKET_ADDRESS_LIST *list = (void *)room;
    char *page = map_pages(1);
    DWORD returned = 0, least;

    CHECK_EQ_I64(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, sizeof room, &returned), 0);
    least = offsetof(SOCKET_ADDRESS_LIST, Address) + sizeof(SOCKET_ADDRESS) + sizeof here;
    CHECK_EQ_U64(returned, least);
    CHECK_EQ_I64(list->iAddressCount, 1);
    CHECK_EQ_I64(list->Address[0].iSockaddrLength, sizeof here);
    CHECK_EQ_MEM(list->Address[0].lpSockaddr, &here, sizeof here);
    CHECK((char *)list->Address[0].lpSockaddr + sizeof here <= room + returned);
    /* Too little room: how much it takes is told. */
    for (DWORD bytes = 0; bytes < least; bytes += least - 1) {
        returned = 0;
        memset(room, CANARY, sizeof room);
        CHECK_EQ_I64(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, bytes, &returned),
                     WSAEFAULT);
        CHECK_EQ_U64(returned, least);
        CHECK_EQ_U64((uint8_t)room[0], CANARY);
    }
    unmap_pages(page, 1);
    CHECK_EQ_I64(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, page, 256, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, 256, NULL), WSAEFAULT);
}

SUITE_TEST(controls, a_broadcast_address_is_given) // SIO_GET_BROADCAST_ADDRESS
{
    SOCKET s = make_socket();
    struct sockaddr_in name, expected = address_of(FRAME_IP(255, 255, 255, 255), 0);
    DWORD returned = 0;

    CHECK_EQ_I64(control(s, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &name, sizeof name, &returned), 0);
    CHECK_EQ_U64(returned, sizeof name);
    CHECK_EQ_MEM(&name, &expected, sizeof name);
    CHECK_EQ_I64(control(s, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &name, 15, &returned), WSAEFAULT);
}

SUITE_TEST(controls, routes_are_told) // SIO_ROUTING_INTERFACE_QUERY
{
    SOCKET s = make_socket();
    struct sockaddr_in name;
    DWORD returned = 0;
    char *page = map_pages(1);
    static const struct {
        uint32_t destination, interface;
        int error;
    } rows[] = {
        {HERE, HERE, 0},
        {HERE + 5, HERE, 0},
        {FRAME_IP(127, 0, 0, 1), FRAME_IP(127, 0, 0, 1), 0},
        {THE_GROUP, HERE, 0},
        {SENDER, 0, WSAENETUNREACH},
        {0, 0, WSAEINVAL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_in to = address_of(rows[i].destination, PORT),
                           expected = address_of(rows[i].interface, 0);

        CHECK_EQ_I64(
            control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, &name, sizeof name, &returned),
            rows[i].error);
        if (rows[i].error == 0)
            CHECK_EQ_MEM(&name, &expected, sizeof name);
    }
    struct sockaddr_in to = address_of(HERE, PORT);
    unmap_pages(page, 1);
    CHECK_EQ_I64(control(s, SIO_ROUTING_INTERFACE_QUERY, NULL, 0, &name, 16, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, 15, &name, 16, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_ROUTING_INTERFACE_QUERY, page, 16, &name, 16, &returned),
                 WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, 16, page, 16, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, 16, &name, 15, &returned), WSAEFAULT);
    CHECK_EQ_U64(returned, 16);
    to.sin_family = AF_INET6;
    CHECK_EQ_I64(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, 16, &name, 16, &returned),
                 WSAEAFNOSUPPORT);
}

SUITE_TEST(controls,
           other_extensions_than_wsarecvmsg_are_unknown) // SIO_GET_EXTENSION_FUNCTION_POINTER
{
    SOCKET s = make_socket();
    GUID guids[] = {WSAID_WSASENDMSG, WSAID_ACCEPTEX, {0}};
    void *function = NULL;
    DWORD returned = UNTOUCHED;

    for (size_t i = 0; i < sizeof guids / sizeof guids[0]; i++)
        CHECK_EQ_I64(control(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guids[i], sizeof guids[i],
                             &function, sizeof function, &returned),
                     WSAEINVAL);
    CHECK_EQ_I64(control(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guids, 15, &function,
                         sizeof function, &returned),
                 WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_GET_EXTENSION_FUNCTION_POINTER, NULL, 16, &function,
                         sizeof function, &returned),
                 WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guids, 16, &function, 7, &returned),
                 WSAEFAULT);
    CHECK_EQ_PTR(function, NULL);
    CHECK_EQ_U64(returned, UNTOUCHED);
}

SUITE_TEST(controls, a_socket_is_its_own_base) // SIO_BASE_HANDLE
{
    SOCKET s = make_socket(), base = 0;
    DWORD returned = 0;

    CHECK_EQ_I64(control(s, SIO_BASE_HANDLE, NULL, 0, &base, sizeof base, &returned), 0);
    CHECK_EQ_U64(base, s);
    CHECK_EQ_U64(returned, sizeof base);
    CHECK_EQ_I64(control(s, SIO_BASE_HANDLE, NULL, 0, &base, 4, &returned), WSAEFAULT);
}

SUITE_TEST(controls, what_is_not_here_is_refused_in_its_pages_words)
{
    SOCKET s = make_socket();
    DWORD returned = UNTOUCHED;
    u_long mark;

    CHECK_EQ_I64(control(s, SIOCATMARK, NULL, 0, &mark, sizeof mark, &returned), WSAEINVAL);
    CHECK_EQ_I64(control(s, SIO_FLUSH, NULL, 0, NULL, 0, &returned), WSAENOPROTOOPT);
    CHECK_EQ_I64(control(s, SIO_ENABLE_CIRCULAR_QUEUEING, NULL, 0, NULL, 0, &returned),
                 WSAENOPROTOOPT);
    CHECK_EQ_I64(control(s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &returned), WSAEOPNOTSUPP);
    CHECK_EQ_U64(returned, UNTOUCHED);
    CHECK_EQ_I64(control(INVALID_SOCKET, SIO_FLUSH, NULL, 0, NULL, 0, &returned), WSAENOTSOCK);
}

SUITE_TEST(controls, need_a_network) // A19
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name = address_of(HERE, PORT);
    char room[256];
    DWORD returned = 0;

    wire_stop();
    CHECK_EQ_I64(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, sizeof room, &returned),
                 WSAENETDOWN);
    CHECK_EQ_I64(
        control(s, SIO_ROUTING_INTERFACE_QUERY, &name, sizeof name, room, sizeof room, &returned),
        WSAENETDOWN);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, room, sizeof room, &returned), WSAENETDOWN);
}

#endif
