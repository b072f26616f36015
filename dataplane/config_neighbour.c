/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_neighbour.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config_route.h"

#define AT " at "

/* Six times two hexadecimal digits with a colon between them. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++, text += 3) {
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            text[2] != (i == 5 ? '\0' : ':'))
            return false;
        mac[i] = (uint8_t)strtoul(text, NULL, 16);
    }
    return true;
}

int config_neighbour_parse(const struct config_report *report, const char *path, const char *text,
                           struct config_neighbour *neighbour)
{
    const char *at = strstr(text, AT);
    char address[sizeof "255.255.255.255"];
    struct in_addr parsed;

    if (at != NULL && (size_t)(at - text) < sizeof address) {
        snprintf(address, sizeof address, "%.*s", (int)(at - text), text);
        if (inet_pton(AF_INET, address, &parsed) == 1 &&
            parse_mac(at + strlen(AT), neighbour->mac)) {
            neighbour->address = ntohl(parsed.s_addr);
            return 0;
        }
    }
    return config_refuse(report, path,
                         "'%s' is no neighbour; expected: 192.0.2.9 at 52:54:00:12:34:56",
                         config_quote(text).text);
}

/* What is wrong with it by itself, to follow its address in a message; NULL: nothing. */
static const char *problem_of(const struct config_port *port,
                              const struct config_neighbour *neighbour)
{
    static const uint8_t none[6];

    /* Which networks the kernel's interface will have is not known. */
    if (port->address != CONFIG_ADDRESS_FROM_KERNEL &&
        !config_route_is_neighbour(port, neighbour->address))
        return "is no other host on a network of the port's addresses";
    if ((neighbour->mac[0] & 1) != 0)
        return "has a MAC address that stands for a group of hosts";
    if (memcmp(neighbour->mac, none, sizeof none) == 0)
        return "has a MAC address of zeros, which is no host's";
    return NULL;
}

static int check(const struct config_report *report, const struct config_port *port, unsigned index,
                 unsigned at)
{
    const struct config_neighbour *neighbour = &port->neighbours[at];
    struct in_addr address = {htonl(neighbour->address)};
    const char *problem = problem_of(port, neighbour);
    char path[CONFIG_PATH_SIZE], text[INET_ADDRSTRLEN] = "";

    snprintf(path, sizeof path, "ports[%u].neighbours[%u]", index, at);
    inet_ntop(AF_INET, &address, text, sizeof text);
    if (problem != NULL)
        return config_refuse(report, path, "%s %s", text, problem);
    for (unsigned i = 0; i < at; i++)
        if (port->neighbours[i].address == neighbour->address)
            return config_refuse(report, path,
                                 "%s appears twice, first as ports[%u].neighbours[%u]", text, index,
                                 i);
    return 0;
}

int config_neighbour_check(const struct config_report *report, const struct config_port *port,
                           unsigned index)
{
    char path[CONFIG_PATH_SIZE];

    snprintf(path, sizeof path, "ports[%u].neighbours", index);
    if (port->neighbours_count > CONFIG_MAX_NEIGHBOURS)
        return config_refuse(report, path, "too many neighbours: %u, at most %u are possible",
                             port->neighbours_count, CONFIG_MAX_NEIGHBOURS);
    for (unsigned i = 0; i < port->neighbours_count; i++)
        if (check(report, port, index, i) != 0)
            return -1;
    return 0;
}
