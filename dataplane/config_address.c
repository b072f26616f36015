/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

struct config_address_text config_address_text(const struct config_address *address)
{
    struct config_address_text shown;

    snprintf(shown.text, sizeof(shown.text), "%u.%u.%u.%u/%" PRIu32, address->address >> 24,
             address->address >> 16 & 0xff, address->address >> 8 & 0xff, address->address & 0xff,
             address->prefix_length);
    return shown;
}

int config_address_parse(const struct config_report *report, const char *path, const char *text,
                         struct config_address *address)
{
    const char *slash = strchr(text, '/');
    struct config_quote shown = config_quote(text);
    char host[INET_ADDRSTRLEN];
    struct in_addr parsed;
    size_t length;

    if (slash == NULL)
        return config_refuse(report, path, "'%s' lacks a prefix length, such as 192.0.2.1/24",
                             shown.text);
    snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
    if ((size_t)(slash - text) >= sizeof(host) || inet_pton(AF_INET, host, &parsed) != 1)
        return config_refuse(report, path, "'%s' is no IPv4 address; expected: 192.0.2.1/24",
                             shown.text);
    length = strspn(slash + 1, DIGITS);
    if (length == 0 || slash[1 + length] != '\0' || (slash[1] == '0' && length > 1))
        return config_refuse(report, path, "'%s' has no prefix length after the slash: 0 to 32",
                             shown.text);
    if (length > 2 || strtoul(slash + 1, NULL, 10) > 32)
        return config_refuse(report, path, "'%s' has a prefix length out of range: 0 to 32",
                             shown.text);
    address->address = ntohl(parsed.s_addr);
    address->prefix_length = (uint32_t)strtoul(slash + 1, NULL, 10);
    return 0;
}

const char *config_address_problem(const struct config_address *address)
{
    if (address->prefix_length > 32)
        return "has a prefix length out of range: 0 to 32";
    if (address->address == UINT32_MAX)
        return "is the broadcast address, not one of a port";
    if (address->address >> 24 == 0)
        return "means 'this network' (0.0.0.0/8), not a port";
    if (address->address >> 24 == 127)
        return "is a loopback address, not one of a port";
    if (address->address >> 28 == 0xe)
        return "is multicast: sockets join groups, a port does not have them";
    if (address->prefix_length >= 31) /* RFC 3021: no network or broadcast address */
        return NULL;
    uint32_t host_mask = config_host_mask(address);
    if ((address->address & host_mask) == 0)
        return "is its network's own address, not one of a port";
    if ((address->address & host_mask) == host_mask)
        return "is its network's broadcast address, not one of a port";
    return NULL;
}
