/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

#define BOTH (BENCH_THROUGHPUT | BENCH_LATENCY)
#define ALL (BOTH | BENCH_INSTRUCTIONS)
#define HELP_COLUMN 21

static int take_mode(struct bench_options *options, const char *value);
static int take_checksums(struct bench_options *options, const char *value);

/* An option takes a number into `offset`, or a word by `take`, or is a switch at `offset`. */
struct option_row {
    const char *name;
    const char *argument; /* NULL: a switch */
    unsigned commands;
    const char *help;
    unsigned minimum, maximum;
    size_t offset;
    int (*take)(struct bench_options *options, const char *value);
};

#define FIELD(name) offsetof(struct bench_options, name)

static const struct option_row rows[] = {
    {"sockets", "N", BOTH, "sockets, each with a group of its own (1)", 1, 10000, FIELD(sockets),
     NULL},
    {"payload", "BYTES", ALL, "payload of a datagram (64)", 1, 1998, FIELD(payload), NULL},
    {"mode", "NAME", BENCH_THROUGHPUT, "how the client receives, see below (now)", 0, 0, 0,
     take_mode},
    {"slices", "N", BOTH, "pairs of slices, one of wirerx and one of the floor (30)", 1, 100000,
     FIELD(slices), NULL},
    {"slice-ms", "MS", BOTH, "length of a slice in milliseconds (200)", 1, 60000, FIELD(slice_ms),
     NULL},
    {"posted", "N", BENCH_THROUGHPUT | BENCH_INSTRUCTIONS,
     "receives posted ahead on each socket (64)", 1, 1024, FIELD(posted), NULL},
    {"ring-slots", "N", BOTH,
     "datagrams that wait in a socket (2048 over the sockets, at least 64)", 64, 65536,
     FIELD(ring_slots), NULL},
    {"rate", "PPS", BENCH_LATENCY, "datagrams a second (100000, or a tenth of the capacity)", 1,
     10000000, FIELD(rate), NULL},
    {"checksums", "WORD", ALL, "UDP checksums in software: verify or ignore (ignore)", 0, 0, 0,
     take_checksums},
    {"datagrams", "N", BENCH_INSTRUCTIONS, "in each mode, in whole passes of 32 (10000)", 32,
     10000000, FIELD(datagrams), NULL},
    {"core", "CPU", ALL, "of the dataplane (the last one)", 0, 8191, FIELD(lcore_cpu), NULL},
    {"client", "CPU", BOTH, "of the client thread (the last one but that)", 0, 8191,
     FIELD(client_cpu), NULL},
    {"json", NULL, ALL, "print the report as one JSON object", 0, 0, FIELD(json), NULL},
};
static const size_t rows_count = sizeof rows / sizeof rows[0];

static const struct {
    const char *name;
    enum bench_command command;
    const char *help;
} command_rows[] = {
    {"throughput", BENCH_THROUGHPUT, "datagrams a second, as fast as the source gives them"},
    {"latency", BENCH_LATENCY,
     "from the burst to the return of a spinning WSPRecv, at a stated pace"},
    {"instructions", BENCH_INSTRUCTIONS,
     "every mode on one thread, for perf/instructions.py to count"},
};
static const size_t command_count = sizeof command_rows / sizeof command_rows[0];

static int wrong(const char *format, const char *what, const char *rest)
{
    fputs("wirerx-bench: ", stderr);
    fprintf(stderr, format, what, rest);
    fputs(" (--help says more)\n", stderr);
    return -1;
}

const char *options_command_name(const struct bench_options *options)
{
    for (size_t i = 0; i < command_count; i++)
        if (command_rows[i].command == options->command)
            return command_rows[i].name;
    return "";
}

static void help(void)
{
    printf(
        "usage: wirerx-bench COMMAND [OPTION]...\n"
        "\n"
        "Sets the receive path beside the bare floor: the same device, buffers, burst and way\n"
        "home, but nothing between lcore and client than one ring of pointers. Both run on the\n"
        "same two threads in turn, a slice each, and every pair of slices gives one ratio.\n"
        "The source is memory (net_pcap with infinite_rx): a ceiling of the software, no device.\n"
        "\n");
    for (size_t i = 0; i < command_count; i++)
        printf("  %-*s%s\n", HELP_COLUMN, command_rows[i].name, command_rows[i].help);
    printf("\nOptions (default):\n");
    for (size_t i = 0; i < rows_count; i++) {
        char left[64];

        snprintf(left, sizeof left, "--%s %s", rows[i].name,
                 rows[i].argument != NULL ? rows[i].argument : "");
        printf("  %-*s%s%s\n", HELP_COLUMN, left, rows[i].help,
               rows[i].commands == BENCH_LATENCY        ? "; latency"
               : rows[i].commands == BENCH_INSTRUCTIONS ? "; instructions"
               : rows[i].commands & BENCH_LATENCY       ? ""
               : rows[i].commands & BENCH_INSTRUCTIONS  ? "; throughput, instructions"
                                                        : "; throughput");
    }
    printf("\nModes:\n");
    for (size_t i = 0; i < sides_count; i++)
        printf("  %-*s%s\n", HELP_COLUMN, sides[i]->name, sides[i]->help);
    printf("\n"
           "Exit status: 0, 1 the run failed or lost packet buffers, 2 it could not begin.\n"
           "Needs two CPUs, no root and no huge pages. Run it on a quiet machine: the report says\n"
           "when this one was too noisy to conclude.\n");
}

static int take_mode(struct bench_options *options, const char *value)
{
    for (size_t i = 0; i < sides_count; i++)
        if (strcmp(sides[i]->name, value) == 0) {
            options->mode = sides[i];
            return 0;
        }
    return wrong("--mode %s: no such mode%s", value, "");
}

static int take_checksums(struct bench_options *options, const char *value)
{
    options->verify_checksums = strcmp(value, "verify") == 0;
    if (options->verify_checksums || strcmp(value, "ignore") == 0)
        return 0;
    return wrong("--checksums %s: neither verify nor ignore%s", value, "");
}

static int take_number(struct bench_options *options, const struct option_row *row,
                       const char *value)
{
    char range[64];
    char *end = NULL;

    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || number < row->minimum ||
        number > row->maximum) {
        fprintf(stderr, "wirerx-bench: --%s ", row->name);
        for (const char *c = value; *c != '\0'; c++) /* one line, whatever it is */
            fputc(isprint((unsigned char)*c) ? *c : '?', stderr);
        snprintf(range, sizeof range, "%u to %u", row->minimum, row->maximum);
        fprintf(stderr, ": not a whole number from %s\n", range);
        return -1;
    }
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
static int take(struct bench_options *options, int argc, char **argv, int *at, bool *seen)
{
    const char *word = argv[*at] + 2;
    const char *value = strchr(word, '=');
    size_t length = value != NULL ? (size_t)(value - word) : strlen(word);
    const struct option_row *row = row_of(word, length);

    if (row == NULL)
        return wrong("%s: no such option%s", argv[*at], "");
    if (!(row->commands & options->command))
        return wrong("--%s: not an option of %s", row->name, options_command_name(options));
    if (seen[row - rows])
        return wrong("--%s is given twice%s", row->name, "");
    seen[row - rows] = true;
    if (row->argument == NULL) {
        if (value != NULL)
            return wrong("--%s takes no value%s", row->name, "");
        options->json = true;
        return 0;
    }
    if (value != NULL)
        value++;
    else if (*at + 1 < argc)
        value = argv[++*at];
    else
        return wrong("--%s needs a value%s", row->name, "");
    return row->take != NULL ? row->take(options, value) : take_number(options, row, value);
}

enum options_result options_parse(int argc, char **argv, struct bench_options *options)
{
    bool seen[sizeof rows / sizeof rows[0]] = {false};

    *options = (struct bench_options){
        .sockets = 1,
        .payload = 64,
        .mode = &side_now,
        .slices = 30,
        .slice_ms = 200,
        .posted = 64,
        .datagrams = 10000,
        .lcore_cpu = -1,
        .client_cpu = -1,
    };
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            argc = 1;
    if (argc < 2) {
        help();
        return OPTIONS_HELP;
    }
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(command_rows[i].name, argv[1]) == 0)
            options->command = command_rows[i].command;
    options->by_hand = options->command == BENCH_INSTRUCTIONS;
    if (options->command == 0) {
        wrong("%s: no such command%s", argv[1], "");
        return OPTIONS_WRONG;
    }
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            wrong("%s: unexpected%s", argv[i], "");
            return OPTIONS_WRONG;
        }
        if (take(options, argc, argv, &i, seen) != 0)
            return OPTIONS_WRONG;
    }
    if ((options->ring_slots & (options->ring_slots - 1)) != 0) {
        wrong("--ring-slots: not a power of two%s%s", "", "");
        return OPTIONS_WRONG;
    }
    unsigned most = options->mode->most_outstanding;
    if (most != 0 && options->sockets * options->posted > most) {
        fprintf(stderr,
                "wirerx-bench: --posted: %u on each of %u sockets are more than the %u that one "
                "thread's completion routines may be\n",
                options->posted, options->sockets, most);
        return OPTIONS_WRONG;
    }
    return OPTIONS_OK;
}
