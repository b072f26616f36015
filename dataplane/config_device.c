/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_device.h"

#include "config_report.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VDEV_PREFIX "vdev:"
#define DIGITS "0123456789"
#define MAX_ARGUMENTS 32 /* RTE_KVARGS_MAX */

static const char *const pcap_arguments[] = {
    "rx_pcap", "tx_pcap", "rx_iface", "rx_iface_in", "tx_iface", "iface", "phy_mac", "infinite_rx",
};

struct parse {
    struct config_device *device;
    char *reason;
    size_t size;
};

static int fail(const struct parse *parse, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(const struct parse *parse, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(parse->reason, parse->size, format, arguments);
    va_end(arguments);
    return -1;
}

/* One hexadecimal field of a PCI address; moves on past it. */
static bool read_hex(const char **text, size_t most_digits, unsigned long most,
                     unsigned long *value)
{
    size_t digits = strspn(*text, "0123456789abcdefABCDEF");

    if (digits == 0 || digits > most_digits)
        return false;
    *value = strtoul(*text, NULL, 16);
    *text += digits;
    return *value <= most;
}

static bool read_character(const char **text, char character)
{
    if (**text != character)
        return false;
    (*text)++;
    return true;
}

/* [domain:]bus:device.function */
static bool parse_pci(const char *text, struct config_device *device)
{
    unsigned long domain = 0;
    unsigned long bus;
    unsigned long slot;
    unsigned long function;
    const char *first_colon = strchr(text, ':');

    if (first_colon != NULL && strchr(first_colon + 1, ':') != NULL &&
        (!read_hex(&text, 8, UINT32_MAX, &domain) || !read_character(&text, ':')))
        return false;
    if (!read_hex(&text, 2, 0xff, &bus) || !read_character(&text, ':') ||
        !read_hex(&text, 2, 0x1f, &slot) || !read_character(&text, '.') ||
        !read_hex(&text, 1, 7, &function) || (*text != '\0' && *text != ','))
        return false;
    device->arguments = *text == ',' ? text + 1 : text;
    snprintf(device->name, sizeof(device->name), "%.4lx:%.2lx:%.2lx.%lx", domain, bus, slot,
             function);
    return true;
}

static int parse_vdev(const struct parse *parse, const char *text)
{
    struct config_device *device = parse->device;
    size_t length = strcspn(text, ",");

    if (length == 0)
        return fail(parse, "vdev: names no driver: vdev:net_pcap0,rx_pcap=feed.pcap would");
    if (length >= sizeof(device->name))
        return fail(parse, "a device name of %zu characters; DPDK takes at most %zu", length,
                    sizeof(device->name) - 1);
    device->virtual = true;
    snprintf(device->name, sizeof(device->name), "%.*s", (int)length, text);
    device->arguments = text[length] == ',' ? text + length + 1 : text + length;
    if (strncmp(device->name, "net_", 4) != 0 ||
        device->name[strspn(device->name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
        return fail(parse, "'%s' is no DPDK network driver: their names begin with net_",
                    device->name);
    if (!isdigit((unsigned char)device->name[length - 1]))
        return fail(parse, "'%s' lacks a unit number, such as %s0", device->name, device->name);
    return 0;
}

static bool known_to_pcap(const char *key)
{
    for (size_t i = 0; i < sizeof(pcap_arguments) / sizeof(pcap_arguments[0]); i++) {
        if (strcmp(key, pcap_arguments[i]) == 0)
            return true;
    }
    return false;
}

/* As the driver reads it: given twice it does not count. */
struct infinite {
    unsigned given;
    bool value;
};

static int parse_pcap_argument(const struct parse *parse, const char *key, const char *value,
                               struct infinite *infinite)
{
    if (!known_to_pcap(key))
        return fail(parse, "net_pcap takes no argument '%s'", config_quote(key).text);
    if (value == NULL || *value == '\0')
        return fail(parse, "net_pcap's argument %s has no value", key);
    if (strcmp(key, "rx_pcap") == 0)
        parse->device->captures++;
    if (strcmp(key, "infinite_rx") == 0) {
        infinite->given++;
        infinite->value = (int)strtol(value, NULL, 10) > 0;
    }
    return 0;
}

/* Where an argument ends: at a comma that no bracket encloses. */
static size_t argument_length(const char *text)
{
    size_t length;
    int depth = 0;

    for (length = 0; text[length] != '\0' && (depth > 0 || text[length] != ','); length++)
        depth += (text[length] == '[') - (text[length] == ']');
    return length;
}

static int parse_argument(const struct parse *parse, char *argument, struct infinite *infinite)
{
    char *value = strchr(argument, '=');

    if (value != NULL)
        *value++ = '\0';
    if (argument[0] == '\0' || strpbrk(argument, " \t\r\n") != NULL)
        return fail(parse, "'%s' is no driver argument: key=value is expected",
                    config_quote(argument).text);
    if (!parse->device->virtual || strncmp(parse->device->name, "net_pcap", 8) != 0)
        return 0;
    return parse_pcap_argument(parse, argument, value, infinite);
}

static int parse_arguments(const struct parse *parse)
{
    const char *text = parse->device->arguments;
    struct infinite infinite = {0};
    unsigned count = 0;
    int rc = 0;

    /* A comma promises an argument. */
    if (*text == '\0')
        return text[-1] == ',' ? fail(parse, "nothing follows the last comma") : 0;
    for (;;) {
        size_t length = argument_length(text);
        char *argument = strndup(text, length);

        if (argument == NULL)
            return fail(parse, "out of memory");
        rc = parse_argument(parse, argument, &infinite);
        free(argument);
        if (rc != 0)
            return rc;
        if (++count > MAX_ARGUMENTS)
            return fail(parse, "more than %d driver arguments", MAX_ARGUMENTS);
        if (text[length] == '\0')
            break;
        text += length + 1;
    }
    parse->device->infinite = parse->device->captures > 0 && infinite.given == 1 && infinite.value;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): fail() writes the reason */
int config_device_parse(const char *text, struct config_device *device, char *reason, size_t size)
{
    struct parse parse = {.device = device, .reason = reason, .size = size};

    memset(device, 0, sizeof(*device));
    if (*text == '\0')
        return fail(&parse, "no device is named");
    if (strncmp(text, VDEV_PREFIX, strlen(VDEV_PREFIX)) == 0) {
        if (parse_vdev(&parse, text + strlen(VDEV_PREFIX)) != 0)
            return -1;
    } else if (!parse_pci(text, device)) {
        return fail(&parse,
                    "'%s' is neither a PCI address such as 0000:01:00.0 nor vdev: and a driver, "
                    "such as vdev:net_pcap0,rx_pcap=feed.pcap",
                    config_quote(text).text);
    }
    return parse_arguments(&parse);
}

bool config_device_has_network(const char *driver)
{
    static const char *const without[] = {"net_pcap", "net_ring", "net_null"};

    for (size_t i = 0; driver != NULL && i < sizeof(without) / sizeof(without[0]); i++) {
        size_t length = strlen(without[i]);

        /* A unit number may follow; net_ringer would be another driver. */
        if (strncmp(driver, without[i], length) == 0 &&
            strspn(driver + length, DIGITS) == strlen(driver + length))
            return false;
    }
    return true;
}
