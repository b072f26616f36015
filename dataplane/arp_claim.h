/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ARP_CLAIM_H
#define WIRERX_ARP_CLAIM_H

/**
 * @file
 * Our right to our addresses (RFC 5227): each is probed for three times after the start, 1 to 2 s apart
 * after a random delay of up to a second, and then announced twice. Who claims it too is a conflict, which
 * is told of, and answered by an announcement at most once in ten seconds.
 *
 * The addresses come from the configuration, so from somebody who has decided on them: they are used from
 * the start, and also after a conflict. (RFC 5227, 2.1, has a host wait, because it would choose another
 * address; this one has no other.)
 *
 * With `probed` somebody else sees to that, as the kernel's tools do for its addresses: they are announced only.
 *
 * A core in the sense of host.h. IPv4 addresses are in network order.
 */

#include "arp_packet.h"

#define ARP_CLAIM_PROBES 3u
#define ARP_CLAIM_ANNOUNCEMENTS 2u
#define ARP_CLAIM_DEFEND_SECONDS 10u

struct arp_claim_calls {
    void *context;
    /** Send a frame of ARP_FRAME_BYTES. */
    void (*emit)(void *context, const uint8_t *frame);
    /** Another host uses one of our addresses, or wants to. */
    void (*conflict)(void *context, uint32_t address, const struct rte_ether_addr *mac);
};

/** One address. */
struct arp_claim {
    uint32_t address;
    uint8_t probes;        /**< sent */
    uint8_t announcements; /**< sent */
    bool announced;        /**< at some time: it is not probed for any more */
    bool defended;
    uint64_t due;
    uint64_t defended_at;
};

struct arp_claims {
    uint64_t hz;
    struct rte_ether_addr mac;
    struct arp_claim *claims; /**< the creator's */
    unsigned count;
    uint64_t random;
    bool probed; /**< the addresses are only announced */
    struct arp_claim_calls calls;
};

/** Begin to claim: the addresses of `claims->claims`, whose other fields are set here. Everything else
 *  the creator has filled in; `random` is the seed. */
void arp_claims_begin(struct arp_claims *claims, uint64_t now);

/**
 * Other addresses, or another MAC. What is claimed already goes on as it is, unless the MAC is another: then
 * all is announced again.
 * @param next  of whose entries only `address` is looked at; used as scratch. No more than `claims->claims`
 *              has room for
 */
void arp_claims_change(struct arp_claims *claims, const struct rte_ether_addr *mac,
                       struct arp_claim *next, unsigned count, uint64_t now);

/** The link is back, perhaps to another switch: what was announced is announced again, what was still probed
 *  for is probed for anew. */
void arp_claims_again(struct arp_claims *claims, uint64_t now);

/** Look at a packet that arp_packet_read() has accepted, before arp_receive() does. */
void arp_claims_hear(struct arp_claims *claims, const struct arp_packet *packet, uint64_t now);

/** When arp_claims_run() has something to do; UINT64_MAX: never. */
uint64_t arp_claims_due(const struct arp_claims *claims);

void arp_claims_run(struct arp_claims *claims, uint64_t now);

#endif
