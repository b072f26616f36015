/* SPDX-License-Identifier: BSD-3-Clause */
#include "supervise.h"

#include <string.h>
#include <time.h>

#include "live_line.h"

/** Between two looks. The thread shares a core with receivers, so it looks rarely. */
#define LOOK_NS 10000000ll
#define DEFAULT_STALL_MS 2000u
#define NS_PER_MS 1000000ull

struct watch {
    struct run *run;
    const struct reception *reception;
    const struct receiver *receivers;
    unsigned receiver_count;
    struct live_line line;
    uint64_t started_ns;
    uint64_t now_ns;
    uint64_t datagrams;
    uint64_t changed_ns; /**< when `datagrams` last grew */
    struct wirerx_replay_progress progress;
};

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

sigset_t supervise_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    return signals;
}

static bool is_replay(const struct watch *watch)
{
    return watch->run->options->replay != NULL;
}

static void look(struct watch *watch)
{
    uint64_t datagrams = 0;

    watch->now_ns = clock_ns();
    for (unsigned i = 0; i < watch->receiver_count; i++)
        datagrams += atomic_load_explicit(&watch->receivers[i].datagrams, memory_order_acquire);
    if (datagrams != watch->datagrams)
        watch->changed_ns = watch->now_ns;
    watch->datagrams = datagrams;
    if (is_replay(watch))
        wirerx_replay_progress(&watch->progress);
}

static void show(struct watch *watch)
{
    struct run *run = watch->run;
    double done = -1;

    if (!live_line_due(&watch->line, watch->now_ns))
        return;
    wirerx_counters(WIRERX_SCOPE_ALL, 0, run->counters, RUN_MAX_COUNTERS, &run->counter_count);
    if (run->counter_count > RUN_MAX_COUNTERS)
        run->counter_count = RUN_MAX_COUNTERS;
    if (is_replay(watch) && watch->progress.frames_total > 0)
        done = (double)watch->progress.frames_released / (double)watch->progress.frames_total;
    live_line_show(&watch->line, watch->now_ns, watch->datagrams, run_dropped(run), done);
}

/** All frames are through the dataplane, and what it delivered has come out of the receives. */
static bool all_received(struct watch *watch)
{
    struct run *run = watch->run;

    if (!is_replay(watch) || !watch->progress.drained)
        return false;
    recv_sockets_count(&run->sockets);
    return watch->datagrams >= recv_sockets_delivered(&run->sockets);
}

static bool held_back(struct watch *watch)
{
    uint64_t limit_ms = watch->run->options->idle_exit_ms;

    if (limit_ms == 0)
        limit_ms = DEFAULT_STALL_MS;
    return is_replay(watch) && watch->progress.stalled_on != INVALID_SOCKET &&
           watch->progress.stalled_ns >= limit_ms * NS_PER_MS;
}

static bool idle(const struct watch *watch)
{
    uint64_t limit_ms = watch->run->options->idle_exit_ms;

    return limit_ms != 0 && watch->now_ns - watch->changed_ns >= limit_ms * NS_PER_MS &&
           !(is_replay(watch) && watch->progress.stalled_on != INVALID_SOCKET);
}

static bool output_broken(const struct watch *watch)
{
    const struct reception *reception = watch->reception;

    return (reception->output != NULL && output_failed(reception->output) != 0) ||
           (reception->times != NULL && atomic_load(&reception->times->failed) != 0);
}

/** @return true: it is over, and run->end says why */
static bool ended(struct watch *watch)
{
    struct run *run = watch->run;

    if (atomic_load_explicit(&watch->reception->failed, memory_order_acquire) ||
        output_broken(watch))
        run->end = END_FAILED;
    else if (atomic_load_explicit(&watch->reception->enough, memory_order_relaxed))
        run->end = END_COUNT;
    else if (all_received(watch))
        run->end = END_DRAINED;
    else if (held_back(watch))
        run->end = END_STALLED;
    else if (idle(watch))
        run->end = END_IDLE;
    else
        return false;
    return true;
}

void supervise(struct run *run, const struct reception *reception, const struct receiver *receivers,
               unsigned receiver_count)
{
    struct watch watch = {
        .run = run,
        .reception = reception,
        .receivers = receivers,
        .receiver_count = receiver_count,
        .started_ns = clock_ns(),
        .progress = {.stalled_on = INVALID_SOCKET},
    };
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    sigset_t signals = supervise_signals();

    watch.changed_ns = watch.started_ns;
    run->memory_fed = wirerx_replay_progress(&watch.progress) == 0;
    live_line_init(&watch.line, watch.started_ns);
    for (;;) {
        int signal = sigtimedwait(&signals, NULL, &pause);
        look(&watch);
        if (ended(&watch))
            break;
        if (signal > 0) {
            run->end = END_INTERRUPTED;
            break;
        }
        show(&watch);
    }
    live_line_end(&watch.line);

    run->frames_released = watch.progress.frames_released;
    run->replay_seconds = (double)(watch.now_ns - watch.started_ns) / 1e9;
    if (run->end == END_STALLED) {
        const char *name = recv_sockets_name(&run->sockets, watch.progress.stalled_on);
        run->stalled_on = name != NULL ? name : "another program's socket";
        run->stalled_ns = watch.progress.stalled_ns;
    }
}
