/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <stdio.h>
#include <string.h>

/** A replay slower than this part of the asked rate did not have the load that it states. */
#define PACE_HELD 0.9
/** The end of a run is noticed so much later, at most. */
#define LATE_SECONDS 0.03

const char *run_end_name(enum run_end end)
{
    static const char *const names[] = {
        [END_DRAINED] = "drained",         [END_COUNT] = "count",     [END_IDLE] = "idle",
        [END_INTERRUPTED] = "interrupted", [END_STALLED] = "stalled", [END_FAILED] = "failed",
    };

    return names[end];
}

uint64_t run_counter(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->counter_count; i++)
        if (strcmp(run->counters[i].name, name) == 0)
            return run->counters[i].value;
    return 0;
}

const char *run_drop_reason(const struct wirerx_counter *counter)
{
    static const char prefix[] = "drop.";
    size_t length = sizeof prefix - 1;

    return strncmp(counter->name, prefix, length) == 0 ? counter->name + length : NULL;
}

const char *run_kept_by(const struct wirerx_counter *counter)
{
    static const struct {
        const char *counter, *name;
    } rows[] = {
        {"consumed.arp", "consumed_arp"},   {"consumed.icmp", "consumed_icmp"},
        {"consumed.igmp", "consumed_igmp"}, {"queued.reassembly", "queued_reassembly"},
        {"to_kernel", "to_kernel"},         {"to_transmit", "to_transmit"},
        {"handed_over", "handed_over"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(counter->name, rows[i].counter) == 0)
            return rows[i].name;
    return NULL;
}

uint64_t run_kept(const struct run *run)
{
    uint64_t kept = 0;

    for (size_t i = 0; i < run->counter_count; i++)
        if (run_kept_by(&run->counters[i]) != NULL)
            kept += run->counters[i].value;
    return kept;
}

uint64_t run_device_lost(const struct run *run)
{
    return run_counter(run, "drop.device_missed") + run_counter(run, "drop.device_errors") +
           run_counter(run, "drop.device_no_buffer");
}

uint64_t run_dropped(const struct run *run)
{
    uint64_t dropped = 0;

    for (size_t i = 0; i < run->counter_count; i++)
        if (run_drop_reason(&run->counters[i]) != NULL)
            dropped += run->counters[i].value;
    return dropped;
}

double run_rate(const struct run *run)
{
    return run->datagrams > 1 && run->seconds > 0 ? (double)(run->datagrams - 1) / run->seconds : 0;
}

double run_latency_ns(const struct run *run, double quantile)
{
    uint64_t ticks =
        quantile < 1 ? latency_quantile(&run->latency, quantile) : run->latency.maximum;

    return run->tsc_hz > 0 ? (double)ticks * 1e9 / (double)run->tsc_hz : 0;
}

void run_judge_latency(struct run *run)
{
    const struct recv_options *options = run->options;
    char *reason = run->latency_reason;
    size_t size = sizeof run->latency_reason;
    double released = run->replay_seconds > LATE_SECONDS
                          ? (double)run->frames_released / (run->replay_seconds - LATE_SECONDS)
                          : options->frames_per_second;

    if (options->generated && run->latency.samples == 0)
        snprintf(reason, size, "nothing of wirerx-gen's was received");
    else if (options->generated)
        reason[0] = '\0';
    else if (options->replay == NULL)
        snprintf(reason, size,
                 "the load of a device is not known; only a replay with --pace "
                 "recorded or frames a second states its load");
    else if (options->pace == RECV_DRAINED)
        snprintf(reason, size,
                 "a drained replay waits in queues by design; give --pace recorded "
                 "or frames a second");
    else if (run->latency.samples == 0)
        snprintf(reason, size, "nothing was received");
    else if (run->lost > 0)
        snprintf(reason, size,
                 "%llu datagrams were lost to full rings: the load was beyond what "
                 "the receivers take",
                 (unsigned long long)run->lost);
    else if (options->pace == RECV_RATE && released < options->frames_per_second * PACE_HELD)
        snprintf(reason, size, "the replay reached only %.0f of the %.0f frames a second asked for",
                 released, options->frames_per_second);
    else
        reason[0] = '\0';
}

bool run_wants_checksum_hint(const struct run *run)
{
    return run->options->replay != NULL && !run->options->ignore_checksums &&
           run_counter(run, "drop.bad_udp_checksum") * 2 > run_counter(run, "frames");
}
