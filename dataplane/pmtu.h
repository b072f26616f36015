/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PMTU_H
#define WIRERX_PMTU_H

/**
 * @file
 * Path MTUs (RFC 1191): the longest packets that reach hosts whole, where routers have told of ones that are
 * shorter than the link's. Of hosts that are not here the link's is good.
 *
 * An estimate only falls, and never below PMTU_LEAST; after PMTU_SECONDS it is forgotten, so that a path that
 * has become wider is found out. Bounded: where there is no place the estimate that would be forgotten next
 * is. A router that does not say how long packets may be means one of the plateaus (RFC 1191, 7.1).
 *
 * A core in the sense of host.h, with one writer; pmtu_find() may be called by other threads meanwhile.
 * Addresses are in network order, lengths are those of IPv4 packets.
 */

#include <stdatomic.h>
#include <stdint.h>

/** RFC 1191, 3. */
#define PMTU_LEAST 68u

/** RFC 1191, 6.3 proposes 10 minutes. */
#define PMTU_SECONDS 600u

/** Estimates: places that a host can have, and sets of them. A power of two. */
#define PMTU_WAYS 4u
#define PMTU_SETS 64u

/** What pmtu_find() says of a host of which nothing is known. */
#define PMTU_UNKNOWN 65535u

enum pmtu_result {
    PMTU_LOWERED,
    PMTU_KNOWN,   /**< the estimate is not higher already */
    PMTU_REFUSED, /**< no router can have meant that */
};

struct pmtu {
    uint64_t hz;
    uint64_t due; /**< when the first of them is forgotten; UINT64_MAX: there is none */
    uint32_t seed;
    struct pmtu_set {
        _Atomic uint64_t estimates[PMTU_WAYS]; /**< address | length << 32; 0: free */
        uint64_t due[PMTU_WAYS];
    } sets[PMTU_SETS];
};

/**
 * @param hz    ticks a second
 * @param seed  of the hash: nobody outside shall know which hosts collide
 */
void pmtu_begin(struct pmtu *pmtu, uint64_t hz, uint32_t seed);

/** The longest packet that reaches a host whole, as far as is known. Any thread. */
uint32_t pmtu_find(const struct pmtu *pmtu, uint32_t destination);

/**
 * A router says that a packet was too long.
 * @param told    how long one may be; 0: the router is of before 1990 and does not say
 * @param length  of the packet
 */
enum pmtu_result pmtu_lower(struct pmtu *pmtu, uint32_t destination, uint32_t told, uint32_t length,
                            uint64_t now);

/** Forget what is too old. When `due` says so. */
void pmtu_run(struct pmtu *pmtu, uint64_t now);

#endif
