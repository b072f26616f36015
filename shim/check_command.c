/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "manual.h"
#include "options.h"
#include "wirerx.h"

static int check_run(int argc, char **argv)
{
    struct command_error wrong;
    struct wirerx_error refused = {{0}};
    int operand = 0;

    switch (options_parse(&command_check, argc, argv, NULL, &operand, &wrong)) {
    case OPTIONS_HELP:
        manual_command(&command_check);
        return STATUS_OK;
    case OPTIONS_WRONG:
        return options_refuse(&command_check, &wrong);
    case OPTIONS_OK:
        break;
    }
    if (argc - operand != 1) {
        command_error(&wrong, "give one configuration file");
        return options_refuse(&command_check, &wrong);
    }
    if (wirerx_check(argv[operand], &refused) != 0) {
        fprintf(stderr, "%s\n", refused.text);
        return STATUS_REFUSED;
    }
    printf("%s: good\n", argv[operand]);
    return STATUS_OK;
}

static void describe_configuration(bool as_man_page)
{
    if (!as_man_page)
        puts("\nWhat a configuration may hold; configs/ has commented examples:\n");
    wirerx_describe_configuration(stdout, as_man_page);
}

static const char *const description[] = {
    "Reads a configuration as `wirerx recv --config` would and refuses unknown keys, wrong types "
    "and impossible values with file, line and reason. Starts nothing.",
    NULL,
};

const struct command_row command_check = {
    .name = "check",
    .synopsis = "FILE.yaml",
    .summary = "validate a configuration without starting anything",
    .description = description,
    .run = check_run,
    .describe_more = describe_configuration,
};
