/* SPDX-License-Identifier: BSD-3-Clause */
#include "bare.h"

#include <rte_cycles.h>
#include <rte_pause.h>

void bare_run(const struct bed *bed, double milliseconds, struct histogram *gaps)
{
    uint64_t last = rte_rdtsc(), until = last + bed_ticks(bed, milliseconds);

    while (last < until) {
        rte_pause(); /* as all do that spin here: without it a hyperthread starves its neighbour */
        uint64_t now = rte_rdtsc();

        histogram_add(gaps, now - last);
        last = now;
    }
}
