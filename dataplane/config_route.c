/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_route.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "config_address.h"

#define VIA " via "

int config_route_parse_router(const struct config_report *report, const char *path,
                              const char *text, uint32_t *router)
{
    struct in_addr parsed;

    if (inet_pton(AF_INET, text, &parsed) != 1 || parsed.s_addr == 0)
        return config_refuse(report, path, "'%s' is no router's address; expected: 192.0.2.254",
                             config_quote(text).text);
    *router = ntohl(parsed.s_addr);
    return 0;
}

int config_route_parse(const struct config_report *report, const char *path, const char *text,
                       struct config_route *route)
{
    const char *via = strstr(text, VIA);
    char destination[sizeof "255.255.255.255/32"];

    if (via == NULL || (size_t)(via - text) >= sizeof destination)
        return config_refuse(report, path, "'%s' is no route; expected: 10.0.0.0/8 via 192.0.2.254",
                             config_quote(text).text);
    snprintf(destination, sizeof destination, "%.*s", (int)(via - text), text);
    if (config_address_parse(report, path, destination, &route->destination) != 0)
        return -1;
    return config_route_parse_router(report, path, via + strlen(VIA), &route->router);
}

bool config_route_is_neighbour(const struct config_port *port, uint32_t router)
{
    bool found = false;

    for (unsigned i = 0; i < port->addresses_count; i++) {
        const struct config_address *own = &port->addresses[i];
        uint32_t mask = config_host_mask(own);

        if (own->address == router)
            return false;
        if ((own->address ^ router) <= mask &&
            (mask <= 1 || ((router & mask) != 0 && (router & mask) != mask)))
            found = true;
    }
    return found;
}

static int check_router(const struct config_report *report, const struct config_port *port,
                        const char *path, uint32_t router)
{
    if (config_route_is_neighbour(port, router))
        return 0;
    return config_refuse(report, path,
                         "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32
                         " is no other host on a network of the port's addresses",
                         router >> 24, router >> 16 & 0xff, router >> 8 & 0xff, router & 0xff);
}

int config_route_check(const struct config_report *report, const struct config_port *port,
                       unsigned index)
{
    char path[CONFIG_PATH_SIZE];

    snprintf(path, sizeof path, "ports[%u].gateway", index);
    if (port->gateway != 0 && check_router(report, port, path, port->gateway) != 0)
        return -1;
    snprintf(path, sizeof path, "ports[%u].routes", index);
    if (port->routes_count > CONFIG_MAX_ROUTES)
        return config_refuse(report, path, "too many routes: %u, at most %u are possible",
                             port->routes_count, CONFIG_MAX_ROUTES);
    for (unsigned i = 0; i < port->routes_count; i++) {
        const struct config_route *route = &port->routes[i];

        snprintf(path, sizeof path, "ports[%u].routes[%u]", index, i);
        if (route->destination.prefix_length > 32 ||
            (route->destination.address & config_host_mask(&route->destination)) != 0)
            return config_refuse(report, path, "%s has bits behind its prefix",
                                 config_address_text(&route->destination).text);
        if (check_router(report, port, path, route->router) != 0)
            return -1;
    }
    return 0;
}
