/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "arp_bench.h"

#include <rte_byteorder.h>
#include <stdlib.h>
#include <string.h>

const struct rte_ether_addr bench_mac = {{0x02, 0, 0, 0, 0, 0xaa}};

static struct arp_address ours;

static void emit(void *context, const uint8_t *frame)
{
    struct bench *bench = context;

    bench->emitted++;
    memcpy(bench->frame, frame, sizeof bench->frame);
}

static void resolved(void *context, void *packet, const struct rte_ether_addr *mac)
{
    struct bench *bench = context;

    bench->resolved++;
    bench->last_resolved = packet;
    bench->last_mac = *mac;
}

static void lost(void *context, void *packet)
{
    struct bench *bench = context;

    bench->lost++;
    bench->last_lost = packet;
}

static void note(void *context, enum arp_event event)
{
    ((struct bench *)context)->events[event]++;
}

static void conflict(void *context, uint32_t address, const struct rte_ether_addr *mac)
{
    struct bench *bench = context;

    CHECK_EQ_U64(address, rte_cpu_to_be_32(BENCH_OURS));
    bench->conflicts++;
    bench->conflicting_mac = *mac;
}

void bench_begin(struct bench *bench)
{
    void *memory = malloc(arp_size(BENCH_PLACES));
    struct arp_calls calls = {bench, emit, resolved, lost, note};

    CHECK(memory != NULL);
    ours = (struct arp_address){rte_cpu_to_be_32(BENCH_OURS), rte_cpu_to_be_32(0xffffff00)};
    *bench = (struct bench){
        .claim = {
            .address = ours.address, .due = UINT64_MAX, .announcements = 2, .announced = true}};
    bench->arp = arp_create(memory, &(struct arp_settings){.hz = BENCH_HZ,
                                                           .mac = bench_mac,
                                                           .addresses = &ours,
                                                           .addresses_count = 1,
                                                           .places = BENCH_PLACES,
                                                           .seed = 7,
                                                           .calls = calls});
    bench->claims = (struct arp_claims){.hz = BENCH_HZ,
                                        .mac = bench_mac,
                                        .claims = &bench->claim,
                                        .count = 1,
                                        .random = 99,
                                        .calls = {bench, emit, conflict}};
}

void bench_end(struct bench *bench)
{
    free(bench->arp);
}

struct rte_ether_addr bench_mac_of(unsigned number)
{
    return (struct rte_ether_addr){{0x02, 0, 0, 0, 1, (uint8_t)number}};
}

static void write_address(uint8_t *bytes, uint32_t address)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(address >> (24 - 8 * i));
}

void bench_write(uint8_t *packet, unsigned operation, struct rte_ether_addr mac, uint32_t sender,
                 uint32_t target)
{
    memset(packet, 0, ARP_PACKET_BYTES);
    packet[1] = 1;
    packet[2] = 8;
    packet[4] = 6;
    packet[5] = 4;
    packet[7] = (uint8_t)operation;
    memcpy(packet + 8, &mac, 6);
    write_address(packet + 14, sender);
    write_address(packet + 24, target);
}

bool bench_emitted(const struct bench *bench, bool to_all, unsigned operation, uint32_t sender,
                   uint32_t target)
{
    uint8_t wanted[ARP_PACKET_BYTES];
    const uint8_t *packet = bench->frame + 14;

    bench_write(wanted, operation, bench_mac, sender, target);
    return (bench->frame[0] == 0xff) == to_all && bench->frame[12] == 8 && bench->frame[13] == 6 &&
           memcmp(bench->frame + 6, &bench_mac, 6) == 0 && memcmp(packet, wanted, 18) == 0 &&
           memcmp(packet + 24, wanted + 24, 4) == 0;
}

bool bench_hear(struct bench *bench, unsigned operation, struct rte_ether_addr mac, uint32_t sender,
                uint32_t target, uint64_t now)
{
    uint8_t bytes[ARP_PACKET_BYTES];
    struct arp_packet packet;

    bench_write(bytes, operation, mac, sender, target);
    if (!arp_packet_read(bytes, sizeof bytes, &packet))
        return false;
    arp_claims_hear(&bench->claims, &packet, now);
    return arp_receive(bench->arp, &packet, now);
}

void bench_run(struct bench *bench, uint64_t until)
{
    uint64_t due;

    while ((due = arp_due(bench->arp)) <= until)
        arp_run(bench->arp, due);
    while ((due = arp_claims_due(&bench->claims)) <= until)
        arp_claims_run(&bench->claims, due);
}

const struct rte_ether_addr *bench_resolve_large(struct bench *bench, uint32_t address,
                                                 void *packet, unsigned buffers, uint64_t now)
{
    return arp_resolve(bench->arp, rte_cpu_to_be_32(address), packet, buffers, now);
}

const struct rte_ether_addr *bench_resolve(struct bench *bench, uint32_t address, void *packet,
                                           uint64_t now)
{
    return bench_resolve_large(bench, address, packet, 1, now);
}
