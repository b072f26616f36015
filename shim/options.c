/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** getopt_long() gives a row's index back, from here up. */
#define FIRST_ROW 256
#define MAX_ROWS 64

int command_error(struct command_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    for (char *c = error->text; *c != '\0'; c++) /* one line, whatever a file is called */
        if (iscntrl((unsigned char)*c))
            *c = '?';
    return -1;
}

static int take(const struct option_row *row, bool seen, const char *value, void *target,
                struct command_error *error)
{
    if (seen && !row->repeatable)
        return command_error(error, "--%s is given twice", row->name);
    return row->set(target, value, error);
}

static void unknown(const struct command_row *command, const char *word,
                    struct command_error *error)
{
    command_error(error, "%s: no such option, or not a full name (`wirerx %s --help` lists them)",
                  word, command->name);
}

enum options_result options_parse(const struct command_row *command, int argc, char **argv,
                                  void *target, int *first_operand, struct command_error *error)
{
    struct option rows[MAX_ROWS + 2] = {{0}};
    bool seen[MAX_ROWS] = {false};
    size_t count = command->option_count < MAX_ROWS ? command->option_count : MAX_ROWS;

    for (size_t i = 0; i < count; i++) {
        rows[i].name = command->options[i].name;
        rows[i].has_arg = command->options[i].argument ? required_argument : no_argument;
        rows[i].val = FIRST_ROW + (int)i;
    }
    rows[count] = (struct option){.name = "help", .val = 'h'};

    optind = 0; /* glibc: start afresh */
    opterr = 0;
    for (;;) {
        int word = optind > 0 ? optind : 1;
        int got = getopt_long(argc, argv, ":h", rows, NULL);
        if (got == -1)
            break;
        if (got == 'h')
            return OPTIONS_HELP;
        if (got == ':') {
            command_error(error, "%s needs a value", argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (got < FIRST_ROW) {
            unknown(command, argv[word], error);
            return OPTIONS_WRONG;
        }
        size_t row = (size_t)(got - FIRST_ROW);
        if (take(&command->options[row], seen[row], optarg, target, error) != 0)
            return OPTIONS_WRONG;
        seen[row] = true;
    }
    *first_operand = optind;
    return OPTIONS_OK;
}

int options_number(const char *option, const char *text, uint64_t minimum, uint64_t maximum,
                   uint64_t *value, struct command_error *error)
{
    char *end = NULL;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < minimum ||
        number > maximum)
        return command_error(error, "--%s %s: not a whole number from %llu to %llu", option, text,
                             (unsigned long long)minimum, (unsigned long long)maximum);
    *value = number;
    return 0;
}

int options_refuse(const struct command_row *command, const struct command_error *error)
{
    fprintf(stderr, "wirerx %s: %s\n", command->name, error->text);
    return STATUS_REFUSED;
}
