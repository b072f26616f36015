/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_OPTIONS_H
#define WIRERX_GEN_OPTIONS_H

/**
 * @file
 * The command line of wirerx-gen. The rows of the option table carry the text that --help and the
 * manual page print.
 */

#include <stdbool.h>
#include <stdint.h>

#define GEN_MAX_STREAMS 1024u
#define GEN_MAX_STEPS 64u
#define GEN_MAX_SIZES 16u
#define GEN_LINES 2u

/** Ethernet, IPv4 and UDP headers before a payload; a frame on the wire has 4 bytes more behind it. */
#define GEN_HEADER_BYTES 42u
#define GEN_FCS_BYTES 4u
/** The largest frame that a device of 9,000 bytes of IP takes. */
#define GEN_MAX_PAYLOAD 8972u

enum gen_pattern {
    GEN_RATE,
    GEN_BURST,
    GEN_FEED,
};

enum gen_status {
    GEN_OK = 0,
    GEN_FAILED = 1,  /**< it began and could not be finished */
    GEN_REFUSED = 2, /**< it could not begin */
};

/** A payload length and how often it comes among the others. */
struct gen_size {
    unsigned payload;
    unsigned weight;
};

struct gen_options {
    const char *devices[GEN_LINES]; /**< the second is NULL when both lines use the first */
    enum gen_pattern pattern;
    double
        rates[GEN_MAX_STEPS]; /**< frames a second on each line; 0: as fast as the device takes */
    unsigned steps;
    unsigned burst; /**< frames */
    bool burst_given;
    unsigned every_us; /**< from burst to burst */
    bool every_given;
    unsigned streams;
    uint32_t to[GEN_LINES]; /**< of stream 0, host byte order */
    uint16_t port[GEN_LINES];
    bool to_given[GEN_LINES];
    uint32_t source;
    uint16_t source_port;
    uint8_t mac[6]; /**< of the receiver, for unicast */
    bool mac_given;
    unsigned lines;
    unsigned skew_us;
    struct gen_size sizes[GEN_MAX_SIZES];
    unsigned sizes_count;
    bool sizes_given;
    uint64_t count;       /**< frames of each step on each line; 0: the duration decides */
    unsigned duration_ms; /**< of each step; 0: the count decides */
    uint64_t seed;
    int core; /**< -1: any */
    unsigned linger_ms;
    const char *memory; /**< no-huge, in-memory, huge */
    bool spin;
    bool plan;
    bool json;
};

enum gen_parsed {
    GEN_PARSED,
    GEN_PRINTED, /**< --help, --man: it has been printed */
    GEN_WRONG,   /**< one line on standard error says what */
};

enum gen_parsed gen_options_parse(int argc, char **argv, struct gen_options *options);

const char *gen_pattern_name(enum gen_pattern pattern);

/** The largest payload of the list. */
unsigned gen_largest_payload(const struct gen_options *options);

/** One line on standard error. @return -1 */
int gen_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
