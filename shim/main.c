/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "manual.h"
#include "wirerx.h"

const struct command_row *const commands[] = {&command_recv, &command_check};
const size_t command_count = sizeof commands / sizeof commands[0];

static int print_help(void)
{
    manual_overview();
    return STATUS_OK;
}

static int print_version(void)
{
    printf("wirerx %s\n", wirerx_version());
    return STATUS_OK;
}

static int print_man(void)
{
    manual_page();
    return STATUS_OK;
}

static const struct {
    const char *name;
    int (*run)(void);
} words[] = {
    {"--help", print_help}, {"-h", print_help},           {"help", print_help},
    {"--man", print_man},   {"--version", print_version},
};

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        fputs("wirerx: name a command: `wirerx --help` lists them\n", stderr);
        return STATUS_REFUSED;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(argv[1], words[i].name) == 0)
            return words[i].run();
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(argc - 1, argv + 1);
    fprintf(stderr, "wirerx: %s: no such command: `wirerx --help` lists them\n", argv[1]);
    return STATUS_REFUSED;
}

int main(int argc, char **argv)
{
    int status = dispatch(argc, argv);

    /* A report that nobody could read is a failure, not a success. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("wirerx: standard output");
        return status == STATUS_OK ? STATUS_FAILED : status;
    }
    return status;
}
