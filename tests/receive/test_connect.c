/* SPDX-License-Identifier: BSD-3-Clause */

/* Datagram sockets with a peer: A18, I04, I05, and what WSPConnect and WSPGetPeerName refuse. */

#include "support/suite.h"

#include "harness.h"
#include "overlapped_status.h"

#define PEER FRAME_IP(198, 51, 100, 9)
#define PEER_PORT 7100

SUITE_FIXTURE(connect, open_quiet, close_all);

static int connect_name(SOCKET s, const void *name, int length)
{
    int error = 0;

    return spi.lpWSPConnect(s, name, length, NULL, NULL, NULL, NULL, &error) == 0 ? 0 : error;
}

static int connect_to(SOCKET s, uint32_t address, uint16_t port)
{
    struct sockaddr_in name = address_of(address, port);

    return connect_name(s, &name, sizeof name);
}

static int peer_of(SOCKET s, struct sockaddr_in *name)
{
    int length = sizeof *name, error = 0;

    memset(name, CANARY, sizeof *name);
    if (spi.lpWSPGetPeerName(s, (struct sockaddr *)name, &length, &error) != 0)
        return error;
    CHECK_EQ_I64(length, sizeof *name);
    return 0;
}

/* Everything that was put in the ring has an end. */
static void check_conserved(SOCKET s)
{
    struct wirerx_socket_counters counters = counters_of(s);

    CHECK_EQ_U64(counters.delivered,
                 counters.received + counters.conditions + counters.discarded + counters.queued);
}

#if !UNDER_THREAD_SANITIZER

/* --- the peer's and others' ------------------------------------------------------------------------------- */

SUITE_TEST(connect, only_the_peers_datagrams_arrive) // I04
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    arrive_text(PORT, "another host");
    arrive_from(PEER, PEER_PORT, PORT, "first");
    arrive_from(PEER, PEER_PORT + 1, PORT, "another port");
    arrive_from(PEER + 1, PEER_PORT, PORT, "another address");
    arrive_from(PEER, PEER_PORT, PORT, "second");
    CHECK_EQ_U64(counters_of(s).delivered, 2); /* the others have taken no room */
    CHECK_EQ_U64(counters_of(s).peer_filter, 3);
    CHECK_EQ_U64(counters_of(s).discarded, 0);
    CHECK_EQ_U64(wire_counter("drop.not_from_peer"), 3);
    CHECK_EQ_U64(wire_counter("lost.not_from_peer"), 3);
    CHECK_TEXT(receive(s, room, sizeof room), room, "first");
    CHECK_TEXT(receive(s, room, sizeof room), room, "second");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    check_conserved(s);
}

SUITE_TEST(connect, others_do_not_fill_the_ring) // I04
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    for (int i = 0; i < 300; i++)
        arrive_text(PORT, "not wanted");
    arrive_from(PEER, PEER_PORT, PORT, "wanted");
    CHECK_EQ_U64(counters_of(s).drop_ring_full, 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "wanted");
}

SUITE_TEST(connect, what_others_had_queued_is_discarded) // I05
{
    SOCKET s = open_socket(PORT);
    u_long readable;
    char room[16];

    arrive_text(PORT, "front");
    arrive_from(PEER, PEER_PORT, PORT, "peer one");
    arrive_text(PORT, "middle");
    arrive_from(PEER, PEER_PORT, PORT, "peer two!");
    arrive_text(PORT, "back");
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    CHECK_EQ_U64(counters_of(s).queued, 4); /* what stood in front is gone at once */
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 8);
    CHECK_TEXT(receive(s, room, sizeof room), room, "peer one");
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 9);
    CHECK_TEXT(receive_flags(s, room, sizeof room, 0), room, "peer two!");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_U64(counters_of(s).peer_filter, 3);
    CHECK_EQ_U64(counters_of(s).discarded, 3);
    CHECK_EQ_U64(counters_of(s).queued, 0);
    check_conserved(s);
}

SUITE_TEST(connect, a_peek_passes_over_others_too) // I05 H01
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_from(PEER, PEER_PORT, PORT, "a");
    arrive_text(PORT, "b");
    arrive_from(PEER, PEER_PORT, PORT, "c");
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    CHECK_TEXT(receive_flags(s, room, sizeof room, 0), room, "a");
    struct outcome peeked = receive_flags(s, room, sizeof room, MSG_PEEK);
    CHECK_EQ_I64(peeked.result, 0);
    CHECK_EQ_MEM(room, "c", 1);
    CHECK_TEXT(receive(s, room, sizeof room), room, "c");
}

SUITE_TEST(connect, a_receive_posted_before_gets_the_peers) // I04 I05 G08
{
    SOCKET s = open_socket(PORT);
    static struct operation first, second;

    pend_event(s, &first, 16);
    pend_event(s, &second, 16);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    arrive_text(PORT, "stranger");
    CHECK_EQ_U64(status_of(&first), OVERLAPPED_PENDING);
    arrive_from(PEER, PEER_PORT, PORT, "peer");
    check_completed(&first, "peer");
    CHECK_EQ_U64(status_of(&second), OVERLAPPED_PENDING);
    arrive_from(PEER, PEER_PORT, PORT, "again");
    check_completed(&second, "again");
}

SUITE_TEST(connect, a_receive_blocked_before_gets_the_peers) // I04
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked;

    run_blocked(&blocked, s);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    arrive_text(PORT, "stranger");
    arrive_from(PEER, PEER_PORT, PORT, "peer");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "peer");
}

SUITE_TEST(connect, groups_datagrams_are_filtered_too) // I04
{
    SOCKET s = make_socket(), other = make_socket();
    char room[16];

    for (int i = 0; i < 2; i++) {
        SOCKET one = i ? other : s;
        struct sockaddr_in name = address_of(0, PORT);

        CHECK_EQ_I64(set_option(one, SO_REUSEADDR, TRUE), 0);
        CHECK_EQ_I64(bind(one, (struct sockaddr *)&name, sizeof name), 0);
        CHECK_EQ_I64(join(one, THE_GROUP), 0);
    }
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    arrive_at(THE_GROUP, PORT, "for the other");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_TEXT(receive(other, room, sizeof room), room, "for the other");
    CHECK_EQ_U64(wire_counter("drop.not_from_peer"), 0); /* somebody took it */
    CHECK_EQ_U64(wire_counter("lost.not_from_peer"), 1);
    CHECK_EQ_U64(counters_of(s).peer_filter, 1);
}

SUITE_TEST(connect, who_is_connected_to_the_sender_comes_first) // I04
{
    SOCKET s[3];
    char room[16];

    for (int i = 0; i < 3; i++) {
        struct sockaddr_in name = address_of(0, PORT);

        s[i] = make_socket();
        set_nonblocking(s[i], true);
        CHECK_EQ_I64(set_option(s[i], SO_REUSEADDR, TRUE), 0);
        CHECK_EQ_I64(bind(s[i], (struct sockaddr *)&name, sizeof name), 0);
    }
    CHECK_EQ_I64(connect_to(s[0], PEER, PEER_PORT), 0);
    CHECK_EQ_I64(connect_to(s[2], PEER, PEER_PORT + 1), 0);
    arrive_from(PEER, PEER_PORT, PORT, "0");
    arrive_text(PORT, "1");
    arrive_from(PEER, PEER_PORT + 1, PORT, "2");
    for (int i = 0; i < 3; i++) {
        const char text[] = {(char)('0' + i), '\0'};

        CHECK_TEXT(receive(s[i], room, sizeof room), room, text);
        CHECK_REFUSED(receive(s[i], room, sizeof room), WSAEWOULDBLOCK);
        CHECK_EQ_U64(counters_of(s[i]).peer_filter, 0);
    }
    close_socket(s[1]); /* now nobody is open to all */
    arrive_text(PORT, "nobody's");
    CHECK_EQ_U64(wire_counter("drop.not_from_peer"), 1);
    CHECK_EQ_U64(counters_of(s[0]).delivered + counters_of(s[2]).delivered, 2);
}

SUITE_TEST(connect, the_source_may_be_asked_for) // I10 I06
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in from, peer = address_of(PEER, PEER_PORT);
    int length = sizeof from;
    char room[16];

    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    arrive_text(PORT, "stranger");
    arrive_from(PEER, PEER_PORT, PORT, "peer");
    CHECK_EQ_I64(recvfrom(s, room, sizeof room, 0, (struct sockaddr *)&from, &length), 4);
    CHECK_EQ_I64(length, sizeof from);
    CHECK_EQ_MEM(&from, &peer, sizeof from);
}

SUITE_TEST(connect, two_sockets_of_one_stack_talk) // A18 I04
{
    SOCKET server = open_socket(PORT), client = make_socket(), stranger = make_socket();
    struct sockaddr_in name;
    int length = sizeof name;
    char room[16];

    CHECK_EQ_I64(connect_to(client, FRAME_IP(127, 0, 0, 1), PORT), 0);
    CHECK_EQ_I64(send(client, "ping", 4, 0), 4);
    wire_settle();
    CHECK_EQ_I64(recvfrom(server, room, sizeof room, 0, (struct sockaddr *)&name, &length), 4);
    CHECK_EQ_MEM(room, "ping", 4);
    CHECK_EQ_I64(sendto(stranger, "no", 2, 0, (struct sockaddr *)&name, length), 2);
    CHECK_EQ_I64(sendto(server, "pong", 4, 0, (struct sockaddr *)&name, length), 4);
    wire_settle();
    set_nonblocking(client, true);
    CHECK_TEXT(receive(client, room, sizeof room), room, "pong");
    CHECK_REFUSED(receive(client, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_U64(counters_of(client).peer_filter, 1);
    close_socket(server); /* the error of a connected socket's own datagram passes its filter */
    CHECK_EQ_I64(send(client, "who", 3, 0), 3);
    wire_settle();
    CHECK_REFUSED(receive(client, room, sizeof room), WSAECONNRESET);
}

/* --- coming and going -------------------------------------------------------------------------------------- */

SUITE_TEST(connect, the_peer_can_be_changed_and_dissolved) // I04
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name, expected = address_of(PEER, PEER_PORT), none = {.sin_family = 0};
    char room[16];

    CHECK_EQ_I64(peer_of(s, &name), WSAENOTCONN);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    CHECK_EQ_I64(peer_of(s, &name), 0);
    CHECK_EQ_MEM(&name, &expected, sizeof name); /* sin_zero included */
    arrive_from(PEER, PEER_PORT, PORT, "the first one's");
    CHECK_EQ_I64(connect_to(s, SENDER, SENDER_PORT), 0);
    CHECK_EQ_I64(peer_of(s, &name), 0);
    expected = address_of(SENDER, SENDER_PORT);
    CHECK_EQ_MEM(&name, &expected, sizeof name);
    arrive_from(PEER, PEER_PORT, PORT, "no longer");
    arrive_text(PORT, "sender");
    CHECK_TEXT(receive(s, room, sizeof room), room, "sender");
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_I64(connect_to(s, SENDER, SENDER_PORT), 0);
        CHECK_EQ_I64(i ? connect_name(s, &none, sizeof none) : connect_to(s, 0, 0), 0);
        CHECK_EQ_I64(peer_of(s, &name), WSAENOTCONN);
        arrive_from(PEER, PEER_PORT, PORT, "from");
        arrive_text(PORT, "anybody");
        CHECK_TEXT(receive(s, room, sizeof room), room, "from");
        CHECK_TEXT(receive(s, room, sizeof room), room, "anybody");
        CHECK_EQ_I64(connect_to(s, 0, 0), 0); /* once more is none the worse */
    }
    check_conserved(s);
}

SUITE_TEST(connect, binds_what_is_not_bound) // A18 A17
{
    SOCKET s = make_socket(), unbound = make_socket();
    struct sockaddr_in name;
    int length = sizeof name, error = 0;
    char room[16];

    CHECK_EQ_I64(connect_to(unbound, 0, 0), 0); /* it had no peer: nothing has happened */
    CHECK_REFUSED(receive(unbound, room, sizeof room), WSAEINVAL);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_GE_U64(ntohs(name.sin_port), 49152);
    arrive_from(PEER, PEER_PORT, ntohs(name.sin_port), "hello");
    CHECK_TEXT(receive(s, room, sizeof room), room, "hello");
}

SUITE_TEST(connect, a_socket_that_takes_the_slot_has_no_peer)
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name;
    char room[16];

    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    arrive_from(PEER, PEER_PORT, PORT, "unread");
    close_socket(s);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), WSAENOTSOCK);
    CHECK_EQ_I64(peer_of(s, &name), WSAENOTSOCK);
    s = open_socket(PORT);
    CHECK_EQ_I64(peer_of(s, &name), WSAENOTCONN);
    arrive_text(PORT, "anybody");
    CHECK_TEXT(receive(s, room, sizeof room), room, "anybody");
    CHECK_EQ_U64(counters_of(s).peer_filter, 0);
}

SUITE_TEST(connect, a_stop_under_it_is_told) // A19 D18
{
    SOCKET s = open_socket(PORT), unbound = make_socket();
    static struct operation posted;
    struct sockaddr_in name;

    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    pend_event(s, &posted, 16);
    wire_stop();
    CHECK_EQ_U64(status_of(&posted), OVERLAPPED_NETWORK_UNREACHABLE);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), WSAENETDOWN);
    CHECK_EQ_I64(connect_to(s, 0, 0), WSAENETDOWN);
    CHECK_EQ_I64(connect_to(unbound, PEER, PEER_PORT), WSAENETDOWN);
    CHECK_EQ_I64(peer_of(s, &name), 0); /* it is still known */
}

/* --- refusals ------------------------------------------------------------------------------------------------ */

SUITE_TEST(connect, bad_names_are_refused)
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name = address_of(PEER, PEER_PORT), peer;
    char *page = map_pages(1);

    unmap_pages(page, 1);
    CHECK_EQ_I64(connect_name(s, NULL, sizeof name), WSAEFAULT);
    CHECK_EQ_I64(connect_name(s, page, sizeof name), WSAEFAULT);
    CHECK_EQ_I64(connect_name(s, &name, 15), WSAEFAULT);
    CHECK_EQ_I64(connect_name(s, &name, 0), WSAEFAULT);
    CHECK_EQ_I64(connect_name(s, &name, -1), WSAEFAULT);
    name.sin_family = AF_INET6;
    CHECK_EQ_I64(connect_name(s, &name, sizeof name), WSAEAFNOSUPPORT);
    CHECK_EQ_I64(connect_to(s, 0, PEER_PORT), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(connect_to(s, PEER, 0), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(peer_of(s, &peer), WSAENOTCONN); /* none of these has connected it */
    CHECK_EQ_I64(connect_to(INVALID_SOCKET, PEER, PEER_PORT), WSAENOTSOCK);
}

SUITE_TEST(connect, user_data_and_reservations_are_refused)
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name = address_of(PEER, PEER_PORT);
    const struct sockaddr *peer = (struct sockaddr *)&name;
    char bytes[4], *page = map_pages(1);
    WSABUF data = {sizeof bytes, bytes}, none = {0, NULL};
    QOS best = {.SendingFlowspec = {.ServiceType = SERVICETYPE_BESTEFFORT}},
        guaranteed = {.ReceivingFlowspec = {.ServiceType = SERVICETYPE_GUARANTEED}};
    int error = 0;

    unmap_pages(page, 1);
    const struct {
        void *caller, *callee, *sqos, *gqos;
        int error;
    } rows[] = {
        {&data, NULL, NULL, NULL, WSAEFAULT},
        {page, NULL, NULL, NULL, WSAEFAULT},
        {NULL, page, NULL, NULL, WSAEFAULT},
        {NULL, NULL, page, NULL, WSAEFAULT},
        {NULL, NULL, NULL, page, WSAEFAULT},
        {NULL, NULL, &guaranteed, NULL, WSAEOPNOTSUPP},
        {NULL, NULL, NULL, &guaranteed, WSAEOPNOTSUPP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_EQ_I64(spi.lpWSPConnect(s, peer, sizeof name, rows[i].caller, rows[i].callee,
                                      rows[i].sqos, rows[i].gqos, &error),
                     SOCKET_ERROR);
        CHECK_EQ_I64(error, rows[i].error);
    }
    CHECK_EQ_I64(peer_of(s, &name), WSAENOTCONN);
    name = address_of(PEER, PEER_PORT);
    CHECK_EQ_I64(spi.lpWSPConnect(s, peer, sizeof name, &none, &data, &best, &best, &error), 0);
    CHECK_EQ_U64(data.len, 0); /* none came */
}

SUITE_TEST(connect, room_for_the_peers_name_must_suffice)
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name;
    char *page = map_pages(1);
    int length = sizeof name, error = 0;

    unmap_pages(page, 1);
    CHECK_EQ_I64(spi.lpWSPGetPeerName(s, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTCONN);
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    const struct {
        void *name, *length;
        int room;
    } rows[] = {{&name, &length, 15}, {&name, &length, -1}, {NULL, &length, 16},
                {&name, NULL, 16},    {page, &length, 16},  {&name, page, 16}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        length = rows[i].room;
        error = 0;
        CHECK_EQ_I64(spi.lpWSPGetPeerName(s, rows[i].name, rows[i].length, &error), SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAEFAULT);
    }
    length = 64;
    CHECK_EQ_I64(spi.lpWSPGetPeerName(s, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_EQ_I64(length, 16);
}

#endif

/* --- under traffic -------------------------------------------------------------------------------------------- */

SUITE_FIXTURE(connect_live, open_live, close_all);

/* Receives until told to stop; notes whom it heard. */
static void listen_to_all(struct runner *self)
{
    while (atomic_load(&self->step) == 0) {
        char room[16];
        struct outcome outcome = receive(self->s, room, sizeof room);

        if (outcome.error == WSAEWOULDBLOCK) {
            nap();
            continue;
        }
        CHECK_EQ_I64(outcome.result, 0);
        CHECK_EQ_U64(outcome.bytes, 1);
        CHECK(room[0] == 'p' || room[0] == 's');
    }
}

/* Keeps on changing the peer. */
static void change_peers(struct runner *self)
{
    for (unsigned i = 0; atomic_load(&self->step) == 0; i++)
        CHECK_EQ_I64(i % 3 == 0   ? connect_to(self->s, PEER, PEER_PORT)
                     : i % 3 == 1 ? connect_to(self->s, SENDER, SENDER_PORT)
                                  : connect_to(self->s, 0, 0),
                     0);
}

SUITE_TEST(connect_live, peers_change_under_traffic) // I04 I05
{
    SOCKET s = open_socket(PORT);
    static struct runner listener, changers[2];
    char room[16];

    set_nonblocking(s, true);
    run(&listener, listen_to_all, s, NULL);
    for (int i = 0; i < 2; i++)
        run(&changers[i], change_peers, s, NULL);
    for (int i = 0; i < SCALED(20000); i++) {
        arrive_text(PORT, "s");
        arrive_from(PEER, PEER_PORT, PORT, "p");
    }
    wire_settle();
    for (int i = 0; i < 2; i++) {
        atomic_store(&changers[i].step, 1);
        finish(&changers[i]);
    }
    atomic_store(&listener.step, 1);
    finish(&listener);
    /* However the two had overlapped: what the last one said holds, at both ends. */
    CHECK_EQ_I64(connect_to(s, PEER, PEER_PORT), 0);
    while (receive(s, room, sizeof room).result == 0)
        CHECK_EQ_U64(room[0], 'p');
    arrive_text(PORT, "s");
    arrive_from(PEER, PEER_PORT, PORT, "p");
    wire_settle();
    CHECK_TEXT(receive(s, room, sizeof room), room, "p");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    check_conserved(s);
    struct wirerx_socket_counters counters = counters_of(s);
    CHECK_EQ_U64(counters.delivered + counters.peer_filter + counters.drop_ring_full +
                     counters.drop_pool_share - counters.discarded,
                 2u * SCALED(20000) + 2);
}

static void close_at_once(struct runner *self)
{
    while (atomic_load(&self->step) == 0)
        nap();
    close_socket(self->s);
}

SUITE_TEST(connect_live, a_close_comes_between) // K01
{
    for (int i = 0; i < SCALED(500); i++) {
        SOCKET s = open_socket(PORT);
        static struct runner closer;
        int error = 0;

        memset(&closer, 0, sizeof closer);
        run(&closer, close_at_once, s, NULL);
        atomic_store(&closer.step, 1);
        for (int k = 0; error == 0; k++)
            error = connect_to(s, k % 2 ? 0 : PEER, k % 2 ? 0 : PEER_PORT);
        CHECK_EQ_I64(error, WSAENOTSOCK);
        finish(&closer);
        SOCKET next =
            open_socket(PORT); /* the same slot: no command of the old one has reached it */
        struct sockaddr_in name;
        CHECK_EQ_I64(peer_of(next, &name), WSAENOTCONN);
        arrive_text(PORT, "anybody");
        char room[16];
        CHECK_TEXT(receive(next, room, sizeof room), room, "anybody");
        close_socket(next);
    }
}
