/* SPDX-License-Identifier: BSD-3-Clause */
#include "manual.h"

#include <stdio.h>
#include <string.h>

#include "shim/text_fill.h"

#define INDENT 24u

static const char summary[] = "send market data with sequence numbers and time stamps over DPDK";

static const char *const introduction[] = {
    "Sends UDP datagrams from a DPDK device by a plan that the same options always repeat: at a "
    "steady rate or in steps of rates, in bursts, or as a multicast feed on lines A and B. Each "
    "carries its stream, its sequence number there and the time at which it was given to the device, "
    "so that the receiver can tell what was lost, doubled or reordered and how long it took. The "
    "report counts what was sent, stream by stream, and how late the frames were.",
    "Between frames that are far enough apart it sleeps, because the receiver may need the CPU; "
    "--spin is for machines that have one to spare.",
};

static const struct {
    const char *command;
    const char *text;
} examples[] = {
    {"wirerx-gen --device vdev:net_pcap0,tx_pcap=feed.pcap --pattern feed --streams 32 --lines 2 "
     "--skew 40 --rate 50000 --count 100000",
     "A feed on two lines, written to a capture."},
    {"wirerx-gen --device vdev:net_af_packet0,iface=veth0 --frame 64 --rate 1000,10000,100000",
     "Three steps of a second each into a Linux interface."},
    {"wirerx-gen --device 0000:01:00.0 --memory in-memory --pattern burst --burst 10000 --every "
     "500000 --count 100000 --spin --core 3",
     "Microbursts from a NIC."},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

void gen_manual_help(void)
{
    puts("usage: wirerx-gen --device DEVICE [OPTION]...\n"
         "       wirerx-gen --plan [OPTION]...\n");
    for (size_t i = 0; i < ROWS(introduction); i++) {
        text_fill(introduction[i], 0, 0);
        putchar('\n');
    }
    for (size_t i = 0; i < GEN_OPTION_ROWS; i++) {
        const struct gen_option_row *row = &gen_option_rows[i];
        size_t column = (size_t)printf("  --%s%s%s", row->name, row->argument ? " " : "",
                                       row->argument ? row->argument : "");

        if (column + 1 > INDENT) {
            putchar('\n');
            column = 0;
        }
        text_fill(row->help, INDENT, column);
    }
    puts(
        "  --help, --man, --version\n"
        "\n"
        "Exit status: 0, 1 it began and could not be finished, 2 it could not begin.\n"
        "Ctrl-C and SIGTERM end it with a report. It runs by itself: DPDK's environment is its own.");
    for (size_t i = 0; i < ROWS(examples); i++) {
        printf("\n  # %s\n", examples[i].text);
        printf("  %s\n", examples[i].command);
    }
}

/* Text as roff wants it: its escape character and hyphens that are to stay hyphens. */
static void roff(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c == '\\')
            fputs("\\e", stdout);
        else if (*c == '-')
            fputs("\\-", stdout);
        else
            putchar(*c);
    putchar('\n');
}

void gen_manual_page(void)
{
    printf(".TH WIRERX-GEN 1 \"\" \"wirerx %s\"\n.SH NAME\nwirerx-gen \\- ", WIRERX_VERSION);
    roff(summary);
    puts(".SH SYNOPSIS\n.B wirerx-gen\n\\-\\-device DEVICE [OPTION]...\n.br\n.B wirerx-gen\n"
         "\\-\\-plan [OPTION]...\n.SH DESCRIPTION");
    for (size_t i = 0; i < ROWS(introduction); i++) {
        puts(".PP");
        roff(introduction[i]);
    }
    puts(".SH OPTIONS");
    for (size_t i = 0; i < GEN_OPTION_ROWS; i++) {
        const struct gen_option_row *row = &gen_option_rows[i];

        printf(".TP\n\\fB\\-\\-");
        for (const char *c = row->name; *c != '\0'; c++)
            fputs(*c == '-' ? "\\-" : (char[]){*c, '\0'}, stdout);
        printf("\\fR %s\n", row->argument ? row->argument : "");
        roff(row->help);
    }
    puts(".SH EXIT STATUS\n0 done; 1 it began and could not be finished; 2 it could not begin.\n"
         ".SH EXAMPLES");
    for (size_t i = 0; i < ROWS(examples); i++) {
        puts(".PP");
        roff(examples[i].text);
        puts(".PP\n.nf");
        roff(examples[i].command);
        puts(".fi");
    }
    puts(".SH SEE ALSO\n.BR wirerx (1)");
}
