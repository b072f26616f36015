/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx-bench: the receive path beside the bare floor, in alternating slices of one run. */

#include <stdio.h>

#include "command.h"
#include "options.h"

int main(int argc, char **argv)
{
    struct bench_options options;
    int status = BENCH_OK;

    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_OK:
        status = options.command->run(&options);
        break;
    case OPTIONS_HELP:
        break;
    case OPTIONS_WRONG:
    default:
        return BENCH_REFUSED;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("wirerx-bench: standard output cannot be written\n", stderr);
        return BENCH_FAILED;
    }
    return status;
}
