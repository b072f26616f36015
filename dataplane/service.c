/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ring_elem.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_arp.h"
#include "log.h"
#include "numa_place.h"
#include "owner_mutex.h"
#include "port_watch.h"
#include "wake.h"
#include "wall_clock.h"

#define TICK_NS UINT64_C(50000000)
#define MAX_ARGUMENTS 24

/* What the thread sleeps on. */
enum service_word {
    SERVICE_AWAKE,
    SERVICE_ASLEEP,
    SERVICE_CALLED
};

static struct {
    struct owner_mutex calls; /* one caller at a time */
    pthread_t thread;
    bool thread_started;
    _Atomic uint32_t word;

    int (*function)(void *argument);
    void *argument;
    int result;
    _Atomic uint32_t call_state; /* 0 none, 1 asked, 2 answered */

    struct lcore *lcores;
    unsigned lcores_count;
    struct port *ports;
    unsigned ports_count;
    const struct endpoint_operations *operations;

    bool eal_started;
    bool forked;       /* this is a child, and its parent has started EAL, or had begun to */
    struct config eal; /* cores and memory that EAL was started with */
    bool eal_pci;
    unsigned eal_memory_mb;
    bool remove_runtime_parent;
} service;

void service_wake(void)
{
    if (atomic_exchange_explicit(&service.word, SERVICE_CALLED, memory_order_seq_cst) ==
        SERVICE_ASLEEP)
        wake(&service.word, 1);
}

void service_attach_ports(struct port *ports, unsigned count)
{
    service.ports = ports;
    service.ports_count = count;
}

void service_attach(struct lcore *lcores, unsigned count,
                    const struct endpoint_operations *operations)
{
    service.lcores = lcores;
    service.lcores_count = count;
    service.operations = operations;
}

unsigned service_lcore_id(unsigned index)
{
    return index + 1; /* 0 is the main lcore */
}

static void run_errands(struct lcore *lcore)
{
    struct wake_errand *errand, *next;

    if (atomic_load_explicit(&lcore->errands, memory_order_relaxed) == NULL)
        return; /* the line is the lcore's */
    errand = atomic_exchange_explicit(&lcore->errands, NULL, memory_order_acquire);
    for (; errand != NULL; errand = next) {
        next = errand->next; /* it may be handed over again before run() returns */
        errand->run(errand);
    }
}

static void do_deferred(struct lcore *lcore)
{
    struct deferred_wake deferred;
    struct endpoint *endpoint;

    while (rte_ring_sc_dequeue_elem(lcore->wakes, &deferred, sizeof deferred) == 0)
        wake(deferred.word, (int)deferred.count);
    run_errands(lcore);
    store_stock_serve(&lcore->stock);
    host_arp_tell(lcore);
    while (rte_ring_sc_dequeue(lcore->services, (void **)&endpoint) == 0) {
        /* Cleared before looking: data published after this asks again. */
        atomic_exchange_explicit(&endpoint->serve_queued, false, memory_order_acq_rel);
        lcore->operations->serve_from_service(endpoint);
    }
}

void service_do_deferred(void)
{
    for (unsigned i = 0; i < service.lcores_count; i++)
        do_deferred(&service.lcores[i]);
}

static void answer_call(void)
{
    if (atomic_load_explicit(&service.call_state, memory_order_acquire) != 1)
        return;
    service.result = service.function(service.argument);
    atomic_store_explicit(&service.call_state, 2, memory_order_release);
    wake(&service.call_state, 1);
}

static void look_at_clocks(void)
{
    wall_clock_look_at_tsc();
    for (unsigned i = 0; i < service.ports_count; i++)
        port_clock_look(&service.ports[i]);
}

static void *service_main(void *unused)
{
    uint64_t next_tick = 0;

    (void)unused;
    pthread_setname_np(pthread_self(), "wirerx-service");
    for (;;) {
        atomic_store_explicit(&service.word, SERVICE_AWAKE, memory_order_seq_cst);
        answer_call();
        service_do_deferred();
        uint64_t now = wake_clock();
        if (service.operations != NULL && now >= next_tick) {
            service.operations->tick();
            look_at_clocks();
            port_watch();
            next_tick = now + TICK_NS;
        }
        uint32_t awake = SERVICE_AWAKE;
        if (!atomic_compare_exchange_strong(&service.word, &awake, SERVICE_ASLEEP))
            continue; /* called meanwhile */
        struct wake_word word = {&service.word, SERVICE_ASLEEP};
        wake_sleep(&word, 1, service.operations != NULL ? next_tick : WAKE_FOREVER);
    }
    return NULL;
}

/* The faults that the guarded copy handles must stay deliverable; all else is the client's. */
static void block_client_signals(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static int start_thread(void)
{
    sigset_t before;
    int result;

    block_client_signals(&before);
    result = pthread_create(&service.thread, NULL, service_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    service.thread_started = result == 0;
    return result;
}

void service_forked(void)
{
    service.forked = service.thread_started;
    service.lcores = NULL;
    service.lcores_count = 0;
    service.ports_count = 0;
    service.operations = NULL;
    owner_mutex_reset(&service.calls);
}

int service_call(int (*function)(void *), void *argument)
{
    int result;

    owner_mutex_lock(&service.calls); /* under the control lock, so not our own */
    service.function = function;
    service.argument = argument;
    atomic_store_explicit(&service.call_state, 1, memory_order_release);
    service_wake();
    while (atomic_load_explicit(&service.call_state, memory_order_acquire) != 2) {
        struct wake_word word = {&service.call_state, 1};
        wake_sleep(&word, 1, WAKE_FOREVER);
    }
    result = service.result;
    atomic_store_explicit(&service.call_state, 0, memory_order_relaxed);
    owner_mutex_unlock(&service.calls);
    return result;
}

/* "1,3,5" of the CPUs this process may use. */
static void describe_affinity(char *text, size_t size)
{
    cpu_set_t set;
    size_t at = 0;

    text[0] = '\0';
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && at + 8 < size; cpu++)
        if (CPU_ISSET(cpu, &set))
            at += (size_t)snprintf(text + at, size - at, at == 0 ? "%u" : ",%u", cpu);
}

static bool has_pci(const struct config *config)
{
    for (unsigned i = 0; i < config->ports_count; i++)
        if (strncmp(config->ports[i].device, "vdev:", 5) != 0)
            return true;
    return false;
}

/* What DPDK leaves in its runtime directory. Children that end by exit() come here, too. */
static void remove_runtime_directory(void)
{
    if (service.forked)
        return;
    char path[PATH_MAX + 300], parent[PATH_MAX];
    const char *directory = rte_eal_get_runtime_dir();
    DIR *files = opendir(directory);
    struct dirent *file;
    char *slash;

    while (files != NULL && (file = readdir(files)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", directory, file->d_name);
        unlink(path); /* fails on "." and "..", which is well */
    }
    if (files != NULL)
        closedir(files);
    rmdir(directory);
    snprintf(parent, sizeof parent, "%s", directory);
    slash = strrchr(parent, '/');
    if (service.remove_runtime_parent && slash != NULL) {
        *slash = '\0';
        rmdir(parent); /* unless another DPDK process uses it */
    }
}

static bool runtime_parent_exists(void)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    char path[PATH_MAX];
    struct stat status;

    if (getuid() == 0)
        base = "/var/run";
    else if (base == NULL)
        base = "/tmp";
    snprintf(path, sizeof path, "%s/dpdk", base);
    return stat(path, &status) == 0;
}

struct eal_start {
    const struct config *config;
    struct config_error *error;
};

/* EAL keeps pointers into its arguments, and starts once: so does this. */
static struct {
    char text[8192];
    size_t used;
    char *list[MAX_ARGUMENTS];
    int count;
} arguments;

static void add_argument(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add_argument(const char *format, ...)
{
    char *at = arguments.text + arguments.used;
    size_t room = sizeof arguments.text - arguments.used;
    va_list values;
    int length;

    va_start(values, format);
    length = vsnprintf(at, room, format, values);
    va_end(values);
    arguments.used += RTE_MIN((size_t)length + 1, room - 1);
    arguments.list[arguments.count++] = at;
}

/* lcore 0 is the service thread, anywhere this process may run; then one lcore per core. */
static void add_lcores(const struct config *config)
{
    char text[4096], affinity[2048];
    size_t at;

    describe_affinity(affinity, sizeof affinity);
    at = (size_t)snprintf(text, sizeof text, "0@(%s)", affinity);
    for (unsigned i = 0; i < config->cores_count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, ",%u@%u", service_lcore_id(i),
                               config->cores[i]);
    add_argument("--lcores=%s", text);
}

static void add_arguments(const struct config *config, unsigned mb)
{
    const char *level = getenv("WIRERX_EAL_LOG_LEVEL");

    arguments.used = 0;
    arguments.count = 0;
    add_argument("wirerx");
    add_lcores(config);
    add_argument("--file-prefix=wirerx-%d", (int)getpid());
    add_argument("--no-telemetry");
    add_argument("--log-level=*:%s", level != NULL ? level : "critical");
    add_argument("-m");
    add_argument("%u", mb);
    if (!has_pci(config)) {
        add_argument("--no-pci");
    } else { /* an allow list, so that only what is configured is probed, one by one */
        add_argument("-a");
        add_argument("0000:00:00.0");
    }
    switch (config->memory) {
    case CONFIG_MEMORY_NO_HUGE:
        add_argument("--no-huge");
        add_argument("--no-shconf");
        break;
    case CONFIG_MEMORY_IN_MEMORY:
        add_argument("--in-memory");
        break;
    case CONFIG_MEMORY_HUGE:
        break;
    }
}

static int start_eal(void *argument)
{
    struct eal_start *start = argument;
    const struct config *config = start->config;
    unsigned mb = config_memory_mb(config);
    bool parent_exists = runtime_parent_exists();

    add_arguments(config, mb);
    service.remove_runtime_parent = !parent_exists;
    if (rte_eal_init(arguments.count, arguments.list) < 0) {
        snprintf(start->error->text, sizeof start->error->text,
                 "DPDK's environment does not start (%s): %u MB of %s pages wanted for the "
                 "configured sockets and buffers; set WIRERX_EAL_LOG_LEVEL=info to see why",
                 rte_strerror(rte_errno), mb,
                 config->memory == CONFIG_MEMORY_NO_HUGE ? "ordinary" : "huge");
        remove_runtime_directory();
        return -1;
    }
    pthread_setname_np(pthread_self(), "wirerx-service");
    service.eal_started = true;
    service.eal_pci = has_pci(config);
    service.eal_memory_mb = mb;
    if (config->memory == CONFIG_MEMORY_HUGE)
        atexit(remove_runtime_directory);
    else
        remove_runtime_directory(); /* nothing uses it without shared files */
    return config_copy(&service.eal, config);
}

static int same_environment(const struct config *config, struct config_error *error)
{
    const char *what = NULL;

    if (config->cores_count != service.eal.cores_count ||
        memcmp(config->cores, service.eal.cores, config->cores_count * sizeof *config->cores) != 0)
        what = "other cores";
    else if (config->memory != service.eal.memory)
        what = "another kind of memory";
    else if (config_memory_mb(config) > service.eal_memory_mb)
        what = "more memory";
    else if (has_pci(config) && !service.eal_pci)
        what = "PCI devices beside none";
    if (what == NULL)
        return 0;
    snprintf(error->text, sizeof error->text,
             "this process has started DPDK before, and the new configuration asks for %s, which "
             "DPDK cannot change: keep it as it was, or start a new process",
             what);
    return -1;
}

int service_ensure(const struct config *config, struct config_error *error)
{
    struct eal_start start = {config, error};

    if (service.forked) {
        snprintf(error->text, sizeof error->text,
                 "this process is the child of one that has started DPDK, which does not survive a "
                 "fork(): start it in the parent only, or exec() a program in the child");
        return -1;
    }
    numa_place_set_first_core(config->cores[0]);
    if (service.eal_started)
        return same_environment(config, error);
    if (!service.thread_started && start_thread() != 0) {
        snprintf(error->text, sizeof error->text, "the service thread cannot be started: %s",
                 strerror(errno));
        return -1;
    }
    return service_call(start_eal, &start);
}
