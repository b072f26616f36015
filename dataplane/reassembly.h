/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_REASSEMBLY_H
#define WIRERX_REASSEMBLY_H

/**
 * @file
 * Which IPv4 fragments make a datagram (RFC 791, 3.2; RFC 815). A core in the sense of host.h: it knows no
 * clock, no memory but its own, and of a packet only what its header says; the caller makes one frame of
 * the parts that it is given.
 *
 *   no fragment yet -> some are held -> all are there: given out, in their order, and forgotten
 *   some are held -> REASSEMBLY_SECONDS after the first came: lost
 *   some are held -> two overlap, or disagree about the end: all are lost, and those that still come are
 *                    refused until that time (RFC 5722's rule, which RFC 8200 4.5 has, also for version 4)
 *   some are held -> there are more than REASSEMBLY_PARTS: the same
 *
 * A fragment that has the place of one that is held is a duplicate and refused; the first stays. Bounded:
 * datagrams, and the buffers that all of them hold; where one is used up the oldest datagram is lost.
 *
 * A first fragment has 8 bytes at least, as it must be a multiple of 8 and not nothing: a UDP header is
 * always whole in it (RFC 1858 is about TCP's, which is longer).
 *
 * Addresses are in network order, times in ticks of the creator's clock, lengths in bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** RFC 1122, 3.3.2 wants 60 to 120 s, of when a second had few packets: an identification comes round in
 *  65,536 of them, and so hosts of today take 30. */
#define REASSEMBLY_SECONDS 30u

/** Fragments of one datagram: 65,535 bytes of it in packets of 576. */
#define REASSEMBLY_PARTS 128u

/** Whose fragment it is (RFC 791, 3.2), and from which port: two networks may number alike. */
struct reassembly_key {
    uint32_t source, destination;
    uint16_t identification; /**< in any order */
    uint8_t protocol;
    uint8_t port;
};

struct reassembly_fragment {
    struct reassembly_key key;
    void *packet;
    uint16_t offset; /**< of its bytes in the datagram's: a multiple of 8 */
    uint16_t length; /**< of what is behind its IPv4 header */
    uint16_t header; /**< of that */
    uint16_t buffers;
    bool more; /**< it is not the last of the datagram */
};

/** One of a whole datagram. */
struct reassembly_part {
    void *packet;
    uint16_t length;
};

enum reassembly_result {
    REASSEMBLY_HELD,      /**< the packet is the core's */
    REASSEMBLY_COMPLETE,  /**< it and those that were held are the caller's, as parts */
    REASSEMBLY_MALFORMED, /**< it cannot be right; from here on: it stays the caller's */
    REASSEMBLY_DUPLICATE, /**< its place is taken, just so */
    REASSEMBLY_OVERLAP,   /**< its datagram has overlaps, or two ends */
    REASSEMBLY_FULL, /**< its datagram has too many fragments, or it is too large for the table */
};

/** Why packets that were held are lost. */
enum reassembly_loss {
    REASSEMBLY_LOST_TIMEOUT,
    REASSEMBLY_LOST_OVERLAP,
    REASSEMBLY_LOST_FULL, /**< too many fragments, datagrams, or buffers */
    REASSEMBLY_LOST_STOPPED,
};

struct reassembly_settings {
    uint64_t hz;        /**< ticks a second */
    unsigned datagrams; /**< at once: 1 to 16,384 */
    unsigned buffers;   /**< held by all: 1 to 65,534 */
    uint32_t seed;      /**< of the hash: nobody outside shall know which keys collide */
    void *context;
    /** A packet that was held is lost; it is the callee's. Called from within the core's functions. */
    void (*lost)(void *context, void *packet, enum reassembly_loss loss);
};

struct reassembly;

/** Bytes that a table takes. */
size_t reassembly_size(const struct reassembly_settings *settings);

/** Make a table in such memory, aligned for a pointer. Nothing in it has to be freed but what is held. */
struct reassembly *reassembly_create(void *memory, const struct reassembly_settings *settings);

/**
 * Take a fragment: an IPv4 packet that has `more`, or an offset.
 * @param parts  room for REASSEMBLY_PARTS; when the datagram is complete it receives its fragments
 * @param count  receives how many
 */
enum reassembly_result reassembly_take(struct reassembly *table,
                                       const struct reassembly_fragment *fragment, uint64_t now,
                                       struct reassembly_part *parts, unsigned *count);

/** When reassembly_run() has something to do; UINT64_MAX: never. */
uint64_t reassembly_due(const struct reassembly *table);

/** Lose what is too old. */
void reassembly_run(struct reassembly *table, uint64_t now);

/** Lose all that is held. */
void reassembly_discard(struct reassembly *table);

/** Buffers that are held now, and datagrams that are begun or refused. */
unsigned reassembly_buffers(const struct reassembly *table);
unsigned reassembly_datagrams(const struct reassembly *table);

#endif
