/* SPDX-License-Identifier: BSD-3-Clause */
#include "counters.h"

#define COUNTER_KIND_INFO 0
#define COUNTER_KIND_FATE 1

const struct counter_row counter_rows[COUNTER_TOTAL] = {
#define COUNTER_ROW(identifier, kind, name, help) {name, help, COUNTER_KIND_##kind},
    COUNTER_ROWS(COUNTER_ROW)
#undef COUNTER_ROW
};

void counters_accumulate(struct counters *to, const struct counters *from)
{
    for (unsigned i = 0; i < COUNTER_TOTAL; i++)
        counter_add(to, (enum counter)i, counter_get(from, (enum counter)i));
}

uint64_t counters_fates(const struct counters *counters)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < COUNTER_TOTAL; i++)
        if (counter_rows[i].is_fate)
            sum += counter_get(counters, (enum counter)i);
    return sum;
}
