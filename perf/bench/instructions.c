/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One thread alternates a pass of the lcore with the client's receives, in every mode in turn. It counts
 * nothing itself: perf/instructions.py runs it under valgrind's callgrind, which counts what
 * instructions_counted() and all that it calls execute, and writes one dump whenever it returns. The same
 * compiler gives the same figures on any machine, however busy.
 */

#include <jansson.h>
#include <stdio.h>

#include "client.h"
#include "command.h"
#include "dataplane/port.h"
#include "report.h"
#include "side.h"
#include "slices.h"

/** Passes before the counted ones: symbols are bound, rings are round once, caches of buffers are full. */
#define WARM_UP_PASSES 128u

/* Callgrind is told this name, so it must stay a function of its own. */
__attribute__((noinline)) uint64_t instructions_counted(struct bed *bed, const struct side *side,
                                                        unsigned passes);

uint64_t instructions_counted(struct bed *bed, const struct side *side, unsigned passes)
{
    uint64_t datagrams = 0;

    for (unsigned i = 0; i < passes; i++) {
        bed_pass(bed, side->step);
        datagrams += side->receive(bed, 0);
    }
    return datagrams;
}

/* The same uncounted. */
static uint64_t warm_up(struct bed *bed, const struct side *side)
{
    uint64_t datagrams = 0;

    for (unsigned i = 0; i < WARM_UP_PASSES; i++) {
        bed_pass(bed, side->step);
        datagrams += side->receive(bed, 0);
    }
    return datagrams;
}

/* @return datagrams of the counted passes */
static uint64_t count(struct bed *bed, const struct side *side)
{
    unsigned passes = (bed->options->datagrams + PORT_BURST - 1) / PORT_BURST;
    uint64_t before = side->delivered(bed), dropped = side->dropped(bed);

    if (side->begin != NULL)
        side->begin(bed);
    before += warm_up(bed, side);
    uint64_t datagrams = instructions_counted(bed, side, passes);
    slice_drain(bed, side, before + datagrams);
    if (side->dropped(bed) != dropped || datagrams != (uint64_t)passes * PORT_BURST)
        bed_fail("%s: %u passes delivered %llu datagrams", side->name, passes,
                 (unsigned long long)datagrams);
    return datagrams;
}

static int run_mode(struct bed *bed, const struct side *side, json_t *report)
{
    if (client_open(bed) != 0)
        return -1;
    uint64_t datagrams = count(bed, side);
    client_close();
    if (side->end != NULL)
        side->end(bed);
    client_cleanup();
    json_object_set_new(report, side->name, json_integer((json_int_t)datagrams));
    return 0;
}

static void print_text(json_t *report)
{
    const char *mode;
    json_t *datagrams;

    json_object_foreach(report, mode, datagrams)
        printf("%-10s %8lld datagrams\n", mode, (long long)json_integer_value(datagrams));
    printf("To count their instructions, perf/instructions.py runs this under valgrind.\n");
    json_decref(report);
}

static int instructions(const struct bench_options *options)
{
    struct bed bed;

    if (bed_start(&bed, options) != 0)
        return BENCH_REFUSED;
    json_t *report = json_object();
    for (size_t i = 0; i < sides_count; i++)
        if (run_mode(&bed, sides[i], report) != 0) {
            json_decref(report);
            return BENCH_REFUSED;
        }
    unsigned missing = bed_stop(&bed);
    if (options->json)
        report_json_print(report);
    else
        print_text(report);
    if (missing != 0)
        bed_fail("%u packet buffers did not come back", missing);
    return BENCH_OK;
}

static void defaults(struct bench_options *options)
{
    options->by_hand = true;
}

const struct command command_instructions = {
    .name = "instructions",
    .help = "every mode on one thread, for perf/instructions.py to count",
    .options = OPTION_PAYLOAD | OPTION_POSTED | OPTION_CHECKSUMS | OPTION_DATAGRAMS | OPTION_CORE |
               OPTION_JSON,
    .defaults = defaults,
    .run = instructions,
};
