/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_kernel.h"

#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define FIRST_ETHERTYPE 0x0600u
#define ANY_PORT .first_port = 0, .last_port = UINT16_MAX

enum {
    ETHERTYPE_LLDP = 0x88cc,
    ETHERTYPE_PTP = 0x88f7,
    ETHERTYPE_IPV6 = 0x86dd,
};

static const struct {
    const char *name;
    struct config_kernel_rule rule;
} names[] = {
    {"lldp", {.number = ETHERTYPE_LLDP, ANY_PORT}},
    {"ptp", {.number = ETHERTYPE_PTP, ANY_PORT}},
    {"ipv6", {.number = ETHERTYPE_IPV6, ANY_PORT}},
    {"icmp", {.is_protocol = true, .number = IPPROTO_ICMP, ANY_PORT}},
    {"igmp", {.is_protocol = true, .number = IPPROTO_IGMP, ANY_PORT}},
    {"tcp", {.is_protocol = true, .number = IPPROTO_TCP, ANY_PORT}},
    {"udp", {.is_protocol = true, .number = IPPROTO_UDP, ANY_PORT}},
};

static const struct config_kernel_rule default_rules[] = {
    {.number = ETHERTYPE_LLDP, ANY_PORT},
    {.number = ETHERTYPE_PTP, ANY_PORT},
    {.is_protocol = true, .number = IPPROTO_ICMP, ANY_PORT},
    {.is_protocol = true, .number = IPPROTO_TCP, ANY_PORT},
    {.is_protocol = true, .number = IPPROTO_UDP, .first_port = 319, .last_port = 320}, /* PTP */
};

/* Ethertypes that no rule is for, and why. */
static const struct {
    uint16_t number;
    const char *reason;
} not_ethertypes[] = {
    {0x0800, "is IPv4, of which a rule names the protocol: icmp, igmp, tcp, udp or protocol N"},
    {0x0806, "is ARP, which the kernel is given in any case"},
    {0x8100, "is a VLAN tag: a rule names what is behind it"},
    {0x88a8, "is a VLAN tag: a rule names what is behind it"},
};

const struct config_kernel_rule *config_kernel_default(unsigned *count)
{
    *count = sizeof default_rules / sizeof default_rules[0];
    return default_rules;
}

/* A decimal number without a leading zero, and what is behind it. @return NULL: there is none so small */
static const char *read_number(const char *text, unsigned most, uint16_t *number)
{
    size_t length = strspn(text, DIGITS);

    if (length == 0 || length > 5 || (text[0] == '0' && length > 1) ||
        strtoul(text, NULL, 10) > most)
        return NULL;
    *number = (uint16_t)strtoul(text, NULL, 10);
    return text + length;
}

/* " 22" or " 319-320" */
static bool read_ports(const char *text, struct config_kernel_rule *rule)
{
    text = *text == ' ' ? read_number(text + 1, UINT16_MAX, &rule->first_port) : NULL;
    if (text == NULL)
        return false;
    rule->last_port = rule->first_port;
    if (*text == '-')
        text = read_number(text + 1, UINT16_MAX, &rule->last_port);
    return text != NULL && *text == '\0' && rule->first_port <= rule->last_port;
}

static bool has_ports(const struct config_kernel_rule *rule)
{
    return rule->is_protocol && (rule->number == IPPROTO_TCP || rule->number == IPPROTO_UDP);
}

static bool read_named(const char *text, struct config_kernel_rule *rule)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i].name);

        if (strncmp(text, names[i].name, length) != 0)
            continue;
        *rule = names[i].rule;
        if (text[length] == '\0')
            return true;
        return has_ports(rule) && read_ports(text + length, rule);
    }
    return false;
}

static bool read_protocol(const char *text, struct config_kernel_rule *rule)
{
    static const char word[] = "protocol ";
    const char *end = strncmp(text, word, sizeof word - 1) == 0
                          ? read_number(text + sizeof word - 1, UINT8_MAX, &rule->number)
                          : NULL;

    rule->is_protocol = true;
    return end != NULL && *end == '\0';
}

static bool read_ethertype(const char *text, struct config_kernel_rule *rule)
{
    rule->is_protocol = false;
    if (strlen(text) != sizeof "0x88cc" - 1 || strncmp(text, "0x", 2) != 0)
        return false;
    for (const char *digit = text + 2; *digit != '\0'; digit++)
        if (!isxdigit((unsigned char)*digit))
            return false;
    rule->number = (uint16_t)strtoul(text + 2, NULL, 16);
    return true;
}

static int check_rule(const struct config_report *report, const char *path,
                      const struct config_kernel_rule *rule)
{
    bool any_port = rule->first_port == 0 && rule->last_port == UINT16_MAX;

    if (!any_port && !has_ports(rule))
        return config_refuse(report, path, "only tcp and udp have ports");
    if (rule->first_port > rule->last_port)
        return config_refuse(report, path, "ports from %u to %u are none", rule->first_port,
                             rule->last_port);
    if (rule->is_protocol)
        return rule->number <= UINT8_MAX
                   ? 0
                   : config_refuse(report, path, "%u is no protocol of IPv4: 0 to 255",
                                   rule->number);
    if (rule->number < FIRST_ETHERTYPE)
        return config_refuse(report, path, "0x%04x is no ethertype: they begin at 0x%04x",
                             rule->number, FIRST_ETHERTYPE);
    for (size_t i = 0; i < sizeof not_ethertypes / sizeof not_ethertypes[0]; i++)
        if (not_ethertypes[i].number == rule->number)
            return config_refuse(report, path, "0x%04x %s", rule->number, not_ethertypes[i].reason);
    return 0;
}

int config_kernel_parse(const struct config_report *report, const char *path, const char *text,
                        struct config_kernel_rule *rule)
{
    *rule = (struct config_kernel_rule){ANY_PORT};
    if (read_named(text, rule))
        return 0;
    *rule = (struct config_kernel_rule){ANY_PORT};
    if (!read_protocol(text, rule) && !read_ethertype(text, rule))
        return config_refuse(report, path,
                             "'%s' is no rule; expected: lldp, ptp, ipv6, 0x88cc, icmp, igmp, tcp, "
                             "udp, protocol 89, tcp 22 or udp 319-320",
                             config_quote(text).text);
    return check_rule(report, path, rule);
}

/* What the kernel takes for an interface's name, but for a pattern, which it would fill in. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (!isgraph((unsigned char)text[i]) || strchr("/:%", text[i]) != NULL)
            return false;
    return length > 0 && length < IF_NAMESIZE && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static int check_name(const struct config_report *report, const struct config *config,
                      unsigned index)
{
    const struct config_port *port = &config->ports[index];
    char path[CONFIG_PATH_SIZE];

    snprintf(path, sizeof path, "ports[%u].kernel", index);
    if (!is_name(port->kernel))
        return config_refuse(
            report, path,
            "'%s' is no interface's name: up to %d letters, digits and signs, such "
            "as wrx0",
            config_quote(port->kernel).text, IF_NAMESIZE - 1);
    for (unsigned i = 0; i < index; i++)
        if (config->ports[i].kernel != NULL && strcmp(config->ports[i].kernel, port->kernel) == 0)
            return config_refuse(report, path, "%s is used already, by ports[%u]", port->kernel, i);
    if (port->transmit == CONFIG_TRANSMIT_OFF)
        return config_refuse(report, path,
                             "the kernel would have its frames sent, and transmit is off");
    return 0;
}

int config_kernel_check(const struct config_report *report, const struct config *config,
                        unsigned index)
{
    const struct config_port *port = &config->ports[index];
    char path[CONFIG_PATH_SIZE];

    if (port->kernel != NULL && check_name(report, config, index) != 0)
        return -1;
    snprintf(path, sizeof path, "ports[%u].kernel-rules", index);
    if (port->kernel_rules_count != 0 && port->kernel == NULL)
        return config_refuse(report, path, "rules without an interface: kernel names it");
    if (port->kernel_rules_count > CONFIG_MAX_KERNEL_RULES)
        return config_refuse(report, path, "too many rules: %u, at most %u are possible",
                             port->kernel_rules_count, CONFIG_MAX_KERNEL_RULES);
    if (port->kernel_rules_count != 0 && port->kernel_rules == NULL)
        return config_refuse(report, path, "%u are announced but none given",
                             port->kernel_rules_count);
    for (unsigned i = 0; i < port->kernel_rules_count; i++) {
        snprintf(path, sizeof path, "ports[%u].kernel-rules[%u]", index, i);
        if (check_rule(report, path, &port->kernel_rules[i]) != 0)
            return -1;
    }
    return 0;
}
