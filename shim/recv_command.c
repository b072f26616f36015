/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manual.h"
#include "options.h"
#include "report.h"
#include "supervise.h"

/** A run in progress: what has to be undone at its end, in which order. */
struct reception_run {
    struct run run;
    struct reception reception;
    struct receiver *receivers;
    unsigned receiver_count;
    bool dataplane_runs;
    bool winsock_runs;
};

/** The last CPU that this process may use; -1: not known. */
static int last_core(void)
{
    cpu_set_t allowed;
    int last = -1;

    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        for (size_t i = 0; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &allowed))
                last = (int)i;
    return last;
}

/** This thread, and those that it makes, leave the dataplane's core alone if there is another. */
static void keep_off(int core)
{
    cpu_set_t allowed;

    if (core < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_CLR((size_t)core, &allowed);
    if (CPU_COUNT(&allowed) > 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
}

static int start_dataplane(const struct recv_options *options, struct command_error *error)
{
    struct wirerx_error refused = {{0}};
    int code;

    if (options->config != NULL) {
        code = wirerx_start(options->config, &refused);
    } else {
        struct wirerx_replay replay = {
            .path = options->replay,
            .ignore_udp_checksums = options->ignore_checksums,
            .max_sockets = recv_sockets_needed(options),
            .core = options->core >= 0 ? options->core : last_core(),
        };
        switch (options->pace) {
        case RECV_DRAINED:
            replay.pace = WIRERX_PACE_DRAINED;
            break;
        case RECV_RECORDED:
            replay.pace = WIRERX_PACE_RECORDED;
            break;
        case RECV_RATE:
            replay.pace = WIRERX_PACE_RATE;
            replay.frames_per_second = options->frames_per_second;
            break;
        }
        code = wirerx_start_replay(&replay, &refused);
        if (code == 0)
            keep_off(replay.core);
    }
    return code == 0 ? 0 : command_error(error, "%s", refused.text);
}

static int begin(struct reception_run *it, struct command_error *error)
{
    const struct recv_options *options = it->run.options;
    WSADATA data;

    if (start_dataplane(options, error) != 0)
        return -1;
    it->dataplane_runs = true;
    int code = WSAStartup(MAKEWORD(2, 2), &data);
    if (code != 0)
        return command_error(error, "WSAStartup failed with Winsock error %d", code);
    it->winsock_runs = true;
    if (recv_sockets_open(&it->run.sockets, options, error) != 0)
        return -1;
    it->receivers = receivers_create(&it->reception, it->run.sockets.read,
                                     it->run.sockets.read_count, &it->receiver_count);
    if (it->receivers == NULL)
        return command_error(error, "out of memory");
    if (options->output != NULL) { /* last, so that a refusal leaves no file behind */
        it->reception.output = output_open(options->output, error);
        if (it->reception.output == NULL)
            return -1;
    }
    if (options->times != NULL) {
        if (times_open(&it->run.times, options->times, error) != 0)
            return -1;
        it->reception.times = &it->run.times;
    }
    if (receivers_start(it->receivers, it->receiver_count, error) != 0)
        return -1;
    if (options->replay != NULL && wirerx_replay_go() != 0)
        return command_error(error, "the replay cannot be started");
    return 0;
}

/** End receiving; after this nothing changes any more. */
static void stop(struct reception_run *it)
{
    atomic_store(&it->reception.stop, true);
    if (it->dataplane_runs)
        wirerx_stop();
    receivers_join(it->receivers, it->receiver_count);
}

static void add_up(struct reception_run *it)
{
    struct run *run = &it->run;
    uint64_t first = UINT64_MAX, last = 0, received = 0;

    for (unsigned i = 0; i < it->receiver_count; i++) {
        const struct receiver *receiver = &it->receivers[i];
        if (receiver->datagrams == 0)
            continue;
        run->datagrams += receiver->datagrams;
        run->bytes += receiver->bytes;
        first = receiver->first_tsc < first ? receiver->first_tsc : first;
        last = receiver->last_tsc > last ? receiver->last_tsc : last;
        if (receiver->latency != NULL)
            latency_add(&run->latency, receiver->latency);
        if (receiver->numbering != NULL) {
            run->strangers += receiver->numbering->strangers;
            run->missing += receiver->numbering->missing;
            run->late += receiver->numbering->late;
        }
    }
    run->tsc_hz = wirerx_tsc_hz();
    if (run->datagrams > 0 && run->tsc_hz > 0)
        run->seconds = (double)(last - first) / (double)run->tsc_hz;

    recv_sockets_count(&run->sockets);
    for (unsigned i = 0; i < run->sockets.count; i++) {
        const struct recv_socket *row = &run->sockets.rows[i];
        run->unread += recv_socket_unread(row);
        received += row->counters.received;
        if (!row->stall)
            run->lost += row->counters.drop_ring_full + row->counters.drop_pool_share;
    }
    run->after_end = received > run->datagrams ? received - run->datagrams : 0;
    wirerx_counters(WIRERX_SCOPE_ALL, 0, run->counters, RUN_MAX_COUNTERS, &run->counter_count);
    if (run->counter_count > RUN_MAX_COUNTERS)
        run->counter_count = RUN_MAX_COUNTERS;
    run_judge_latency(run);
}

static void clean_up(struct reception_run *it)
{
    receivers_free(it->receivers, it->receiver_count);
    recv_sockets_close(&it->run.sockets);
    if (it->winsock_runs)
        WSACleanup();
    pthread_mutex_destroy(&it->reception.failure_lock);
}

/** Close what was written: what could not be is this run's failure. */
static void finish_output(struct reception_run *it)
{
    struct command_error error;
    int result = 0;

    if (it->reception.output != NULL)
        result = output_close(it->reception.output, &error);
    if (it->reception.times != NULL)
        result |= times_close(it->reception.times, &error);
    if (result == 0)
        return;
    it->run.end = END_FAILED;
    it->run.failure = error;
}

/** @return an exit status */
static int conclude(struct reception_run *it)
{
    struct run *run = &it->run;

    if (atomic_load(&it->reception.failed)) {
        run->end = END_FAILED;
        run->failure = it->reception.failure;
    }
    finish_output(it);
    add_up(it);
    if (run->options->json)
        report_json(run);
    else
        report_text(run);
    if (run->end == END_FAILED)
        fprintf(stderr, "wirerx recv: %s\n", run->failure.text);
    if (run->end == END_STALLED)
        fprintf(stderr,
                "wirerx recv: stalled: the ring of %s is full and nobody reads it; %llu of %llu "
                "frames were replayed\n",
                run->stalled_on, (unsigned long long)run->frames_released,
                (unsigned long long)run->capture.frames);
    return run->end == END_FAILED || run->end == END_STALLED ? STATUS_FAILED : STATUS_OK;
}

static int receive(struct reception_run *it)
{
    const struct recv_options *options = it->run.options;
    sigset_t signals = supervise_signals();
    struct command_error error;
    int status = STATUS_REFUSED;

    it->reception.mode = options->mode;
    it->reception.generated = options->generated;
    it->reception.measure =
        options->generated || (options->replay != NULL && options->pace != RECV_DRAINED);
    it->reception.limited = options->count > 0;
    it->reception.remaining = (int64_t)options->count;
    pthread_mutex_init(&it->reception.failure_lock, NULL);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    if (begin(it, &error) == 0) {
        supervise(&it->run, &it->reception, it->receivers, it->receiver_count);
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* whoever insists need not wait */
        stop(it);
        status = conclude(it);
    } else {
        stop(it);
        finish_output(it);
        options_refuse(&command_recv, &error);
    }
    clean_up(it);
    return status;
}

/** A group that the capture does not have is most likely a slip. */
static void warn_of_absent_groups(const struct run *run)
{
    for (unsigned i = 0; i < run->options->join_count; i++) {
        const struct recv_join *join = &run->options->joins[i];
        if (capture_find(&run->capture, join->group, join->port) == NULL)
            fprintf(stderr, "wirerx recv: warning: nothing in %s is sent to %s\n",
                    run->options->replay, join->name);
    }
}

static int recv_with(const struct recv_options *options)
{
    struct command_error error;
    struct reception_run *it = calloc(1, sizeof *it); /* its histogram is big for a stack */
    int status = STATUS_OK;

    if (it == NULL) {
        command_error(&error, "out of memory");
        return options_refuse(&command_recv, &error);
    }
    it->run.options = options;
    if (options->replay != NULL && capture_scan(options->replay, &it->run.capture, &error) != 0)
        status = options_refuse(&command_recv, &error);
    else if (options->join_count > 0) {
        if (options->replay != NULL)
            warn_of_absent_groups(&it->run);
        status = receive(it);
    } else if (options->json)
        report_groups_json(options->replay, &it->run.capture);
    else
        report_groups_text(options->replay, &it->run.capture);
    capture_free(&it->run.capture);
    free(it);
    return status;
}

static int recv_run(int argc, char **argv)
{
    static struct recv_options options;
    struct command_error error;
    int operand = 0;

    recv_options_init(&options);
    switch (options_parse(&command_recv, argc, argv, &options, &operand, &error)) {
    case OPTIONS_HELP:
        manual_command(&command_recv);
        return STATUS_OK;
    case OPTIONS_WRONG:
        return options_refuse(&command_recv, &error);
    case OPTIONS_OK:
        break;
    }
    if (operand < argc) {
        command_error(&error, "%s: there is no such operand; a capture is given by --replay FILE",
                      argv[operand]);
        return options_refuse(&command_recv, &error);
    }
    if (recv_options_check(&options, &error) != 0)
        return options_refuse(&command_recv, &error);
    return recv_with(&options);
}

static const char *const description[] = {
    "Joins multicast groups, receives until the end, and reports: datagrams, bytes, rate, every "
    "reason for which a frame was dropped, and the latency from burst to return where the run "
    "states its load. While it lasts a line on the terminal shows rate, total and drops.",
    NULL,
};

const struct command_row command_recv = {
    .name = "recv",
    .synopsis = "--replay FILE.pcap | --config FILE.yaml [--join GROUP:PORT]... [OPTION]...",
    .summary = "receive multicast datagrams from a capture or a device, count and write them",
    .description = description,
    .options = recv_option_rows,
    .option_count = RECV_OPTION_ROWS,
    .run = recv_run,
};
