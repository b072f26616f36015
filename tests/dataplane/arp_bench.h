/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_ARP_BENCH_H
#define WIRERX_TESTS_ARP_BENCH_H

/**
 * @file
 * The ARP cores on a bench: virtual time, a thousand ticks a second, and everything that they do kept here.
 * Frames are written and read by the bytes of RFC 826, apart from the product's own functions.
 */

#include <stdbool.h>
#include <stdint.h>

#include "arp.h"
#include "arp_claim.h"
#include "support/frames.h"

#define BENCH_HZ 1000u
#define BENCH_OURS FRAME_IP(192, 0, 2, 1)
#define BENCH_PLACES 8u

extern const struct rte_ether_addr bench_mac;

/** What has been done, in all. */
struct bench {
    struct arp *arp;
    struct arp_claim claim;
    struct arp_claims claims;
    unsigned events[ARP_REPLACED + 1];
    unsigned emitted, resolved, lost, conflicts;
    uint8_t frame[ARP_FRAME_BYTES];        /**< the last one */
    void *last_resolved, *last_lost;       /**< packets */
    struct rte_ether_addr last_mac;        /**< of what was resolved */
    struct rte_ether_addr conflicting_mac; /**< of the last conflict */
};

/** Our address is BENCH_OURS/24, the time 0. */
void bench_begin(struct bench *bench);
void bench_end(struct bench *bench);

/** Somebody's MAC by a number below 256, which is no group's. */
struct rte_ether_addr bench_mac_of(unsigned number);

/** Is the last frame this one? `to_all`: by a broadcast. IPv4 in host order. */
bool bench_emitted(const struct bench *bench, bool to_all, unsigned operation, uint32_t sender,
                   uint32_t target);

/** The packet of RFC 826, 28 bytes. Host order. */
void bench_write(uint8_t *packet, unsigned operation, struct rte_ether_addr mac, uint32_t sender,
                 uint32_t target);

/** The cores hear of such a packet. @return arp_receive(), or false: it was not accepted */
bool bench_hear(struct bench *bench, unsigned operation, struct rte_ether_addr mac, uint32_t sender,
                uint32_t target, uint64_t now);

/** Run the core whenever it is due, until this time. */
void bench_run(struct bench *bench, uint64_t until);

/** arp_resolve() in host order. */
const struct rte_ether_addr *bench_resolve_large(struct bench *bench, uint32_t address,
                                                 void *packet, unsigned buffers, uint64_t now);

/** ... of a packet in one buffer. */
const struct rte_ether_addr *bench_resolve(struct bench *bench, uint32_t address, void *packet,
                                           uint64_t now);

#endif
