/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <rte_ether.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/config_device.h"
#include "manual.h"
#include "shim/generated.h"

#define MAX_RATE 1e9

static const char *const pattern_names[] = {
    [GEN_RATE] = "rate",
    [GEN_BURST] = "burst",
    [GEN_FEED] = "feed",
};

const char *gen_pattern_name(enum gen_pattern pattern)
{
    return pattern_names[pattern];
}

unsigned gen_largest_payload(const struct gen_options *options)
{
    unsigned largest = 0;

    for (unsigned i = 0; i < options->sizes_count; i++)
        if (options->sizes[i].payload > largest)
            largest = options->sizes[i].payload;
    return largest;
}

int gen_refuse(const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++) /* one line, whatever was given */
        if (iscntrl((unsigned char)*c))
            *c = '?';
    fprintf(stderr, "wirerx-gen: %s\n", text);
    return -1;
}

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
    for (unsigned i = 0; i < sizeof pattern_names / sizeof pattern_names[0]; i++)
        if (strcmp(pattern_names[i], text) == 0) {
            options->pattern = (enum gen_pattern)i;
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

const struct gen_option_row gen_option_rows[] = {
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
const size_t gen_option_count = sizeof gen_option_rows / sizeof gen_option_rows[0];

/* --- the whole ------------------------------------------------------------------------------------- */

static bool multicast(uint32_t address)
{
    return address >> 28 == 0xe;
}

static int check_destinations(struct gen_options *options)
{
    if (!options->to_given[1])
        options->port[1] = options->port[0];
    for (unsigned line = 0; line < options->lines; line++) {
        uint32_t last = options->to[line] + options->streams - 1;

        if (multicast(options->to[line])) {
            if (!multicast(last))
                return gen_refuse(
                    "--streams: %u groups from --to%s on leave the multicast addresses",
                    options->streams, line ? "-b" : "");
            continue;
        }
        if (!options->mac_given)
            return gen_refuse("--to%s is a unicast address, which needs --mac", line ? "-b" : "");
        if (options->port[line] + options->streams - 1 > UINT16_MAX)
            return gen_refuse("--streams: there are no %u ports from that of --to%s on",
                              options->streams, line ? "-b" : "");
    }
    if (options->lines == 1 &&
        (options->devices[1] != NULL || options->to_given[1] || options->skew_us != 0))
        return gen_refuse("--device-b, --to-b and --skew are for --lines 2");
    return 0;
}

static int check_pattern(struct gen_options *options)
{
    bool paceless = false;

    for (unsigned i = 0; i < options->steps; i++)
        paceless |= options->rates[i] == 0;
    if (options->pattern == GEN_RATE && (options->burst_given || options->every_given))
        return gen_refuse("--burst and --every are not for --pattern rate");
    if (options->pattern == GEN_BURST && options->steps != 0)
        return gen_refuse("--rate is not for --pattern burst, whose pace is --burst and --every");
    if (options->pattern == GEN_FEED && options->every_given)
        return gen_refuse("--every is not for --pattern feed, whose pace is --rate");
    if (options->pattern == GEN_FEED && paceless)
        return gen_refuse("--rate 0 is not for --pattern feed");
    if (paceless && options->skew_us != 0)
        return gen_refuse("--skew needs a pace: --rate 0 has none");
    if (paceless && options->plan)
        return gen_refuse("--plan needs a pace: --rate 0 has none");
    if (options->steps == 0) {
        options->steps = 1;
        options->rates[0] = 1000;
    }
    if (!options->burst_given)
        options->burst = options->pattern == GEN_FEED ? 8 : 32;
    if (options->pattern == GEN_BURST)
        options->rates[0] = options->burst * 1e6 / options->every_us;
    if (options->count == 0 && options->duration_ms == 0)
        options->duration_ms = 1000;
    return 0;
}

static int check(struct gen_options *options)
{
    if (check_destinations(options) != 0 || check_pattern(options) != 0)
        return -1;
    if (options->plan)
        return options->json ? gen_refuse("--plan has no JSON form") : 0;
    if (options->devices[0] == NULL)
        return gen_refuse("--device is missing (--help says more)");
    for (unsigned i = 0; i < GEN_LINES && options->devices[i] != NULL; i++)
        if (strncmp(options->devices[i], "vdev:", 5) != 0 &&
            strcmp(options->memory, "no-huge") == 0)
            return gen_refuse("--device %s: a PCI device needs --memory in-memory or huge",
                              options->devices[i]);
    return 0;
}

static const struct gen_option_row *row_of(const char *name, size_t length)
{
    for (size_t i = 0; i < gen_option_count; i++)
        if (strlen(gen_option_rows[i].name) == length &&
            memcmp(gen_option_rows[i].name, name, length) == 0)
            return &gen_option_rows[i];
    return NULL;
}

/* One option with its value, from argv[*at]; leaves *at on its last word. */
static int take(struct gen_options *options, int argc, char **argv, int *at, bool *seen)
{
    if (strncmp(argv[*at], "--", 2) != 0)
        return gen_refuse("%s: unexpected (--help says more)", argv[*at]);

    const char *word = argv[*at] + 2;
    const char *value = strchr(word, '=');
    size_t length = value != NULL ? (size_t)(value - word) : strlen(word);
    const struct gen_option_row *row = row_of(word, length);

    if (row == NULL)
        return gen_refuse("%s: no such option (--help says more)", argv[*at]);
    if (seen[row - gen_option_rows])
        return gen_refuse("--%s is given twice", row->name);
    seen[row - gen_option_rows] = true;
    if (row->argument == NULL)
        return value != NULL ? gen_refuse("--%s takes no value", row->name)
                             : row->take(options, row->name, NULL);
    if (value != NULL)
        value++;
    else if (*at + 1 < argc)
        value = argv[++*at];
    else
        return gen_refuse("--%s needs a value", row->name);
    return row->take(options, row->name, value);
}

enum gen_parsed gen_options_parse(int argc, char **argv, struct gen_options *options)
{
    bool seen[sizeof gen_option_rows / sizeof gen_option_rows[0]] = {false};

    *options = (struct gen_options){
        .every_us = 1000,
        .streams = 1,
        .to = {0xefc80001, 0xefc90001}, /* 239.200.0.1, 239.201.0.1 */
        .port = {5000, 5000},
        .source = 0xc6120001, /* 198.18.0.1, of the range that RFC 2544 has for tests */
        .source_port = 40000,
        .lines = 1,
        .sizes = {{64, 1}},
        .sizes_count = 1,
        .seed = 1,
        .core = -1,
        .linger_ms = 50,
        .memory = "no-huge",
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            gen_manual_help();
            return GEN_PRINTED;
        }
        if (strcmp(argv[i], "--man") == 0) {
            gen_manual_page();
            return GEN_PRINTED;
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("wirerx-gen " WIRERX_VERSION);
            return GEN_PRINTED;
        }
    }
    for (int i = 1; i < argc; i++)
        if (take(options, argc, argv, &i, seen) != 0)
            return GEN_WRONG;
    return check(options) == 0 ? GEN_PARSED : GEN_WRONG;
}
