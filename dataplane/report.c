/* SPDX-License-Identifier: BSD-3-Clause */

/* Counters for the outside, and the progress of replays. */

#include <errno.h>
#include <rte_debug.h>

#include "impair.h"
#include "replay.h"
#include "state.h"

static void add_row(struct dataplane_report *report, const char *name, const char *help,
                    uint64_t value)
{
    RTE_VERIFY(report->count < RTE_DIM(report->rows));
    report->rows[report->count].name = name;
    report->rows[report->count].help = help;
    report->rows[report->count].value = value;
    report->count++;
}

/* The missed ones are in drop.device_missed, too, and what was lost in no other row. */
static void add_impair_rows(struct dataplane_report *report, const struct impair_figures *sum)
{
    static const struct {
        enum impair_figure figure;
        const char *name, *help;
    } rows[] = {
        {IMPAIR_LOST, "impair.lost", "frames lost on purpose (ports[].impair)"},
        {IMPAIR_MISSED, "impair.missed", "frames lost on purpose that the device counts as missed"},
        {IMPAIR_DUPLICATED, "impair.duplicated", "frames received once more on purpose"},
        {IMPAIR_NO_BUFFER, "impair.no_buffer",
         "copies on purpose that found the buffer pool empty"},
        {IMPAIR_CORRUPTED, "impair.corrupted", "frames with a bit flipped on purpose"},
        {IMPAIR_REORDERED, "impair.reordered", "frames that others have passed on purpose"},
        {IMPAIR_TIMES_REMOVED, "impair.times_removed",
         "frames whose time was taken away on purpose"},
        {IMPAIR_TIMES_CHANGED, "impair.times_changed", "frames whose time is wrong on purpose"},
        {IMPAIR_HELD, "impair.held", "frames that wait now, or did when the dataplane stopped"},
        {IMPAIR_TRANSMIT_LOST, "impair.transmit_lost", "transmitted frames lost on purpose"},
        {IMPAIR_TRANSMIT_DUPLICATED, "impair.transmit_duplicated",
         "frames transmitted once more on purpose"},
        {IMPAIR_TRANSMIT_CORRUPTED, "impair.transmit_corrupted",
         "frames transmitted with a bit flipped on purpose"},
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++)
        add_row(report, rows[i].name, rows[i].help, sum->of[rows[i].figure]);
}

static void add_device_rows(struct dataplane_report *report, unsigned first, unsigned end)
{
    struct port_statistics sum = {0};
    struct impair_figures impaired = {0};
    uint64_t kept = 0, listed = 0, all = 0, refusals = 0, overflows = 0;

    for (unsigned i = first; i < end; i++) {
        struct port_statistics one = dataplane.last_statistics[i];

        struct impair_figures figures = dataplane.last_impaired[i];

        if (dataplane_running()) {
            dataplane.ports[i].operations->statistics(&dataplane.ports[i], &one);
            impair_figures(&dataplane.ports[i], &figures);
        }
        for (unsigned k = 0; k < IMPAIR_FIGURES; k++)
            impaired.of[k] += figures.of[k];
        sum.frames += one.frames;
        sum.missed += one.missed;
        sum.errors += one.errors;
        sum.no_buffer += one.no_buffer;
        kept += dataplane.buffers_kept[i];
        const struct multicast_filter *multicast = &dataplane.ports[i].multicast;
        listed += multicast->mode == MULTICAST_LISTED ? multicast->count : 0;
        all += multicast->mode == MULTICAST_ALL;
        refusals += multicast->refusals;
        overflows += multicast->overflows;
    }
    add_row(report, "device.frames", "frames the device received and gave to the lcores",
            sum.frames);
    add_row(report, "drop.device_missed", "frames the device lost because no descriptor was free",
            sum.missed);
    add_row(report, "drop.device_errors", "frames the device found bad", sum.errors);
    add_row(report, "drop.device_no_buffer",
            "frames the device lost because the buffer pool was empty", sum.no_buffer);
    add_row(report, "device.buffers_kept",
            "packet buffers the driver has not given back when the device was closed", kept);
    add_row(report, "device.multicast_listed",
            "MAC addresses of groups that the device's filter lets through", listed);
    add_row(
        report, "device.multicast_all",
        "1: the device lets all groups through, as configured or for want of a list that it takes",
        all);
    add_row(report, "device.multicast_refused", "lists of groups that the device refused",
            refusals);
    add_row(report, "device.multicast_overflow",
            "times there were more groups than a device is given a list of", overflows);
    add_impair_rows(report, &impaired);
}

static void add_counters(struct dataplane_report *report, const struct counters *sum)
{
    for (unsigned i = 0; i < COUNTER_TOTAL; i++)
        add_row(report, counter_rows[i].name, counter_rows[i].help,
                counter_get(sum, (enum counter)i));
}

static void sum_lcore(struct counters *sum, const struct lcore *lcore, int port)
{
    for (unsigned q = 0; q < lcore->queues_count; q++)
        if (port < 0 || lcore->queues[q].port == &dataplane.ports[port])
            counters_accumulate(sum, &lcore->queues[q].counters);
    if (port < 0) {
        counters_accumulate(sum, &lcore->handover_counters);
        counters_accumulate(sum, &lcore->own_counters);
    }
}

/* Of lcores from `first` on. Sockets' own stores are in none of these. */
static void add_memory_rows(struct dataplane_report *report, unsigned first, unsigned end)
{
    uint64_t stock = 0, lent = 0;

    for (unsigned i = first; i < end; i++) {
        stock += atomic_load_explicit(&dataplane.lcores[i].stock.bytes, memory_order_relaxed);
        lent += atomic_load_explicit(&dataplane.lcores[i].stock.lent_bytes, memory_order_relaxed);
    }
    add_row(report, "memory.ring_stock", "bytes of larger rings that lie ready for any socket now",
            stock);
    add_row(report, "memory.rings_lent", "bytes of larger rings that sockets have now", lent);
}

int dataplane_report(enum dataplane_scope scope, unsigned index, struct dataplane_report *report)
{
    struct counters sum = {0};
    int result = 0;

    report->count = 0;
    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    switch (scope) {
    case DATAPLANE_SCOPE_ALL:
        add_device_rows(report, 0, dataplane.config.ports_count);
        for (unsigned i = 0; i < dataplane.lcores_count; i++)
            sum_lcore(&sum, &dataplane.lcores[i], -1);
        add_counters(report, &sum);
        add_memory_rows(report, 0, dataplane.lcores_count);
        break;
    case DATAPLANE_SCOPE_PORT:
        if (index >= dataplane.config.ports_count) {
            result = -EINVAL;
            break;
        }
        add_device_rows(report, index, index + 1);
        for (unsigned i = 0; i < dataplane.lcores_count; i++)
            sum_lcore(&sum, &dataplane.lcores[i], (int)index);
        add_counters(report, &sum);
        break;
    case DATAPLANE_SCOPE_LCORE:
        if (index >= dataplane.lcores_count) {
            result = -EINVAL;
            break;
        }
        sum_lcore(&sum, &dataplane.lcores[index], -1);
        add_counters(report, &sum);
        add_memory_rows(report, index, index + 1);
        break;
    default:
        result = -EINVAL;
    }
    owner_mutex_unlock(&dataplane.control);
    return result;
}

int dataplane_replay_go(void)
{
    int result = -ENETDOWN;

    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    if (dataplane_running())
        result = -EINVAL;
    for (unsigned i = 0; i < dataplane.ports_count; i++)
        if (dataplane.ports[i].replay != NULL) {
            replay_go(dataplane.ports[i].replay);
            result = 0;
        }
    owner_mutex_unlock(&dataplane.control);
    return result;
}

int dataplane_replay_progress(struct dataplane_replay *progress)
{
    int result = -ENETDOWN;

    *progress = (struct dataplane_replay){.drained = true, .stalled_slot = -1};
    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    if (dataplane_running())
        result = -EINVAL;
    for (unsigned i = 0; i < dataplane.ports_count; i++) {
        if (dataplane.ports[i].replay == NULL)
            continue;
        struct replay_progress one = replay_progress(dataplane.ports[i].replay);
        progress->total += one.total;
        progress->released += one.released;
        progress->drained &= one.drained;
        if (one.stalled_slot >= 0) {
            uint64_t ticks = dataplane_tsc() - one.stalled_since;

            progress->stalled_slot = one.stalled_slot;
            progress->stalled_ns = (uint64_t)((double)ticks * 1e9 / (double)dataplane_tsc_hz());
        }
        result = 0;
    }
    owner_mutex_unlock(&dataplane.control);
    return result;
}
