/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_CONVERT_H
#define WIRERX_CONFIG_CONVERT_H

/**
 * @file
 * From the texts of a configuration file to the values of a configuration.
 */

#include "config_document.h"

/**
 * Fill in what the file has. Texts that are no value of their option are refused.
 *
 * @param config  fresh from config_default(); after a failure too, to be freed with config_free()
 * @return 0, or -1 after config_refuse()
 */
int config_convert(const struct config_report *report, const struct config_section *top,
                   struct config *config);

#endif
