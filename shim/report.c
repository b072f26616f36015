/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <stdio.h>
#include <string.h>

#define LABEL "  %-18s"
#define COUNT LABEL " %15s"

const char *report_count(char buffer[REPORT_COUNT_SIZE], uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *out = buffer;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return buffer;
}

const char *report_address(char buffer[REPORT_ADDRESS_SIZE], uint32_t address)
{
    snprintf(buffer, REPORT_ADDRESS_SIZE, "%u.%u.%u.%u", address >> 24 & 0xff, address >> 16 & 0xff,
             address >> 8 & 0xff, address & 0xff);
    return buffer;
}

static void print_count(const char *label, uint64_t count, const char *remark)
{
    char text[REPORT_COUNT_SIZE];

    printf(COUNT "%s%s\n", label, report_count(text, count), *remark ? "  " : "", remark);
}

static void print_heading(const struct run *run)
{
    const struct recv_options *options = run->options;
    char seconds[32];

    if (options->replay == NULL)
        printf("%s, %s receives; ", options->config, options->mode->name);
    else if (options->pace == RECV_RATE)
        printf("replay of %s at %.6g frames/s, %s receives; ", options->replay,
               options->frames_per_second, options->mode->name);
    else
        printf("replay of %s, %s, %s receives; ", options->replay,
               options->pace == RECV_DRAINED ? "drained" : "as recorded", options->mode->name);

    switch (run->end) {
    case END_DRAINED:
        puts("the file is drained");
        break;
    case END_COUNT:
        puts("ended by --count");
        break;
    case END_IDLE:
        puts("ended by --idle-exit");
        break;
    case END_INTERRUPTED:
        puts("interrupted");
        break;
    case END_STALLED:
        snprintf(seconds, sizeof seconds, "%.1f s", (double)run->stalled_ns / 1e9);
        printf("STALLED: the socket of %s has not been read for %s\n", run->stalled_on, seconds);
        break;
    case END_FAILED:
        puts("FAILED");
        break;
    }
}

static void print_latency(const struct run *run)
{
    if (run->latency_reason[0] != '\0') {
        printf(LABEL " not reported: %s\n", "latency", run->latency_reason);
        return;
    }
    printf(LABEL " p50 %.2f  p99 %.2f  p99.9 %.2f  max %.2f us, %s, ", "latency",
           run_latency_ns(run, 0.5) / 1e3, run_latency_ns(run, 0.99) / 1e3,
           run_latency_ns(run, 0.999) / 1e3, run_latency_ns(run, 1) / 1e3,
           run->options->generated ? "sending to return" : "burst to return");
    if (run->options->generated)
        puts("at the sender's load");
    else if (run->options->pace == RECV_RATE)
        printf("at %.6g frames/s\n", run->options->frames_per_second);
    else
        puts("at the recorded gaps");
}

static void print_times(const struct times *times)
{
    char remark[96];

    for (unsigned i = 0; i < TIMES_SOURCES; i++) {
        if (times->by_source[i] == 0)
            continue;
        snprintf(remark, sizeof remark, "datagrams' times, off by at most %llu ns",
                 (unsigned long long)times->most_error_ns[i]);
        print_count(times_source_names[i], times->by_source[i], remark);
    }
}

static void print_received(const struct run *run)
{
    char rate[REPORT_COUNT_SIZE];

    print_count("datagrams", run->datagrams, "");
    print_count("bytes", run->bytes, "");
    printf(LABEL " %15.3f  seconds, first datagram to last\n", "time", run->seconds);
    printf(COUNT "  datagrams/s%s\n", "rate", report_count(rate, (uint64_t)(run_rate(run) + 0.5)),
           run->memory_fed ? " (software ceiling, no device)" : "");
    print_latency(run);
    if (run->options->times != NULL)
        print_times(&run->times);
    if (run->options->generated) {
        print_count("missing", run->missing, "by the sender's sequence numbers");
        print_count("late", run->late, "after a later one of their stream, or twice");
        print_count("strangers", run->strangers, "not from wirerx-gen");
    }
    if (run->after_end > 0)
        print_count("after the end", run->after_end, "received when no more were wanted");
    if (run->unread > 0)
        print_count("unread", run->unread, "delivered, but left in the sockets' rings");
}

/* Fates of frames under their own names, but for those that no frame has had. */
static void print_fates(const struct run *run,
                        const char *(*name_of)(const struct wirerx_counter *))
{
    char label[48];

    for (size_t i = 0; i < run->counter_count; i++) {
        const struct wirerx_counter *counter = &run->counters[i];
        const char *name = name_of(counter);
        if (name == NULL || counter->value == 0)
            continue;
        snprintf(label, sizeof label, "  %s", name);
        print_count(label, counter->value, counter->help);
    }
}

static void print_frames(const struct run *run)
{
    static const struct {
        const char *counter, *help;
    } others[] = {
        {"reassembled", "datagrams that fragments became, each one frame more"},
        {"looped", "frames of this stack's own sockets"},
        {"handed_in", "frames that came once more, from another lcore"},
    };
    uint64_t lost = run_device_lost(run), more = lost, kept = run_kept(run);

    putchar('\n');
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        more += run_counter(run, others[i].counter);
    print_count("frames", run_counter(run, "frames"),
                more != 0   ? "+ what came beside them = delivered + kept + dropped"
                : kept != 0 ? "= delivered + kept + dropped"
                            : "= delivered + dropped");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (run_counter(run, others[i].counter) != 0)
            print_count(others[i].counter, run_counter(run, others[i].counter), others[i].help);
    if (lost != 0)
        print_count("device_lost", lost, "frames that no lcore was given");
    print_count("delivered", run_counter(run, "delivered"), "to at least one socket");
    if (kept != 0)
        print_count("kept", kept, "");
    print_fates(run, run_kept_by);
    print_count("dropped", run_dropped(run), "");
    print_fates(run, run_drop_reason);
}

static void print_sockets(const struct run *run)
{
    char delivered[REPORT_COUNT_SIZE], full[REPORT_COUNT_SIZE], share[REPORT_COUNT_SIZE],
        unread[REPORT_COUNT_SIZE], reserved[REPORT_COUNT_SIZE], more[32];

    printf("\n  %-24s %14s %14s %14s %14s %14s\n", "socket", "delivered", "ring full", "pool share",
           "unread", "bytes reserved");
    for (unsigned i = 0; i < run->sockets.count; i++) {
        const struct recv_socket *row = &run->sockets.rows[i];
        more[0] = '\0';
        if (row->join_count > 1)
            snprintf(more, sizeof more, "  and %u more", row->join_count - 1);
        printf("  %-24s %14s %14s %14s %14s %14s%s%s\n", row->joins->name,
               report_count(delivered, row->counters.delivered),
               report_count(full, row->counters.drop_ring_full),
               report_count(share, row->counters.drop_pool_share),
               report_count(unread, recv_socket_unread(row)),
               report_count(reserved, row->counters.reserved_bytes),
               row->stall ? "  never read" : "", more);
    }
}

void report_text(const struct run *run)
{
    print_heading(run);
    print_received(run);
    print_frames(run);
    print_sockets(run);
    if (run_wants_checksum_hint(run))
        puts("\nMost UDP checksums are wrong, as in captures whose addresses were rewritten. "
             "--checksums ignore delivers them.");
}

void report_groups_text(const char *path, const struct capture *capture)
{
    char count[REPORT_COUNT_SIZE], bytes[REPORT_COUNT_SIZE], bad[REPORT_COUNT_SIZE],
        address[REPORT_ADDRESS_SIZE], name[32];
    uint64_t datagrams = 0, bad_checksums = 0;

    printf("%s: %s frames over %.3f seconds%s\n", path, report_count(count, capture->frames),
           capture->seconds, capture->cut_short ? ", and a last one that is cut short" : "");
    if (capture->group_count > 0)
        printf("\n  %-24s %14s %16s %14s\n", "group:port", "datagrams", "bytes", "bad checksum");
    for (size_t i = 0; i < capture->group_count; i++) {
        const struct capture_group *row = &capture->groups[i];
        snprintf(name, sizeof name, "%s:%u", report_address(address, row->group),
                 (unsigned)row->port);
        printf("  %-24s %14s %16s %14s\n", name, report_count(count, row->datagrams),
               report_count(bytes, row->bytes), report_count(bad, row->bad_checksums));
        datagrams += row->datagrams;
        bad_checksums += row->bad_checksums;
    }
    putchar('\n');
    if (capture->group_count == 0)
        puts("  No datagram to a multicast group.");
    if (capture->unicast > 0)
        print_count("to unicast", capture->unicast, "UDP datagrams that --join cannot name");
    if (capture->fragments > 0)
        print_count("fragments", capture->fragments, "of IPv4 packets");
    if (capture->other > 0)
        print_count("other frames", capture->other, "no UDP over IPv4, or damaged");
    if (bad_checksums * 2 > datagrams)
        puts("  Most UDP checksums are wrong: receive with --checksums ignore.");
    if (capture->group_count > 0)
        printf("  Receive with: wirerx recv --replay %s --join %s:%u\n", path,
               report_address(address, capture->groups[0].group),
               (unsigned)capture->groups[0].port);
}
