/* SPDX-License-Identifier: BSD-3-Clause */

/* What sockets send to their own stack: who gets it, from whom, and what becomes of the rest. */

#include "support/suite.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "classify.h"
#include "client.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define LOOPBACK FRAME_IP(127, 0, 0, 1)
#define GROUP FRAME_IP(239, 1, 1, 1)
#define BROADCAST FRAME_IP(192, 0, 2, 255)
#define SECOND_ADDRESS FRAME_IP(198, 51, 100, 1)
#define PORT 5000
#define BUFFERS 4096u

/* Two ports: 192.0.2.1/24 and 198.51.100.1/24. */
static void set_up(void)
{
    static struct config_address second = {SECOND_ADDRESS, 24};
    struct config config = wire_config();
    struct config_port ports[2] = {config.ports[0], config.ports[0]};
    char device[] = "vdev:net_ring1";

    ports[1].device = device;
    ports[1].addresses = &second;
    config.ports = ports;
    config.ports_count = 2;
    wire_start(&config, &client_operations, true);
}

static void tear_down(void)
{
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    wire_stop();
}

SUITE_FIXTURE(send, set_up, tear_down);

/* One datagram, and what the receiver got of it. */
static struct taken through(const struct client *from, uint32_t destination,
                            const struct client *to, uint16_t port)
{
    struct taken taken;

    client_send(from, destination, port, 100, 77);
    wire_settle();
    CHECK_MSG(client_take(to, &taken), "nothing came to %#x", destination);
    CHECK_EQ_U64(taken.length, 100);
    CHECK_EQ_U64(taken.kind, RX_DATAGRAM);
    CHECK(frame_is_filled(taken.bytes, 100, 77));
    return taken;
}

SUITE_TEST(send, a_datagram_reaches_every_address_of_ours)
{
    static const struct {
        uint32_t destination, source;
    } rows[] = {
        {LOOPBACK, LOOPBACK},         {FRAME_IP(127, 255, 255, 254), LOOPBACK},
        {WIRE_ADDRESS, WIRE_ADDRESS}, {SECOND_ADDRESS, SECOND_ADDRESS},
        {BROADCAST, WIRE_ADDRESS},    {FRAME_IP(198, 51, 100, 255), SECOND_ADDRESS},
        {UINT32_MAX, WIRE_ADDRESS},
    };
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        struct taken taken = through(&from, rows[i].destination, &to, PORT);

        CHECK_EQ_U64(taken.source, rows[i].source);
        CHECK_EQ_U64(taken.source_port, PORT + 1);
    }
    CHECK_EQ_U64(wire_counter("looped"), RTE_DIM(rows));
    CHECK_EQ_U64(wire_counter("delivered"), RTE_DIM(rows));
    client_close(&from);
    client_close(&to);
}

SUITE_TEST(send, what_is_not_ours_has_no_way)
{
    struct client c = client_bound(0, PORT);

    CHECK_EQ_I64(client_try_send(&c, FRAME_IP(192, 0, 2, 9), PORT, "x", 1), -ENETUNREACH);
    CHECK_EQ_I64(client_try_send(&c, FRAME_IP(8, 8, 8, 8), PORT, "x", 1), -ENETUNREACH);
    CHECK_EQ_I64(client_try_send(&c, FRAME_IP(127, 0, 0, 0), PORT, "x", 1), -ENETUNREACH);
    CHECK_EQ_I64(client_try_send(&c, FRAME_IP(127, 255, 255, 255), PORT, "x", 1), -ENETUNREACH);
    CHECK_EQ_I64(client_try_send(&c, FRAME_IP(240, 0, 0, 1), PORT, "x", 1), -ENETUNREACH);
    client_close(&c);
}

SUITE_TEST(send, routes_have_kinds_ports_and_sources)
{
    static const struct {
        uint32_t destination, bound, interface;
        enum route_kind kind;
        uint32_t source;
        unsigned via;
    } rows[] = {
        {WIRE_ADDRESS, 0, 0, ROUTE_OWN, WIRE_ADDRESS, 0},
        {SECOND_ADDRESS, 0, 0, ROUTE_OWN, SECOND_ADDRESS, 1},
        {SECOND_ADDRESS, WIRE_ADDRESS, 0, ROUTE_OWN, WIRE_ADDRESS, 1},
        {FRAME_IP(127, 1, 2, 3), 0, 0, ROUTE_OWN, LOOPBACK, 0},
        {FRAME_IP(127, 1, 2, 3), WIRE_ADDRESS, 0, ROUTE_OWN, WIRE_ADDRESS, 0},
        {FRAME_IP(192, 0, 2, 77), 0, 0, ROUTE_LINK, WIRE_ADDRESS, 0},
        {FRAME_IP(198, 51, 100, 77), 0, 0, ROUTE_LINK, SECOND_ADDRESS, 1},
        {BROADCAST, 0, 0, ROUTE_BROADCAST, WIRE_ADDRESS, 0},
        {UINT32_MAX, 0, 0, ROUTE_BROADCAST, WIRE_ADDRESS, 0},
        {UINT32_MAX, SECOND_ADDRESS, 0, ROUTE_BROADCAST, SECOND_ADDRESS, 1},
        {GROUP, 0, 0, ROUTE_GROUP, WIRE_ADDRESS, 0},
        {GROUP, SECOND_ADDRESS, 0, ROUTE_GROUP, SECOND_ADDRESS, 1},
        {GROUP, 0, SECOND_ADDRESS, ROUTE_GROUP, SECOND_ADDRESS, 1},
        {GROUP, WIRE_ADDRESS, SECOND_ADDRESS, ROUTE_GROUP, WIRE_ADDRESS, 1},
        {FRAME_IP(203, 0, 113, 1), 0, 0, ROUTE_NONE, 0, 0},
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        struct route route =
            dataplane_route(rte_cpu_to_be_32(rows[i].destination), rte_cpu_to_be_32(rows[i].bound),
                            rte_cpu_to_be_32(rows[i].interface));

        CHECK_MSG(route.kind == rows[i].kind && route.via == rows[i].via &&
                      rte_be_to_cpu_32(route.source) == rows[i].source,
                  "row %u: kind %d, source %#x, port %u", i, (int)route.kind,
                  rte_be_to_cpu_32(route.source), route.via);
    }
}

SUITE_TEST(send, loopback_goes_to_the_very_address_first_then_to_wildcards)
{
    struct client any = client_bound(0, PORT), one = client_bound(LOOPBACK, PORT);
    struct client two = client_bound(FRAME_IP(127, 0, 0, 2), PORT);
    struct client from = client_bound(0, PORT + 1);

    through(&from, LOOPBACK, &one, PORT);
    through(&from, FRAME_IP(127, 0, 0, 2), &two, PORT);
    through(&from, FRAME_IP(127, 0, 0, 3), &any, PORT);
    through(&from, WIRE_ADDRESS, &any, PORT);
    CHECK_EQ_U64(client_queued(&any) + client_queued(&one) + client_queued(&two), 0);
    client_close(&any);
    client_send(&from, FRAME_IP(127, 0, 0, 3), PORT, 10, 1);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 1);
    client_close(&one);
    client_close(&two);
    client_close(&from);
}

SUITE_TEST(send, loopback_addresses_that_no_host_has_cannot_be_bound)
{
    struct client c = client_open();

    CHECK_EQ_I64(client_try_bind(&c, FRAME_IP(127, 0, 0, 0), PORT, false), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_try_bind(&c, FRAME_IP(127, 255, 255, 255), PORT, false), -EADDRNOTAVAIL);
    CHECK_EQ_I64(client_try_bind(&c, FRAME_IP(127, 255, 255, 254), PORT, false), 0);
    client_close(&c);
}

SUITE_TEST(send, no_wire_carries_loopback_addresses)
{
    struct client any = client_bound(0, PORT), one = client_bound(LOOPBACK, PORT);
    struct frame frame = {.destination = LOOPBACK, .destination_port = PORT};
    uint8_t bytes[128];

    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    frame =
        (struct frame){.source = LOOPBACK, .destination = WIRE_ADDRESS, .destination_port = PORT};
    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.martian"), 2);
    CHECK_EQ_U64(client_queued(&any) + client_queued(&one), 0);
    client_close(&any);
    client_close(&one);
}

SUITE_TEST(send, no_datagram_comes_from_many)
{
    static const uint32_t sources[] = {FRAME_IP(224, 0, 0, 1), GROUP, FRAME_IP(240, 0, 0, 1),
                                       0xffffffffu};
    struct client any = client_bound(0, PORT);
    struct frame frame = {.source = FRAME_IP(223, 255, 255, 255),
                          .destination = WIRE_ADDRESS,
                          .destination_port = PORT};
    uint8_t bytes[128];

    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    for (unsigned i = 0; i < RTE_DIM(sources); i++) {
        frame.source = sources[i];
        wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    }
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.martian"), RTE_DIM(sources));
    CHECK_EQ_U64(client_drain(&any), 1);
    client_close(&any);
}

SUITE_TEST(send, a_broadcast_is_for_its_subnet_by_whichever_port_it_comes)
{
    struct client second = client_bound(0, PORT);
    uint32_t broadcast = SECOND_ADDRESS | 0xff; /* by the first port, whole and in fragments */
    struct frame frame = {.destination = broadcast, .destination_port = PORT};
    uint8_t bytes[128];
    static const uint8_t packet[40];

    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    frame.payload = packet;
    frame.length = 40;
    frame.no_udp_checksum = true;
    frame.udp_length_off = 8; /* what the second fragment brings */
    frame.fragment = 0x2000;
    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    frame.fragment = (8 + 40) / 8;
    frame.length = 0;
    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    frame.fragment = 0;
    frame.udp_length_off = 0;
    frame.destination_port = PORT + 1; /* which nobody has */
    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    wire_settle();
    CHECK_EQ_U64(wire_counter("reassembled"), 1);
    CHECK_EQ_U64(client_drain(&second), 2);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    CHECK_EQ_U64(wire_counter("drop.not_our_address"), 0);
    client_close(&second);
}

SUITE_TEST(send, a_group_reaches_its_members_on_the_port_it_leaves_by)
{
    struct client from = client_bound(0, PORT + 1), member = client_joined(GROUP, PORT);
    struct client again = client_joined(GROUP, PORT), other = client_bound(0, PORT);
    struct client elsewhere = client_bound(0, PORT);

    CHECK_EQ_I64(client_try_join(&elsewhere, GROUP, SECOND_ADDRESS), 0);
    CHECK_EQ_I64(client_try_join(&from, GROUP, 0), 0); /* on another UDP port */
    through(&from, GROUP, &member, PORT);
    CHECK_EQ_U64(client_drain(&again), 1);
    CHECK_EQ_U64(client_queued(&other), 0);
    CHECK_EQ_U64(client_queued(&elsewhere), 0);
    CHECK_EQ_U64(client_queued(&from), 0);
    client_send(&from, GROUP, PORT + 9, 10, 1);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    CHECK_EQ_U64(client_queued(&from), 0); /* nobody answers for a group */
    client_close(&from);
    client_close(&member);
    client_close(&again);
    client_close(&other);
    client_close(&elsewhere);
}

SUITE_TEST(send, a_member_may_refuse_what_its_own_stack_sends)
{
    struct client from = client_bound(0, PORT + 1), member = client_joined(GROUP, PORT);
    struct client refuses = client_joined(GROUP, PORT);
    uint8_t bytes[128];

    atomic_store(&refuses.endpoint->refuses_looped_groups, true);
    through(&from, GROUP, &member, PORT);
    CHECK_EQ_U64(client_queued(&refuses), 0);
    wire_send(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, "x", 1)); /* the wire's it takes */
    client_send(&from, LOOPBACK, PORT, 10, 1); /* and what is for it alone */
    wire_settle();
    CHECK_EQ_U64(client_drain(&refuses), 2);
    CHECK_EQ_U64(client_drain(&member), 1);
    client_close(&member);
    client_send(&from, GROUP, PORT, 10, 1);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    client_close(&from);
    client_close(&refuses);
}

/* The frame that a datagram was made: right in every header. */
SUITE_TEST(send, frames_are_built_as_a_wire_would_carry_them)
{
    struct client from = client_bound(0, PORT + 1), to = client_joined(GROUP, PORT);
    struct send_record record = {
        .destination = rte_cpu_to_be_32(GROUP),
        .destination_port = rte_cpu_to_be_16(PORT),
        .length = 3,
        .kind = RX_DATAGRAM,
        .ttl = 7,
        .tos = 0xb8,
    };
    const struct classify_rules rules = {0};
    struct rx_meta meta;

    CHECK_EQ_I64(client_try_send_record(&from, record, "abc"), 0);
    wire_settle();
    struct endpoint *e = to.endpoint;
    CHECK_EQ_I64(lock_word_acquire(&e->word, to.generation), LOCK_ACQUIRED);
    struct rte_mbuf *mbuf = element_mbuf(endpoint_front(e));
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    CHECK_EQ_U64(classify_headers(bytes, mbuf->data_len, mbuf->pkt_len, &rules, false, -1, &meta),
                 FATE_UNDECIDED);
    CHECK_EQ_U64(meta.source, rx_meta(mbuf)->source);
    CHECK_EQ_U64(meta.destination, rx_meta(mbuf)->destination);
    CHECK_EQ_U64(meta.source_port, rte_cpu_to_be_16(PORT + 1));
    CHECK_EQ_U64(meta.destination_port, rte_cpu_to_be_16(PORT));
    CHECK_EQ_U64(meta.payload_offset, rx_meta(mbuf)->payload_offset);
    CHECK_EQ_U64(meta.payload_length, 3);
    CHECK_EQ_MEM(bytes, "\x01\x00\x5e\x01\x01\x01", 6);
    CHECK_EQ_U64(bytes[15], 0xb8);
    CHECK_EQ_U64(bytes[22], 7);
    CHECK(rx_meta(mbuf)->burst_tsc != 0);
    while (!lock_word_release(&e->word))
        continue;
    client_close(&from);
    client_close(&to);
}

SUITE_TEST(send, datagrams_of_every_size_arrive_whole_and_in_order)
{
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);
    static const uint32_t sizes[] = {0,    1,    2005, 2006, 2007,  2048,
                                     4053, 4054, 4055, 9000, 65506, SEND_MAX_PAYLOAD};
    static uint8_t payload[SEND_MAX_PAYLOAD], got[SEND_MAX_PAYLOAD];

    client_set_bytes(&to, 1 << 20);
    for (unsigned round = 0; round < 5; round++) /* the ring's end lies somewhere else each time */
        for (unsigned i = 0; i < RTE_DIM(sizes); i++) {
            uint32_t size = sizes[i];

            frame_fill(payload, size, i + round);
            while (client_try_send(&from, LOOPBACK, PORT, payload, size) == -EAGAIN)
                wire_settle();
            wire_settle();
            struct endpoint *e = to.endpoint;
            CHECK_EQ_I64(lock_word_acquire(&e->word, to.generation), LOCK_ACQUIRED);
            const struct ring_element *element = endpoint_front(e);
            CHECK(element != NULL);
            CHECK_EQ_U64(element->length, size);
            CHECK_EQ_U64(element_mbuf(element)->nb_segs, (size + 42 + 2047) / 2048);
            if (size != 0) {
                const void *read = rte_pktmbuf_read(element_mbuf(element), 42, size, got);

                CHECK(read != NULL);
                CHECK_EQ_MEM(read, payload, size);
            }
            endpoint_consume(e, element);
            while (!lock_word_release(&e->word))
                continue;
        }
    client_close(&from);
    client_close(&to);
}

SUITE_TEST(send, the_queue_is_bounded_and_takes_any_datagram_when_empty)
{
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);
    struct send_queue *q = &from.endpoint->send;
    uint8_t payload[SEND_MAX_PAYLOAD] = {0};
    unsigned sent = 0;

    CHECK_EQ_PTR(q->bytes, NULL); /* who never sends pays nothing */
    q->limit = 4000;
    while (client_try_send(&from, LOOPBACK, PORT, payload, 480) == 0)
        sent++;
    CHECK_EQ_U64(sent, 8); /* of 500 bytes each */
    CHECK_EQ_I64(client_try_send(&from, LOOPBACK, PORT, payload, 0), -EAGAIN);
    wire_settle();
    CHECK_EQ_I64(client_try_send(&from, LOOPBACK, PORT, payload, SEND_MAX_PAYLOAD), 0);
    CHECK_EQ_I64(client_try_send(&from, LOOPBACK, PORT, payload, 0), -EAGAIN);
    wire_settle();
    CHECK_EQ_U64(client_drain(&to), 9);

    /* A larger ring is had as soon as nothing is in the smaller one. */
    CHECK_EQ_U64(q->capacity, 65536);
    CHECK_EQ_I64(client_try_send(&from, LOOPBACK, PORT, payload, 480), 0);
    q->limit = 100000;
    CHECK_EQ_I64(client_try_send(&from, LOOPBACK, PORT, payload, 480), 0);
    CHECK_EQ_U64(q->capacity, 65536);
    wire_settle();
    for (sent = 0; client_try_send(&from, LOOPBACK, PORT, payload, 980) == 0; sent++)
        continue;
    CHECK_EQ_U64(sent, 100);
    CHECK_EQ_U64(q->capacity, 131072);
    wire_settle();
    CHECK_EQ_U64(client_drain(&to), 102);
    client_close(&from);
    client_close(&to);
}

SUITE_TEST(send, a_pass_sends_a_bounded_part_of_each_sender_in_turn)
{
    struct client from[2] = {client_bound(0, PORT + 1), client_bound(0, PORT + 2)};
    struct client to = client_bound(0, PORT);

    for (unsigned i = 0; i < 50; i++)
        client_send(&from[0], LOOPBACK, PORT, 10, i);
    for (unsigned i = 0; i < 10; i++)
        client_send(&from[1], LOOPBACK, PORT, 10, i);
    wire_step(rte_rdtsc());
    CHECK_EQ_U64(wire_counter("looped"), 32);
    CHECK_EQ_U64(atomic_load(&from[0].endpoint->send.sent), 32);
    wire_step(rte_rdtsc());
    CHECK_EQ_U64(atomic_load(&from[1].endpoint->send.sent), 10);
    CHECK_EQ_U64(atomic_load(&from[0].endpoint->send.sent), 50);
    client_send(&from[0], LOOPBACK, PORT, 60000, 0);
    client_send(&from[1], LOOPBACK, PORT, 6000, 0);
    wire_step(rte_rdtsc());
    CHECK_EQ_U64(wire_counter("looped"), 62);
    client_send(&from[0], LOOPBACK, PORT, 40000, 0);
    client_send(&from[1], LOOPBACK, PORT, 40000, 0);
    client_send(&from[1], LOOPBACK, PORT, 10, 0);
    wire_step(rte_rdtsc());
    CHECK_EQ_U64(wire_counter("looped"), 64); /* the bytes are used up */
    wire_settle();
    CHECK_EQ_U64(client_drain(&to), 65);
    for (unsigned i = 0; i < 2; i++)
        client_close(&from[i]);
    client_close(&to);
}

SUITE_TEST(send, what_was_accepted_before_a_close_is_delivered)
{
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);

    for (unsigned i = 0; i < 100; i++)
        client_send(&from, LOOPBACK, PORT, 500, i);
    client_close(&from);
    client_expect(&to, 0, 100, 500);
    CHECK_EQ_U64(wire_counter("lost.send_stopped"), 0);
    client_close(&to);
}

SUITE_TEST(send, a_closed_slots_next_socket_sends_nothing_of_the_former)
{
    struct client to = client_bound(0, PORT), self = client_bound(0, PORT + 1);

    client_send(&self, LOOPBACK, PORT + 1, 10, 0); /* to itself, and closes */
    client_close(&self);
    self = client_bound(0, PORT + 1);
    CHECK_EQ_U64(atomic_load(&self.endpoint->send.sent), 0);
    client_send(&self, LOOPBACK, PORT, 10, 1);
    wire_settle();
    client_expect(&to, 1, 1, 10);
    CHECK_EQ_U64(client_queued(&self), 0);
    client_close(&self);
    client_close(&to);
}

SUITE_TEST(send, what_is_queued_when_the_dataplane_stops_is_counted)
{
    struct client from = client_bound(0, PORT + 1);
    struct config config = wire_config();

    for (unsigned i = 0; i < 7; i++)
        client_send(&from, LOOPBACK, PORT, 100, i);
    wire_stop();
    CHECK_EQ_U64(wire_counter("lost.send_stopped"), 7);
    client_close(&from);
    wire_start(&config, &client_operations, true);
}

SUITE_TEST(send, an_empty_pool_loses_datagrams_and_says_so)
{
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);
    struct rte_mempool *pool = dataplane.lcores[0].send_pool;
    static void *taken[BUFFERS];

    CHECK_EQ_I64(rte_mempool_get_bulk(pool, taken, BUFFERS), 0);
    client_send(&from, LOOPBACK, PORT, 10, 0);
    wire_settle();
    CHECK_EQ_U64(wire_counter("lost.send_no_buffer"), 1);
    CHECK_EQ_U64(wire_counter("looped"), 0);
    rte_mempool_put_bulk(pool, taken, BUFFERS);
    client_send(&from, LOOPBACK, PORT, 10, 1);
    wire_settle();
    client_expect(&to, 1, 1, 10);
    client_close(&from);
    client_close(&to);
}

SUITE_TEST(send, a_full_ring_loses_the_newest_as_from_a_wire)
{
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);

    for (unsigned i = 0; i < 300; i++)
        client_send(&from, LOOPBACK, PORT, 10, i);
    wire_settle();
    CHECK_EQ_U64(client_lost_ring_full(&to), 300 - 256);
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 300 - 256);
    CHECK_EQ_U64(client_queued(&from), 0); /* and no error comes of it */
    client_expect(&to, 0, 256, 10);
    client_close(&from);
    client_close(&to);
}

/* --- nobody there ----------------------------------------------------------------------------- */

SUITE_TEST(send, a_port_without_a_socket_answers_the_sender)
{
    static const uint32_t destinations[] = {LOOPBACK, FRAME_IP(127, 9, 9, 9), WIRE_ADDRESS,
                                            SECOND_ADDRESS};
    struct client from = client_bound(0, PORT + 1);
    struct taken taken;

    for (unsigned i = 0; i < RTE_DIM(destinations); i++) {
        client_send(&from, destinations[i], PORT, 5000, 1);
        wire_settle();
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 1); /* of three only one goes round */
        CHECK(client_take(&from, &taken));
        CHECK_EQ_U64(taken.kind, RX_PORT_UNREACHABLE);
        CHECK_EQ_U64(taken.length, 0);
        CHECK_EQ_U64(taken.source, destinations[i]);
        CHECK_EQ_U64(taken.source_port, PORT);
        CHECK(!client_take(&from, &taken));
        wire_settle();
    }
    CHECK_EQ_U64(wire_counter("drop.no_socket"), RTE_DIM(destinations));
    CHECK_EQ_U64(wire_counter("looped"), 2 * RTE_DIM(destinations));
    CHECK_EQ_U64(wire_counter("delivered"), RTE_DIM(destinations));
    client_close(&from);
}

SUITE_TEST(send, groups_and_broadcasts_answer_nobody)
{
    struct client from = client_bound(0, PORT + 1);

    client_send(&from, GROUP, PORT, 10, 1);
    client_send(&from, BROADCAST, PORT, 10, 1);
    client_send(&from, UINT32_MAX, PORT, 10, 1);
    wire_settle();
    CHECK_EQ_U64(client_queued(&from), 0);
    CHECK_EQ_U64(wire_counter("looped"), 3);
    client_close(&from);
}

SUITE_TEST(send, who_does_not_want_to_know_is_not_told)
{
    struct client from = client_bound(0, PORT + 1);

    atomic_store(&from.endpoint->ignored_conditions, 1u << RX_PORT_UNREACHABLE);
    client_send(&from, LOOPBACK, PORT, 10, 1);
    wire_settle();
    CHECK_EQ_U64(client_queued(&from), 0);
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 1);
    client_close(&from);
}

SUITE_TEST(send, an_answer_to_a_full_ring_is_lost_and_counted)
{
    struct client from = client_bound(0, PORT + 1);

    for (unsigned i = 0; i < 257; i++)
        client_send(&from, LOOPBACK, PORT, 10, i);
    wire_settle();
    CHECK_EQ_U64(client_queued(&from), 256);
    CHECK_EQ_U64(client_lost_ring_full(&from), 1);
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 257);
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 1);
    client_drain(&from);
    client_close(&from);
}

SUITE_TEST(send, parts_and_ends_of_messages_keep_their_kind)
{
    struct client from = client_bound(0, PORT + 1), to = client_bound(0, PORT);
    static const enum rx_kind kinds[] = {RX_PART, RX_DATAGRAM, RX_END, RX_ABORT};
    struct send_record record = {
        .destination = rte_cpu_to_be_32(LOOPBACK),
        .destination_port = rte_cpu_to_be_16(PORT),
        .ttl = 1,
    };
    struct taken taken;

    for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
        record.kind = (uint8_t)kinds[i];
        record.length = rx_is_condition(kinds[i]) ? 0 : 3;
        CHECK_EQ_I64(client_try_send_record(&from, record, "abc"), 0);
    }
    wire_settle();
    for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
        CHECK(client_take(&to, &taken));
        CHECK_EQ_U64(taken.kind, kinds[i]);
    }
    client_close(&to);
    CHECK_EQ_I64(client_try_send_record(&from, record, NULL), 0);
    wire_settle();
    CHECK_EQ_U64(client_queued(&from), 0); /* only a datagram is answered */
    client_close(&from);
}

#endif
