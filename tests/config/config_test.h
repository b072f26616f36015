/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_TEST_H
#define WIRERX_CONFIG_TEST_H

/**
 * @file
 * What the tests of the configuration share.
 */

#include <stddef.h>

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

/* Beginnings of files. */
#define CORES "cores: [@]\n"
#define DEVICE "ports:\n  - device: vdev:net_null0\n"
#define NULL_PORT CORES DEVICE /* continues with line 4 */
#define ADDRESSED NULL_PORT "    addresses: [192.0.2.1/24]\n"
#define CAPTURE CORES "ports:\n  - device: \"vdev:net_pcap0,rx_pcap=a.pcap\"\n"
#define INFINITE CORES "ports:\n  - device: \"vdev:net_pcap0,rx_pcap=a.pcap,infinite_rx=1\"\n"

/** A file, and the line that it is refused with; @ as above. */
struct refused {
    const char *yaml;
    const char *error;
};

/** Check that each is refused so, and nothing written where the configuration would be. */
void test_all_refused(const struct refused *rows, size_t count);

#define EXPECT_ALL_REFUSED(rows) test_all_refused(rows, sizeof(rows) / sizeof(rows[0]))

#endif
