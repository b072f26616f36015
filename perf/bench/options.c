/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "command.h"
#include "side.h"
#include "wait.h"

#define HELP_COLUMN 21

static int take_mode(struct bench_options *options, const char *value);
static int take_wait(struct bench_options *options, const char *value);
static int take_checksums(struct bench_options *options, const char *value);

/* An option takes a number into `offset`, or a word by `take`, or is a switch at `offset`. */
struct option_row {
    uint32_t option;
    const char *name;
    const char *argument; /* NULL: a switch */
    const char *help;
    unsigned minimum, maximum;
    size_t offset;
    int (*take)(struct bench_options *options, const char *value);
};

#define FIELD(name) offsetof(struct bench_options, name)

static const struct option_row rows[] = {
    {OPTION_SOCKETS, "sockets", "N", "sockets, each with a group of its own (1)", 1, 10000,
     FIELD(sockets), NULL},
    {OPTION_LCORES, "lcores", "N", "each with a device and a client of its own, two CPUs (1)", 1,
     BED_MAX_LANES, FIELD(lcores), NULL},
    {OPTION_PAYLOAD, "payload", "BYTES", "payload of a datagram (64)", 1, CAPTURE_PAYLOAD_MAX,
     FIELD(payload), NULL},
    {OPTION_MODE, "mode", "NAME", "how the client receives, see below (now)", 0, 0, 0, take_mode},
    {OPTION_SLICES, "slices", "N", "pairs of slices, one of wirerx and one of the floor (30)", 1,
     100000, FIELD(slices), NULL},
    {OPTION_SLICE_MS, "slice-ms", "MS", "length of a slice in milliseconds (200)", 1, 60000,
     FIELD(slice_ms), NULL},
    {OPTION_POSTED, "posted", "N", "receives posted ahead on each socket (64)", 1, 1024,
     FIELD(posted), NULL},
    {OPTION_RING_SLOTS, "ring-slots", "N",
     "datagrams that wait in a socket (2048 over the sockets, at least 8)", 1, 65536,
     FIELD(ring_slots), NULL},
    {OPTION_RATE, "rate", "PPS", "datagrams a second (100000, or a tenth of the capacity)", 1,
     10000000, FIELD(rate), NULL},
    {OPTION_LOAD, "load", "PERCENT", "datagrams a second as a part of the capacity, stated as such",
     1, 100, FIELD(load), NULL},
    {OPTION_WAIT, "wait", "NAME", "how the client waits, see below (spinning)", 0, 0, 0, take_wait},
    {OPTION_SPIN_US, "spin-us", "US", "that it polls before it sleeps (see below)", 0, 100000000,
     FIELD(spin_us), NULL},
    {OPTION_CHECKSUMS, "checksums", "WORD", "UDP checksums in software: verify or ignore (ignore)",
     0, 0, 0, take_checksums},
    {OPTION_DATAGRAMS, "datagrams", "N", "in each mode, in whole passes of 32 (10000)", 32,
     10000000, FIELD(datagrams), NULL},
    {OPTION_CORE, "core", "CPU", "of the dataplane (the last one)", 0, 8191, FIELD(lcore_cpu),
     NULL},
    {OPTION_CLIENT, "client", "CPU", "of the client thread (the last one but that)", 0, 8191,
     FIELD(client_cpu), NULL},
    {OPTION_SENDER, "sender", "CPU", "of the sender (wherever the scheduler puts it)", 0, 8191,
     FIELD(sender_cpu), NULL},
    {OPTION_SHARE_CPUS, "share-cpus", NULL, "too few CPUs will do: to try it out, not to measure",
     0, 0, FIELD(share_cpus), NULL},
    {OPTION_JSON, "json", NULL, "print the report as one JSON object", 0, 0, FIELD(json), NULL},
};
static const size_t rows_count = sizeof rows / sizeof rows[0];

int options_wrong(const char *format, ...)
{
    va_list arguments;
    char line[512];

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *c = line; *c != '\0'; c++) /* one line, whatever it is */
        if (!isprint((unsigned char)*c))
            *c = '?';
    fprintf(stderr, "wirerx-bench: %s (--help says more)\n", line);
    return -1;
}

/* Of all commands. */
static const struct bench_options common = {
    .sockets = 1,
    .lcores = 1,
    .payload = 64,
    .mode = &side_now,
    .wait = &wait_spinning,
    .spin_us = -1,
    .slices = 30,
    .slice_ms = 200,
    .posted = 64,
    .datagrams = 10000,
    .lcore_cpu = -1,
    .client_cpu = -1,
    .sender_cpu = -1,
};

/* --- help ---------------------------------------------------------------------------------------- */

/* " (throughput, latency)" unless every command takes it. */
static void print_takers(uint32_t option)
{
    size_t takers = 0, printed = 0;

    for (size_t i = 0; i < commands_count; i++)
        takers += (commands[i]->options & option) != 0;
    if (takers == commands_count)
        return;
    printf("\n  %-*s", HELP_COLUMN, "");
    for (size_t i = 0; i < commands_count; i++)
        if (commands[i]->options & option)
            printf("%s%s", printed++ == 0 ? "for " : ", ", commands[i]->name);
}

/* "; here 16" where this command has a default of its own. */
static void print_own_default(const struct command *command, const struct option_row *row)
{
    struct bench_options own = common;
    unsigned value, others;

    if (row->argument == NULL || row->take != NULL || command->defaults == NULL)
        return;
    command->defaults(&own);
    memcpy(&value, (const char *)&own + row->offset, sizeof value);
    memcpy(&others, (const char *)&common + row->offset, sizeof others);
    if (value != others)
        printf("; here %u", value);
}

/* Of one command, or NULL: of all. */
static void print_options(const struct command *command)
{
    printf("\nOptions (default):\n");
    for (size_t i = 0; i < rows_count; i++) {
        char left[64];

        if (command != NULL && !(command->options & rows[i].option))
            continue;
        snprintf(left, sizeof left, "--%s %s", rows[i].name,
                 rows[i].argument != NULL ? rows[i].argument : "");
        printf("  %-*s%s", HELP_COLUMN, left, rows[i].help);
        if (command == NULL)
            print_takers(rows[i].option);
        else
            print_own_default(command, &rows[i]);
        putchar('\n');
    }
}

static void help(const struct command *command)
{
    printf("usage: wirerx-bench %s [OPTION]...\n", command != NULL ? command->name : "COMMAND");
    printf(
        "\n"
        "Sets the receive path beside the bare floor: the same device, buffers, burst and way\n"
        "home, but nothing between lcore and client than one ring of pointers. Both run on the\n"
        "same two threads in turn, a slice each, and every pair of slices gives one ratio.\n"
        "The source is memory (net_pcap with infinite_rx): a ceiling of the software, no device.\n"
        "\n");
    for (size_t i = 0; i < commands_count; i++)
        if (command == NULL || command == commands[i])
            printf("  %-*s%s\n", HELP_COLUMN, commands[i]->name, commands[i]->help);
    print_options(command);
    if (command == NULL || command->options & OPTION_MODE) {
        printf("\nModes:\n");
        for (size_t i = 0; i < sides_count; i++)
            printf("  %-*s%s\n", HELP_COLUMN, sides[i]->name, sides[i]->help);
    }
    if (command == NULL || command->options & OPTION_WAIT) {
        printf("\nWays of waiting (--spin-us):\n");
        for (size_t i = 0; i < waits_count; i++)
            printf(waits[i]->spin_us < BED_SPIN_US ? "  %-*s%s (%u)\n" : "  %-*s%s (always)\n",
                   HELP_COLUMN, waits[i]->name, waits[i]->help, waits[i]->spin_us);
    }
    printf("\n"
           "A command may have defaults of its own: COMMAND --help has them.\n"
           "Exit status: 0, 1 the run failed or lost packet buffers, 2 it could not begin.\n"
           "Needs two CPUs, no root and no huge pages. Run it on a quiet machine: the report says\n"
           "when this one was too noisy to conclude.\n");
}

/* --- values -------------------------------------------------------------------------------------- */

static int take_mode(struct bench_options *options, const char *value)
{
    for (size_t i = 0; i < sides_count; i++)
        if (strcmp(sides[i]->name, value) == 0) {
            options->mode = sides[i];
            return 0;
        }
    return options_wrong("--mode %s: no such mode", value);
}

static int take_wait(struct bench_options *options, const char *value)
{
    for (size_t i = 0; i < waits_count; i++)
        if (strcmp(waits[i]->name, value) == 0) {
            options->wait = waits[i];
            return 0;
        }
    return options_wrong("--wait %s: no such way of waiting", value);
}

static int take_checksums(struct bench_options *options, const char *value)
{
    options->verify_checksums = strcmp(value, "verify") == 0;
    if (options->verify_checksums || strcmp(value, "ignore") == 0)
        return 0;
    return options_wrong("--checksums %s: neither verify nor ignore", value);
}

static int take_number(struct bench_options *options, const struct option_row *row,
                       const char *value)
{
    char *end = NULL;

    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || number < row->minimum ||
        number > row->maximum)
        return options_wrong("--%s %s: not a whole number from %u to %u", row->name, value,
                             row->minimum, row->maximum);
    unsigned small = (unsigned)number;
    memcpy((char *)options + row->offset, &small, sizeof small);
    return 0;
}

static const struct option_row *row_of(const char *name, size_t length)
{
    for (size_t i = 0; i < rows_count; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

/* One option with its value, from argv[*at]; leaves *at on its last word. */
static int take(struct bench_options *options, int argc, char **argv, int *at, uint32_t *seen)
{
    const char *word = argv[*at] + 2;
    const char *value = strchr(word, '=');
    size_t length = value != NULL ? (size_t)(value - word) : strlen(word);
    const struct option_row *row = row_of(word, length);

    if (row == NULL)
        return options_wrong("%s: no such option", argv[*at]);
    if (!(row->option & options->command->options))
        return options_wrong("--%s: not an option of %s", row->name, options->command->name);
    if (*seen & row->option)
        return options_wrong("--%s is given twice", row->name);
    *seen |= row->option;
    if (row->argument == NULL) {
        if (value != NULL)
            return options_wrong("--%s takes no value", row->name);
        memcpy((char *)options + row->offset, &(bool){true}, sizeof(bool));
        return 0;
    }
    if (value != NULL)
        value++;
    else if (*at + 1 < argc)
        value = argv[++*at];
    else
        return options_wrong("--%s needs a value", row->name);
    return row->take != NULL ? row->take(options, value) : take_number(options, row, value);
}

/* --- the line ------------------------------------------------------------------------------------ */

static const struct command *command_of(const char *name)
{
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return argc < 2;
}

static int take_all(struct bench_options *options, int argc, char **argv)
{
    uint32_t seen = 0;

    if (options->command == NULL)
        return options_wrong("%s: no such command", argv[1]);
    if (options->command->defaults != NULL)
        options->command->defaults(options);
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            return options_wrong("%s: unexpected", argv[i]);
        if (take(options, argc, argv, &i, &seen) != 0)
            return -1;
    }
    if ((options->ring_slots & (options->ring_slots - 1)) != 0)
        return options_wrong("--ring-slots: not a power of two");
    return options->command->check != NULL ? options->command->check(options) : 0;
}

enum options_result options_parse(int argc, char **argv, struct bench_options *options)
{
    *options = common;
    options->command = argc > 1 ? command_of(argv[1]) : NULL;
    if (asks_for_help(argc, argv)) {
        help(options->command);
        return OPTIONS_HELP;
    }
    return take_all(options, argc, argv) == 0 ? OPTIONS_OK : OPTIONS_WRONG;
}
