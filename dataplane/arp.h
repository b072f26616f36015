/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ARP_H
#define WIRERX_ARP_H

/**
 * @file
 * A port's neighbours (RFC 826, RFC 1122 2.3.2): answers to who asks for our addresses, and the MAC
 * addresses of those to whom something is sent. A core in the sense of host.h: it knows no clock, no
 * memory but its own, and no device.
 *
 *   unknown -> asked (broadcast, at most ARP_TRIES times, a second apart) -> known
 *   known, for ARP_FRESH_SECONDS -> if it was used meanwhile: asked again by unicast, and used on; else
 *   forgotten
 *   no answer to either -> forgotten; what waited for it is lost
 *
 * Bounded: the table has a fixed number of places, of which the one that was used longest ago is given to
 * the next. Who is only heard gets none: a place is taken by sending. Of frames that wait for an answer a
 * neighbour has ARP_WAITING, the newest, and all have ARP_WAITING_ALL, of ARP_WAITING_BUFFERS: so addresses
 * that do not exist cannot take the pool's buffers. Answers and questions have a rate.
 *
 * A neighbour's MAC changes with whatever it says of itself, as RFC 826 has it, so that an address can
 * move; that of a static neighbour never does.
 *
 * IPv4 addresses are in network order, times in ticks of the creator's clock.
 */

#include "arp_packet.h"

#define ARP_TRIES 3u
#define ARP_FRESH_SECONDS 60u
#define ARP_WAITING 3u
#define ARP_WAITING_ALL 256u
#define ARP_WAITING_BUFFERS 512u

/** Answers a second, and at once after a quiet time; questions alike. */
#define ARP_RATE 500u
#define ARP_AT_ONCE 100u

/** Places in a port's table. */
#define ARP_PLACES 1024u

/** One of our addresses with its network. */
struct arp_address {
    uint32_t address;
    uint32_t mask; /**< network order */
};

enum arp_event {
    ARP_ASKED,      /**< a question was sent */
    ARP_ANSWERED,   /**< an answer was sent */
    ARP_OVER_RATE,  /**< an answer or a question was not sent, for the rate */
    ARP_UNANSWERED, /**< a neighbour has not answered and is forgotten */
    ARP_REPLACED,   /**< a neighbour is forgotten for another's sake */
};

/** How the core reaches its surroundings. All are called from within its functions. */
struct arp_calls {
    void *context;
    /** Send a frame of ARP_FRAME_BYTES. */
    void (*emit)(void *context, const uint8_t *frame);
    /** The MAC is known for which this packet has waited; it is the callee's. */
    void (*resolved)(void *context, void *packet, const struct rte_ether_addr *mac);
    /** Nobody has answered, or there are too many: this packet will not be sent; it is the callee's. */
    void (*lost)(void *context, void *packet);
    void (*event)(void *context, enum arp_event event);
};

struct arp_settings {
    uint64_t hz; /**< ticks a second */
    struct rte_ether_addr mac;
    const struct arp_address *addresses; /**< ours; kept, not copied */
    unsigned addresses_count;
    unsigned places; /**< 1 to 16,384 */
    uint32_t seed;   /**< of the hash: nobody outside shall know which addresses collide */
    struct arp_calls calls;
};

struct arp;

/** Bytes that a table takes. */
size_t arp_size(unsigned places);

/** Make a table in such memory, aligned for a pointer. Nothing in it has to be freed but what waits. */
struct arp *arp_create(void *memory, const struct arp_settings *settings);

/** Who we are from now on. What is known of neighbours stays. @param addresses  kept, not copied */
void arp_set_ours(struct arp *arp, const struct rte_ether_addr *mac,
                  const struct arp_address *addresses, unsigned count);

/** A neighbour that is always known. @return false: no place */
bool arp_add_static(struct arp *arp, uint32_t address, const struct rte_ether_addr *mac);

/**
 * @param packet   something to send to a neighbour
 * @param buffers  what it takes from the pool while it waits
 * @return its MAC, valid until the next call, and the packet is the caller's; NULL: the packet waits, or
 *         is lost already
 */
const struct rte_ether_addr *arp_resolve(struct arp *arp, uint32_t address, void *packet,
                                         unsigned buffers, uint64_t now);

/** A packet that arp_packet_read() has accepted. @return false: it cannot be right, as it says to come from
 *  one of our own addresses or MACs; arp_claim.h has to know of the former */
bool arp_receive(struct arp *arp, const struct arp_packet *packet, uint64_t now);

/** When arp_run() has something to do; UINT64_MAX: never. */
uint64_t arp_due(const struct arp *arp);

/** Ask, ask again, forget: what is due, a bounded part of it. */
void arp_run(struct arp *arp, uint64_t now);

/** Lose all that waits. */
void arp_discard(struct arp *arp);

#endif
