/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_LATENCY_H
#define WIRERX_BENCH_LATENCY_H

#include "options.h"

/** wirerx-bench latency. @return an exit status */
int latency(const struct bench_options *options);

#endif
