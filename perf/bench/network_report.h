/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_NETWORK_REPORT_H
#define WIRERX_BENCH_NETWORK_REPORT_H

/**
 * @file
 * What `wirerx-bench network` has measured, and its two reports.
 */

#include "network.h"

#define NETWORK_WAYS 7u

struct network_slice {
    uint64_t sent;
    uint64_t received;
    uint64_t lost_device; /**< dropped at the ends of the wire */
    uint64_t lost_socket; /**< where the datagrams of this way wait */
    double rate;          /**< datagrams a second, of those sent as fast as possible */
    double p50;           /**< ticks, of those at a pace */
};

struct network_row {
    const struct way *way;
    struct network_slice *slices;
    unsigned count;
    struct histogram *latency; /**< ticks, of all slices */
    const char *note;
    char reason[256]; /**< why there are no (more) slices; empty: there are all */
};

struct network_results {
    const struct bench_options *options;
    unsigned rate;
    unsigned lcore_cpu;
    double load_at_start, load_at_end;
    struct network_row rows[NETWORK_WAYS];
    struct testpmd testpmd;
};

/** Print it, as text or JSON. */
void network_report(const struct network_results *results);

#endif
