/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_NEIGHBOUR_H
#define WIRERX_CONFIG_NEIGHBOUR_H

/**
 * @file
 * Neighbours whose MAC addresses are given, as texts and as what a port can have.
 */

#include "config.h"
#include "config_report.h"

/** Read "192.0.2.9 at 52:54:00:12:34:56". @return 0, or -1 after config_refuse() */
int config_neighbour_parse(const struct config_report *report, const char *path, const char *text,
                           struct config_neighbour *neighbour);

/** Refuse neighbours that are no other host on one of the port's networks, whose MAC address is a group's
 *  or zero, or that are there twice. @return 0, or -1 after config_refuse() */
int config_neighbour_check(const struct config_report *report, const struct config_port *port,
                           unsigned index);

#endif
