/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_ROUTE_H
#define WIRERX_CONFIG_ROUTE_H

/**
 * @file
 * Routes of a port, as texts and as what a port can have.
 */

#include "config.h"
#include "config_report.h"

/** Read "10.0.0.0/8 via 192.0.2.254". @return 0, or -1 after config_refuse() */
int config_route_parse(const struct config_report *report, const char *path, const char *text,
                       struct config_route *route);

/** Read "192.0.2.254". @return 0, or -1 after config_refuse() */
int config_route_parse_router(const struct config_report *report, const char *path,
                              const char *text, uint32_t *router);

/** Is this, in host order, another host on a network of the port's addresses, which ARP can find? */
bool config_route_is_neighbour(const struct config_port *port, uint32_t address);

/** Refuse routes of a port whose destination has bits behind its prefix, or whose router is not another
 *  host on one of the port's networks. @return 0, or -1 after config_refuse() */
int config_route_check(const struct config_report *report, const struct config_port *port,
                       unsigned index);

#endif
