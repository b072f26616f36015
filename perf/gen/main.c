/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx-gen: a generator for tests and measurements, over any DPDK device. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "options.h"
#include "plan.h"
#include "report.h"
#include "send.h"

static void on_signal(int number)
{
    (void)number;
    gen_send_stop();
}

/* One that no other run has, on whichever machine. */
static uint64_t run_id(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t id = ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) ^ (uint64_t)getpid()
                                                                                     << 40;
    return id & INT64_MAX; /* as JSON has integers */
}

static int send_all(const struct gen_options *options)
{
    struct gen_run *run = calloc(1, sizeof *run); /* its histograms are big for a stack */
    struct gen_devices devices;
    struct sigaction action = {.sa_handler = on_signal};
    int status = GEN_OK;

    if (run == NULL) {
        gen_refuse("out of memory");
        return GEN_REFUSED;
    }
    if (gen_devices_open(&devices, options) != 0) {
        free(run);
        return GEN_REFUSED;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    run->id = run_id();
    gen_send(run, &devices, options);
    gen_devices_close(&devices, options);
    if (options->json)
        gen_report_json(run, &devices, options);
    else
        gen_report_text(run, &devices, options);
    if (run->stuck) {
        gen_refuse("the device took no more frames");
        status = GEN_FAILED;
    }
    free(run);
    return status;
}

int main(int argc, char **argv)
{
    struct gen_options options;
    int status = GEN_OK;

    switch (gen_options_parse(argc, argv, &options)) {
    case GEN_PARSED:
        if (options.plan)
            plan_print(&options);
        else
            status = send_all(&options);
        break;
    case GEN_PRINTED:
        break;
    case GEN_WRONG:
    default:
        return GEN_REFUSED;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        gen_refuse("standard output cannot be written");
        return GEN_FAILED;
    }
    return status;
}
