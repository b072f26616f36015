/* SPDX-License-Identifier: BSD-3-Clause */

/* Every option: how its value is read, and what --help and the manual page say of it. */

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <rte_ether.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/config_device.h"
#include "manual.h"
#include "options.h"
#include "shim/generated.h"

#define MAX_RATE 1e9

/* --- values ---------------------------------------------------------------------------------------- */

static bool whole(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < minimum ||
        number > maximum)
        return false;
    *value = number;
    return true;
}

static int take_whole(const char *name, const char *text, uint64_t minimum, uint64_t maximum,
                      uint64_t *value)
{
    if (whole(text, minimum, maximum, value))
        return 0;
    return gen_refuse("--%s %s: not a whole number from %llu to %llu", name, text,
                      (unsigned long long)minimum, (unsigned long long)maximum);
}

static int take_device(struct gen_options *options, const char *name, const char *text)
{
    struct config_device device;
    char reason[256];

    if (config_device_parse(text, &device, reason, sizeof reason) != 0)
        return gen_refuse("--%s %s: %s", name, text, reason);
    options->devices[strcmp(name, "device-b") == 0] = text;
    return 0;
}

static int take_pattern(struct gen_options *options, const char *name, const char *text)
{
    for (enum gen_pattern pattern = GEN_RATE; pattern <= GEN_FEED; pattern++)
        if (strcmp(gen_pattern_name(pattern), text) == 0) {
            options->pattern = pattern;
            return 0;
        }
    return gen_refuse("--%s %s: neither rate nor burst nor feed", name, text);
}

static int take_rates(struct gen_options *options, const char *name, const char *text)
{
    const char *at = text;

    options->steps = 0;
    for (;;) {
        char *end;
        double rate = strtod(at, &end);

        if (!isdigit((unsigned char)at[0]) || !isfinite(rate) || rate > MAX_RATE ||
            (rate != 0 && rate < 0.001) || (*end != ',' && *end != '\0'))
            return gen_refuse(
                "--%s %s: not frames a second, 0 or 0.001 to %.0f, with commas between "
                "steps",
                name, text, MAX_RATE);
        if (options->steps == GEN_MAX_STEPS)
            return gen_refuse("--%s: more than %u steps", name, GEN_MAX_STEPS);
        options->rates[options->steps++] = rate;
        if (*end == '\0')
            return 0;
        at = end + 1;
    }
}

/* `less`: what a size on the command line has more than a payload. */
static int take_size_list(struct gen_options *options, const char *name, const char *text,
                          unsigned less)
{
    char copy[256], *rest = copy, *word;
    uint64_t size = 0, weight;

    if (options->sizes_given)
        return gen_refuse("--%s: --frame and --payload exclude each other", name);
    options->sizes_given = true;
    options->sizes_count = 0;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return gen_refuse("--%s: the list is too long", name);
    while ((word = strsep(&rest, ",")) != NULL) {
        char *colon = strchr(word, ':');

        if (colon != NULL)
            *colon++ = '\0';
        weight = 1;
        if (!whole(word, GENERATED_SHORT_BYTES + less, GEN_MAX_PAYLOAD + less, &size) ||
            (colon != NULL && !whole(colon, 1, 1000, &weight)))
            return gen_refuse(
                "--%s %s: not sizes from %u to %u bytes, each with `:WEIGHT` (1 to 1000) "
                "or without, with commas between them",
                name, text, GENERATED_SHORT_BYTES + less, GEN_MAX_PAYLOAD + less);
        if (options->sizes_count == GEN_MAX_SIZES)
            return gen_refuse("--%s: more than %u sizes", name, GEN_MAX_SIZES);
        options->sizes[options->sizes_count++] =
            (struct gen_size){(unsigned)size - less, (unsigned)weight};
    }
    return 0;
}

static int take_frame(struct gen_options *options, const char *name, const char *text)
{
    return take_size_list(options, name, text, GEN_HEADER_BYTES + GEN_FCS_BYTES);
}

static int take_payload(struct gen_options *options, const char *name, const char *text)
{
    return take_size_list(options, name, text, 0);
}

static int take_address(const char *name, const char *text, uint32_t *address, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    char copy[INET_ADDRSTRLEN];
    struct in_addr parsed;
    uint64_t number = 0;

    if (length >= sizeof copy || colon == NULL || !whole(colon + 1, 1, UINT16_MAX, &number))
        return gen_refuse("--%s %s: not ADDRESS:PORT, such as 239.200.0.1:5000", name, text);
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET, copy, &parsed) != 1)
        return gen_refuse("--%s %s: no IPv4 address stands before the colon", name, text);
    *address = ntohl(parsed.s_addr);
    *port = (uint16_t)number;
    return 0;
}

static int take_to(struct gen_options *options, const char *name, const char *text)
{
    unsigned line = strcmp(name, "to-b") == 0;

    options->to_given[line] = true;
    return take_address(name, text, &options->to[line], &options->port[line]);
}

static int take_source(struct gen_options *options, const char *name, const char *text)
{
    return take_address(name, text, &options->source, &options->source_port);
}

static int take_mac(struct gen_options *options, const char *name, const char *text)
{
    struct rte_ether_addr address;

    if (rte_ether_unformat_addr(text, &address) != 0)
        return gen_refuse("--%s %s: not a MAC address, such as 02:00:00:00:00:01", name, text);
    memcpy(options->mac, address.addr_bytes, sizeof options->mac);
    options->mac_given = true;
    return 0;
}

static int take_memory(struct gen_options *options, const char *name, const char *text)
{
    options->memory = text;
    if (strcmp(text, "no-huge") == 0 || strcmp(text, "in-memory") == 0 || strcmp(text, "huge") == 0)
        return 0;
    return gen_refuse("--%s %s: neither no-huge nor in-memory nor huge", name, text);
}

static int take_number(struct gen_options *options, const char *name, const char *text)
{
    const struct {
        const char *name;
        uint64_t minimum, maximum;
        unsigned *field;
        bool *given;
    } rows[] = {
        {"burst", 1, 1000000, &options->burst, &options->burst_given},
        {"every", 1, 60000000, &options->every_us, &options->every_given},
        {"streams", 1, GEN_MAX_STREAMS, &options->streams, NULL},
        {"lines", 1, GEN_LINES, &options->lines, NULL},
        {"skew", 0, 10000000, &options->skew_us, NULL},
        {"duration", 1, 86400000, &options->duration_ms, NULL},
        {"linger", 0, 60000, &options->linger_ms, NULL},
    };
    uint64_t value = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (take_whole(name, text, rows[i].minimum, rows[i].maximum, &value) != 0)
            return -1;
        *rows[i].field = (unsigned)value;
        if (rows[i].given != NULL)
            *rows[i].given = true;
        return 0;
    }
    return -1;
}

static int take_count(struct gen_options *options, const char *name, const char *text)
{
    return take_whole(name, text, 1, GENERATED_SEQUENCE_MASK, &options->count);
}

static int take_seed(struct gen_options *options, const char *name, const char *text)
{
    return take_whole(name, text, 0, UINT64_MAX, &options->seed);
}

static int take_core(struct gen_options *options, const char *name, const char *text)
{
    uint64_t core = 0;
    cpu_set_t allowed;

    if (take_whole(name, text, 0, CPU_SETSIZE - 1, &core) != 0)
        return -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && !CPU_ISSET(core, &allowed))
        return gen_refuse("--%s %s: this process may not run on such a core", name, text);
    options->core = (int)core;
    return 0;
}

static int take_switch(struct gen_options *options, const char *name, const char *text)
{
    (void)text;
    options->spin |= strcmp(name, "spin") == 0;
    options->plan |= strcmp(name, "plan") == 0;
    options->json |= strcmp(name, "json") == 0;
    return 0;
}

/* --- the table ------------------------------------------------------------------------------------- */

const struct gen_option_row gen_option_rows[GEN_OPTION_ROWS] = {
    {"device", "DEVICE",
     "Where frames go: `vdev:` and a DPDK device string, or a PCI address, as in wirerx's "
     "configurations. vdev:net_af_packet0,iface=veth0 sends into a Linux interface, "
     "vdev:net_pcap0,tx_pcap=FILE writes a capture.",
     take_device},
    {"device-b", "DEVICE", "Where line B goes. Without it both lines share --device.", take_device},
    {"pattern", "NAME",
     "`rate` (default): evenly spaced. `burst`: --burst frames back to back, every --every "
     "microseconds. `feed`: market data; bursts of --burst frames on average and now and then of very "
     "many, a burst mostly on one stream, the first streams much busier than the last.",
     take_pattern},
    {"rate", "PPS[,PPS...]",
     "Frames a second on each line (1000). Several make steps of --duration or --count each. 0: as fast "
     "as the device takes them.",
     take_rates},
    {"burst", "N", "Frames of a burst (burst: 32, feed: 8 on average).", take_number},
    {"every", "US", "Microseconds from burst to burst (1000).", take_number},
    {"streams", "N",
     "Streams, each with sequence numbers of its own: consecutive groups, or for unicast consecutive "
     "ports (1).",
     take_number},
    {"to", "ADDRESS:PORT", "Where the first stream goes (239.200.0.1:5000).", take_to},
    {"to-b", "ADDRESS:PORT", "The same on line B (239.201.0.1 and the port of --to).", take_to},
    {"from", "ADDRESS:PORT", "The source; line B has the next port (198.18.0.1:40000).",
     take_source},
    {"mac", "MAC",
     "Destination MAC address. Unicast needs it, for groups it follows from the address.",
     take_mac},
    {"lines", "N", "2: every frame also goes out on line B, with the same sequence number (1).",
     take_number},
    {"skew", "US", "Line B is so many microseconds later (0).", take_number},
    {"frame", "SIZE[:WEIGHT],...",
     "Frame sizes as RFC 2544 counts them, with the 4 bytes of the checksum: 64 to 9018. Of several the "
     "seed picks by weight.",
     take_frame},
    {"payload", "SIZE[:WEIGHT],...", "The same by payload: 18 to 8972 bytes (64).", take_payload},
    {"count", "N", "Frames of each step on each line.", take_count},
    {"duration", "MS", "Milliseconds of each step (1000, unless --count is given).", take_number},
    {"seed", "N", "Another plan of the same kind (1).", take_seed},
    {"core", "CPU", "Run on this CPU alone.", take_core},
    {"memory", "KIND",
     "`no-huge` (default), `in-memory` (huge pages without files) or `huge`. A PCI device needs one of "
     "the latter.",
     take_memory},
    {"linger", "MS", "Wait so long for the device to send the last frames (50).", take_number},
    {"spin", NULL, "Never sleep between frames: more exact, and takes a whole CPU.", take_switch},
    {"plan", NULL, "Send nothing: print what would be sent when, a frame a line.", take_switch},
    {"json", NULL, "Print the report as one JSON object.", take_switch},
};
