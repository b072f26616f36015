/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_THROUGHPUT_H
#define WIRERX_BENCH_THROUGHPUT_H

#include "options.h"

/** wirerx-bench throughput. @return an exit status */
int throughput(const struct bench_options *options);

#endif
