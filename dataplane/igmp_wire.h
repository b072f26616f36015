/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IGMP_WIRE_H
#define WIRERX_IGMP_WIRE_H

/**
 * @file
 * IGMP messages as they are on the wire, of versions 1 to 3 (RFC 1112, appendix I; RFC 2236; RFC 3376): what
 * a host hears and what it says. Pure functions of bytes and lengths; addresses are in network order, and
 * packets begin with their IPv4 header.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source_filter.h"

/** 224.0.0.1, all hosts; .2, all routers; .22, all that understand reports of version 3. Host order. */
#define IGMP_ALL_HOSTS 0xe0000001u
#define IGMP_ALL_ROUTERS 0xe0000002u
#define IGMP_ALL_V3_ROUTERS 0xe0000016u

enum igmp_version {
    IGMP_V1 = 1,
    IGMP_V2,
    IGMP_V3,
};

enum igmp_kind {
    IGMP_NOTHING, /**< bad, or nothing that a host has to look at */
    IGMP_QUERY,
    IGMP_REPORT, /**< another host is a member of `group`; version 1 or 2 */
};

struct igmp_message {
    enum igmp_kind kind;
    enum igmp_version version;
    uint32_t destination; /**< of the packet */
    uint32_t group;       /**< 0: a general query, about all groups */
    /* Of queries: */
    uint32_t response_tenths; /**< answer within this many tenths of a second */
    uint8_t robustness;       /**< the querier's; 0: not told */
    uint32_t interval;        /**< seconds between its general queries; 0: not told */
    unsigned sources_count;
    const uint8_t *sources; /**< four bytes each, unaligned */
};

/** The i-th source of a query. */
uint32_t igmp_source(const struct igmp_message *message, unsigned i);

/** The number that a code of eight bits stands for: exact to 127, then with exponent and mantissa (RFC 3376,
 *  4.1.1 and 4.1.7). */
uint32_t igmp_decode(uint8_t code);

/**
 * Read a packet. Refused are: a bad checksum or length, a time to live but 1, a query without the option
 * "router alert" if it is not of version 1, a general one to another group than 224.0.0.1, a query about
 * a group to a third one (RFC 3376, 4.1.12 and 9.1). Whether a unicast destination is ours, the caller knows.
 * @param packet  IPv4 header and all that follows; a longer buffer's rest is padding
 * @param message what it says; its `sources` point into the packet
 * @return message->kind
 */
enum igmp_kind igmp_parse(const uint8_t *packet, size_t length, struct igmp_message *message);

/** Bytes of the IPv4 header of what is built here: it has the option "router alert" (RFC 2113). */
#define IGMP_IP_BYTES 24u
/** Bytes of a message of version 1 or 2. */
#define IGMP_SHORT_BYTES 8u
/** Least MTU that reports can be built for: one record with one source. */
#define IGMP_LEAST_MTU 68u
/** Longest packet that is built: there is nothing to win by longer ones. */
#define IGMP_MOST_BYTES 1500u

enum igmp_short {
    IGMP_V1_REPORT = 0x12,
    IGMP_V2_REPORT = 0x16,
    IGMP_V2_LEAVE = 0x17,
};

/** A report of version 3 that is being built. */
struct igmp_report {
    uint8_t *packet;
    size_t room;
    size_t length;
    unsigned records;
};

/** Where a packet that has been built is to be sent. */
uint32_t igmp_destination(const uint8_t *packet);

/**
 * Build a message of version 1 or 2 about one group.
 * @param packet  IGMP_IP_BYTES + IGMP_SHORT_BYTES bytes of room
 * @param source  our address
 * @return its length
 */
size_t igmp_build_short(uint8_t *packet, enum igmp_short type, uint32_t source, uint32_t group);

/** Begin a report in a packet of at most `room` bytes, IGMP_LEAST_MTU or more. */
void igmp_report_begin(struct igmp_report *report, uint8_t *packet, size_t room);

/** How many sources a record that comes next can have; -1: there is no room for a record. */
int igmp_report_room(const struct igmp_report *report);

/** Add a record. @param count  at most igmp_report_room() */
void igmp_report_add(struct igmp_report *report, enum source_record_type type, uint32_t group,
                     const uint32_t *sources, unsigned count);

/** Complete the headers. @return the packet's length */
size_t igmp_report_end(struct igmp_report *report, uint32_t source);

#endif
