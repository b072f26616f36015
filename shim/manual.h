/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_MANUAL_H
#define WIRERX_MANUAL_H

/**
 * @file
 * The command's documentation, printed from the tables that the command is built from.
 */

#include "command.h"

/** `wirerx --help`. */
void manual_overview(void);

/** `wirerx COMMAND --help`. */
void manual_command(const struct command_row *command);

/** wirerx(1), for man(1): `wirerx --man | man -l -`. */
void manual_page(void);

#endif
