/* SPDX-License-Identifier: BSD-3-Clause */
#include "wall_clock.h"

#include <rte_cycles.h>
#include <time.h>

#define READS 4u

/* Of the process, through all starts and stops: the counter goes on. */
static struct clock_line tsc_line;

static int64_t realtime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int wall_clock_look(wall_clock_read *read, void *argument, struct clock_look *look)
{
    bool any = false;

    while (!any) /* again, if the clock was set back each time */
        for (unsigned i = 0; i < READS; i++) {
            uint64_t ticks;
            int64_t before = realtime();
            int result = read(argument, &ticks);
            int64_t after = realtime();

            if (result != 0)
                return result;
            uint64_t half = (uint64_t)(after - before) / 2 + 1;
            if (after < before || (any && half >= look->error_ns))
                continue;
            *look = (struct clock_look){ticks, before + (after - before) / 2, half};
            any = true;
        }
    return 0;
}

int wall_clock_begin(struct clock_line *line, wall_clock_read *read, void *argument)
{
    const struct timespec span = {.tv_nsec = CLOCK_LINE_LEAST_SPAN};
    struct clock_look look;
    int64_t wall_ns;
    uint64_t error_ns;

    for (;;) {
        int result = wall_clock_look(read, argument, &look);

        if (result != 0)
            return result;
        clock_line_add(line, &look);
        if (clock_line_tell(line, look.ticks, &wall_ns, &error_ns))
            return 0;
        nanosleep(&span, NULL);
    }
}

static int read_tsc(void *unused, uint64_t *ticks)
{
    (void)unused;
    *ticks = rte_rdtsc_precise();
    return 0;
}

void wall_clock_begin_tsc(void)
{
    wall_clock_begin(&tsc_line, read_tsc, NULL);
}

void wall_clock_look_at_tsc(void)
{
    struct clock_look look;

    if (wall_clock_look(read_tsc, NULL, &look) == 0)
        clock_line_add(&tsc_line, &look);
}

bool wall_clock_tell(uint64_t tsc, int64_t *wall_ns, uint64_t *error_ns)
{
    return clock_line_tell(&tsc_line, tsc, wall_ns, error_ns);
}
