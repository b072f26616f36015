/* SPDX-License-Identifier: BSD-3-Clause */

/* What an impaired port does to the frames that it transmits. */

#define ALLOW_EXPERIMENTAL_API /* rte_ipv4_udptcp_cksum_verify() */
#include "support/suite.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#include "client.h"
#include "impair.h"
#include "network.h"
#include "replaying.h"
#include "state.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define FRAMES 200u
#define TENTH (CONFIG_IMPAIR_WHOLE / 10)

/* The network of the test is what the row stands in front of. */
static struct client start(struct config_impair impair)
{
    static struct config_impair wanted;
    static struct config_port settings;
    struct config config = wire_config();
    struct config_error error;

    network_start(&config, &client_operations);
    struct port *port = &dataplane.ports[0];
    wanted = impair;
    settings = *port->config;
    settings.impair = &wanted;
    port->config = &settings;
    wire_capture_log();
    CHECK(impair_begin(port, &error) == 0);
    wire_captured_log();
    return client_bound(FRAME_IP(192, 0, 2, 1), PORT);
}

static void stop(struct client *client)
{
    client_close(client);
    wire_stop();
    network_check_balance();
}

static bool is_whole(const struct network_frame *frame)
{
    static const uint8_t group[] = {0x01, 0x00, 0x5e}, ethertype[] = {0x08, 0x00};
    const struct rte_ipv4_hdr *ip = (const void *)(frame->bytes + 14);

    return memcmp(frame->bytes, group, sizeof group) == 0 &&
           (uint32_t)(frame->bytes[3] << 16 | frame->bytes[4] << 8 | frame->bytes[5]) ==
               (GROUP & 0x7fffff) &&
           memcmp(frame->bytes + 6, &dataplane.ports[0].mac, 6) == 0 &&
           memcmp(frame->bytes + 12, ethertype, sizeof ethertype) == 0 && ip->version_ihl == 0x45 &&
           rte_raw_cksum(ip, sizeof *ip) == 0xffff && rte_ipv4_udptcp_cksum_verify(ip, ip + 1) == 0;
}

/* Send all. @return how many frames came out whole; `damaged` receives the others */
static unsigned send_all(const struct client *client, unsigned *damaged)
{
    const struct network_frame *frame;
    unsigned whole = 0;

    *damaged = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        client_send(client, GROUP, PORT, 100, i);
        wire_settle();
        while ((frame = network_take()) != NULL) {
            whole += is_whole(frame);
            *damaged += !is_whole(frame);
        }
    }
    CHECK_EQ_U64(wire_counter("sent.frames"), FRAMES);
    return whole;
}

SUITE_TEST(impair_transmit, what_is_lost_counts_as_sent)
{
    struct client client = start((struct config_impair){.seed = 1, .transmit_loss = TENTH});
    unsigned damaged, whole = send_all(&client, &damaged);

    CHECK(wire_counter("impair.transmit_lost") != 0);
    CHECK_EQ_U64(whole, FRAMES - wire_counter("impair.transmit_lost"));
    CHECK_EQ_U64(damaged, 0);
    stop(&client);
}

SUITE_TEST(impair_transmit, duplicates_are_whole_as_well)
{
    struct client client = start((struct config_impair){.seed = 2, .transmit_duplicate = TENTH});
    unsigned damaged, whole = send_all(&client, &damaged);

    CHECK(wire_counter("impair.transmit_duplicated") != 0);
    CHECK_EQ_U64(whole, FRAMES + wire_counter("impair.transmit_duplicated"));
    CHECK_EQ_U64(damaged, 0);
    stop(&client);
}

SUITE_TEST(impair_transmit, a_flipped_bit_is_in_the_frame_and_not_in_the_checksums)
{
    struct client client =
        start((struct config_impair){.seed = 3, .transmit_corrupt = CONFIG_IMPAIR_WHOLE / 2});
    unsigned damaged, whole = send_all(&client, &damaged);

    CHECK(damaged != 0 && whole != 0);
    CHECK_EQ_U64(damaged, wire_counter("impair.transmit_corrupted"));
    CHECK_EQ_U64(whole + damaged, FRAMES);
    stop(&client);
}

SUITE_TEST(impair_transmit, a_device_that_takes_no_more_loses_no_frame_of_ours)
{
    struct client client = start((struct config_impair){
        .seed = 4, .transmit_duplicate = 5 * TENTH, .transmit_corrupt = 5 * TENTH});

    network_room(0);
    for (unsigned i = 0; i < 10; i++)
        client_send(&client, GROUP, PORT, 100, i);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("impair.transmit_corrupted"), 0);
    CHECK_EQ_U64(wire_counter("impair.transmit_duplicated"), 0);
    network_room(100);
    wire_settle();
    CHECK_EQ_U64(network_forget(),
                 wire_counter("sent.frames") + wire_counter("impair.transmit_duplicated"));
    stop(&client); /* which checks the balance, and that no buffer is missing */
}

SUITE_TEST(impair_transmit, a_link_that_is_down_loses_what_is_sent)
{
    struct client client = start((struct config_impair){.seed = 5, .link_down_after = 100});

    uint64_t begun = dataplane_tsc();

    wire_step(begun); /* the schedule begins */
    wire_step(begun + microseconds(100000));
    network_forget();
    client_send(&client, GROUP, PORT, 100, 0);
    wire_step(begun + microseconds(100001));
    CHECK_EQ_U64(network_forget(), 0);
    CHECK_EQ_U64(wire_counter("impair.transmit_lost"), 1);
    stop(&client);
}

#endif
