/* SPDX-License-Identifier: BSD-3-Clause */
#include "live_line.h"

#include <stdio.h>
#include <unistd.h>

#include "report.h"

#define PERIOD_NS 250000000ull
#define ERASE "\r\033[K"

void live_line_init(struct live_line *line, uint64_t now_ns)
{
    *line = (struct live_line){.on = isatty(STDERR_FILENO) == 1, .last_ns = now_ns};
}

bool live_line_due(const struct live_line *line, uint64_t now_ns)
{
    return line->on && now_ns - line->last_ns >= PERIOD_NS;
}

void live_line_show(struct live_line *line, uint64_t now_ns, uint64_t datagrams, uint64_t dropped,
                    double done)
{
    char rate[REPORT_COUNT_SIZE], total[REPORT_COUNT_SIZE], drops[REPORT_COUNT_SIZE];
    char part[16] = "";
    double per_second =
        (double)(datagrams - line->last_datagrams) * 1e9 / (double)(now_ns - line->last_ns);

    if (done >= 0)
        snprintf(part, sizeof part, "  %3.0f %%", done * 100);
    fprintf(stderr, ERASE "%s datagrams/s  %s total  %s dropped%s",
            report_count(rate, (uint64_t)(per_second + 0.5)), report_count(total, datagrams),
            report_count(drops, dropped), part);
    fflush(stderr);
    line->shown = true;
    line->last_ns = now_ns;
    line->last_datagrams = datagrams;
}

void live_line_end(struct live_line *line)
{
    if (line->shown)
        fputs(ERASE, stderr);
    line->shown = false;
}
