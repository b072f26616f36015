/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"

const struct command *const commands[] = {
    &command_throughput, &command_latency, &command_instructions, &command_memory,  &command_cost,
    &command_isolation,  &command_drain,   &command_stall,        &command_network,
};
const size_t commands_count = sizeof commands / sizeof commands[0];
