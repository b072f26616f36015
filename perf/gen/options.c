/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manual.h"

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
    for (size_t i = 0; i < GEN_OPTION_ROWS; i++)
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
    bool seen[GEN_OPTION_ROWS] = {false};

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
