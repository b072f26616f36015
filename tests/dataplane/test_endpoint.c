/* SPDX-License-Identifier: BSD-3-Clause */

/* One socket's ring and its way home: bounds, losses in their order, buffers that come back. */

#include "support/suite.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "client.h"
#include "pool.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 1, 1)
#define OTHER_GROUP FRAME_IP(239, 1, 1, 2)
#define PORT 5000
#define SLOTS 256u
#define BUFFERS 4096u

static void set_up(void)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(endpoint, set_up, wire_stop);

SUITE_TEST(endpoint, gives_datagrams_in_order_whole_and_once)
{
    struct client c = client_joined(GROUP, PORT);
    struct taken taken;

    for (uint64_t round = 0; round < 50; round++) { /* goes round the ring */
        wire_send_numbers(GROUP, PORT, round * 37, 37, 100);
        CHECK_EQ_U64(client_queued(&c), 37);
        client_expect(&c, round * 37, 37, 100);
    }
    wire_send_udp(GROUP, PORT, NULL, 0);
    wire_settle();
    CHECK(client_take(&c, &taken));
    CHECK_EQ_U64(taken.length, 0);
    CHECK_EQ_U64(taken.source, FRAME_IP(198, 51, 100, 7));
    CHECK_EQ_U64(taken.source_port, 7000);
    CHECK_EQ_U64(client_delivered(&c), 50 * 37 + 1);
    client_close(&c);
}

SUITE_TEST(endpoint, full_of_slots_loses_the_newest_and_only_there)
{
    struct client c = client_joined(GROUP, PORT), other = client_joined(OTHER_GROUP, PORT);

    wire_send_numbers(GROUP, PORT, 0, SLOTS + 44, 20);
    wire_send_numbers(OTHER_GROUP, PORT, 1000, 100, 20);
    CHECK_EQ_U64(client_queued(&c), SLOTS);
    CHECK_EQ_U64(client_lost_ring_full(&c), 44);
    CHECK_EQ_U64(client_lost_pool_share(&c), 0);
    CHECK_EQ_U64(client_lost_ring_full(&other), 0);
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 44);
    CHECK_EQ_U64(wire_counter("lost.ring_full"), 44);
    CHECK_EQ_U64(wire_counter("delivered"), SLOTS + 100);
    client_expect(&c, 0, SLOTS, 20); /* the oldest are the ones that were kept */
    client_expect(&other, 1000, 100, 20);
    client_close(&c);
    client_close(&other);
}

/* Each element knows how many were lost before it: a reader learns of a gap where it is. */
SUITE_TEST(endpoint, losses_are_told_in_their_order)
{
    struct client c = client_joined(GROUP, PORT);
    struct taken taken;

    wire_send_numbers(GROUP, PORT, 0, SLOTS + 3, 20);
    for (unsigned i = 0; i < 10; i++) {
        CHECK(client_take(&c, &taken));
        CHECK_EQ_U64(taken.drops, 0);
    }
    wire_send_numbers(GROUP, PORT, 1000, 12, 20); /* ten find room */
    CHECK(client_take(&c, &taken));
    wire_send_numbers(GROUP, PORT, 2000, 1, 20);
    for (unsigned i = 11; i < SLOTS; i++) {
        CHECK(client_take(&c, &taken));
        CHECK_EQ_U64(taken.drops, 0);
        CHECK(frame_is_filled(taken.bytes, 20, i));
    }
    for (unsigned i = 0; i < 10; i++) {
        CHECK(client_take(&c, &taken));
        CHECK_EQ_U64(taken.drops, 3);
        CHECK(frame_is_filled(taken.bytes, 20, 1000 + i));
    }
    CHECK(client_take(&c, &taken));
    CHECK_EQ_U64(taken.drops, 5);
    CHECK(frame_is_filled(taken.bytes, 20, 2000));
    CHECK(!client_take(&c, &taken));
    client_close(&c);
}

SUITE_TEST(endpoint, full_of_bytes_loses_the_newest)
{
    struct client c = client_joined(GROUP, PORT);
    struct taken taken;

    client_set_bytes(&c, 1000);
    wire_send_numbers(GROUP, PORT, 0, 4, 300);
    CHECK_EQ_U64(client_queued(&c), 3);
    wire_send_numbers(GROUP, PORT, 10, 1, 100); /* just fits */
    wire_send_numbers(GROUP, PORT, 11, 1, 1);
    CHECK_EQ_U64(client_queued(&c), 4);
    CHECK_EQ_U64(client_lost_ring_full(&c), 2);
    CHECK(client_take(&c, &taken));
    wire_send_numbers(GROUP, PORT, 20, 1, 301);
    CHECK_EQ_U64(client_lost_ring_full(&c), 3);
    wire_send_numbers(GROUP, PORT, 21, 1, 300);
    CHECK_EQ_U64(client_lost_ring_full(&c), 3);
    CHECK_EQ_U64(client_drain(&c), 4);
    client_close(&c);
}

SUITE_TEST(endpoint, a_datagram_above_the_bytes_passes_an_empty_ring)
{
    struct client c = client_joined(GROUP, PORT);

    client_set_bytes(&c, 100);
    wire_send_numbers(GROUP, PORT, 0, 1, 1400);
    CHECK_EQ_U64(client_queued(&c), 1);
    wire_send_numbers(GROUP, PORT, 1, 1, 1);
    CHECK_EQ_U64(client_queued(&c), 1);
    client_expect(&c, 0, 1, 1400);
    wire_send_numbers(GROUP, PORT, 2, 1, 1);
    wire_send_numbers(GROUP, PORT, 3, 1, 1400); /* not behind another one */
    client_expect(&c, 2, 1, 1);
    CHECK_EQ_U64(client_lost_ring_full(&c), 2);
    client_close(&c);
}

SUITE_TEST(endpoint, empty_datagrams_are_bounded_by_slots)
{
    struct client c = client_joined(GROUP, PORT);

    client_set_bytes(&c, 1);
    for (unsigned i = 0; i < SLOTS + 5; i++)
        wire_send_udp(GROUP, PORT, NULL, 0);
    wire_settle();
    CHECK_EQ_U64(client_queued(&c), SLOTS);
    CHECK_EQ_U64(client_lost_ring_full(&c), 5);
    client_close(&c);
}

/* The client's hands never touch the pool: what it consumes comes back through the lcore. */
SUITE_TEST(endpoint, consumed_buffers_come_home_through_the_lcore)
{
    struct client c = client_joined(GROUP, PORT);
    struct taken taken;

    wire_send_numbers(GROUP, PORT, 0, 200, 100);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 200);
    CHECK_EQ_U64(client_drain(&c), 200);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 200); /* on the way */
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    /* Few of them, too, with which no look is due. */
    wire_send_numbers(GROUP, PORT, 0, 20, 100);
    for (unsigned i = 0; i < 20; i++)
        CHECK(client_take(&c, &taken));
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&c);
}

SUITE_TEST(endpoint, close_brings_everything_home)
{
    struct client c = client_joined(GROUP, PORT);
    struct taken taken;

    wire_send_numbers(GROUP, PORT, 0, 100, 100);
    for (unsigned i = 0; i < 30; i++) /* some in the ring, some in the client's hands */
        CHECK(client_take(&c, &taken));
    wire_send_numbers(GROUP, PORT, 100, 20, 5000); /* and of several segments */
    client_close(&c);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
}

SUITE_TEST(endpoint, datagrams_of_several_segments_count_by_buffers)
{
    struct client c = client_joined(GROUP, PORT);

    wire_send_numbers(GROUP, PORT, 0, 50, 8900); /* five buffers each */
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 250);
    client_expect(&c, 0, 50, 8900);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    /* More buffers than the ring has slots, all at once: none is lost. */
    wire_send_numbers(GROUP, PORT, 0, 200, 8900);
    CHECK_GE_U64(BUFFERS - wire_free_buffers(), 2 * SLOTS);
    client_drain(&c);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&c);
}

/* Beyond its minimum, a socket may hold half of what is left free. */
SUITE_TEST(endpoint, a_socket_holds_at_most_its_share_of_the_pool)
{
    struct rte_mempool *pool = rte_mempool_lookup("wirerx_pool_0");
    struct client c = client_joined(GROUP, PORT);
    struct rte_mbuf *taken[BUFFERS];

    CHECK_EQ_I64(rte_pktmbuf_alloc_bulk(pool, taken, BUFFERS - 300),
                 0); /* somebody else has these */
    wire_send_numbers(GROUP, PORT, 0, 150, 20);
    unsigned held = client_queued(&c);
    CHECK_LE_U64(held, 100); /* then 200 are free, and this is half of that */
    CHECK_GE_U64(held, 75);  /* half of what was left while all 150 were on the wire */
    CHECK_EQ_U64(client_lost_pool_share(&c), 150 - held);
    CHECK_EQ_U64(client_lost_ring_full(&c), 0);
    CHECK_EQ_U64(wire_counter("drop.pool_share"), 150 - held);
    CHECK_EQ_U64(wire_counter("lost.pool_share"), 150 - held);
    CHECK_EQ_I64(rte_pktmbuf_alloc_bulk(pool, taken + BUFFERS - 300, 190), 0);
    wire_send_numbers(GROUP, PORT, 0, 5, 20); /* less is free than it holds */
    CHECK_EQ_U64(client_lost_pool_share(&c), 155 - held);
    CHECK_EQ_U64(client_drain(&c), held);
    wire_settle();
    rte_pktmbuf_free_bulk(taken, BUFFERS - 110);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&c);
}

SUITE_TEST(endpoint, its_minimum_is_a_sockets_own)
{
    struct rte_mempool *pool = rte_mempool_lookup("wirerx_pool_0");
    struct client c = client_joined(GROUP, PORT);
    struct rte_mbuf *taken[BUFFERS];

    CHECK_EQ_I64(rte_pktmbuf_alloc_bulk(pool, taken, BUFFERS - 80), 0);
    wire_send_numbers(GROUP, PORT, 0, 70, 20);
    CHECK_EQ_U64(client_queued(&c), 64); /* sockets.min_buffers, though 16 are free */
    CHECK_EQ_U64(client_lost_pool_share(&c), 6);
    rte_pktmbuf_free_bulk(taken, BUFFERS - 80);
    client_close(&c);
}

SUITE_TEST(endpoint, a_buffer_that_is_not_ours_is_dropped)
{
    struct rte_mempool *foreign = rte_pktmbuf_pool_create("foreign", 63, 0, RX_META_PRIVATE_SIZE,
                                                          RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    struct client c = client_joined(GROUP, PORT);
    struct rte_ring *ring = rte_ring_lookup("ETH_RXTX0_net_ring0");
    uint8_t bytes[64];
    size_t length = frame_udp(bytes, sizeof bytes, GROUP, PORT, "x", 1);

    CHECK(foreign != NULL && ring != NULL);
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(foreign);
    CHECK(mbuf != NULL);
    memcpy(rte_pktmbuf_append(mbuf, (uint16_t)length), bytes, length);
    CHECK_EQ_I64(rte_ring_sp_enqueue(ring, mbuf), 0);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.foreign_buffer"), 1);
    CHECK_EQ_U64(client_drain(&c), 0);
    CHECK_EQ_U64(rte_mempool_avail_count(foreign), 63); /* and went back where it belongs */
    client_close(&c);
    rte_mempool_free(foreign);
}

/* Buffers so small that a frame of ours would not fit in one, the last of them at the end of what is mapped. */
static struct rte_mempool *create_edge_pool(unsigned count)
{
    enum {
        ROOM = 64,
        LENGTH = 64 * 1024
    };
    struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = ROOM};
    struct rte_mempool *pool = rte_mempool_create_empty(
        "edge", count, sizeof(struct rte_mbuf) + ROOM, 0, sizeof private, SOCKET_ID_ANY, 0);
    char *memory =
        mmap(NULL, LENGTH + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(pool != NULL && memory != MAP_FAILED);
    CHECK_EQ_I64(mprotect(memory + LENGTH, 4096, PROT_NONE), 0);
    CHECK_EQ_I64(rte_mempool_set_ops_byname(pool, "ring_mp_mc", NULL), 0);
    rte_pktmbuf_pool_init(pool, &private);
    size_t each = pool->header_size + pool->elt_size + pool->trailer_size, all = each * count;
    CHECK_EQ_I64(
        rte_mempool_populate_iova(pool, memory + LENGTH - all, RTE_BAD_IOVA, all, NULL, NULL),
        (int)count);
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

SUITE_TEST(endpoint, a_buffer_that_is_not_ours_is_not_read_as_one_of_ours)
{
    enum {
        COUNT = 4
    };
    struct rte_mempool *foreign = create_edge_pool(COUNT);
    struct client c = client_joined(GROUP, PORT);
    struct rte_ring *ring = rte_ring_lookup("ETH_RXTX0_net_ring0");
    struct rte_mbuf *mbufs[COUNT];
    uint8_t bytes[64];
    size_t length = frame_udp(bytes, sizeof bytes, GROUP, PORT, "x", 1);

    CHECK_EQ_I64(rte_pktmbuf_alloc_bulk(foreign, mbufs, COUNT), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        mbufs[i]->data_off = 0;
        memcpy(rte_pktmbuf_append(mbufs[i], (uint16_t)length), bytes, length);
    }
    CHECK_EQ_U64(rte_ring_sp_enqueue_bulk(ring, (void **)mbufs, COUNT, NULL), COUNT);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.foreign_buffer"), COUNT);
    CHECK_EQ_U64(rte_mempool_avail_count(foreign), COUNT);
    client_close(&c);
    rte_mempool_free(foreign);
}

/* Two pools, as with devices on two NUMA nodes: every buffer finds its own way home. */
SUITE_TEST(endpoint, buffers_of_two_pools_go_home_each_to_its_own)
{
    struct rte_mempool *first = rte_mempool_lookup("wirerx_pool_0");
    struct rte_mempool *second = pool_for_node(SOCKET_ID_ANY, 1023, CONFIG_BUFFER_ROOM);
    struct rte_ring *ring = rte_ring_lookup("ETH_RXTX0_net_ring0");
    struct client c = client_joined(GROUP, PORT);
    uint8_t bytes[64], payload[8];

    CHECK(second != NULL && second != first);
    CHECK_EQ_PTR(pool_for_node(SOCKET_ID_ANY, 1023, CONFIG_BUFFER_ROOM), second);
    CHECK_EQ_U64(pool_total(), BUFFERS + 1023);
    for (unsigned i = 0; i < 100; i++) {
        frame_fill(payload, sizeof payload, i);
        size_t length = frame_udp(bytes, sizeof bytes, GROUP, PORT, payload, sizeof payload);
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(i % 3 == 0 ? second : first);
        CHECK(mbuf != NULL);
        memcpy(rte_pktmbuf_append(mbuf, (uint16_t)length), bytes, length);
        CHECK_EQ_I64(rte_ring_sp_enqueue(ring, mbuf), 0);
    }
    wire_settle();
    CHECK_EQ_U64(rte_mempool_avail_count(second), 1023 - 34);
    client_expect(&c, 0, 100, sizeof payload);
    wire_settle();
    CHECK_EQ_U64(rte_mempool_avail_count(first), BUFFERS);
    CHECK_EQ_U64(rte_mempool_avail_count(second), 1023);
    client_close(&c);
}

/* Ways home are looked at without traffic, too, and all of them when buffers are short. */
SUITE_TEST(endpoint, idle_sockets_buffers_come_home)
{
    struct client c[16];

    for (unsigned i = 0; i < 16; i++) {
        c[i] = client_joined(GROUP + i, PORT);
        wire_send_numbers(GROUP + i, PORT, 0, 10, 20);
    }
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ_U64(client_drain(&c[i]), 10);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 160);
    for (unsigned left = 16; left != 0; left -= LCORE_SWEEP) {
        for (unsigned pass = 0; pass < LCORE_SWEEP_PASSES; pass++)
            wire_step(dataplane_tsc());
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 10 * (left - LCORE_SWEEP));
    }
    for (unsigned i = 0; i < 16; i++)
        client_close(&c[i]);
}

SUITE_TEST(endpoint, a_stop_ends_open_sockets_and_a_start_makes_new_ones)
{
    struct config config = wire_config();
    struct client bound = client_joined(GROUP, PORT), unbound = client_open();
    struct endpoint *none;

    wire_send_numbers(GROUP, PORT, 0, 50, 20);
    wire_stop();
    CHECK_EQ_U64(atomic_load(&bound.endpoint->state), ENDPOINT_NET_DOWN);
    CHECK_EQ_U64(atomic_load(&unbound.endpoint->state), ENDPOINT_NET_DOWN);
    CHECK_EQ_U64(client_drain(&bound), 0);
    CHECK_EQ_I64(dataplane_endpoint_open(&none), -100); /* ENETDOWN */
    CHECK_EQ_I64(client_try_join(&bound, OTHER_GROUP, 0), -100);
    wire_start(&config, &client_operations, true);
    CHECK_EQ_I64(client_try_bind(&unbound, 0, PORT, false), -100); /* it stays down */
    struct client fresh = client_joined(GROUP, PORT);
    wire_send_numbers(GROUP, PORT, 7, 3, 20);
    client_expect(&fresh, 7, 3, 20);
    client_close(&bound);
    wire_send_numbers(GROUP, PORT, 10, 3, 20);
    client_expect(&fresh, 10, 3, 20);
    client_close(&unbound);
    client_close(&fresh);
}

/* --- the dead socket -------------------------------------------------------------------------------- */

/* Under sanitizers a tenth says the same, in a tolerable time. */
#ifdef WIRERX_SANITIZED
#define DATAGRAMS 100000u
#else
#define DATAGRAMS 1000000u
#endif

/* A pool of 4,096, rings that could hold all of it, dead sockets that never read, and a live one:
 * that one gets every datagram, and the dead hold their share and no more. */
static void flood(unsigned dead_count)
{
    struct config config = wire_config();
    struct client dead[15], live;
    struct frame frames[2] = {{.destination = GROUP, .length = 64, .no_udp_checksum = true},
                              {.length = 64, .no_udp_checksum = true}};
    uint8_t payload[64] = {0}, bytes[2][128];
    size_t length = 0, at = frame_payload_offset(&frames[0]);
    uint64_t received = 0;

    wire_stop();
    config.sockets.ring_slots = 8192;
    wire_start(&config, &client_operations, true);
    live = client_joined(GROUP, PORT);
    for (unsigned i = 0; i < dead_count; i++)
        dead[i] = client_joined(OTHER_GROUP + i, PORT);
    for (uint64_t sent = 0; sent < DATAGRAMS;) {
        for (unsigned i = 0; i < 16; i++, sent++) {
            uint32_t group = OTHER_GROUP + (uint32_t)(sent % dead_count);

            frames[1].destination = group;
            for (unsigned k = 0; k < 2; k++) {
                frames[k].payload = payload;
                if (sent < dead_count) /* the rest differ in the payload and the address only */
                    length = frame_build(&frames[k], bytes[k], sizeof bytes[k]);
            }
            memcpy(bytes[0] + at, &sent, sizeof sent);
            wire_send(bytes[0], length);
            length = frame_build(&frames[1], bytes[1], sizeof bytes[1]);
            wire_send(bytes[1], length);
        }
        wire_step(dataplane_tsc());
        struct taken taken;
        while (client_take(&live, &taken)) {
            uint64_t number;
            memcpy(&number, taken.bytes, sizeof number);
            CHECK_EQ_U64(number, received);
            CHECK_EQ_U64(taken.drops, 0);
            received++;
        }
    }
    CHECK_EQ_U64(received, DATAGRAMS);
    CHECK_EQ_U64(client_lost_ring_full(&live) + client_lost_pool_share(&live), 0);
    uint64_t held = 0;
    for (unsigned i = 0; i < dead_count; i++) {
        held += client_queued(&dead[i]);
        CHECK_GE_U64(client_queued(&dead[i]), 64);
        CHECK_LE_U64(client_queued(&dead[i]), BUFFERS / 3 + 1); /* h <= (BUFFERS - h) / 2 */
        CHECK_GE_U64(client_lost_pool_share(&dead[i]), 1);
    }
    CHECK_LE_U64(held, BUFFERS - BUFFERS / (dead_count + 2));
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - held);
    client_close(&live);
    for (unsigned i = 0; i < dead_count; i++)
        client_close(&dead[i]);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
}

SUITE_TEST(endpoint, a_dead_socket_takes_nothing_from_a_live_one, .timeout = 60)
{
    flood(1);
}

SUITE_TEST(endpoint, fifteen_dead_sockets_take_nothing_from_a_live_one, .timeout = 60)
{
    flood(15);
}

#endif
