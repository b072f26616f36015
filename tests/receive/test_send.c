/* SPDX-License-Identifier: BSD-3-Clause */

/* Sends within the stack: two sockets that talk, and everything that a send is refused for. */

#include "support/suite.h"

#include <sys/mman.h>

#include "dataplane/addressing.h"
#include "sending.h"
#include "wirerx/mswsock.h"

SUITE_FIXTURE(send_call, open_quiet, close_all);

#define THERE OTHER_PORT

SUITE_TEST(send_call, two_sockets_talk_in_every_receive_mode)
{
    static struct operation event, routine;
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    char room[64];

    deliver_text(a, LOOPBACK, THERE, "for a blocking receive");
    CHECK_TEXT(receive(b, room, sizeof room), room, "for a blocking receive");
    set_nonblocking(b, true);
    CHECK_REFUSED(receive(b, room, sizeof room), WSAEWOULDBLOCK);
    deliver_text(a, HERE, THERE, "for a nonblocking one");
    CHECK_TEXT(receive(b, room, sizeof room), room, "for a nonblocking one");
    pend_event(b, &event, 64);
    deliver_text(a, LOOPBACK, THERE, "with an event");
    check_completed(&event, "with an event");
    pend_routine(b, &routine, 64);
    deliver_text(a, FRAME_IP(127, 8, 9, 10), THERE, "with a routine");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routine.calls, 1);
    check_completed(&routine, "with a routine");
    deliver_text(b, LOOPBACK, PORT, "and back");
    CHECK_TEXT(receive(a, room, sizeof room), room, "and back");
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, a_socket_whose_address_has_gone_is_told_so_until_it_is_back)
{
    struct sockaddr_in name = address_of(HERE, PORT);
    struct addressing with = *addressing_now(), without = with;
    SOCKET s = make_socket();

    CHECK(bind(s, (struct sockaddr *)&name, sizeof name) == 0);
    without.ports[0].addresses_count = 0;
    addressing_publish(&without);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, THERE, "x"), WSAEADDRNOTAVAIL);
    CHECK_REFUSED(send_text_to(s, FRAME_IP(239, 1, 2, 3), THERE, "x"), WSAEADDRNOTAVAIL);
    addressing_publish(&with);
    deliver_text(s, LOOPBACK, PORT, "to itself");
    close_socket(s);
}

SUITE_TEST(send_call, a_receiver_learns_who_sent) // I06
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    struct sockaddr_in from;
    INT fromlen = sizeof from;
    DWORD bytes, flags = 0;
    char room[16];
    WSABUF buffer = {sizeof room, room};
    int error = 0;

    deliver_text(a, HERE, THERE, "hello");
    CHECK_EQ_I64(spi.lpWSPRecvFrom(b, &buffer, 1, &bytes, &flags, (struct sockaddr *)&from,
                                   &fromlen, NULL, NULL, NULL, &error),
                 0);
    CHECK_EQ_U64(from.sin_addr.s_addr, htonl(HERE));
    CHECK_EQ_U64(from.sin_port, htons(PORT));
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, sending_binds_a_socket_and_makes_receiving_legal) // A18
{
    SOCKET a = make_socket(), b = open_socket(THERE);
    struct sockaddr_in name;
    int length = sizeof name, error = 0;
    char room[16];

    CHECK_REFUSED(receive(a, room, sizeof room), WSAEINVAL);
    /* A send that is refused binds nothing. */
    CHECK_REFUSED(send_text_to(a, LOOPBACK, 0, "x"), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(spi.lpWSPGetSockName(a, (struct sockaddr *)&name, &length, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    deliver_text(a, LOOPBACK, THERE, "ping");
    CHECK_EQ_I64(spi.lpWSPGetSockName(a, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_GE_U64(ntohs(name.sin_port), 49152);
    CHECK_EQ_U64(name.sin_addr.s_addr, 0);
    CHECK_TEXT(receive(b, room, sizeof room), room, "ping");
    deliver_text(b, LOOPBACK, ntohs(name.sin_port), "pong");
    CHECK_TEXT(receive(a, room, sizeof room), room, "pong");
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, buffers_are_gathered_in_their_order) // G01 G03
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    struct sockaddr_in to = address_of(LOOPBACK, THERE);
    char first[] = "one ", second[] = "two ", third[] = "three", room[64];
    WSABUF buffers[] = {{4, first}, {0, NULL}, {4, second}, {5, third}, {0, second}};

    CHECK_SENT(send_buffers_to(a, buffers, 5, 0, &to), 13);
    wire_settle();
    CHECK_TEXT(receive(b, room, sizeof room), room, "one two three");
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, an_empty_datagram_is_one_too) // G07
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    char room[4];

    CHECK_SENT(send_bytes_to(a, LOOPBACK, THERE, NULL, 0), 0);
    wire_settle();
    struct outcome outcome = receive(b, room, sizeof room);
    CHECK_EQ_I64(outcome.result, 0);
    CHECK_EQ_U64(outcome.bytes, 0);
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, the_largest_datagram_arrives_whole)
{
    static char sent[SEND_MAX_PAYLOAD + 1], got[SEND_MAX_PAYLOAD];
    SOCKET a = open_socket(PORT), b = open_socket(THERE);

    frame_fill(sent, SEND_MAX_PAYLOAD, 5);
    CHECK_REFUSED(send_bytes_to(a, LOOPBACK, THERE, sent, SEND_MAX_PAYLOAD + 1), WSAEMSGSIZE);
    for (int i = 0; i < 3; i++) {
        CHECK_SENT(send_bytes_to(a, LOOPBACK, THERE, sent, SEND_MAX_PAYLOAD), SEND_MAX_PAYLOAD);
        wire_settle();
        struct outcome outcome = receive(b, got, sizeof got);
        CHECK_EQ_I64(outcome.result, 0);
        CHECK_EQ_U64(outcome.bytes, SEND_MAX_PAYLOAD);
        CHECK_EQ_MEM(got, sent, SEND_MAX_PAYLOAD);
        memset(got, 0, sizeof got);
    }
    CHECK_EQ_U64(wire_counter("looped"), 3);
    close_socket(a);
    close_socket(b);
}

/* --- what is refused -------------------------------------------------------------------------- */

SUITE_TEST(send_call, targets_that_cannot_be_sent_to_are_refused)
{
    SOCKET s = open_socket(PORT);
    char text[] = "x";
    WSABUF buffer = {1, text};
    struct sockaddr_in wrong = address_of(LOOPBACK, THERE);
    DWORD bytes = UNTOUCHED;
    int error = 0;

    CHECK_REFUSED(send_text_to(s, LOOPBACK, 0, "x"), WSAEADDRNOTAVAIL);
    CHECK_REFUSED(send_text_to(s, 0, THERE, "x"), WSAEADDRNOTAVAIL);
    CHECK_REFUSED(send_text_to(s, FRAME_IP(192, 0, 2, 9), THERE, "x"), WSAEHOSTUNREACH);
    CHECK_REFUSED(send_text_to(s, FRAME_IP(8, 8, 8, 8), THERE, "x"), WSAENETUNREACH);
    CHECK_REFUSED(send_text_to(s, FRAME_IP(192, 0, 2, 255), THERE, "x"), WSAEACCES);
    CHECK_REFUSED(send_text_to(s, UINT32_MAX, THERE, "x"), WSAEACCES);
    wrong.sin_family = AF_INET6;
    CHECK_REFUSED(send_buffers_to(s, &buffer, 1, 0, &wrong), WSAEAFNOSUPPORT);
    wrong.sin_family = AF_INET;
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, &bytes, 0, (struct sockaddr *)&wrong,
                                 sizeof wrong - 1, NULL, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, &bytes, 0, NULL, 0, NULL, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEDESTADDRREQ);
    CHECK_REFUSED(send_bytes(s, "x", 1, 0), WSAENOTCONN);
    CHECK_EQ_U64(bytes, UNTOUCHED);
    wire_settle();
    CHECK_EQ_U64(wire_counter("looped"), 0);
    close_socket(s);
}

SUITE_TEST(send_call, arguments_are_checked_before_anything_is_sent)
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in to = address_of(LOOPBACK, THERE);
    char text[] = "x";
    WSABUF buffer = {1, text};
    DWORD bytes = UNTOUCHED;
    int error = 0;

    CHECK_REFUSED(send_buffers_to(s, &buffer, 0, 0, &to), WSAEINVAL);
    CHECK_REFUSED(send_buffers_to(s, NULL, 0, 0, &to), WSAEINVAL);
    CHECK_REFUSED(send_buffers_to(s, NULL, 1, 0, &to), WSAEFAULT);
    CHECK_REFUSED(send_buffers_to(s, &buffer, 1, MSG_OOB, &to), WSAEOPNOTSUPP);
    CHECK_REFUSED(send_buffers_to(s, &buffer, 1, MSG_PARTIAL, &to), WSAEOPNOTSUPP);
    CHECK_REFUSED(send_buffers_to(s, &buffer, 1, MSG_PEEK, &to), WSAEINVAL);
    CHECK_REFUSED(send_buffers_to(s, &buffer, 1, 0x40000000, &to), WSAEINVAL);
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, NULL, 0, (struct sockaddr *)&to, sizeof to, NULL,
                                 NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, &bytes, 0, (struct sockaddr *)&to, sizeof to, NULL,
                                 NULL, NULL, NULL),
                 SOCKET_ERROR);
    CHECK_EQ_I64(spi.lpWSPSend(s, &buffer, 1, &bytes, 0, NULL, NULL, NULL, NULL), SOCKET_ERROR);
    CHECK_REFUSED(send_text_to(12345, LOOPBACK, THERE, "x"), WSAENOTSOCK);
    CHECK_REFUSED(send_bytes(INVALID_SOCKET, "x", 1, 0), WSAENOTSOCK);
    wire_settle();
    CHECK_EQ_U64(wire_counter("looped"), 0);
    CHECK_SENT(send_buffers_to(s, &buffer, 1, MSG_DONTROUTE, &to), 1);
    wire_settle();
    CHECK_EQ_U64(wire_counter("looped"), 2); /* it, and the news that nobody is there */
    close_socket(s);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, THERE, "x"), WSAENOTSOCK);
}

SUITE_TEST(send_call, memory_that_is_not_there_sends_nothing)
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    struct sockaddr_in to = address_of(LOOPBACK, THERE);
    char *pages = map_pages(2), text[] = "text";
    char *edge = pages + PAGE;
    WSABUF *half = (WSABUF *)(void *)(edge - sizeof(WSABUF));
    WSABUF buffers[2] = {{4, text}, {8, edge - 4}};
    int error = 0;

    protect_pages(edge, 1, PROT_NONE);
    CHECK_REFUSED(send_buffers_to(a, buffers, 2, 0, &to),
                  WSAEFAULT); /* the payload's second half */
    buffers[1].len = 4;
    CHECK_SENT(send_buffers_to(a, buffers, 2, 0, &to), 8);
    half[0] = buffers[0];
    CHECK_REFUSED(send_buffers_to(a, half, 2, 0, &to), WSAEFAULT); /* the array's */
    CHECK_EQ_I64(spi.lpWSPSendTo(a, buffers, 1, (LPDWORD)(void *)edge, 0, (struct sockaddr *)&to,
                                 sizeof to, NULL, NULL, NULL, &error),
                 SOCKET_ERROR); /* the count's */
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSendTo(a, buffers, 1, (LPDWORD)(void *)pages, 0,
                                 (struct sockaddr *)(void *)(edge - 8), sizeof to, NULL, NULL, NULL,
                                 &error),
                 SOCKET_ERROR); /* the address */
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSendTo(a, buffers, 1, (LPDWORD)(void *)pages, 0, (struct sockaddr *)&to,
                                 sizeof to, NULL, NULL, NULL, (LPINT)(void *)edge),
                 0); /* a success has no use for lpErrno */
    protect_pages(pages, 1, PROT_READ);
    buffers[1] = (WSABUF){4, pages};
    CHECK_SENT(send_buffers_to(a, buffers, 2, 0, &to), 8); /* which only has to be readable */
    wire_settle();
    CHECK_EQ_U64(counters_of(b).delivered, 3);
    unmap_pages(pages, 2);
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, a_socket_that_only_receives_or_is_shut_sends_nothing)
{
    struct sockaddr_in group = address_of(THE_GROUP, PORT);
    int error = 0;
    SOCKET s = spi.lpWSPSocket(
        AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
        WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF, &error);

    CHECK_EQ_U64(spi.lpWSPJoinLeaf(s, (struct sockaddr *)&group, sizeof group, NULL, NULL, NULL,
                                   NULL, JL_RECEIVER_ONLY, &error),
                 s);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAEOPNOTSUPP);
    close_socket(s);
    s = open_socket(PORT);
    CHECK_EQ_I64(spi.lpWSPShutdown(s, SD_SEND, &error), 0);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAESHUTDOWN);
    close_socket(s);
}

SUITE_TEST(send_call, nothing_is_sent_when_the_dataplane_is_down) // A19
{
    struct config config = wire_config();
    SOCKET s = open_socket(PORT), unbound = make_socket();

    CHECK_EQ_I64(wirerx_stop(), 0);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAENETDOWN);
    CHECK_REFUSED(send_text_to(unbound, LOOPBACK, PORT, "x"), WSAENETDOWN);
    CHECK_EQ_I64(set_ip_option(s, IP_MULTICAST_IF, 0), WSAENETDOWN);
    close_socket(s);
    close_socket(unbound);
    wire_start(&config, &pending_operations, true);
}

/* --- with a peer ------------------------------------------------------------------------------ */

SUITE_TEST(send_call, a_peer_is_sent_to_and_another_may_be_named)
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE), c = open_socket(6000);
    char room[16], text[] = "peer";
    WSABUF buffer = {4, text};
    DWORD bytes = 0;
    int error = 0;

    connect_to(a, LOOPBACK, THERE);
    CHECK_SENT(send_bytes(a, "peer", 4, 0), 4);
    CHECK_EQ_I64(spi.lpWSPSendTo(a, &buffer, 1, &bytes, 0, NULL, 0, NULL, NULL, NULL, &error), 0);
    wire_settle();
    CHECK_TEXT(receive(b, room, sizeof room), room, "peer");
    CHECK_TEXT(receive(b, room, sizeof room), room, "peer");
    deliver_text(a, LOOPBACK, 6000, "other");
    CHECK_TEXT(receive(c, room, sizeof room), room, "other");
    close_socket(a);
    close_socket(b);
    close_socket(c);
}

/* --- options ---------------------------------------------------------------------------------- */

SUITE_TEST(send_call, options_are_kept_and_their_bounds_checked)
{
    SOCKET s = open_socket(PORT);
    uint8_t byte = 9;
    int error = 0;

    CHECK_EQ_U64(get_option(s, SO_SNDBUF), 65536);
    CHECK_EQ_I64(set_option(s, SO_SNDBUF, 12345), 0);
    CHECK_EQ_U64(get_option(s, SO_SNDBUF), 12345);
    CHECK_EQ_I64(set_option(s, SO_SNDBUF, 0x80000000), WSAEINVAL);
    CHECK_EQ_U64(get_option(s, SO_SNDTIMEO), 0);
    CHECK_EQ_I64(set_option(s, SO_SNDTIMEO, 77), 0);
    CHECK_EQ_U64(get_option(s, SO_SNDTIMEO), 77);
    CHECK_EQ_U64(get_option(s, SO_BROADCAST), 0);
    CHECK_EQ_I64(set_option(s, SO_BROADCAST, 5), 0);
    CHECK_EQ_U64(get_option(s, SO_BROADCAST), 1);
    CHECK_EQ_U64(get_ip_option(s, IP_TTL), 128);
    CHECK_EQ_I64(set_ip_option(s, IP_TTL, 0), WSAEINVAL);
    CHECK_EQ_I64(set_ip_option(s, IP_TTL, 256), WSAEINVAL);
    CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, IPPROTO_IP, IP_TTL, (char *)&byte, 1, &error), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_TTL), 9);
    CHECK_EQ_U64(get_ip_option(s, IP_TOS), 0);
    CHECK_EQ_I64(set_ip_option(s, IP_TOS, 0xb8), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_TOS), 0xb8);
    CHECK_EQ_I64(set_ip_option(s, IP_TOS, 256), WSAEINVAL);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_TTL), 1);
    CHECK_EQ_I64(set_ip_option(s, IP_MULTICAST_TTL, 0), 0);
    CHECK_EQ_I64(control_number(s, (DWORD)SIO_MULTICAST_SCOPE, 33), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_TTL), 33);
    CHECK_EQ_I64(control_number(s, (DWORD)SIO_MULTICAST_SCOPE, 256), WSAEINVAL);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_LOOP), 1);
    CHECK_EQ_I64(control_number(s, (DWORD)SIO_MULTIPOINT_LOOPBACK, 0), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_LOOP), 0);
    CHECK_EQ_I64(set_ip_option(s, IP_MULTICAST_LOOP, 1), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_LOOP), 1);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_IF), 0);
    CHECK_EQ_I64(set_ip_option(s, IP_MULTICAST_IF, htonl(FRAME_IP(192, 0, 2, 9))),
                 WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(set_ip_option(s, IP_MULTICAST_IF, htonl(LOOPBACK)), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(set_ip_option(s, IP_MULTICAST_IF, htonl(HERE)), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_IF), htonl(HERE));
    close_socket(s);
    s = open_socket(PORT); /* the same slot: nothing is left of it */
    CHECK_EQ_U64(get_option(s, SO_SNDBUF), 65536);
    CHECK_EQ_U64(get_ip_option(s, IP_TTL), 128);
    CHECK_EQ_U64(get_ip_option(s, IP_MULTICAST_IF), 0);
    close_socket(s);
}

/* Byte of the IPv4 header of the datagram that waits in a socket's ring. */
static uint8_t header_byte(SOCKET s, unsigned at)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;

    CHECK_EQ_I64(socket_lock(s, &reference), 0);
    const struct ring_element *element = endpoint_front(reference.endpoint);
    CHECK(element != NULL);
    uint8_t byte = rte_pktmbuf_mtod(element_mbuf(element), const uint8_t *)[14 + at];
    socket_unlock(reference.endpoint, &batch);
    return byte;
}

SUITE_TEST(send_call, ttl_and_tos_are_in_the_headers)
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    char room[4];

    CHECK_EQ_I64(set_ip_option(a, IP_TTL, 44), 0);
    CHECK_EQ_I64(set_ip_option(a, IP_TOS, 0x10), 0);
    CHECK_EQ_I64(set_ip_option(a, IP_MULTICAST_TTL, 7), 0);
    CHECK_EQ_I64(join(b, THE_GROUP), 0);
    deliver_text(a, LOOPBACK, THERE, "x");
    CHECK_EQ_U64(header_byte(b, 8), 44);
    CHECK_EQ_U64(header_byte(b, 1), 0x10);
    CHECK_TEXT(receive(b, room, sizeof room), room, "x");
    deliver_text(a, THE_GROUP, THERE, "y");
    CHECK_EQ_U64(header_byte(b, 8), 7);
    CHECK_TEXT(receive(b, room, sizeof room), room, "y");
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, broadcasts_need_the_option)
{
    SOCKET a = open_socket(PORT), b = open_socket(THERE);
    char room[16];

    CHECK_EQ_I64(set_option(a, SO_BROADCAST, TRUE), 0);
    deliver_text(a, UINT32_MAX, THERE, "to all");
    CHECK_TEXT(receive(b, room, sizeof room), room, "to all");
    deliver_text(a, FRAME_IP(192, 0, 2, 255), THERE, "to the net");
    CHECK_TEXT(receive(b, room, sizeof room), room, "to the net");
    close_socket(a);
    close_socket(b);
}

SUITE_TEST(send_call, a_member_decides_whether_groups_loop_back_to_it)
{
    SOCKET sender = open_socket(PORT), on = make_socket(), off = make_socket();
    struct sockaddr_in name = address_of(0, THERE);
    char room[16];

    CHECK_EQ_I64(set_option(on, SO_REUSEADDR, TRUE), 0);
    CHECK_EQ_I64(set_option(off, SO_REUSEADDR, TRUE), 0);
    CHECK_EQ_I64(bind(on, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ_I64(bind(off, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ_I64(join(on, THE_GROUP), 0);
    CHECK_EQ_I64(join(off, THE_GROUP), 0);
    CHECK_EQ_I64(set_ip_option(off, IP_MULTICAST_LOOP, FALSE), 0);
    CHECK_EQ_I64(set_ip_option(sender, IP_MULTICAST_LOOP, FALSE), 0); /* nothing to do with it */
    deliver_text(sender, THE_GROUP, THERE, "looped");
    CHECK_TEXT(receive(on, room, sizeof room), room, "looped");
    CHECK_EQ_U64(counters_of(off).delivered, 0);
    arrive_at(THE_GROUP, THERE, "from the wire");
    CHECK_EQ_U64(counters_of(off).delivered, 1);
    CHECK_EQ_I64(set_ip_option(off, IP_MULTICAST_LOOP, TRUE), 0);
    deliver_text(off, THE_GROUP, THERE, "to itself, too");
    CHECK_EQ_U64(counters_of(off).delivered, 2);
    close_socket(sender);
    close_socket(on);
    close_socket(off);
}

/* --- nobody there ----------------------------------------------------------------------------- */

SUITE_TEST(send_call, an_unreachable_port_fails_the_next_receive_once) // I12 I13
{
    SOCKET s = open_socket(PORT);
    char room[16];

    deliver_text(s, LOOPBACK, THERE, "anybody?");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    deliver_text(s, LOOPBACK, PORT, "myself");
    CHECK_TEXT(receive(s, room, sizeof room), room, "myself");
    close_socket(s);
}

SUITE_TEST(send_call, of_a_connected_socket_as_well) // I12c I13
{
    SOCKET s = open_socket(PORT);
    char room[16];

    connect_to(s, HERE, THERE);
    CHECK_SENT(send_bytes(s, "x", 1, 0), 1);
    wire_settle();
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    close_socket(s);
}

SUITE_TEST(send_call, a_pending_receive_ends_with_the_unreachable_port) // I14
{
    static struct operation operation;
    SOCKET s = open_socket(PORT);

    pend_event(s, &operation, 16);
    deliver_text(s, LOOPBACK, THERE, "anybody?");
    check_ended(&operation, 0xC000023F, 0);
    CHECK(is_signalled(operation.overlapped.hEvent));
    struct outcome outcome = result_of(s, &operation, false);
    CHECK_EQ_I64(outcome.error, WSAECONNRESET);
    close_socket(s);
}

SUITE_TEST(send_call, a_time_to_live_that_ran_out_fails_the_next_receive) // I15
{
    struct frame quoted = {.source = HERE, .source_port = PORT, .destination = SENDER};
    struct frame_icmp icmp = {.type = 11, .code = 0, .quoted = &quoted};
    SOCKET s = open_socket(PORT);
    uint8_t bytes[128];
    char room[16];

    deliver_text(s, FRAME_IP(239, 0, 0, 1), PORT, "something");
    wire_send(bytes, frame_icmp_build(&icmp, bytes, sizeof bytes));
    wire_settle();
    CHECK_REFUSED(receive(s, room, sizeof room), WSAENETRESET);
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_I64(control_number(s, (DWORD)SIO_UDP_NETRESET, FALSE), 0);
    wire_send(bytes, frame_icmp_build(&icmp, bytes, sizeof bytes));
    wire_settle();
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    close_socket(s);
}

SUITE_TEST(send_call, who_does_not_want_to_know_is_not_told) // L11
{
    SOCKET s = open_socket(PORT);
    DWORD returned = 0;
    uint8_t no = 0;
    char room[16];
    int error = 0;

    set_nonblocking(s, true);
    CHECK_EQ_I64(control_number(s, (DWORD)SIO_UDP_CONNRESET, FALSE), 0);
    deliver_text(s, LOOPBACK, THERE, "anybody?");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_I64(control_number(s, (DWORD)SIO_UDP_CONNRESET, TRUE), 0);
    deliver_text(s, LOOPBACK, THERE, "anybody?");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    CHECK_EQ_I64(spi.lpWSPIoctl(s, (DWORD)SIO_UDP_CONNRESET, &no, 1, NULL, 0, &returned, NULL, NULL,
                                NULL, &error),
                 0); /* .NET programs give one byte */
    CHECK_EQ_I64(spi.lpWSPIoctl(s, (DWORD)SIO_UDP_CONNRESET, &no, 0, NULL, 0, &returned, NULL, NULL,
                                NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    deliver_text(s, LOOPBACK, THERE, "anybody?");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    close_socket(s);
}
