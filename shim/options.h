/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_OPTIONS_H
#define WIRERX_OPTIONS_H

/**
 * @file
 * Reading a sub-command's command line by its table of options, and the values that several options
 * have in common.
 */

#include <stdint.h>

#include "command.h"

/** What options_parse() found. */
enum options_result {
    OPTIONS_OK,
    OPTIONS_HELP,  /**< --help or -h was given: nothing else counts */
    OPTIONS_WRONG, /**< the error is set */
};

/**
 * Give every option of the command line to its row's set().
 *
 * @param target         passed to set()
 * @param first_operand  receives the index in argv of what follows the options
 */
enum options_result options_parse(const struct command_row *command, int argc, char **argv,
                                  void *target, int *first_operand, struct command_error *error);

/** A whole decimal number from `minimum` to `maximum`; the error names the option. */
int options_number(const char *option, const char *text, uint64_t minimum, uint64_t maximum,
                   uint64_t *value, struct command_error *error);

/** Print `wirerx COMMAND: TEXT` on stderr. @return STATUS_REFUSED */
int options_refuse(const struct command_row *command, const struct command_error *error);

#endif
