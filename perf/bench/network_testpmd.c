/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * testpmd rxonly and the floor on the same capture, by net_pcap with infinite_rx. Both poll as long as
 * they live, and there are two CPUs: so each slice is a process of its own, and they take turns.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <poll.h>
#include <rte_cycles.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "capture.h"
#include "network.h"

/** As many pairs as there are slices, but this is the lesser question. */
#define MOST_PAIRS 10u

/** What testpmd may take to say something. */
#define PATIENCE_MS 15000

#define BUFFERS "--total-num-mbufs=16384"
#define MEGABYTES "256"

struct child {
    pid_t pid;
    int input; /* its standard input: -1 where it has none */
    int output;
    char said[65536];
    size_t length;
};

static int start(struct child *child, char *const *words)
{
    int in[2], out[2];

    child->length = 0;
    if (pipe2(in, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return -1;
    }
    child->pid = fork();
    if (child->pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execvp(words[0], words);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    child->input = in[1];
    child->output = out[0];
    return child->pid > 0 ? 0 : -1;
}

/* @return its exit status */
static int finish(struct child *child)
{
    int status;

    close(child->input);
    close(child->output);
    if (child->pid <= 0 || waitpid(child->pid, &status, 0) != child->pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* Read until `text` has come after `from`. @return where it begins; NULL: it ended or is silent */
static const char *read_until(struct child *child, size_t from, const char *text)
{
    for (;;) {
        struct pollfd ready = {.fd = child->output, .events = POLLIN};
        const char *found;

        child->said[child->length] = '\0';
        found = strstr(child->said + from, text);
        if (found != NULL)
            return found;
        if (child->length + 1 >= sizeof child->said || poll(&ready, 1, PATIENCE_MS) <= 0)
            return NULL;
        ssize_t got = read(child->output, child->said + child->length,
                           sizeof child->said - 1 - child->length);
        if (got <= 0)
            return NULL;
        child->length += (size_t)got;
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static int tell(const struct child *child, const char *line)
{
    return write(child->input, line, strlen(line)) == (ssize_t)strlen(line) ? 0 : -1;
}

/* What `show port stats 0` says, and when. */
static int read_packets(struct child *child, uint64_t *packets, uint64_t *tsc)
{
    size_t from = child->length;
    const char *figure;

    if (tell(child, "show port stats 0\n") != 0)
        return -1;
    figure = read_until(child, from, "RX-packets:");
    *tsc = rte_rdtsc();
    if (figure == NULL || read_until(child, from, "RX-errors") == NULL)
        return -1;
    *packets = strtoull(figure + strlen("RX-packets:"), NULL, 10);
    return 0;
}

/* @return datagrams a second; negative: the reason is set */
static double run_testpmd(const struct bench_options *options, const char *capture,
                          unsigned main_cpu, unsigned cpu, char *reason, size_t size)
{
    static struct child child; /* what it says is too much for a stack */
    char lcores[64], device[512], prefix[64];
    uint64_t packets[2], tsc[2];
    double rate = -1;

    snprintf(lcores, sizeof lcores, "0@%u,1@%u", main_cpu, cpu);
    snprintf(device, sizeof device, "net_pcap0,rx_pcap=%s,infinite_rx=1", capture);
    snprintf(prefix, sizeof prefix, "--file-prefix=wirerx-testpmd-%d", (int)getpid());
    /* Its output would otherwise wait in a buffer for more. */
    char *words[] = {"stdbuf",
                     "-oL",
                     "dpdk-testpmd",
                     "--lcores",
                     lcores,
                     "--no-huge",
                     "--no-shconf",
                     "--no-pci",
                     "-m",
                     MEGABYTES,
                     "--no-telemetry",
                     prefix,
                     "--vdev",
                     device,
                     "--",
                     "-i",
                     "--forward-mode=rxonly",
                     BUFFERS,
                     NULL};

    if (start(&child, words) != 0) {
        snprintf(reason, size, "no process for testpmd: %s", strerror(errno));
        return -1;
    }
    if (read_until(&child, 0, "testpmd>") == NULL || tell(&child, "start\n") != 0 ||
        read_until(&child, 0, "rxonly packet forwarding") == NULL) {
        kill(child.pid, SIGKILL);
        int status = finish(&child);
        snprintf(reason, size,
                 status == 127 ? "dpdk-testpmd is not installed: Debian's package dpdk-dev has it"
                               : "dpdk-testpmd does not start on net_pcap");
        return -1;
    }
    if (read_packets(&child, &packets[0], &tsc[0]) == 0) {
        usleep(options->slice_ms * 1000);
        if (read_packets(&child, &packets[1], &tsc[1]) == 0)
            rate = (double)(packets[1] - packets[0]) * network_ticks_per_second() /
                   (double)(tsc[1] - tsc[0]);
    }
    tell(&child, "quit\n");
    while (read_until(&child, child.length, "never said") != NULL)
        continue; /* to its end */
    finish(&child);
    if (rate <= 0)
        snprintf(reason, size, "dpdk-testpmd's figures could not be read");
    return rate;
}

/* The floor's slice, by this program's other command. */
static double run_floor(const struct bench_options *options, char *reason, size_t size)
{
    static struct child child;
    char milliseconds[16], payload[16];
    double rate = -1;

    snprintf(milliseconds, sizeof milliseconds, "%u", options->slice_ms);
    snprintf(payload, sizeof payload, "%u", options->payload);
    char *words[] = {"/proc/self/exe", "throughput", "--mode",    "floor", "--slices", "1",
                     "--slice-ms",     milliseconds, "--payload", payload, "--json",   NULL};

    if (start(&child, words) == 0) {
        json_t *report;

        while (read_until(&child, child.length, "never said") != NULL)
            continue;
        report = json_loads(child.said, 0, NULL);
        rate = json_number_value(
            json_object_get(json_object_get(report, "floor"), "datagrams_per_second"));
        json_decref(report);
        if (finish(&child) != 0)
            rate = -1;
    }
    if (rate <= 0)
        snprintf(reason, size, "the floor's process has failed");
    return rate;
}

void testpmd_measure(struct testpmd *results, const struct bench_options *options)
{
    unsigned pairs = options->slices < MOST_PAIRS ? options->slices : MOST_PAIRS;
    struct bed bed = {.options = options};
    char capture[256], folder[] = "/tmp/wirerx-testpmd-XXXXXX";

    /* testpmd leaves files where DPDK keeps its own; here they can be taken away. */
    if (mkdtemp(folder) == NULL || setenv("RUNTIME_DIRECTORY", folder, 1) != 0) {
        snprintf(results->reason, sizeof results->reason, "no temporary folder in /tmp: %s",
                 strerror(errno));
        return;
    }
    results->floor = calloc(pairs, sizeof *results->floor);
    results->testpmd = calloc(pairs, sizeof *results->testpmd);
    if (results->floor == NULL || results->testpmd == NULL || bed_choose_cpus(&bed) != 0 ||
        capture_write(capture, sizeof capture, 1, options->payload, CAPTURE_PORT) != 0) {
        snprintf(results->reason, sizeof results->reason,
                 "a temporary capture (in $TMPDIR or /tmp) cannot be written");
        rmdir(folder);
        return;
    }
    while (results->pairs < pairs) {
        double bare = run_floor(options, results->reason, sizeof results->reason);
        double testpmd = bare > 0 ? run_testpmd(options, capture, bed.client_cpu, bed.lcore_cpu,
                                                results->reason, sizeof results->reason)
                                  : -1;

        if (testpmd <= 0)
            break;
        results->floor[results->pairs] = bare;
        results->testpmd[results->pairs++] = testpmd;
    }
    unlink(capture);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    unsetenv("RUNTIME_DIRECTORY");
}
