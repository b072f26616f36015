/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_VALUE_H
#define WIRERX_CONFIG_VALUE_H

/**
 * @file
 * Texts of a configuration file as values.
 */

#include "config_options.h"

/**
 * A decimal number within the option's range: digits only, as a leading zero or 0x would mean
 * another number to some readers of YAML.
 *
 * @param path  for the refusal
 * @return 0, or -1 after config_refuse()
 */
int config_value_number(const struct config_report *report, const struct config_option *option,
                        const char *path, const char *text, unsigned *value);

/** Refuse a number that is below or above an option's range. Returns -1. */
int config_value_refuse_range(const struct config_report *report,
                              const struct config_option *option, const char *path,
                              const char *text, bool above);

#endif
