/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_LIVE_LINE_H
#define WIRERX_LIVE_LINE_H

/**
 * @file
 * One line on the standard error that is written over and over while a run lasts, on a terminal
 * only.
 */

#include <stdbool.h>
#include <stdint.h>

struct live_line {
    bool on;
    bool shown;
    uint64_t last_ns;
    uint64_t last_datagrams;
};

void live_line_init(struct live_line *line, uint64_t now_ns);

/** Is it time for another one? */
bool live_line_due(const struct live_line *line, uint64_t now_ns);

/** @param done  the part of a replay that has been released, or negative: no replay */
void live_line_show(struct live_line *line, uint64_t now_ns, uint64_t datagrams, uint64_t dropped,
                    double done);

/** Take it away. */
void live_line_end(struct live_line *line);

#endif
