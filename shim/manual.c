/* SPDX-License-Identifier: BSD-3-Clause */
#include "manual.h"

#include <stdio.h>
#include <string.h>

#include "text_fill.h"

#define HELP_INDENT 24

static const char summary[] = "receive market data through WSPRecv over DPDK";

static const char *const introduction[] = {
    "wirerx takes Ethernet frames from a DPDK device, or from a capture file that stands in for "
    "one, and gives the UDP datagrams in them to sockets with the Winsock programming interface. "
    "This command is such a client: it joins multicast groups, receives, counts, and can write "
    "down what it received.",
    "A capture needs no configuration, no root and no huge pages.",
    NULL,
};

struct documented {
    const char *term;
    const char *text;
};

static const struct documented global_options[] = {
    {"--help", "This overview; after a command's name, that command's options."},
    {"--version", "The version."},
    {"--man", "The manual page, in the source form of man(1): wirerx --man | man -l -"},
};

static const struct documented statuses[] = {
    {"0", "Done. Ending by --count, --idle-exit, Ctrl-C or SIGTERM counts as done."},
    {"1", "It began and could not be finished: a replay stalled on a socket that does not read, "
          "the device went away, the output could not be written."},
    {"2", "It could not begin: the command line, a file or a configuration is wrong, or a core, "
          "memory or a device cannot be had. One line on the standard error says what, and nothing "
          "is left behind."},
};

static const struct documented examples[] = {
    {"wirerx recv --replay FILE.pcap", "What is in this capture?"},
    {"wirerx recv --replay FILE.pcap --join 239.1.1.1:5000",
     "Receive one group as fast as it can be read."},
    {"wirerx recv --replay FILE.pcap --join 239.1.1.1:5000 --pace 50000 --mode event",
     "Latency of overlapped receives at 50,000 frames a second."},
    {"wirerx recv --config lab.yaml --join 239.1.1.1:5000 --json",
     "Receive from a device until Ctrl-C; report in JSON."},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void print_term(const char *term, const char *text)
{
    size_t column = (size_t)printf("  %s", term);

    if (column + 1 > HELP_INDENT) {
        putchar('\n');
        column = 0;
    }
    text_fill(text, HELP_INDENT, column);
}

static void print_paragraphs(const char *const *paragraphs)
{
    for (; *paragraphs != NULL; paragraphs++) {
        text_fill(*paragraphs, 0, 0);
        putchar('\n');
    }
}

static void option_term(const struct option_row *row, char *term, size_t size)
{
    snprintf(term, size, "--%s%s%s", row->name, row->argument ? " " : "",
             row->argument ? row->argument : "");
}

void manual_overview(void)
{
    printf("wirerx: %s\n\n", summary);
    print_paragraphs(introduction);
    for (size_t i = 0; i < command_count; i++)
        print_term(commands[i]->name, commands[i]->summary);
    putchar('\n');
    for (size_t i = 0; i < ROWS(global_options); i++)
        print_term(global_options[i].term, global_options[i].text);
    puts("\nExamples:");
    for (size_t i = 0; i < ROWS(examples); i++)
        printf("\n  # %s\n  %s\n", examples[i].text, examples[i].term);
}

void manual_command(const struct command_row *command)
{
    char term[96];

    text_fill(command->synopsis, strlen("usage: wirerx ") + strlen(command->name) + 1,
              (size_t)printf("usage: wirerx %s ", command->name));
    putchar('\n');
    print_paragraphs(command->description);
    for (size_t i = 0; i < command->option_count; i++) {
        option_term(&command->options[i], term, sizeof term);
        print_term(term, command->options[i].help);
    }
    print_term("--help", "This text.");
    if (command->describe_more != NULL)
        command->describe_more(false);
    puts("\nExit status:");
    for (size_t i = 0; i < ROWS(statuses); i++)
        print_term(statuses[i].term, statuses[i].text);
}

/** Text as roff wants it: its escape character and hyphens that are to stay hyphens. */
static void roff_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            fputs("\\e", stdout);
        else if (*c == '-')
            fputs("\\-", stdout);
        else
            putchar(*c);
    }
}

static void roff_line(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    roff_text(text);
    putchar('\n');
}

static void roff_entry(const char *term, const char *text)
{
    fputs(".TP\n.B ", stdout);
    roff_line(term);
    roff_line(text);
}

static void roff_documented(const char *heading, const struct documented *rows, size_t count)
{
    printf(".SH %s\n", heading);
    for (size_t i = 0; i < count; i++)
        roff_entry(rows[i].term, rows[i].text);
}

static void roff_command(const struct command_row *command)
{
    printf(".SH \"WIRERX %s\"\n.B wirerx %s\n", command->name, command->name);
    roff_line(command->synopsis);
    for (const char *const *paragraph = command->description; *paragraph != NULL; paragraph++) {
        puts(".PP");
        roff_line(*paragraph);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option_row *row = &command->options[i];
        fputs(".TP\n.B \\-\\-", stdout);
        roff_text(row->name);
        if (row->argument != NULL) {
            fputs(" \\fI", stdout);
            roff_text(row->argument);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        roff_line(row->help);
    }
    if (command->describe_more != NULL)
        command->describe_more(true);
}

void manual_page(void)
{
    printf(".TH WIRERX 1 \"\" \"wirerx %s\" \"User Commands\"\n", WIRERX_VERSION);
    fputs(".ad l\n.SH NAME\nwirerx \\- ", stdout);
    roff_line(summary);
    puts(".SH SYNOPSIS");
    for (size_t i = 0; i < command_count; i++) {
        printf("%s.B wirerx %s\n", i == 0 ? "" : ".br\n", commands[i]->name);
        roff_line(commands[i]->synopsis);
    }
    puts(".SH DESCRIPTION");
    for (const char *const *paragraph = introduction; *paragraph != NULL; paragraph++) {
        puts(".PP");
        roff_line(*paragraph);
    }
    roff_documented("OPTIONS", global_options, ROWS(global_options));
    for (size_t i = 0; i < command_count; i++)
        roff_command(commands[i]);
    roff_documented("EXIT STATUS", statuses, ROWS(statuses));
    puts(".SH EXAMPLES");
    for (size_t i = 0; i < ROWS(examples); i++) {
        puts(".PP");
        roff_line(examples[i].text);
        puts(".PP\n.in +4n\n.nf");
        roff_line(examples[i].term);
        puts(".fi\n.in");
    }
}
