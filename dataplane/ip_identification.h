/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IP_IDENTIFICATION_H
#define WIRERX_IP_IDENTIFICATION_H

/**
 * @file
 * Identifications of IPv4 packets that may be fragmented, here or on their way: all without "don't
 * fragment" (RFC 6864, 4.1). The others have 0.
 *
 * None is repeated to the same destination, from the same source and for the same protocol, before as many
 * packets as an lcore has numbers: 65,536 divided by the lcores, as each has a share of its own and so they
 * need not agree. And nobody can tell the next one, not even from the last (RFC 7739): the numbers of a
 * counter are shuffled under a key of the destination's that comes from a secret.
 *
 * A core in the sense of host.h.
 */

#include <stdint.h>

/** Counters of an lcore; destinations share them by their hash. A power of two. */
#define IP_IDENTIFICATION_COUNTERS 1024u

/** The same for all lcores of a process. */
struct ip_identification_secret {
    uint32_t words[4];
};

struct ip_identification {
    struct ip_identification_secret secret;
    uint32_t lcore, lcores;
    uint16_t counters[IP_IDENTIFICATION_COUNTERS];
};

/** @param lcore  whose: 0 to lcores - 1 */
void ip_identification_begin(struct ip_identification *identification,
                             const struct ip_identification_secret *secret, unsigned lcore,
                             unsigned lcores);

/** The next one. Addresses in network order. @return it; any order */
uint16_t ip_identification_next(struct ip_identification *identification, uint32_t source,
                                uint32_t destination, uint8_t protocol);

#endif
