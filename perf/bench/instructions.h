/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_INSTRUCTIONS_H
#define WIRERX_BENCH_INSTRUCTIONS_H

struct bench_options;

/** The command `instructions`. @return an exit status (enum bench_status) */
int instructions(const struct bench_options *options);

#endif
