/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_TEST_H
#define WIRERX_CONFIG_TEST_H

/**
 * @file
 * What the tests of the configuration share.
 */

#include "config.h"

/** A core that this process may use, whichever machine it is. */
unsigned test_core(void);

/** The text with every @ replaced by that core. To be freed. */
char *test_text(const char *text);

/**
 * Parse such a text as the file "t.yaml".
 *
 * @return as config_parse()
 */
int test_parse(const char *text, struct config *config, struct config_error *error);

/** A configuration as a program fills it: that core, one port "vdev:net_null0", the defaults. */
struct config test_config(void);

/** Check that config_check() refuses it with this line, no file or line number being known. */
void test_refused(const struct config *config, const char *expected);

#endif
