/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_OPTIONS_H
#define WIRERX_BENCH_OPTIONS_H

/**
 * @file
 * The command line of wirerx-bench. The rows of the option table carry the text that --help prints.
 */

#include <stdbool.h>
#include <stdio.h>

struct side;

enum bench_command {
    BENCH_THROUGHPUT = 1,
    BENCH_LATENCY = 2,
    BENCH_INSTRUCTIONS = 4,
};

/** Exit statuses. */
enum bench_status {
    BENCH_OK = 0,
    BENCH_FAILED = 1,  /**< it began and could not be finished */
    BENCH_REFUSED = 2, /**< it could not begin */
};

/** Zero stands for "found out when it is started" where a row of the help says so. */
struct bench_options {
    enum bench_command command;
    unsigned sockets;
    unsigned payload;        /**< bytes of each datagram */
    const struct side *mode; /**< what is compared with the floor */
    unsigned slices;         /**< pairs */
    unsigned slice_ms;
    unsigned posted;     /**< receives outstanding on each socket */
    unsigned ring_slots; /**< of each socket; 0: RING_SLOTS_TOTAL over the sockets */
    unsigned rate;       /**< datagrams a second of a paced run; 0: see latency.c */
    bool verify_checksums;
    int lcore_cpu;  /**< -1: the last one that this process may use */
    int client_cpu; /**< -1: the last one but that */
    bool json;
    unsigned datagrams; /**< to count instructions of, in each mode */
    bool by_hand;       /**< one thread does the work of all; no option, the command's own */
};

/** What options_parse() found. */
enum options_result {
    OPTIONS_OK,
    OPTIONS_HELP,  /**< --help or no argument at all: it has been printed */
    OPTIONS_WRONG, /**< one line on standard error says what */
};

enum options_result options_parse(int argc, char **argv, struct bench_options *options);

const char *options_command_name(const struct bench_options *options);

#endif
