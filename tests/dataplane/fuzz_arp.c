/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over ARP: a schedule of packets heard, neighbours sent to and time that passes, through both
 * cores. What is put in to wait comes out once, the frames that leave are right, and nothing runs on for
 * ever. The input: steps of an operation (a byte) and what it takes. */

#include <rte_byteorder.h>
#include <stdlib.h>
#include <string.h>

#include "arp.h"
#include "arp_claim.h"

#define PLACES 4u
#define HZ 1000u
#define PACKETS 256u

static const struct rte_ether_addr ours_mac = {{2, 0, 0, 0, 0, 1}};

static struct {
    bool waits[PACKETS];
    unsigned waiting;
} all;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void emit(void *context, const uint8_t *frame)
{
    struct arp_packet packet;

    (void)context;
    require(arp_packet_read(frame + 14, ARP_FRAME_BYTES - 14, &packet));
    require(memcmp(frame + 6, &ours_mac, 6) == 0);
    require(rte_is_same_ether_addr(&packet.sender_mac, &ours_mac));
}

static void leave(void *packet)
{
    bool *waits = packet;

    require(*waits && all.waiting != 0);
    *waits = false;
    all.waiting--;
}

static void resolved(void *context, void *packet, const struct rte_ether_addr *mac)
{
    (void)context;
    require(rte_is_valid_assigned_ether_addr(mac));
    leave(packet);
}

static void lost(void *context, void *packet)
{
    (void)context;
    leave(packet);
}

static void note(void *context, enum arp_event event)
{
    (void)context;
    require(event <= ARP_REPLACED);
}

static void conflict(void *context, uint32_t address, const struct rte_ether_addr *mac)
{
    (void)context;
    (void)address;
    require(!rte_is_same_ether_addr(mac, &ours_mac));
}

/* In a piece of memory of just this size, so that a look behind its end is seen. */
static void hear(struct arp *arp, struct arp_claims *claims, const uint8_t *bytes, size_t length,
                 uint64_t now)
{
    uint8_t *exact = malloc(length + (length == 0));
    struct arp_packet packet;

    require(exact != NULL);
    memcpy(exact, bytes, length);
    if (arp_packet_read(exact, length, &packet)) {
        arp_claims_hear(claims, &packet, now);
        arp_receive(arp, &packet, now);
    }
    free(exact);
}

static void send_to(struct arp *arp, uint8_t neighbour, uint64_t now)
{
    uint32_t address = rte_cpu_to_be_32(0xc0000200u | (neighbour & 15));
    unsigned i = 0;

    while (i < PACKETS && all.waits[i])
        i++;
    require(i < PACKETS); /* fewer can wait */
    all.waits[i] = true;
    all.waiting++;
    if (arp_resolve(arp, address, &all.waits[i], 1 + i % 40, now) != NULL)
        leave(&all.waits[i]);
    require(all.waiting <= PLACES * ARP_WAITING);
}

static void run(struct arp *arp, struct arp_claims *claims, uint64_t now)
{
    unsigned rounds = 0;

    for (; arp_due(arp) <= now || arp_claims_due(claims) <= now; rounds++) {
        require(rounds < 100);
        arp_claims_run(claims, now);
        arp_run(arp, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct arp_address ours = {RTE_BE32(0xc0000201u), RTE_BE32(0xffffff00u)};
    struct arp_claim claim = {.address = ours.address};
    struct arp *arp =
        arp_create(malloc(arp_size(PLACES)), &(struct arp_settings){
                                                 .hz = HZ,
                                                 .mac = ours_mac,
                                                 .addresses = &ours,
                                                 .addresses_count = 1,
                                                 .places = PLACES,
                                                 .calls = {NULL, emit, resolved, lost, note},
                                             });
    struct arp_claims claims = {.hz = HZ,
                                .mac = ours_mac,
                                .claims = &claim,
                                .count = 1,
                                .random = 5,
                                .calls = {NULL, emit, conflict}};
    uint64_t now = 0;

    memset(&all, 0, sizeof all);
    arp_claims_begin(&claims, now);
    for (size_t i = 0; i + 1 < size;) {
        uint8_t step = data[i], value = data[i + 1];

        i += 2;
        if (step < 96) {
            size_t length = RTE_MIN(size - i, (size_t)(value & 31));

            hear(arp, &claims, data + i, length, now);
            i += length;
        } else if (step < 192) {
            send_to(arp, value, now);
        } else {
            now += (uint64_t)value * (step & 1 ? 10 : 1000);
            run(arp, &claims, now);
        }
    }
    arp_discard(arp);
    require(all.waiting == 0);
    free(arp);
    return 0;
}
