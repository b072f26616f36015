/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_lend() and wirerx_return(): datagrams without a copy, what is out, and that it comes home. */

#include "support/suite.h"

#include "circuits.h"
#include "harness.h"

#include <sys/mman.h>

#define MANY 300u

#if !UNDER_THREAD_SANITIZER

static void open_lend(void)
{
    open_quiet();
    circuits_begin();
}

static void close_lend(void)
{
    close_all();
    circuits_end();
}

SUITE_FIXTURE(lend, open_lend, close_lend);

static struct wirerx_loan loans[MANY];
static DWORD lent;

static int lend_anew(SOCKET s, DWORD count)
{
    memset(loans, 0, sizeof loans);
    lent = UNTOUCHED;
    return wirerx_lend(s, loans, count, &lent);
}

static void check_loan(unsigned i, const char *text)
{
    struct sockaddr_in sender = address_of(SENDER, SENDER_PORT);

    CHECK_NE_U64(loans[i].token, 0);
    CHECK_EQ_U64(loans[i].bytes, strlen(text));
    CHECK_EQ_U64(loans[i].payload_bytes, strlen(text));
    CHECK_EQ_U64(loans[i].pieces, 1);
    CHECK_EQ_MEM(loans[i].payload, text, strlen(text));
    CHECK_EQ_MEM(&loans[i].source, &sender, sizeof sender);
}

static int give_back(SOCKET s, unsigned i)
{
    return wirerx_return(s, &loans[i].token, 1, NULL);
}

static uint32_t out_of(SOCKET s)
{
    return counters_of(s).lent_buffers;
}

SUITE_TEST(lend, shows_datagrams_where_they_are) // B10 I06 G07
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "first");
    arrive_text(PORT, "");
    arrive_text(PORT, "third");
    arrive_text(PORT, "copied");
    CHECK_EQ_I64(lend_anew(s, 3), 0);
    CHECK_EQ_U64(lent, 3);
    check_loan(0, "first");
    check_loan(1, "");
    check_loan(2, "third");
    CHECK_EQ_U64(loans[3].token, 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "copied");
    check_loan(0, "first"); /* as it was */
    CHECK_EQ_U64(counters_of(s).received, 4);
    CHECK_EQ_U64(counters_of(s).lent, 3);
    CHECK_EQ_U64(counters_of(s).queued_bytes, 0);
    CHECK_EQ_U64(out_of(s), 3);
    CHECK_EQ_I64(give_back(s, 1), 0);
    CHECK_EQ_I64(give_back(s, 2), 0);
    CHECK_EQ_I64(give_back(s, 0), 0);
    CHECK_EQ_U64(out_of(s), 0);
}

SUITE_TEST(lend, copies_nothing)
{
    SOCKET first = open_socket(PORT), second;
    const void *payload;
    BOOL on = TRUE;

    close_socket(first);
    first = make_socket();
    second = make_socket();
    struct sockaddr_in any = address_of(0, PORT);
    CHECK_EQ_I64(set_option(first, SO_REUSEADDR, (DWORD)on), 0);
    CHECK_EQ_I64(set_option(second, SO_REUSEADDR, (DWORD)on), 0);
    CHECK_EQ_I64(bind(first, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ_I64(bind(second, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ_I64(join(first, THE_GROUP), 0);
    CHECK_EQ_I64(join(second, THE_GROUP), 0);
    arrive_at(THE_GROUP, PORT, "for both");
    CHECK_EQ_I64(lend_anew(first, 1), 0);
    check_loan(0, "for both");
    payload = loans[0].payload;
    CHECK_EQ_I64(give_back(first, 0), 0);
    CHECK_EQ_I64(lend_anew(second, 1), 0);
    check_loan(0, "for both");
    CHECK_EQ_PTR(loans[0].payload, payload); /* the very bytes */
    CHECK_EQ_I64(give_back(second, 0), 0);
}

SUITE_TEST(lend, tells_the_pieces_of_a_frame_in_segments) // I03
{
    SOCKET s = open_socket(PORT);
    static const uint16_t cuts[] = {50, 7, 1, 20};
    const char *text = "in pieces that begin in the first segment";
    WSABUF more[8] = {{0, NULL}};
    uint8_t bytes[256];
    size_t length = frame_udp(bytes, sizeof bytes, HERE, PORT, text, strlen(text));
    char room[64];
    size_t at;

    set_nonblocking(s, true);
    for (int i = 0; i < 3; i++)
        wire_send_segments(bytes, length, cuts, sizeof cuts / sizeof cuts[0]);
    wire_settle();
    CHECK_EQ_I64(lend_anew(s, 1), WSAEMSGSIZE);
    CHECK_EQ_U64(lent, UNTOUCHED);
    CHECK_EQ_U64(out_of(s), 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, text); /* it has stayed */
    memset(loans, 0, sizeof loans);
    loans[0].more = more;
    loans[0].more_count = 8;
    CHECK_EQ_I64(wirerx_lend(s, loans, 2, &lent), 0);
    CHECK_EQ_U64(lent, 1); /* the second one's does not fit in its own */
    CHECK_EQ_U64(loans[0].bytes, strlen(text));
    CHECK_GE_U64(loans[0].pieces, 4);
    CHECK_EQ_U64(out_of(s), 5);
    memcpy(room, loans[0].payload, loans[0].payload_bytes);
    at = loans[0].payload_bytes;
    for (DWORD i = 0; i + 1 < loans[0].pieces; i++) {
        memcpy(room + at, more[i].buf, more[i].len);
        at += more[i].len;
    }
    CHECK_EQ_U64(at, strlen(text));
    CHECK_EQ_MEM(room, text, at);
    CHECK_EQ_PTR(more[loans[0].pieces - 1].buf, NULL);
    CHECK_EQ_I64(give_back(s, 0), 0);
    CHECK_EQ_U64(out_of(s), 0);
}

/* --- what is returned ------------------------------------------------------------------------------- */

SUITE_TEST(lend, is_returned_once)
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    uint64_t tokens[6], foreign;
    DWORD returned;

    arrive_text(OTHER_PORT, "other");
    CHECK_EQ_I64(lend_anew(other, 1), 0);
    foreign = loans[0].token;
    for (int i = 0; i < 4; i++)
        arrive_text(PORT, "text");
    CHECK_EQ_I64(lend_anew(s, 4), 0);
    CHECK_EQ_I64(wirerx_return(s, &foreign, 1, &returned), WSAEINVAL);
    CHECK_EQ_U64(returned, 0);
    tokens[0] = loans[2].token;
    tokens[1] = loans[0].token;
    tokens[2] = loans[2].token; /* for the second time */
    tokens[3] = loans[1].token;
    CHECK_EQ_I64(wirerx_return(s, tokens, 4, &returned), WSAEINVAL);
    CHECK_EQ_U64(returned, 2);
    CHECK_EQ_U64(out_of(s), 2);
    tokens[0] = 0;
    CHECK_EQ_I64(wirerx_return(s, tokens, 1, &returned), WSAEINVAL);
    tokens[0] = loans[1].token ^ 1ull << 40; /* another number */
    CHECK_EQ_I64(wirerx_return(s, tokens, 1, &returned), WSAEINVAL);
    tokens[0] = loans[1].token | 0xffffull << 16; /* another row */
    CHECK_EQ_I64(wirerx_return(s, tokens, 1, &returned), WSAEINVAL);
    CHECK_EQ_U64(out_of(s), 2);
    CHECK_EQ_I64(give_back(s, 1), 0);
    CHECK_EQ_I64(give_back(s, 3), 0);
    CHECK_EQ_I64(give_back(s, 3), WSAEINVAL);
    CHECK_EQ_U64(out_of(other), 1);
    CHECK_EQ_I64(wirerx_return(other, &foreign, 1, NULL), 0);
}

SUITE_TEST(lend, takes_no_number_for_a_token) /* none of a hundred thousand is one of the two */
{
    SOCKET s = open_socket(PORT);
    uint64_t state = 0x9e3779b97f4a7c15u;

    arrive_text(PORT, "one");
    arrive_text(PORT, "two");
    CHECK_EQ_I64(lend_anew(s, 2), 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t token;

        state = state * 6364136223846793005u + 1442695040888963407u;
        token = state ^ state >> 29;
        if (token == loans[0].token || token == loans[1].token)
            continue;
        CHECK_EQ_I64(wirerx_return(s, &token, 1, NULL), WSAEINVAL);
    }
    CHECK_EQ_U64(out_of(s), 2);
    CHECK_EQ_I64(give_back(s, 0), 0);
    CHECK_EQ_I64(give_back(s, 1), 0);
}

static void return_elsewhere(struct runner *self)
{
    self->outcome.result = give_back(self->s, 0);
}

SUITE_TEST(lend, is_returned_by_any_thread)
{
    SOCKET s = open_socket(PORT);
    static struct runner runner;

    arrive_text(PORT, "text");
    CHECK_EQ_I64(lend_anew(s, 1), 0);
    run(&runner, return_elsewhere, s, NULL);
    finish(&runner);
    CHECK_EQ_I64(runner.outcome.result, 0);
    CHECK_EQ_U64(out_of(s), 0);
}

/* --- bounds --------------------------------------------------------------------------------------------- */

SUITE_TEST(lend, lends_no_more_than_it_may)
{
    SOCKET s = open_socket(PORT);

    CHECK_EQ_U64(get_option(s, SO_WIRERX_MAX_LENT), 256);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 0), WSAEINVAL);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 65536), WSAEINVAL);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 3), 0);
    for (int i = 0; i < 6; i++)
        arrive_text(PORT, "text");
    CHECK_EQ_I64(lend_anew(s, 8), 0);
    CHECK_EQ_U64(lent, 3);
    CHECK_EQ_I64(wirerx_lend(s, &loans[3], 8, &lent), WSAENOBUFS);
    CHECK_EQ_I64(give_back(s, 1), 0);
    CHECK_EQ_I64(wirerx_lend(s, &loans[3], 8, &lent), 0);
    CHECK_EQ_U64(lent, 1);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 5), 0);
    CHECK_EQ_I64(wirerx_lend(s, &loans[4], 8, &lent), 0);
    CHECK_EQ_U64(lent, 2);
    CHECK_EQ_U64(out_of(s), 5);
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 1), 0); /* what is out stays out */
    for (int i = 0; i < 6; i++)
        if (i != 1)
            CHECK_EQ_I64(give_back(s, (unsigned)i), 0);
    CHECK_EQ_U64(counters_of(s).lent, 6);
}

SUITE_TEST(lend, lends_no_more_than_the_ring_has_slots)
{
    SOCKET s = open_socket(PORT); /* 256 of them */
    DWORD total = 0;

    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 65535), 0);
    memset(loans, 0, sizeof loans);
    for (unsigned i = 0; i < MANY; i++)
        arrive_text(PORT, "text");
    while (wirerx_lend(s, &loans[total], 64, &lent) == 0) {
        total += lent;
        arrive_text(PORT, "more");
    }
    CHECK_EQ_U64(total, 256);
    CHECK_EQ_I64(wirerx_lend(s, &loans[total], 1, &lent), WSAENOBUFS);
    CHECK_EQ_U64(out_of(s), 256);
    for (unsigned i = 0; i < total; i++)
        CHECK_EQ_I64(give_back(s, i), 0);
}

SUITE_TEST(lend, starves_nobody) /* who returns nothing stops receiving, and nobody else does */
{
    SOCKET greedy = open_socket(PORT), other = open_socket(OTHER_PORT);
    DWORD total = 0;
    char room[16];

    CHECK_EQ_I64(set_option(greedy, SO_WIRERX_MAX_LENT, 65535), 0);
    memset(loans, 0, sizeof loans);
    for (unsigned i = 0; i < 1000; i++) {
        arrive_text(PORT, "text");
        if (total < 256 && wirerx_lend(greedy, &loans[total], 1, &lent) == 0)
            total++;
        if (i % 100 == 0) {
            arrive_text(OTHER_PORT, "other");
            CHECK_TEXT(receive(other, room, sizeof room), room, "other");
        }
    }
    struct wirerx_socket_counters counters = counters_of(greedy);
    CHECK_EQ_U64(counters.lent_buffers, 256);
    CHECK_EQ_U64(counters.queued, 256);
    CHECK_EQ_U64(counters.drop_ring_full + counters.drop_pool_share, 1000 - 512);
}

SUITE_TEST(lend, counts_towards_the_share_of_the_pool)
{
    struct config config = wire_config();
    unsigned held = 0;
    SOCKET s;

    close_lend(); /* the fixture's */
    config.buffers = 3072;
    config.sockets.ring_slots = 2048;
    config.sockets.min_buffers = 16;
    open_quiet_with(&config);
    circuits_begin();
    s = open_socket(PORT);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_LENT, 65535), 0);
    memset(loans, 0, sizeof loans);
    for (unsigned i = 0; i < 2500; i++) { /* nothing is ever queued: all that it holds is lent */
        struct wirerx_loan loan = {0};

        arrive_text(PORT, "text");
        if (counters_of(s).queued != 0 && wirerx_lend(s, &loan, 1, &lent) == 0)
            held++;
    }
    CHECK_GE_U64(counters_of(s).drop_pool_share, 1);
    CHECK_EQ_U64(out_of(s), held);
    CHECK_LE_U64(held, wire_free_buffers() / 2 + 1);
    CHECK_GE_U64(held, 16);
}

SUITE_TEST(lend, reserves_no_packet_buffers_ahead) /* 16 bytes a slot */
{
    unsigned free_buffers = wire_free_buffers();
    SOCKET s = open_socket(PORT);
    uint32_t rings = 64 * 16, reserved = counters_of(s).reserved_bytes;

    CHECK_GE_U64(reserved, rings);
    CHECK_LE_U64(reserved, rings + 2048);
    arrive_text(PORT, "text");
    CHECK_EQ_I64(lend_anew(s, 1), 0);
    CHECK_EQ_U64(counters_of(s).reserved_bytes, reserved);
    CHECK_EQ_I64(give_back(s, 0), 0);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), free_buffers);
}

/* --- ends ------------------------------------------------------------------------------------------------- */

SUITE_TEST(lend, is_over_when_the_socket_is_closed) // K01
{
    SOCKET s = open_socket(PORT), again;
    unsigned free_buffers = wire_free_buffers();

    for (int i = 0; i < 10; i++)
        arrive_text(PORT, "text");
    CHECK_EQ_I64(lend_anew(s, 8), 0);
    close_socket(s);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), free_buffers); /* home */
    for (int i = 0; i < 8; i++)
        CHECK_EQ_MEM(loans[i].payload, "text", 4); /* and still to be read */
    CHECK_EQ_I64(give_back(s, 0), WSAENOTSOCK);
    again = open_socket(PORT); /* in the same slot */
    CHECK_EQ_I64(give_back(again, 0), WSAEINVAL);
    for (int i = 0; i < 8; i++)
        arrive_text(PORT, "news");
    struct wirerx_loan fresh[8] = {0};
    CHECK_EQ_I64(wirerx_lend(again, fresh, 8, &lent), 0);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ_I64(give_back(again, i), WSAEINVAL);
    CHECK_EQ_U64(out_of(again), 8);
    CHECK_EQ_U64(counters_of(again).lent, 8);
}

SUITE_TEST(lend, is_over_when_the_dataplane_stops) // A19
{
    SOCKET s = open_socket(PORT);
    volatile uint8_t sum = 0;

    for (int i = 0; i < 10; i++)
        arrive_text(PORT, "text");
    CHECK_EQ_I64(lend_anew(s, 8), 0);
    wire_stop(); /* no buffer is missing */
    CHECK_EQ_I64(give_back(s, 0), WSAENETDOWN);
    CHECK_EQ_I64(wirerx_lend(s, loans, 8, &lent), WSAENETDOWN);
    for (int i = 0; i < 8; i++)
        sum = (uint8_t)(sum + *(const uint8_t *)loans[i].payload); /* no fault */
    CHECK_EQ_U64(out_of(s), 0);
}

/* --- refusals, faults, and what comes first --------------------------------------------------------------- */

SUITE_TEST(lend, refuses_wrong_arguments) // A05 A07 A11 A17 B06
{
    SOCKET s = open_socket(PORT), unbound = make_socket(), bytes = circuit_open(BYTES, 0);
    DWORD returned = UNTOUCHED;

    set_nonblocking(s, true);
    CHECK_EQ_I64(lend_anew(INVALID_SOCKET, 1), WSAENOTSOCK);
    CHECK_EQ_I64(lend_anew(unbound, 1), WSAEINVAL);
    CHECK_EQ_I64(lend_anew(s, 0), WSAEINVAL);
    CHECK_EQ_I64(wirerx_lend(s, NULL, 1, &lent), WSAEFAULT);
    CHECK_EQ_I64(wirerx_lend(s, loans, 1, NULL), WSAEFAULT);
    CHECK_EQ_I64(lend_anew(s, 1), WSAEWOULDBLOCK);
    CHECK_NE_U64((uint64_t)lend_anew(bytes, 1), 0);
    CHECK_EQ_U64(lent, UNTOUCHED);
    CHECK_EQ_I64(wirerx_return(INVALID_SOCKET, &loans[0].token, 1, &returned), WSAENOTSOCK);
    CHECK_EQ_U64(returned, 0);
    CHECK_EQ_I64(wirerx_return(s, NULL, 0, NULL), 0);
    CHECK_EQ_I64(wirerx_return(s, NULL, 1, NULL), WSAEFAULT);
}

SUITE_TEST(lend, loses_nothing_by_a_fault) // A09
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(1);

    arrive_text(PORT, "one");
    arrive_text(PORT, "two");
    protect_pages(page, 1, PROT_READ);
    CHECK_EQ_I64(wirerx_lend(s, (void *)page, 2, &lent), WSAEFAULT);
    CHECK_EQ_U64(out_of(s), 0);
    memset(loans, 0, sizeof loans);
    CHECK_EQ_I64(wirerx_lend(s, loans, 2, (void *)page), WSAEFAULT);
    CHECK_EQ_U64(out_of(s), 0);
    unmap_pages(page, 1);
    CHECK_EQ_I64(wirerx_lend(s, (void *)page, 2, &lent), WSAEFAULT);
    CHECK_EQ_I64(lend_anew(s, 2), 0);
    check_loan(0, "one");
    check_loan(1, "two");
    CHECK_EQ_I64(wirerx_return(s, (void *)page, 2, &lent), WSAEFAULT);
    CHECK_EQ_U64(out_of(s), 2);
    CHECK_EQ_I64(wirerx_return(s, &loans[0].token, 1, (void *)page), WSAEFAULT); /* and has it */
    CHECK_EQ_U64(out_of(s), 1);
    CHECK_EQ_U64(counters_of(s).received, 2);
}

SUITE_TEST(lend, comes_after_posted_receives_and_in_order_with_errors) // G12 I12 I13
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    set_nonblocking(s, true);
    pend_event(s, &posted, 16);
    CHECK_EQ_I64(lend_anew(s, 4), WSAEWOULDBLOCK);
    arrive_text(PORT, "posted");
    check_completed(&posted, "posted");
    arrive_text(PORT, "before");
    arrive_condition(s, RX_PORT_UNREACHABLE);
    arrive_text(PORT, "after");
    CHECK_EQ_I64(lend_anew(s, 4), 0);
    CHECK_EQ_U64(lent, 1);
    check_loan(0, "before");
    CHECK_EQ_I64(lend_anew(s, 4), WSAECONNRESET);
    CHECK_EQ_I64(lend_anew(s, 4), 0);
    check_loan(0, "after");
    WSACloseEvent(posted.overlapped.hEvent);
}

SUITE_TEST(lend, of_a_connected_socket_lends_the_peers_alone) // I04 I05
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in peer = address_of(SENDER, SENDER_PORT);

    set_nonblocking(s, true);
    arrive_from(SENDER, 9, PORT, "stranger");
    arrive_text(PORT, "one");
    arrive_from(SENDER, 9, PORT, "stranger");
    arrive_text(PORT, "two");
    CHECK_EQ_I64(connect(s, (struct sockaddr *)&peer, sizeof peer), 0);
    arrive_text(PORT, "three");
    CHECK_EQ_I64(lend_anew(s, 8), 0);
    CHECK_EQ_U64(lent, 3);
    check_loan(0, "one");
    check_loan(1, "two");
    check_loan(2, "three");
    arrive_condition(s, RX_PORT_UNREACHABLE);
    CHECK_EQ_I64(lend_anew(s, 8), WSAECONNRESET);
    CHECK_EQ_I64(lend_anew(s, 8), WSAEWOULDBLOCK);
    CHECK_EQ_U64(counters_of(s).truncated, 0);
}

static void lend_once(struct runner *self)
{
    self->outcome.result = lend_anew(self->s, 8);
}

SUITE_TEST(lend, waits_for_the_first_and_for_no_second) // B12 B11
{
    SOCKET s = open_socket(PORT);
    static struct runner runner;

    run(&runner, lend_once, s, NULL);
    UNTIL(sleepers_of(s) != 0);
    arrive_text(PORT, "text");
    finish(&runner);
    CHECK_EQ_I64(runner.outcome.result, 0);
    CHECK_EQ_U64(lent, 1);
    check_loan(0, "text");
    run(&runner, lend_once, s, NULL);
    UNTIL(sleepers_of(s) != 0);
    close_socket(s);
    finish(&runner);
    CHECK_EQ_I64(runner.outcome.result, WSA_OPERATION_ABORTED);
}

#endif
