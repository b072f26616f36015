/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_REPORT_H
#define WIRERX_REPORT_H

/**
 * @file
 * What `wirerx recv` prints on the standard output when it ends.
 */

#include "run.h"

/** For people. */
void report_text(const struct run *run);

/** As one JSON object. */
void report_json(const struct run *run);

/** The groups that are in a capture, for people and in JSON. */
void report_groups_text(const char *path, const struct capture *capture);
void report_groups_json(const char *path, const struct capture *capture);

/** Digits in groups of three. @return text, which is `buffer` */
#define REPORT_COUNT_SIZE 32
const char *report_count(char buffer[REPORT_COUNT_SIZE], uint64_t count);

/** A group's address in dots, from host byte order. @return text, which is `buffer` */
#define REPORT_ADDRESS_SIZE 16
const char *report_address(char buffer[REPORT_ADDRESS_SIZE], uint32_t address);

#endif
