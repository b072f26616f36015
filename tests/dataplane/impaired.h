/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_IMPAIRED_H
#define WIRERX_TESTS_IMPAIRED_H

/**
 * @file
 * A dataplane whose first port is impaired on purpose, with a member of GROUP.
 */

#include <string.h>

#include "client.h"
#include "replaying.h"

/** Start it, whose log says so. @return joined to GROUP, on PORT */
static inline struct client impaired_start(struct config config, struct config_impair impair,
                                           bool by_hand)
{
    config.ports[0].impair = &impair;
    wire_capture_log();
    wire_start(&config, &client_operations, by_hand);
    const char *log = wire_captured_log();
    CHECK_MSG(strstr(log, "ports[0]: ") != NULL && strstr(log, "IS IMPAIRED") != NULL, "%s", log);
    return client_joined(GROUP, PORT);
}

#endif
