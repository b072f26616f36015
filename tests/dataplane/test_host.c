/* SPDX-License-Identifier: BSD-3-Clause */

/* The shell of the host side: the way out of the stack, and who may use it. */

#include "support/suite.h"

#include <rte_mbuf.h>
#include <string.h>

#include "client.h"
#include "host.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

static void start(void)
{
    struct config config = wire_config();

    network_start(&config, &client_operations);
}

/* A frame of the host's own whose bytes say its number. */
static void transmit(unsigned lcore, uint8_t number)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(dataplane.ports[0].pool);

    CHECK(mbuf != NULL);
    memset(rte_pktmbuf_append(mbuf, 60), number, 60);
    host_transmit(&dataplane.lcores[lcore], &dataplane.ports[0], mbuf);
}

static void expect_sent(unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct network_frame *frame = network_take();

        CHECK(frame != NULL);
        CHECK_EQ_U64(frame->length, 60);
        CHECK_EQ_U64(frame->bytes[0], first + i);
    }
    CHECK(network_take() == NULL);
}

SUITE_TEST(host, frames_leave_together_at_the_end_of_the_pass)
{
    start();
    for (uint8_t i = 0; i < 5; i++)
        transmit(0, i);
    CHECK(network_take() == NULL);
    wire_step(dataplane_tsc());
    expect_sent(0, 5);
    CHECK_EQ_U64(wire_counter("sent.frames"), 5);
    CHECK_EQ_U64(wire_counter("sent.bytes"), 300);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host, a_device_without_room_keeps_frames_waiting_and_more_are_lost_and_counted)
{
    start();
    network_room(3);
    for (uint8_t i = 0; i < PORT_BURST + 5; i++)
        transmit(0, i);
    expect_sent(0, 3); /* as the 33rd came */
    CHECK_EQ_U64(wire_counter("lost.transmit_full"), 2);
    wire_step(dataplane_tsc());
    CHECK(network_take() == NULL);
    network_room(1000);
    wire_step(dataplane_tsc());
    expect_sent(3, PORT_BURST);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host, frames_that_wait_at_the_stop_are_counted_and_given_back)
{
    start();
    network_room(0);
    for (uint8_t i = 0; i < 7; i++)
        transmit(0, i);
    wire_step(dataplane_tsc());
    wire_stop();
    CHECK_EQ_U64(wire_counter("lost.transmit_stopped"), 7);
    network_check_balance();
}

SUITE_TEST(host, frames_of_another_lcore_leave_by_the_keeper)
{
    struct config config = wire_config();
    unsigned cores[] = {wire_cpu(0), wire_cpu(1)};

    if (wire_cpus() < 2)
        SKIP("this takes two CPUs");
    config.cores = cores;
    config.cores_count = 2;
    network_start(&config, &client_operations);
    unsigned keeper = dataplane.ports[0].keeper->index;
    transmit(1 - keeper, 42);
    wire_step_one(1 - keeper, dataplane_tsc());
    CHECK(network_take() == NULL);
    wire_step_one(keeper, dataplane_tsc());
    expect_sent(42, 1);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, keeper, "to_transmit"), 1);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(host, a_port_transmits_if_its_device_has_a_network_or_the_option_says_so)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
    CHECK(!dataplane.ports[0].transmits);
    wire_stop();
    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    wire_start(&config, &client_operations, true);
    CHECK(dataplane.ports[0].transmits);
    wire_stop();
}

#endif
