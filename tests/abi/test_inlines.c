/* SPDX-License-Identifier: BSD-3-Clause */
/* What the public headers do themselves, without the library. */

#include "support/suite.h"

#include <wirerx/mswsock.h>
#include <wirerx/winsock2.h>

SUITE_TEST(fd_set, holds_a_socket_once)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(7, &set);
    FD_SET(7, &set);
    CHECK_EQ_U64(set.fd_count, 1);
    CHECK(FD_ISSET(7, &set));
    CHECK(!FD_ISSET(8, &set));
}

SUITE_TEST(fd_set, removal_keeps_the_order_of_the_others)
{
    fd_set set;
    FD_ZERO(&set);
    for (SOCKET s = 1; s <= 4; s++)
        FD_SET(s, &set);
    FD_CLR(2, &set);
    FD_CLR(9, &set);
    const SOCKET left[] = {1, 3, 4};
    CHECK_EQ_U64(set.fd_count, 3);
    CHECK_EQ_MEM(set.fd_array, left, sizeof(left));
}

SUITE_TEST(fd_set, full_set_ignores_one_more)
{
    struct {
        fd_set set;
        SOCKET behind;
    } room = {.behind = 12345};
    FD_ZERO(&room.set);
    for (SOCKET s = 0; s <= FD_SETSIZE; s++)
        FD_SET(s, &room.set);
    CHECK_EQ_U64(room.set.fd_count, FD_SETSIZE);
    CHECK(!FD_ISSET(FD_SETSIZE, &room.set));
    CHECK_EQ_U64(room.behind, 12345);
}

SUITE_TEST(byte_order, network_order_is_big_endian)
{
    const u_short port = htons(0x1234);
    const u_long address = htonl(0x12345678);
    const UINT64 both = htonll(0x123456789abcdef0);
    CHECK_EQ_MEM(&port, "\x12\x34", 2);
    CHECK_EQ_MEM(&address, "\x12\x34\x56\x78", 4);
    CHECK_EQ_MEM(&both, "\x12\x34\x56\x78\x9a\xbc\xde\xf0", 8);
    CHECK_EQ_U64(ntohs(port), 0x1234);
    CHECK_EQ_U64(ntohl(address), 0x12345678);
    CHECK_EQ_U64(ntohll(both), 0x123456789abcdef0);
}

SUITE_TEST(overlapped, is_complete_once_internal_is_not_pending)
{
    OVERLAPPED operation = {.Internal = STATUS_PENDING};
    CHECK(!HasOverlappedIoCompleted(&operation));
    operation.Internal = STATUS_CANCELLED;
    CHECK(HasOverlappedIoCompleted(&operation));
    CHECK_EQ_U64(operation.Internal, 0xC0000120);
}

/* Two control messages of 4 and 8 bytes, as a receive would write them. */
struct two_messages {
    _Alignas(WSACMSGHDR) CHAR bytes[WSA_CMSG_SPACE(4) + WSA_CMSG_SPACE(8)];
    WSAMSG message;
};

static LPWSACMSGHDR write_two_messages(struct two_messages *two)
{
    memset(two, 0, sizeof(*two));
    two->message.Control.buf = two->bytes;
    two->message.Control.len = sizeof(two->bytes);
    LPWSACMSGHDR first = WSA_CMSG_FIRSTHDR(&two->message);
    CHECK_EQ_PTR(first, two->bytes);
    first->cmsg_len = WSA_CMSG_LEN(4);
    LPWSACMSGHDR second = WSA_CMSG_NXTHDR(&two->message, first);
    CHECK_EQ_PTR(second, two->bytes + WSA_CMSG_SPACE(4));
    second->cmsg_len = WSA_CMSG_LEN(8);
    return second;
}

SUITE_TEST(control_messages, are_walked_to_the_end)
{
    struct two_messages two;
    LPWSACMSGHDR second = write_two_messages(&two);
    CHECK_EQ_PTR(WSA_CMSG_NXTHDR(&two.message, NULL), two.bytes);
    CHECK_EQ_PTR(WSA_CMSG_DATA(second), (CHAR *)second + sizeof(WSACMSGHDR));
    CHECK_EQ_PTR(WSA_CMSG_NXTHDR(&two.message, second), NULL);
}

SUITE_TEST(control_messages, a_wrong_length_ends_the_walk)
{
    const SIZE_T wrong[] = {0, sizeof(WSACMSGHDR) - 1, 1000, (SIZE_T)-1, (SIZE_T)-8};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct two_messages two;
        write_two_messages(&two);
        LPWSACMSGHDR first = WSA_CMSG_FIRSTHDR(&two.message);
        first->cmsg_len = wrong[i];
        CHECK_EQ_PTR(WSA_CMSG_NXTHDR(&two.message, first), NULL);
    }
}

SUITE_TEST(control_messages, none_in_a_buffer_too_small)
{
    WSAMSG message = {.Control = {.len = sizeof(WSACMSGHDR) - 1}};
    CHECK_EQ_PTR(WSA_CMSG_FIRSTHDR(&message), NULL);
    CHECK_EQ_PTR(WSA_CMSG_NXTHDR(&message, NULL), NULL);
}
