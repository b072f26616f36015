/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_COMMAND_H
#define WIRERX_BENCH_COMMAND_H

/**
 * @file
 * What wirerx-bench can measure. A command is a file of its own that defines one row; command.c lists
 * the rows, and --help, the refusals and main() follow from them.
 */

#include <stddef.h>
#include <stdint.h>

struct bench_options;

struct command {
    const char *name;
    const char *help;
    uint32_t options; /**< which it takes: enum bench_option */

    /** Its own defaults, before the command line is read; NULL: the common ones are right. */
    void (*defaults)(struct bench_options *options);

    /** Do the options fit each other? NULL: always. @return 0, or -1 after one line (options_wrong()) */
    int (*check)(const struct bench_options *options);

    /** @return an exit status: enum bench_status */
    int (*run)(const struct bench_options *options);
};

extern const struct command command_throughput;
extern const struct command command_latency;
extern const struct command command_instructions;
extern const struct command command_memory;
extern const struct command command_cost;
extern const struct command command_isolation;
extern const struct command command_drain;
extern const struct command command_stall;
extern const struct command command_network;

/** Every command there is, in the order of --help. */
extern const struct command *const commands[];
extern const size_t commands_count;

#endif
