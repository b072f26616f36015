/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_convert.h"

#include "config_address.h"
#include "config_impair.h"
#include "config_kernel.h"
#include "config_neighbour.h"
#include "config_route.h"
#include "config_value.h"

#include <stdlib.h>
#include <string.h>

/* Where texts of one section go and what they are called. */
struct target {
    const struct config_report *report;
    const char *prefix; /* of a path: "", "memory.", "ports[0]." */
    void *values;       /* struct config or struct config_port */
};

static int convert_number(const struct target *target, const struct config_option *option,
                          const char *path, const char *text)
{
    unsigned value;

    if (config_value_number(target->report, option, path, text, &value) != 0)
        return -1;
    config_option_set(option, target->values, value);
    return 0;
}

static int convert_choice(const struct target *target, const struct config_option *option,
                          const char *path, const char *text)
{
    unsigned rate;

    for (unsigned i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            config_option_set(option, target->values, i);
            return 0;
        }
    }
    if (config_value_number(target->report, option, path, text, &rate) != 0)
        return -1;
    /* The only choice that a number can stand for. */
    ((struct config_port *)target->values)->pace = CONFIG_PACE_RATE;
    ((struct config_port *)target->values)->pace_rate = rate;
    return 0;
}

static int convert_cores(const struct target *target, const struct config_option *option,
                         const struct config_slot *slot)
{
    struct config *config = target->values;
    char **texts = slot->value;

    config->cores = calloc(slot->count == 0 ? 1 : slot->count, sizeof(*config->cores));
    if (config->cores == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    config->cores_count = slot->count;
    for (unsigned i = 0; i < slot->count; i++) {
        char path[CONFIG_PATH_SIZE];

        snprintf(path, sizeof(path), "cores[%u]", i);
        if (config_value_number(target->report, option, path, texts[i], &config->cores[i]) != 0)
            return -1;
    }
    return 0;
}

static int convert_addresses(const struct target *target, const struct config_slot *slot)
{
    struct config_port *port = target->values;
    char **texts = slot->value;

    port->addresses = calloc(slot->count == 0 ? 1 : slot->count, sizeof(*port->addresses));
    if (port->addresses == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    port->addresses_count = slot->count;
    for (unsigned i = 0; i < slot->count; i++) {
        char path[CONFIG_PATH_SIZE];

        snprintf(path, sizeof(path), "%saddresses[%u]", target->prefix, i);
        if (config_address_parse(target->report, path, texts[i], &port->addresses[i]) != 0)
            return -1;
    }
    return 0;
}

static int convert_routes(const struct target *target, const struct config_slot *slot)
{
    struct config_port *port = target->values;
    char **texts = slot->value;

    port->routes = calloc(slot->count == 0 ? 1 : slot->count, sizeof(*port->routes));
    if (port->routes == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    port->routes_count = slot->count;
    for (unsigned i = 0; i < slot->count; i++) {
        char path[CONFIG_PATH_SIZE];

        snprintf(path, sizeof(path), "%sroutes[%u]", target->prefix, i);
        if (config_route_parse(target->report, path, texts[i], &port->routes[i]) != 0)
            return -1;
    }
    return 0;
}

static int convert_kernel_rules(const struct target *target, const struct config_slot *slot)
{
    struct config_port *port = target->values;
    char **texts = slot->value;

    port->kernel_rules = calloc(slot->count == 0 ? 1 : slot->count, sizeof(*port->kernel_rules));
    if (port->kernel_rules == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    port->kernel_rules_count = slot->count;
    for (unsigned i = 0; i < slot->count; i++) {
        char path[CONFIG_PATH_SIZE];

        snprintf(path, sizeof(path), "%skernel-rules[%u]", target->prefix, i);
        if (config_kernel_parse(target->report, path, texts[i], &port->kernel_rules[i]) != 0)
            return -1;
    }
    return 0;
}

static int convert_neighbours(const struct target *target, const struct config_slot *slot)
{
    struct config_port *port = target->values;
    char **texts = slot->value;

    port->neighbours = calloc(slot->count == 0 ? 1 : slot->count, sizeof(*port->neighbours));
    if (port->neighbours == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    port->neighbours_count = slot->count;
    for (unsigned i = 0; i < slot->count; i++) {
        char path[CONFIG_PATH_SIZE];

        snprintf(path, sizeof(path), "%sneighbours[%u]", target->prefix, i);
        if (config_neighbour_parse(target->report, path, texts[i], &port->neighbours[i]) != 0)
            return -1;
    }
    return 0;
}

static int convert_impair(const struct target *target, const struct config_slot *slot)
{
    struct config_port *port = target->values;
    char **texts = slot->value;

    port->impair = slot->count == 0 ? NULL : calloc(1, sizeof(*port->impair));
    if (slot->count != 0 && port->impair == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    for (unsigned i = 0; i < slot->count; i++) {
        char path[CONFIG_PATH_SIZE];

        snprintf(path, sizeof(path), "%simpair[%u]", target->prefix, i);
        if (config_impair_parse(target->report, path, texts[i], port->impair) != 0)
            return -1;
    }
    return 0;
}

static int convert_list(const struct target *target, const struct config_option *option,
                        const struct config_slot *slot)
{
    if (option->section[0] == '\0')
        return convert_cores(target, option, slot);
    if (strcmp(option->name, "kernel-rules") == 0)
        return convert_kernel_rules(target, slot);
    if (strcmp(option->name, "impair") == 0)
        return convert_impair(target, slot);
    if (strcmp(option->name, "neighbours") == 0)
        return convert_neighbours(target, slot);
    return strcmp(option->name, "routes") == 0 ? convert_routes(target, slot)
                                               : convert_addresses(target, slot);
}

static int convert_name(const struct target *target, const char *text, char **name)
{
    *name = strdup(text);
    return *name != NULL ? 0 : config_refuse(target->report, NULL, "out of memory");
}

static int convert_text(const struct target *target, const struct config_option *option,
                        const char *path, const char *text)
{
    struct config_port *port = target->values;

    if (strcmp(option->name, "gateway") == 0)
        return config_route_parse_router(target->report, path, text, &port->gateway);
    return convert_name(target, text,
                        strcmp(option->name, "kernel") == 0 ? &port->kernel : &port->device);
}

static int convert_section(const struct target *target, const char *name,
                           const struct config_section *section);

static int convert_ports(const struct target *target, const struct config_slot *slot)
{
    struct config *config = target->values;
    const struct config_section *sections = slot->value;

    config->ports = calloc(slot->count == 0 ? 1 : slot->count, sizeof(*config->ports));
    if (config->ports == NULL)
        return config_refuse(target->report, NULL, "out of memory");
    config->ports_count = slot->count;
    for (unsigned i = 0; i < slot->count; i++) {
        char prefix[CONFIG_PATH_SIZE];
        struct target port = {target->report, prefix, &config->ports[i]};

        snprintf(prefix, sizeof(prefix), "ports[%u].", i);
        config->ports[i] = config_port_default();
        if (convert_section(&port, "ports", &sections[i]) != 0)
            return -1;
    }
    return 0;
}

static int convert_slot(const struct target *target, const struct config_option *option,
                        const struct config_slot *slot)
{
    char path[CONFIG_PATH_SIZE];
    struct target inner = {target->report, path, target->values};

    snprintf(path, sizeof(path), "%s%s", target->prefix, option->name);
    switch (option->kind) {
    case CONFIG_KIND_NUMBER:
        return convert_number(target, option, path, slot->value);
    case CONFIG_KIND_CHOICE:
        return convert_choice(target, option, path, slot->value);
    case CONFIG_KIND_TEXT:
        return convert_text(target, option, path, slot->value);
    case CONFIG_KIND_LIST:
        return convert_list(target, option, slot);
    case CONFIG_KIND_SECTIONS:
        return convert_ports(target, slot);
    case CONFIG_KIND_SECTION:
        snprintf(path, sizeof(path), "%s.", option->name);
        return convert_section(&inner, option->name, slot->value);
    }
    return 0;
}

static int convert_section(const struct target *target, const char *name,
                           const struct config_section *section)
{
    unsigned used = 0;

    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        const struct config_slot *slot;

        if (strcmp(option->section, name) != 0)
            continue;
        slot = &section->slots[used++];
        if (slot->value != NULL && convert_slot(target, option, slot) != 0)
            return -1;
    }
    return 0;
}

int config_convert(const struct config_report *report, const struct config_section *top,
                   struct config *config)
{
    struct target target = {report, "", config};

    return convert_section(&target, "", top);
}
