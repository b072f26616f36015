/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_OPTIONS_H
#define WIRERX_BENCH_OPTIONS_H

/**
 * @file
 * The command line of wirerx-bench. The rows of the option table carry the text that --help prints.
 */

#include <stdbool.h>
#include <stdint.h>

struct command;
struct side;
struct wait;

/** One bit for each option: a command (command.h) says which it takes. */
enum bench_option {
    OPTION_SOCKETS = 1u << 0,
    OPTION_PAYLOAD = 1u << 1,
    OPTION_MODE = 1u << 2,
    OPTION_SLICES = 1u << 3,
    OPTION_SLICE_MS = 1u << 4,
    OPTION_POSTED = 1u << 5,
    OPTION_RING_SLOTS = 1u << 6,
    OPTION_RATE = 1u << 7,
    OPTION_CHECKSUMS = 1u << 8,
    OPTION_DATAGRAMS = 1u << 9,
    OPTION_CORE = 1u << 10,
    OPTION_CLIENT = 1u << 11,
    OPTION_JSON = 1u << 12,
    OPTION_WAIT = 1u << 13,
    OPTION_LOAD = 1u << 14,
    OPTION_SPIN_US = 1u << 15,
    OPTION_LCORES = 1u << 16,
    OPTION_SHARE_CPUS = 1u << 17,
    OPTION_SENDER = 1u << 18,
};

/** What goes with slices of sockets on a bed (bed.h). */
#define OPTIONS_OF_SLICES                                                                    \
    (OPTION_SOCKETS | OPTION_PAYLOAD | OPTION_SLICES | OPTION_SLICE_MS | OPTION_RING_SLOTS | \
     OPTION_CHECKSUMS | OPTION_CORE | OPTION_CLIENT | OPTION_JSON)

/** Exit statuses. */
enum bench_status {
    BENCH_OK = 0,
    BENCH_FAILED = 1,  /**< it began and could not be finished */
    BENCH_REFUSED = 2, /**< it could not begin */
};

/** Zero stands for "found out when it is started" where a row of the help says so. */
struct bench_options {
    const struct command *command;
    unsigned sockets;
    unsigned lcores;         /**< each with a client of its own */
    unsigned payload;        /**< bytes of each datagram */
    const struct side *mode; /**< what is compared with the floor */
    unsigned slices;         /**< pairs */
    unsigned slice_ms;
    unsigned posted;     /**< receives outstanding on each socket */
    unsigned ring_slots; /**< of each socket; 0: RING_SLOTS_TOTAL over the sockets */
    unsigned rate;       /**< datagrams a second of a paced run; 0: see latency.c */
    bool verify_checksums;
    int lcore_cpu;   /**< -1: the last one that this process may use */
    int client_cpu;  /**< -1: the last one but that */
    int sender_cpu;  /**< -1: wherever the scheduler puts it */
    bool share_cpus; /**< clients have none of their own */
    bool json;
    const struct wait *wait; /**< how the client waits in latency */
    unsigned load;           /**< percent of the capacity; 0: not stated */
    int spin_us;             /**< before a wait sleeps; -1: as the way of waiting has it */
    unsigned datagrams;      /**< to count instructions of, in each mode */
    bool by_hand;            /**< one thread does the work of all; no option, the command's own */
};

/** What options_parse() found. */
enum options_result {
    OPTIONS_OK,
    OPTIONS_HELP,  /**< --help or no argument at all: it has been printed */
    OPTIONS_WRONG, /**< one line on standard error says what */
};

enum options_result options_parse(int argc, char **argv, struct bench_options *options);

/** One line on standard error: the command line cannot be. @return -1 */
int options_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
