/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_address.h"
#include "config_cpus.h"
#include "config_device.h"
#include "config_impair.h"
#include "config_kernel.h"
#include "config_neighbour.h"
#include "config_options.h"
#include "config_route.h"
#include "config_size.h"
#include "config_value.h"

#include <inttypes.h>
#include <string.h>

/* An Ethernet header and two VLAN tags: what stands in a buffer beside the MTU's bytes. */
#define FRAME_OVERHEAD (14u + 2u * 4u)

#define REASON_SIZE 256

static int check_number(const struct config_report *report, const struct config_option *option,
                        const char *path, unsigned value)
{
    char text[16];

    if (value >= option->minimum && value <= option->maximum)
        return 0;
    snprintf(text, sizeof(text), "%u", value);
    return config_value_refuse_range(report, option, path, text, value > option->maximum);
}

static int check_choice(const struct config_report *report, const struct config_option *option,
                        const char *path, unsigned value)
{
    char values[CONFIG_VALUES_SIZE];
    unsigned choices = 0;

    while (option->choices[choices] != NULL)
        choices++;
    if (option->maximum != 0)
        choices++; /* a number is a choice as well */
    if (value < choices)
        return 0;
    config_option_values(option, values, sizeof(values));
    return config_refuse(report, path, "choice %u is no value; expected: %s", value, values);
}

/* What the option table says of the numbers and choices of one section. */
static int check_section(const struct config_report *report, const char *section,
                         const char *prefix, const void *values)
{
    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        char path[CONFIG_PATH_SIZE];
        int rc = 0;

        if (strcmp(option->section, section) != 0)
            continue;
        snprintf(path, sizeof(path), "%s%s", prefix, option->name);
        if (option->kind == CONFIG_KIND_NUMBER)
            rc = check_number(report, option, path, config_option_get(option, values));
        else if (option->kind == CONFIG_KIND_CHOICE)
            rc = check_choice(report, option, path, config_option_get(option, values));
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check_count(const struct config_report *report, const char *section, const char *name,
                       const char *path, unsigned count)
{
    const struct config_option *option = config_option_find(section, name);

    if (count <= option->most)
        return 0;
    return config_refuse(report, path, "%s: %u, at most %u are possible", option->too_many, count,
                         option->most);
}

static int check_cores(const struct config_report *report, const struct config *config)
{
    const struct config_option *option = config_option_find("", "cores");
    struct config_cpus_known known;

    if (config->cores_count == 0 || config->cores == NULL)
        return config_refuse(report, "cores", "no cores: at least one is needed, such as [2]");
    if (check_count(report, "", "cores", "cores", config->cores_count) != 0)
        return -1;
    config_cpus_read(&known);
    for (unsigned i = 0; i < config->cores_count; i++) {
        char path[CONFIG_PATH_SIZE];
        char reason[REASON_SIZE];

        snprintf(path, sizeof(path), "cores[%u]", i);
        if (check_number(report, option, path, config->cores[i]) != 0)
            return -1;
        if (config_cpus_usable(&known, config->cores[i], reason, sizeof(reason)) != 0)
            return config_refuse(report, path, "%s", reason);
        for (unsigned k = 0; k < i; k++) {
            if (config->cores[k] == config->cores[i])
                return config_refuse(report, path, "core %u is listed already, as cores[%u]",
                                     config->cores[i], k);
        }
    }
    return 0;
}

/* An address that an earlier port, or this port earlier, has already. */
static int check_repeated(const struct config_report *report, const struct config *config,
                          unsigned port, unsigned index, const char *path)
{
    const struct config_address *address = &config->ports[port].addresses[index];

    for (unsigned p = 0; p <= port; p++) {
        unsigned count = p == port ? index : config->ports[p].addresses_count;

        for (unsigned i = 0; i < count; i++) {
            if (config->ports[p].addresses[i].address == address->address)
                return config_refuse(report, path,
                                     "%s appears twice, first as "
                                     "ports[%u].addresses[%u]",
                                     config_address_text(address).text, p, i);
        }
    }
    return 0;
}

static int check_addresses(const struct config_report *report, const struct config *config,
                           unsigned index)
{
    const struct config_port *port = &config->ports[index];
    char path[CONFIG_PATH_SIZE];

    snprintf(path, sizeof(path), "ports[%u].addresses", index);
    if (check_count(report, "ports", "addresses", path, port->addresses_count) != 0)
        return -1;
    if (port->addresses_count != 0 && port->addresses == NULL)
        return config_refuse(report, path, "%u are announced but none given",
                             port->addresses_count);
    for (unsigned i = 0; i < port->addresses_count; i++) {
        const char *problem = config_address_problem(&port->addresses[i]);

        snprintf(path, sizeof(path), "ports[%u].addresses[%u]", index, i);
        if (problem != NULL)
            return config_refuse(report, path, "%s %s",
                                 config_address_text(&port->addresses[i]).text, problem);
        if (check_repeated(report, config, index, i, path) != 0)
            return -1;
    }
    return 0;
}

static int check_device(const struct config_report *report, const struct config *config,
                        unsigned index, struct config_device *device)
{
    const char *text = config->ports[index].device;
    char path[CONFIG_PATH_SIZE];
    char reason[REASON_SIZE];

    snprintf(path, sizeof(path), "ports[%u].device", index);
    if (config_device_parse(text == NULL ? "" : text, device, reason, sizeof(reason)) != 0)
        return config_refuse(report, path, "%s", reason);
    if (!device->virtual && config->memory == CONFIG_MEMORY_NO_HUGE)
        return config_refuse(report, path,
                             "%s is on PCI and needs huge pages: memory.pages must be in-memory or "
                             "huge",
                             device->name);
    for (unsigned i = 0; i < index; i++) {
        struct config_device other; /* that was accepted before */

        config_device_parse(config->ports[i].device, &other, reason, sizeof(reason));
        if (strcmp(other.name, device->name) == 0)
            return config_refuse(report, path, "%s is used already, by ports[%u]", device->name, i);
    }
    return 0;
}

/* Numbers that a net_pcap device's captures do not go with. */
static int check_captures(const struct config_report *report, const struct config *config,
                          const struct config_device *device, unsigned index)
{
    const struct config_port *port = &config->ports[index];
    unsigned most = config->buffer_bytes - FRAME_OVERHEAD;
    char path[CONFIG_PATH_SIZE];

    snprintf(path, sizeof(path), "ports[%u].queues", index);
    if (device->captures != 0 && port->queues != device->captures)
        return config_refuse(report, path,
                             "%u given, but the device has one for each rx_pcap=, so %u",
                             port->queues, device->captures);
    snprintf(path, sizeof(path), "ports[%u].mtu", index);
    if (device->infinite && port->mtu > most)
        return config_refuse(report, path,
                             "%u, but infinite_rx=1 takes only frames that fit one buffer: at most "
                             "%u (memory.buffer-bytes: %u)",
                             port->mtu, most, config->buffer_bytes);
    return 0;
}

static int check_pace(const struct config_report *report, const struct config_port *port,
                      const struct config_device *device, unsigned index)
{
    char path[CONFIG_PATH_SIZE];
    const struct config_option *option = config_option_find("ports", "pace");

    snprintf(path, sizeof(path), "ports[%u].pace", index);
    if (port->pace == CONFIG_PACE_LIVE) {
        if (!port->held)
            return 0;
        return config_refuse(report, path, "a held port is a replay: it needs a pace");
    }
    if (device->captures == 0)
        return config_refuse(report, path,
                             "only a capture has a pace, and this device reads none: net_pcap "
                             "with rx_pcap= does");
    if (device->infinite)
        return config_refuse(report, path,
                             "a capture that repeats for ever (infinite_rx=1) has no pace: leave "
                             "out one of them");
    /* Written so that a NaN is refused. */
    if (port->pace == CONFIG_PACE_RATE &&
        !(port->pace_rate >= option->minimum && port->pace_rate <= option->maximum))
        return config_refuse(report, path, "%g is out of range: %u to %u%s", port->pace_rate,
                             option->minimum, option->maximum, option->unit);
    return 0;
}

/* Of a port that has what the kernel's interface has: that there can be one, and that nothing says otherwise.
 * An mtu of the default cannot be told from none. */
static int check_from_kernel(const struct config_report *report, const struct config_port *port,
                             const struct config_device *device, unsigned index)
{
    const struct config_option *mtu = config_option_find("ports", "mtu");
    const struct {
        const char *name;
        bool given;
    } options[] = {
        {"addresses", port->addresses_count != 0},
        {"gateway", port->gateway != 0},
        {"routes", port->routes_count != 0},
        {"mtu", port->mtu != mtu->fallback},
    };
    char path[CONFIG_PATH_SIZE];

    if (port->address != CONFIG_ADDRESS_FROM_KERNEL)
        return 0;
    snprintf(path, sizeof(path), "ports[%u].address", index);
    if (device->virtual && strncmp(device->name, "net_af_", strlen("net_af_")) != 0)
        return config_refuse(report, path,
                             "from-kernel, but %s is no interface of the kernel: net_af_xdp, "
                             "net_af_packet and devices on PCI can be",
                             device->name);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        snprintf(path, sizeof(path), "ports[%u].%s", index, options[i].name);
        if (options[i].given)
            return config_refuse(
                report, path,
                "the kernel's interface says that (address: from-kernel): leave it "
                "out");
    }
    snprintf(path, sizeof(path), "ports[%u].kernel", index);
    if (port->kernel != NULL)
        return config_refuse(report, path,
                             "the kernel has an interface of this device already, whose addresses "
                             "the port has (address: from-kernel): leave out one of them");
    return 0;
}

static int check_port(const struct config_report *report, const struct config *config,
                      unsigned index)
{
    const struct config_port *port = &config->ports[index];
    struct config_device device;
    char prefix[CONFIG_PATH_SIZE];

    snprintf(prefix, sizeof(prefix), "ports[%u].", index);
    if (check_device(report, config, index, &device) != 0 ||
        check_from_kernel(report, port, &device, index) != 0 ||
        check_addresses(report, config, index) != 0 ||
        config_route_check(report, port, index) != 0 ||
        config_neighbour_check(report, port, index) != 0 ||
        check_section(report, "ports", prefix, port) != 0 ||
        config_kernel_check(report, config, index) != 0 ||
        config_impair_check(report, config, index) != 0 ||
        check_captures(report, config, &device, index) != 0)
        return -1;
    return check_pace(report, port, &device, index);
}

static int check_ports(const struct config_report *report, const struct config *config)
{
    if (config->ports_count == 0 || config->ports == NULL)
        return config_refuse(report, "ports", "no ports: at least one is needed");
    if (check_count(report, "", "ports", "ports", config->ports_count) != 0)
        return -1;
    for (unsigned i = 0; i < config->ports_count; i++) {
        if (check_port(report, config, i) != 0)
            return -1;
    }
    return 0;
}

static int check_sockets(const struct config_report *report, const struct config_sockets *sockets)
{
    unsigned slots = sockets->ring_slots;

    if ((slots & (slots - 1)) != 0) {
        unsigned below = 1u << (31 - __builtin_clz(slots));

        return config_refuse(report, "sockets.ring-slots",
                             "%u is no power of two, as %u and %u are", slots, below, 2 * below);
    }
    if (sockets->min_buffers > slots)
        return config_refuse(report, "sockets.min-buffers",
                             "%u is more than the %u that a ring holds (sockets.ring-slots)",
                             sockets->min_buffers, slots);
    return 0;
}

static int check_pool(const struct config_report *report, const struct config *config)
{
    struct config_needs needs = config_needs(config);

    if (needs.total > CONFIG_MAX_BUFFERS)
        return config_refuse(report, "sockets.min-buffers",
                             "%u for each of %u sockets: %" PRIu64 " buffers are needed in all, "
                             "and a pool holds at most %u",
                             config->sockets.min_buffers, config->sockets.maximum, needs.total,
                             CONFIG_MAX_BUFFERS);
    if (config->buffers != 0 && config->buffers < needs.total)
        return config_refuse(report, "memory.buffers",
                             "pool too small: %u given, %" PRIu64 " needed (%" PRIu64 " by "
                             "queues, %" PRIu64 " by the cores' caches, %" PRIu64 " by %u sockets "
                             "with %u each); 0 has it computed",
                             config->buffers, needs.total, needs.queues, needs.caches,
                             needs.sockets, config->sockets.maximum, config->sockets.min_buffers);
    return 0;
}

static int check_memory(const struct config_report *report, const struct config *config)
{
    const struct config_option *option = config_option_find("memory", "megabytes");
    uint64_t used = config_memory_mb_used(config);
    uint64_t computed = config_memory_mb_computed(config);

    if (config->memory_mb != 0 && config->memory_mb < used)
        return config_refuse(report, "memory.megabytes",
                             "too little memory: %u MiB given, and %u buffers and the rings of %u "
                             "sockets alone take %" PRIu64 "; 0 has it computed (%" PRIu64 ")",
                             config->memory_mb, config_buffers(config), config->sockets.maximum,
                             used, computed);
    if (config->memory_mb == 0 && computed > option->maximum)
        return config_refuse(report, "sockets",
                             "%u buffers and the rings of %u sockets take %" PRIu64 " MiB, and at "
                             "most %u are possible: fewer sockets or ring-slots",
                             config_buffers(config), config->sockets.maximum, computed,
                             option->maximum);
    return 0;
}

int config_check(const struct config *config, struct config_error *error,
                 unsigned (*where)(const void *map, const char *path), const void *map,
                 const char *name)
{
    struct config_report report = {.error = error, .name = name, .where = where, .map = map};

    if (check_cores(&report, config) != 0 ||
        check_section(&report, "memory", "memory.", config) != 0 ||
        check_section(&report, "sockets", "sockets.", config) != 0 ||
        check_ports(&report, config) != 0 || check_sockets(&report, &config->sockets) != 0 ||
        check_pool(&report, config) != 0)
        return -1;
    return check_memory(&report, config);
}
