/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_OUTPUT_H
#define WIRERX_OUTPUT_H

/**
 * @file
 * What --output writes: for each datagram a 32-bit big-endian length and the payload.
 */

#include <stdint.h>

#include "command.h"

struct output;

/** Create or overwrite the file. @return NULL with the error set. */
struct output *output_open(const char *path, struct command_error *error);

/** Append one datagram, whole, whichever thread calls. Errors are kept for output_failed(). */
void output_write(struct output *output, const void *payload, uint32_t bytes);

/** 0, or the errno of the first write that failed. */
int output_failed(const struct output *output);

/** Write out what is buffered and close. @return 0, or -1 with the error set (also earlier ones) */
int output_close(struct output *output, struct command_error *error);

#endif
