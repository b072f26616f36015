/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_ADDRESS_H
#define WIRERX_CONFIG_ADDRESS_H

/**
 * @file
 * IPv4 addresses with a prefix length, as texts and as what a port can have.
 */

#include "config_report.h"

/** "192.0.2.1/24". */
struct config_address_text {
    char text[sizeof("255.255.255.255/4294967295")];
};
struct config_address_text config_address_text(const struct config_address *address);

/**
 * Read such a text.
 *
 * @param path  for the refusal
 * @return 0, or -1 after config_refuse()
 */
int config_address_parse(const struct config_report *report, const char *path, const char *text,
                         struct config_address *address);

/** Why a port cannot have this address, to follow its text in a message; NULL if it can. */
const char *config_address_problem(const struct config_address *address);

#endif
