/* SPDX-License-Identifier: BSD-3-Clause */

/* ICMP errors from the wire: whose they are, and everything that makes them nobody's. */

#include "support/suite.h"

#include <rte_byteorder.h>

#include "client.h"
#include "icmp.h"
#include "support/frames.h"
#include "support/wire.h"

#define NOBODY FRAME_IP(239, 0, 0, 1)
#define REMOTE FRAME_IP(203, 0, 113, 5)
#define ROUTER FRAME_IP(192, 0, 2, 254)
#define PORT 5000
#define REMOTE_PORT 7777

static void set_up(void)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(icmp, set_up, wire_stop);

/* What a socket on PORT would have sent to the remote host. */
static const struct frame ours = {
    .source = WIRE_ADDRESS,
    .source_port = PORT,
    .destination = REMOTE,
    .destination_port = REMOTE_PORT,
    .payload = "abcdefgh",
    .length = 8,
};

static void arrive(const struct frame_icmp *icmp)
{
    uint8_t bytes[2048];

    wire_send(bytes, frame_icmp_build(icmp, bytes, sizeof bytes));
    wire_settle();
}

/* A socket that has sent something; what, nobody remembers. */
static struct client sender(uint32_t address, uint16_t port)
{
    struct client client = client_bound(address, port);

    client_send(&client, NOBODY, port, 4, 0);
    wire_settle();
    return client;
}

static void expect_condition(const struct client *client, enum rx_kind kind)
{
    struct taken taken;

    CHECK(client_take(client, &taken));
    CHECK_EQ_U64(taken.kind, kind);
    CHECK_EQ_U64(taken.length, 0);
    CHECK_EQ_U64(taken.source, REMOTE);
    CHECK_EQ_U64(taken.source_port, REMOTE_PORT);
    CHECK(!client_take(client, &taken));
}

SUITE_TEST(icmp, errors_about_what_a_socket_sent_reach_it)
{
    static const struct {
        uint8_t type, code;
        enum rx_kind kind;
    } rows[] = {
        {3, 3, RX_PORT_UNREACHABLE},
        {3, 2, RX_PORT_UNREACHABLE},
        {11, 0, RX_TIME_EXCEEDED},
    };
    struct client c = sender(0, PORT);

    for (unsigned i = 0; i < 3; i++) {
        struct frame_icmp icmp = {
            .type = rows[i].type, .code = rows[i].code, .reporter = ROUTER, .quoted = &ours};

        arrive(&icmp);
        expect_condition(&c, rows[i].kind);
        icmp.quoted_bytes = 36; /* RFC 1812 quotes more */
        arrive(&icmp);
        expect_condition(&c, rows[i].kind);
    }
    CHECK_EQ_U64(wire_counter("drop.icmp"), 0);
    CHECK_EQ_U64(wire_counter("frames"), 6);
    client_close(&c);
}

SUITE_TEST(icmp, other_messages_are_nobodys)
{
    static const uint8_t others[][2] = {{3, 0},  {3, 1},  {3, 4}, {3, 13}, {4, 0},  {5, 0},
                                        {11, 1}, {12, 0}, {0, 0}, {8, 0},  {3, 255}};
    struct client c = sender(0, PORT);

    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        arrive(&(struct frame_icmp){
            .type = others[i][0], .code = others[i][1], .reporter = ROUTER, .quoted = &ours});
    CHECK_EQ_U64(wire_counter("drop.icmp"), sizeof others / sizeof others[0]);
    CHECK_EQ_U64(client_queued(&c), 0);
    client_close(&c);
}

SUITE_TEST(icmp, what_quotes_nothing_of_ours_is_nobodys)
{
    struct client c = sender(0, PORT), other = sender(0, PORT + 1);
    struct client silent = client_bound(0, PORT + 2); /* has never sent */
    struct frame quoted = ours;
    struct frame_icmp icmp = {.type = 3, .code = 3, .reporter = ROUTER, .quoted = &quoted};

    quoted.source_port = PORT + 9; /* no such socket */
    arrive(&icmp);
    quoted = ours;
    quoted.source_port = PORT + 2;
    arrive(&icmp);
    quoted = ours;
    quoted.source = FRAME_IP(192, 0, 2, 7); /* not our address */
    arrive(&icmp);
    quoted = ours;
    quoted.source = FRAME_IP(192, 0, 2, 255); /* nor this one, though there is a key for it */
    arrive(&icmp);
    quoted = ours;
    quoted.source = FRAME_IP(239, 1, 1, 1);
    arrive(&icmp);
    quoted = ours;
    quoted.protocol = 6;
    arrive(&icmp);
    quoted = ours;
    quoted.fragment = 5; /* a later fragment has no ports */
    arrive(&icmp);
    quoted = ours;
    quoted.version_ihl = 0x44;
    arrive(&icmp);
    quoted.version_ihl = 0x65;
    arrive(&icmp);
    quoted = ours;
    icmp.quoted_bytes = 27; /* not all of the UDP header */
    arrive(&icmp);
    icmp.quoted_bytes = 0;
    icmp.checksum_off = 1;
    arrive(&icmp);
    CHECK_EQ_U64(wire_counter("drop.icmp"), 11);
    CHECK_EQ_U64(client_queued(&c) + client_queued(&other) + client_queued(&silent), 0);
    icmp.checksum_off = 0;
    quoted.fragment = 0x2000; /* the first fragment has them */
    arrive(&icmp);
    expect_condition(&c, RX_PORT_UNREACHABLE);
    client_close(&c);
    client_close(&other);
    client_close(&silent);
}

SUITE_TEST(icmp, an_error_sent_to_another_than_the_quoted_source_is_nobodys)
{
    struct client c = sender(0, PORT);
    struct frame_icmp icmp = {.type = 3, .code = 3, .reporter = ROUTER, .quoted = &ours};
    uint8_t bytes[128], ip[20];
    size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes);

    bytes[14 + 19] = 9; /* to 192.0.2.9; the header's checksum follows */
    memcpy(ip, bytes + 14, sizeof ip);
    ip[10] = ip[11] = 0;
    uint16_t sum = (uint16_t)~frame_sum(ip, sizeof ip, 0);
    bytes[14 + 10] = (uint8_t)(sum >> 8);
    bytes[14 + 11] = (uint8_t)sum;
    wire_send(bytes, length);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.icmp"), 1);
    CHECK_EQ_U64(client_queued(&c), 0);
    client_close(&c);
}

SUITE_TEST(icmp, each_error_can_be_refused_by_itself)
{
    struct client c = sender(0, PORT);
    struct frame_icmp icmp = {.type = 3, .code = 3, .reporter = ROUTER, .quoted = &ours};

    atomic_store(&c.endpoint->ignored_conditions, 1u << RX_PORT_UNREACHABLE);
    arrive(&icmp);
    CHECK_EQ_U64(client_queued(&c), 0);
    CHECK_EQ_U64(wire_counter("drop.icmp"), 1);
    icmp.type = 11;
    icmp.code = 0;
    arrive(&icmp);
    expect_condition(&c, RX_TIME_EXCEEDED);
    client_close(&c);
}

SUITE_TEST(icmp, the_socket_of_the_very_address_comes_first)
{
    struct client any = sender(0, PORT), one = sender(WIRE_ADDRESS, PORT);
    struct client again = sender(WIRE_ADDRESS, PORT);

    arrive(&(struct frame_icmp){.type = 3, .code = 3, .quoted = &ours});
    CHECK_EQ_U64(client_queued(&any), 0);
    CHECK_EQ_U64(client_queued(&one), 0);
    expect_condition(&again, RX_PORT_UNREACHABLE); /* the newest */
    client_close(&any);
    client_close(&one);
    client_close(&again);
}

SUITE_TEST(icmp, a_message_in_several_segments_is_read_and_summed_whole)
{
    struct client c = sender(0, PORT);
    struct frame quoted = ours;
    struct frame_icmp icmp = {.type = 3, .code = 3, .quoted = &quoted, .quoted_bytes = 36};
    uint8_t bytes[256];

    for (unsigned options = 0; options <= 40; options += 20) {
        quoted.options = (uint8_t)options;
        icmp.quoted_bytes = 36 + options;
        size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes);

        for (uint16_t cut = 15; cut < (uint16_t)length; cut++) {
            wire_send_segments(bytes, length, &cut, 1);
            wire_settle();
            expect_condition(&c, RX_PORT_UNREACHABLE);
            wire_settle();
        }
    }
    client_close(&c);
}

/* The parser alone, on exactly the bytes there are. */
SUITE_TEST(icmp, every_length_is_checked_before_it_is_believed)
{
    struct frame quoted = ours;
    struct frame_icmp icmp = {.type = 3, .code = 3, .quoted = &quoted};
    uint8_t bytes[256];
    struct icmp_quote quote;

    quoted.options = 40;
    icmp.quoted_bytes = 76;
    size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes) - 34;
    CHECK_EQ_U64(length, 84);
    for (size_t n = 0; n <= length; n++) {
        uint8_t *exact = malloc(n);

        CHECK(exact != NULL || n == 0);
        if (n != 0)
            memcpy(exact, bytes + 34, n);
        CHECK_EQ_U64(icmp_parse(exact, n, &quote), n >= 76);
        free(exact);
    }
    CHECK_EQ_U64(quote.kind, RX_PORT_UNREACHABLE);
    CHECK_EQ_U64(quote.source, rte_cpu_to_be_32(WIRE_ADDRESS));
    CHECK_EQ_U64(quote.destination, rte_cpu_to_be_32(REMOTE));
    CHECK_EQ_U64(quote.source_port, rte_cpu_to_be_16(PORT));
    CHECK_EQ_U64(quote.destination_port, rte_cpu_to_be_16(REMOTE_PORT));
}
