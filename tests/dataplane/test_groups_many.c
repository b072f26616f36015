/* SPDX-License-Identifier: BSD-3-Clause */

/* 5,000 groups: all of them told, in packets that fit the mtu; and how long their joins took, which is
 * printed and not judged. */

#include "support/suite.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "host_igmp.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "wake.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 0, 0)
#define PORT 5000
#define GROUPS 5000u
#define ETHERNET 14u
#define REPORT 0x22
#define RECORD_BYTES 8u

static uint64_t begun;

static void begin(void)
{
    begun = wake_clock();
}

static void end(const char *what, unsigned count)
{
    double us = (double)(wake_clock() - begun) / 1e3;

    fprintf(stderr, "groups_many: %u %s in %.1f ms, %.2f us each\n", count, what, us / 1e3,
            us / count);
}

static void start(unsigned mtu)
{
    struct config config = wire_config();

    config.ports[0].mtu = mtu;
    config.sockets.maximum = 64;
    config.buffers = 8192;
    network_start(&config, &client_operations);
}

/* What a report says of the groups, into `told` by record type. @return its records */
static unsigned hear(const struct network_frame *frame, unsigned mtu, unsigned told[][8])
{
    const uint8_t *packet = frame->bytes + ETHERNET;
    size_t header = (packet[0] & 15u) * 4u;
    const uint8_t *report = packet + header;
    unsigned records = (unsigned)report[6] << 8 | report[7];

    if (frame->bytes[12] != 8 || frame->bytes[13] != 0)
        return 0; /* ARP */
    CHECK(frame->length - ETHERNET <= mtu);
    CHECK_EQ_U64(report[0], REPORT);
    CHECK_EQ_U64(frame->length, ETHERNET + header + 8 + records * RECORD_BYTES);
    for (unsigned i = 0; i < records; i++) {
        const uint8_t *record = report + 8 + i * RECORD_BYTES;
        uint32_t group = (uint32_t)record[4] << 24 | (uint32_t)record[5] << 16 |
                         (uint32_t)record[6] << 8 | record[7];

        CHECK(record[0] < 8 && group - GROUP < GROUPS && record[2] == 0 && record[3] == 0);
        told[group - GROUP][record[0]]++;
    }
    return records;
}

/* Let time pass. @return packets heard */
static unsigned pass(double seconds, unsigned mtu, unsigned told[][8])
{
    static uint64_t now;
    uint64_t step = dataplane_tsc_hz() / 1000;
    unsigned packets = 0, records = 0;

    if (now == 0)
        now = dataplane_tsc();
    for (uint64_t until = now + (uint64_t)(seconds * (double)dataplane_tsc_hz()); now < until;
         now += step)
        wire_step(now);
    for (const struct network_frame *frame; (frame = network_take()) != NULL;) {
        unsigned in_this = hear(frame, mtu, told);

        packets += in_this != 0;
        records += in_this;
    }
    CHECK_EQ_U64(records % GROUPS, 0);
    return packets;
}

static void check_told(unsigned told[][8], enum source_record_type type, unsigned times)
{
    for (unsigned i = 0; i < GROUPS; i++)
        for (unsigned t = 0; t < 8; t++)
            CHECK_EQ_U64(told[i][t], t == type ? times : 0);
}

static void tell_at_mtu(unsigned mtu)
{
    unsigned(*told)[8] = calloc(GROUPS, sizeof *told);
    unsigned in_packet = (mtu - 24 - 8) / RECORD_BYTES; /* with the router alert */
    unsigned packets = 2 * ((GROUPS + in_packet - 1) / in_packet);

    CHECK(told != NULL);
    start(mtu);
    struct client c = client_bound(0, PORT);
    uint64_t before = dataplane_tsc();
    for (unsigned i = 0; i < GROUPS; i++)
        CHECK_EQ_I64(client_try_join(&c, GROUP + i, 0), 0);
    /* What is joined while others are being told of goes in a packet of its own: one a millisecond, where
     * joining is slow; singly they would be thousands. */
    unsigned slack = 20 + (unsigned)((dataplane_tsc() - before) / (dataplane_tsc_hz() / 1000));
    unsigned heard = pass(5, mtu, told);
    check_told(told, RECORD_TO_EX, 2);
    CHECK(heard >= packets);
    CHECK_MSG(heard <= packets + slack, "%u packets, where %u would do", heard, packets);
    memset(told, 0, GROUPS * sizeof *told);
    before = dataplane_tsc();
    client_close(&c);
    slack = 20 + (unsigned)((dataplane_tsc() - before) / (dataplane_tsc_hz() / 1000));
    heard = pass(5, mtu, told);
    check_told(told, RECORD_TO_IN, 2);
    CHECK(heard >= packets && heard <= packets + slack);
    free(told);
    network_check_balance();
    wire_stop();
}

SUITE_TEST(groups_many, are_told_in_packets_of_the_mtu)
{
    tell_at_mtu(1500);
}

SUITE_TEST(groups_many, are_told_in_packets_of_a_small_mtu)
{
    tell_at_mtu(576);
}

SUITE_TEST(groups_many, are_as_many_as_a_port_has_room_for)
{
    unsigned joined = 0;
    int result;

    start(1500);
    struct client c = client_bound(0, PORT);
    while ((result = client_try_join(&c, GROUP + joined, 0)) == 0)
        joined++;
    CHECK_EQ_I64(result, -ENOBUFS);
    CHECK_EQ_U64(joined, HOST_IGMP_GROUPS);
    wire_send_udp(GROUP + joined, PORT, "quote", 5);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    CHECK_EQ_U64(dataplane.ports[0].multicast.count, joined + 1);
    wire_send_udp(GROUP + joined - 1, PORT, "quote", 5);
    wire_settle();
    CHECK_EQ_U64(client_drain(&c), 1);
    client_close(&c);
    CHECK_EQ_U64(dataplane.ports[0].multicast.count, 1);
    network_forget();
    wire_stop();
}

SUITE_TEST(groups_many, take_their_time)
{
    struct client clients[48];

    start(1500);
    begin();
    clients[0] = client_bound(0, PORT);
    for (unsigned i = 0; i < GROUPS; i++)
        CHECK_EQ_I64(client_try_join(&clients[0], GROUP + i, 0), 0);
    end("groups joined by one socket", GROUPS);
    begin();
    for (unsigned s = 1; s < 48; s++) {
        clients[s] = client_bound(0, PORT);
        for (unsigned i = s; i < GROUPS; i += 47)
            CHECK_EQ_I64(client_try_join(&clients[s], GROUP + i, 0), 0);
    }
    end("groups joined by 47 others", GROUPS - 1);
    begin();
    for (unsigned i = 0; i < GROUPS; i += 2)
        CHECK_EQ_I64(client_leave(&clients[0], GROUP + i, 0), 0);
    end("groups left by the first", GROUPS / 2);
    begin();
    for (unsigned s = 0; s < 48; s++)
        client_close(&clients[s]);
    end("groups left by closing 48 sockets", GROUPS / 2 + GROUPS - 1);
    CHECK_EQ_U64(dataplane.ports[0].multicast.count, 1);
    network_forget();
    wire_stop();
}

#endif
