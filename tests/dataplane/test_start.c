/* SPDX-License-Identifier: BSD-3-Clause */

/* Starting and stopping inside somebody else's process: what is refused, what may come again, and
 * what of the process stays as it was. */

#include "support/suite.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "client.h"
#include "numa_place.h"
#include "pool.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include <pcap/pcap.h>

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000

SUITE_FIXTURE(start, capture_begin, capture_end);

static void expect_delivery(unsigned port)
{
    struct client c = client_joined(GROUP, PORT);
    uint8_t bytes[64];
    size_t length = frame_udp(bytes, sizeof bytes, GROUP, PORT, "abc", 3);
    struct taken taken;

    wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .port = port});
    wire_settle();
    CHECK(client_take(&c, &taken));
    CHECK_EQ_MEM(taken.bytes, "abc", 3);
    client_close(&c);
}

SUITE_TEST(start, again_with_other_ports)
{
    struct config config = wire_config(), again;
    struct config_port ports[2];
    char second[] = "vdev:net_ring5";

    wire_start(&config, &client_operations, true);
    expect_delivery(0);
    wire_stop();
    /* Another device, */
    capture_open("f.pcap", DLT_EN10MB);
    capture_add_numbers(GROUP, PORT, 0, 10, 100);
    capture_close();
    again = wire_config_device(capture_device(3, "f.pcap"));
    wire_start(&again, &client_operations, true);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 10);
    wire_stop();
    /* two, */
    config = wire_config();
    ports[0] = ports[1] = config.ports[0];
    ports[1].device = second;
    ports[1].addresses_count = 0;
    config.ports = ports;
    config.ports_count = 2;
    wire_start(&config, &client_operations, true);
    expect_delivery(0);
    expect_delivery(1);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_PORT, 1, "frames"), 1);
    wire_stop();
    /* and the first again, with an lcore of its own. */
    config = wire_config();
    wire_start(&config, &client_operations, false);
    CHECK_EQ_U64(wire_counter("frames"), 0); /* counters begin anew */
    expect_delivery(0);
    wire_stop();
    CHECK_EQ_U64(wire_counter("delivered"), 1); /* and stay readable */
}

SUITE_TEST(start, what_runs_is_not_started_again)
{
    struct config config = wire_config();
    struct config_error error;

    CHECK_EQ_I64(dataplane_stop(), -ENETDOWN);
    wire_start(&config, &client_operations, true);
    CHECK_EQ_I64(dataplane_start(&config, &client_operations, true, &error), -EALREADY);
    CHECK_EQ_STR(error.text, "the dataplane runs already; stop it first");
    wire_stop();
    CHECK_EQ_I64(dataplane_stop(), -ENETDOWN);
}

/* A text that ends in an ellipsis is the beginning: the rest is DPDK's. */
static void expect_refusal(const struct config *config, int result, const char *text)
{
    size_t length = strlen(text);
    struct config_error error;

    CHECK_EQ_I64(dataplane_start(config, &client_operations, true, &error), result);
    if (length > 3 && strcmp(text + length - 3, "...") == 0) {
        length -= 3;
        error.text[length] = '\0';
    }
    CHECK_MSG(strncmp(error.text, text, length) == 0 && strlen(error.text) == length,
              "refused with \"%s\", wanted \"%s\"", error.text, text);
    CHECK(!dataplane_running());
}

SUITE_TEST(start, cores_and_memory_cannot_change_in_a_process)
{
    struct config config = wire_config();
    unsigned cores[2], other;

    if (wire_cpus() < 2) {
        capture_end(); /* a skip comes without the fixture's end */
        SKIP("this process may use one CPU only");
    }
    cores[0] = wire_cpu(0);
    cores[1] = other = wire_cpu(1);
    wire_start(&config, &client_operations, true);
    wire_stop();
    config.cores_count = 2;
    config.cores = cores;
    config.buffers = 0;
    config.memory_mb = 256;
    expect_refusal(&config, -ENODEV,
                   "this process has started DPDK before, and the new configuration asks for other "
                   "cores, which DPDK cannot change: keep it as it was, or start a new process");
    config.cores_count = 1;
    config.cores = &other;
    expect_refusal(&config, -ENODEV,
                   "this process has started DPDK before, and the new configuration asks for other "
                   "cores, which DPDK cannot change: keep it as it was, or start a new process");
    config = wire_config();
    config.memory_mb = 257;
    expect_refusal(&config, -ENODEV,
                   "this process has started DPDK before, and the new configuration asks for more "
                   "memory, which DPDK cannot change: keep it as it was, or start a new process");
    config.memory_mb = 256;
    config.memory = CONFIG_MEMORY_IN_MEMORY;
    expect_refusal(
        &config, -ENODEV,
        "this process has started DPDK before, and the new configuration asks for "
        "another kind of memory, which DPDK cannot change: keep it as it was, or start a "
        "new process");
    config = wire_config();
    config.memory_mb = 200; /* less is well */
    wire_start(&config, &client_operations, true);
    expect_delivery(0);
    wire_stop();
}

SUITE_TEST(start, a_bad_device_is_refused_in_one_line_and_leaves_nothing)
{
    struct config config = wire_config_device("vdev:net_nosuchthing0");
    unsigned free_before;

    expect_refusal(
        &config, -ENODEV,
        "ports[0].device: vdev:net_nosuchthing0: DPDK could not probe the device (is its "
        "driver bound and installed?): ...");
    config = wire_config_device("vdev:net_pcap0,rx_pcap=/nonexistent/f.pcap");
    expect_refusal(&config, -ENODEV,
                   "ports[0].device: vdev:net_pcap0,rx_pcap=/nonexistent/f.pcap: DPDK could not "
                   "probe the device (is its driver bound and installed?): ...");
    config = wire_config();
    config.ports[0].queues = 16;
    config.buffers = 32768;
    wire_start(&config, &client_operations, true); /* as many as net_ring has */
    free_before = wire_free_buffers();
    CHECK_EQ_U64(free_before, 32768);
    wire_stop();
    config.memory_mb = 256;
    config.buffers = 131072; /* do not fit */
    expect_refusal(&config, -EINVAL,
                   "memory.megabytes: too little memory: 256 MiB given, and 131072 buffers and the "
                   "rings of 16 sockets alone take 315; 0 has it computed (473)");
    config = wire_config();
    wire_start(&config, &client_operations, true);
    expect_delivery(0);
    wire_stop();
}

/* A second port that fails takes the first, which was open, down again. */
SUITE_TEST(start, a_failing_port_closes_those_before_it)
{
    struct config config = wire_config();
    struct config_port ports[2] = {config.ports[0], config.ports[0]};
    char bad[] = "vdev:net_pcap0,rx_pcap=/nonexistent/f.pcap";
    struct config_error error;

    ports[1].device = bad;
    ports[1].addresses_count = 0;
    config.ports = ports;
    config.ports_count = 2;
    for (unsigned round = 0; round < 3; round++) {
        wire_capture_log();
        CHECK_EQ_I64(dataplane_start(&config, &client_operations, true, &error), -ENODEV);
        CHECK_EQ_STR(wire_captured_log(), "");
        CHECK_EQ_U64(pool_total(), 0);
    }
    config.ports_count = 1;
    wire_start(&config, &client_operations, true);
    expect_delivery(0);
    wire_stop();
}

/* --- the client's process ---------------------------------------------------------------------------- */

struct thread_state {
    cpu_set_t affinity;
    sigset_t mask;
};

static struct thread_state this_thread(void)
{
    struct thread_state state;

    memset(&state, 0, sizeof state);
    CHECK_EQ_I64(sched_getaffinity(0, sizeof state.affinity, &state.affinity), 0);
    CHECK_EQ_I64(pthread_sigmask(SIG_SETMASK, NULL, &state.mask), 0);
    return state;
}

static void expect_same_state(const struct thread_state *before, const struct thread_state *after)
{
    CHECK(CPU_EQUAL(&before->affinity, &after->affinity));
    for (int number = 1; number < NSIG; number++)
        CHECK_EQ_I64(sigismember(&before->mask, number), sigismember(&after->mask, number));
}

static pthread_barrier_t started, looked;

static void *second_client_thread(void *argument)
{
    sigset_t some;
    cpu_set_t one;

    /* Affinity and a mask of its own, unlike the main thread's. */
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigaddset(&some, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &some, NULL);
    CPU_ZERO(&one);
    CPU_SET(wire_cpu(0), &one);
    CHECK_EQ_I64(sched_setaffinity(0, sizeof one, &one), 0);
    struct thread_state before = this_thread();
    pthread_barrier_wait(&looked);
    pthread_barrier_wait(&started);
    struct thread_state after = this_thread();
    expect_same_state(&before, &after);
    return argument;
}

SUITE_TEST(start, client_threads_keep_their_affinity_and_signal_mask)
{
    struct config config = wire_config();
    pthread_t second;
    sigset_t mine;

    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    CHECK_EQ_I64(pthread_barrier_init(&started, NULL, 2), 0);
    CHECK_EQ_I64(pthread_barrier_init(&looked, NULL, 2), 0);
    struct thread_state before = this_thread();
    CHECK_EQ_I64(pthread_create(&second, NULL, second_client_thread, NULL), 0);
    pthread_barrier_wait(&looked);
    wire_start(&config, &client_operations, false);
    struct thread_state during = this_thread();
    expect_same_state(&before, &during);
    expect_delivery(0);
    wire_stop();
    pthread_barrier_wait(&started);
    CHECK_EQ_I64(pthread_join(second, NULL), 0);
    struct thread_state after = this_thread();
    expect_same_state(&before, &after);
}

/* Of the threads with this name in our process: how many, and the CPUs of the last one. */
static unsigned find_threads(const char *name, cpu_set_t *cpus, char *blocked, size_t size)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    unsigned found = 0;

    CHECK(tasks != NULL);
    while ((task = readdir(tasks)) != NULL) {
        char path[300], text[256] = "";
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        bool matches = false;
        while (fgets(text, sizeof text, file) != NULL) {
            if (strncmp(text, "Name:", 5) == 0) {
                text[strcspn(text, "\n")] = '\0';
                matches = strcmp(text + 6, name) == 0;
            }
            if (matches && strncmp(text, "SigBlk:", 7) == 0)
                snprintf(blocked, size, "%.*s", (int)strcspn(text + 8, "\n"), text + 8);
        }
        fclose(file);
        if (!matches)
            continue;
        found++;
        CHECK_EQ_I64(sched_getaffinity((pid_t)strtol(task->d_name, NULL, 10), sizeof *cpus, cpus),
                     0);
    }
    closedir(tasks);
    return found;
}

SUITE_TEST(start, our_threads_are_one_for_service_and_one_pinned_for_each_core)
{
    struct config config = wire_config();
    cpu_set_t process, cpus;
    char blocked[64] = "";

    CHECK_EQ_I64(sched_getaffinity(0, sizeof process, &process), 0);
    wire_start(&config, &client_operations, false);
    CHECK_EQ_U64(find_threads("wirerx-service", &cpus, blocked, sizeof blocked), 1);
    CHECK(CPU_EQUAL(&process, &cpus)); /* it runs anywhere */
    uint64_t mask = strtoull(blocked, NULL, 16);
    CHECK(mask & 1ull << (SIGINT - 1)); /* signals to the process are for the client's threads */
    CHECK(mask & 1ull << (SIGALRM - 1));
    CHECK(!(mask & 1ull << (SIGSEGV - 1))); /* faults of the guarded copy are our own */
    CHECK(!(mask & 1ull << (SIGBUS - 1)));
    CHECK_EQ_U64(find_threads("rte-worker-1", &cpus, blocked, sizeof blocked), 1);
    CHECK_EQ_I64(CPU_COUNT(&cpus), 1);
    CHECK(CPU_ISSET(wire_cpu(0), &cpus));
    mask = strtoull(blocked, NULL, 16);
    CHECK(mask & 1ull << (SIGINT - 1));
    CHECK(!(mask & 1ull << (SIGSEGV - 1)));
    wire_stop();
}

static unsigned entries_of(const char *path)
{
    DIR *directory = opendir(path);
    unsigned count = 0;

    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

SUITE_TEST(start, starting_again_and_again_leaks_nothing, .timeout = 60)
{
    unsigned descriptors = 0, threads = 0;

    for (unsigned round = 0; round < 12; round++) {
        struct config config = wire_config();

        wire_start(&config, &client_operations, round % 2 != 0);
        expect_delivery(0);
        wire_stop();
        if (round == 1) {
            descriptors = entries_of("/proc/self/fd");
            threads = entries_of("/proc/self/task");
        }
    }
    CHECK_EQ_U64(entries_of("/proc/self/fd"), descriptors);
    CHECK_EQ_U64(entries_of("/proc/self/task"), threads);
}

SUITE_TEST(start, dpdks_runtime_directory_is_gone_as_soon_as_it_runs)
{
    struct config config = wire_config();
    struct stat status;
    const char *directory;

    wire_start(&config, &client_operations, true);
    directory = rte_eal_get_runtime_dir();
    CHECK(strstr(directory, "wirerx-") != NULL);
    CHECK(stat(directory, &status) != 0 && errno == ENOENT);
    wire_stop();
}

SUITE_TEST(start, an_lcore_elsewhere_than_the_device_is_warned_of)
{
    struct config config = wire_config();
    int node = numa_place_of_cpu(config.cores[0]);
    char expected[256];

    wire_capture_log();
    numa_place_check(&config, 0, -1); /* the device has none */
    numa_place_check(&config, 0, node);
    CHECK_EQ_STR(wire_captured_log(), "");
    wire_capture_log();
    numa_place_check(&config, 0, node + 1);
    snprintf(expected, sizeof expected,
             "wirerx: core %u is on NUMA node %d but port 0 (vdev:net_ring0) is on node %d: every "
             "frame crosses the interconnect; take a core of node %d\n",
             config.cores[0], node, node + 1, node + 1);
    CHECK_EQ_STR(wire_captured_log(), expected);
    CHECK_EQ_I64(numa_place_of_cpu(100000), 0);
}

/* A device that still holds frames when it is stopped: they are nobody's loss but its own. */
SUITE_TEST(start, a_stop_under_load_is_silent_and_balanced)
{
    struct config config = wire_config();
    struct client c;

    for (unsigned by_hand = 0; by_hand < 2; by_hand++) {
        wire_start(&config, &client_operations, by_hand != 0);
        c = client_joined(GROUP, PORT);
        for (unsigned i = 0; i < 500; i++)
            wire_send_udp(GROUP, PORT, "abc", 3);
        if (by_hand != 0) {
            wire_step(dataplane_tsc());
            CHECK_EQ_U64(wire_counter("frames"), 32);
        }
        wire_capture_log();
        CHECK_EQ_I64(dataplane_stop(), 0);
        CHECK_EQ_STR(wire_captured_log(), "");
        wire_check_balance();
        if (by_hand != 0)
            CHECK_EQ_U64(wire_counter("delivered"), 32);
        client_close(&c);
    }
}

/* --- devices that bring their own frames ----------------------------------------------------------------- */

SUITE_TEST(start, net_null_is_polled_and_dropped)
{
    struct config config = wire_config_device("vdev:net_null0,size=64");

    wire_start(&config, &client_operations, true);
    for (unsigned i = 0; i < 1000; i++)
        wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("drop.other_ethertype"), 32000);
    CHECK_EQ_U64(wire_free_buffers(), 4096);
    wire_stop();
}

#ifdef WIRERX_SANITIZED
#define DATAGRAMS 20000u
#else
#define DATAGRAMS 200000u
#endif

/* The whole machine at once: a file without end, an lcore, a reader that keeps up as it can and a
 * socket that never reads. The reader loses for its own reasons only, and hears of each loss. */
SUITE_TEST(start, infinite_replay_with_a_dead_socket, .timeout = 100)
{
    static char device[512];
    struct config config;
    uint64_t received = 0, told = 0;
    struct taken taken;

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 64; i++)
        capture_add_numbers(GROUP + i % 2, PORT, i, 1, 64);
    capture_close();
    snprintf(device, sizeof device, "%s,infinite_rx=1", capture_device(0, "f.pcap"));
    config = wire_config_device(device);
    config.sockets.ring_slots = 8192;
    wire_start(&config, &client_operations, false);
    struct client live = client_joined(GROUP, PORT), dead = client_joined(GROUP + 1, PORT);
    while (received < DATAGRAMS) {
        if (!client_take(&live, &taken)) {
            sched_yield();
            continue;
        }
        CHECK(taken.bytes[0] % 2 == 0);
        CHECK((uint32_t)(taken.drops - (uint32_t)told) < 1u << 31); /* it never goes back */
        told = taken.drops;
        received++;
    }
    unsigned dead_holds = client_queued(&dead);
    CHECK_LE_U64(dead_holds, 4096 / 3 + 64);
    CHECK_GE_U64(client_lost_pool_share(&dead), 1);
    client_close(&dead);
    CHECK_EQ_I64(lock_word_acquire(&live.endpoint->word, live.generation), LOCK_ACQUIRED);
    lock_word_retire(&live.endpoint->word);
    dataplane_endpoint_close(live.endpoint);
    wire_capture_log();
    CHECK_EQ_I64(dataplane_stop(), 0);
    CHECK_EQ_STR(wire_captured_log(), "");
    wire_check_balance();
    /* What came for the live one was delivered, or lost by it: nothing else can have happened. */
    CHECK_EQ_U64(wire_counter("frames"),
                 wire_counter("delivered") + wire_counter("drop.ring_full") +
                     wire_counter("drop.pool_share") + wire_counter("drop.not_joined"));
}
