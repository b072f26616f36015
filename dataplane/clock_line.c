/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock_line.h"

#include <math.h>

/** Of wall time and of errors: past some 290 years nothing is told. */
#define MAX_NS 9.2e18

/* The line at one moment. */
struct line {
    uint64_t ticks;
    int64_t wall_ns;
    uint64_t error_ns;
    double rate, rate_error;
};

/* Two's complement: a counter may be behind the line's, and may have gone round. */
static double ticks_since(uint64_t ticks, uint64_t before)
{
    return (double)(int64_t)(ticks - before);
}

static bool tell(const struct line *line, uint64_t ticks, int64_t *wall_ns, uint64_t *error_ns)
{
    double since = ticks_since(ticks, line->ticks) * line->rate;
    double error = (double)line->error_ns + line->rate + 1 +
                   fabs(since) * (line->rate_error + CLOCK_LINE_SLEW);

    if (!(fabs(since) < MAX_NS) || !(fabs((double)line->wall_ns + since) < MAX_NS) ||
        !(error < MAX_NS))
        return false;
    *wall_ns = line->wall_ns + (int64_t)since;
    *error_ns = (uint64_t)error;
    return true;
}

/* Of the thread that writes it: nobody else does. */
static struct line own_line(const struct clock_line *line)
{
    return (struct line){
        .ticks = atomic_load_explicit(&line->ticks, memory_order_relaxed),
        .wall_ns = atomic_load_explicit(&line->wall_ns, memory_order_relaxed),
        .error_ns = atomic_load_explicit(&line->error_ns, memory_order_relaxed),
        .rate = atomic_load_explicit(&line->rate, memory_order_relaxed),
        .rate_error = atomic_load_explicit(&line->rate_error, memory_order_relaxed),
    };
}

static bool is_known(const struct clock_line *line)
{
    return atomic_load_explicit(&line->known, memory_order_relaxed);
}

/* The sequence is odd in between, before any of the stores and until after all of them. */
static void publish(struct clock_line *line, const struct line *now, bool known)
{
    uint32_t sequence = atomic_load_explicit(&line->sequence, memory_order_relaxed);

    atomic_store_explicit(&line->sequence, sequence + 1, memory_order_relaxed);
    /* Release: whoever loads one of them (acquire) finds the odd sequence, or a later one. */
    atomic_store_explicit(&line->ticks, now->ticks, memory_order_release);
    atomic_store_explicit(&line->wall_ns, now->wall_ns, memory_order_release);
    atomic_store_explicit(&line->error_ns, now->error_ns, memory_order_release);
    atomic_store_explicit(&line->rate, now->rate, memory_order_release);
    atomic_store_explicit(&line->rate_error, now->rate_error, memory_order_release);
    atomic_store_explicit(&line->known, known, memory_order_release);
    atomic_store_explicit(&line->sequence, sequence + 2, memory_order_release);
}

void clock_line_reset(struct clock_line *line)
{
    const struct line none = {0};

    line->begun = false;
    publish(line, &none, false);
}

/* Measure the rate from the window's begin, if that tells more than is known, or for longer. */
static void measure(struct clock_line *line, const struct clock_look *look, struct line *now,
                    bool *known)
{
    double ticks = ticks_since(look->ticks, line->begin.ticks);
    double span = (double)(look->wall_ns - line->begin.wall_ns);
    double error = ((double)look->error_ns + (double)line->begin.error_ns + span / ticks) / span;

    if (span < CLOCK_LINE_LEAST_SPAN ||
        (*known && span < CLOCK_LINE_SPAN && error >= now->rate_error))
        return;
    now->rate = span / ticks;
    now->rate_error = error;
    *known = true;
    if (span >= CLOCK_LINE_SPAN)
        line->begin = *look;
}

enum clock_news clock_line_add(struct clock_line *line, const struct clock_look *look)
{
    enum clock_news news = CLOCK_TAKEN;
    struct line now = own_line(line);
    bool known = is_known(line);
    uint64_t error;
    int64_t told;

    if (!line->begun || (int64_t)(look->ticks - line->begin.ticks) <= 0) {
        clock_line_reset(line);
        line->begun = true;
        line->begin = *look;
        return CLOCK_FIRST;
    }
    if (known && tell(&now, look->ticks, &told, &error)) {
        double off = fabs((double)look->wall_ns - (double)told);

        if (off > (double)error + (double)look->error_ns)
            news = CLOCK_STEPPED;
        else if (look->error_ns > error)
            return CLOCK_NO_NEWS;
    }
    if (news == CLOCK_STEPPED) /* the rate stays, and is measured from here on */
        line->begin = *look;
    else
        measure(line, look, &now, &known);
    now.ticks = look->ticks;
    now.wall_ns = look->wall_ns;
    now.error_ns = look->error_ns;
    publish(line, &now, known);
    return news;
}

bool clock_line_tell(const struct clock_line *line, uint64_t ticks, int64_t *wall_ns,
                     uint64_t *error_ns)
{
    struct line now;
    uint32_t before;
    bool known;

    do {
        before = atomic_load_explicit(&line->sequence, memory_order_acquire);
        now.ticks = atomic_load_explicit(&line->ticks, memory_order_acquire);
        now.wall_ns = atomic_load_explicit(&line->wall_ns, memory_order_acquire);
        now.error_ns = atomic_load_explicit(&line->error_ns, memory_order_acquire);
        now.rate = atomic_load_explicit(&line->rate, memory_order_acquire);
        now.rate_error = atomic_load_explicit(&line->rate_error, memory_order_acquire);
        known = atomic_load_explicit(&line->known, memory_order_acquire);
    } while ((before & 1) != 0 ||
             before != atomic_load_explicit(&line->sequence, memory_order_relaxed));
    return known && tell(&now, ticks, wall_ns, error_ns);
}
