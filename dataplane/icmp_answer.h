/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ICMP_ANSWER_H
#define WIRERX_ICMP_ANSWER_H

/**
 * @file
 * What a host answers by ICMP (RFC 792, RFC 1122 3.2.2): an echo request by its reply, and a packet that
 * it has no use for, or not all of, by an error that quotes it. Both have a rate, or anybody could have us fill a network.
 *
 * A core in the sense of host.h. Addresses are in network order, times in ticks of the creator's clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rate.h"

/** Replies a second and at once after a quiet time; errors alike. */
#define ICMP_ECHO_RATE 1000u
#define ICMP_ECHO_AT_ONCE 100u
#define ICMP_ERROR_RATE 200u
#define ICMP_ERROR_AT_ONCE 50u

/** The largest error: a packet that every host takes in one piece (RFC 1812, 4.3.2.3). */
#define ICMP_ERROR_BYTES 576u

/** Bytes that an echo request's headers take: IPv4 without options, and ICMP's. */
#define ICMP_ECHO_HEADERS 28u

/** Errors: type and code. */
enum icmp_error {
    ICMP_PROTOCOL_UNREACHABLE = 3 << 8 | 2,
    ICMP_PORT_UNREACHABLE = 3 << 8 | 3,
    ICMP_REASSEMBLY_TIMED_OUT = 11 << 8 | 1, /**< about the first fragment (RFC 1122, 3.3.2) */
};

enum icmp_answered {
    ICMP_ANSWERED,
    ICMP_NOT_ANSWERED, /**< it is nothing that is answered */
    ICMP_OVER_RATE,
};

struct icmp_answer {
    struct rate echoes, errors;
};

/** @param hz ticks a second */
void icmp_answer_begin(struct icmp_answer *answer, uint64_t hz);

/**
 * Turn an echo request round: addresses, type, time to live and both checksums. What lies behind its
 * headers stays. A request with IPv4 options is not answered: they would have to be turned round, too.
 * @param ip  the packet's first ICMP_ECHO_HEADERS bytes, of one that came to an address of ours and whose
 *            checksums are right
 */
enum icmp_answered icmp_answer_echo(struct icmp_answer *answer, uint8_t *ip, uint64_t now);

/**
 * Write the error that answers a packet. No error is about ICMP, a fragment but the first, or what came
 * from or to more or less than one host (RFC 1122, 3.2.2); what came by a broadcast frame the caller knows.
 * @param ip      the packet's first bytes, header checked, which came to an address of ours
 * @param length  how many there are
 * @param error   receives an IPv4 packet of up to ICMP_ERROR_BYTES
 * @param bytes   receives its length
 */
enum icmp_answered icmp_answer_error(struct icmp_answer *answer, enum icmp_error what,
                                     const uint8_t *ip, size_t length, uint8_t *error,
                                     size_t *bytes, uint64_t now);

#endif
