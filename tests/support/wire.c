/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "support/frames.h"
#include "support/wire.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pool.h"
#include "state.h"

#define SETTLE_PASSES 1000000u
#define SETTLE_NS (20ull * 1000 * 1000 * 1000)
#define QUIET_PASSES 3u

/* A frame on its way to an lcore, which makes the mbufs. */
struct outgoing {
    struct outgoing *next;
    struct wire_frame frame;
    uint16_t segments[64];
    uint8_t bytes[];
};

static struct {
    bool by_hand;
    struct rte_mempool *pool;
    struct rte_ring *rings[CONFIG_MAX_PORTS][CONFIG_MAX_QUEUES];

    pthread_mutex_t lock; /* of the lists, between the sending thread and the lcores */
    struct outgoing_list {
        struct outgoing *first, **last;
    } outgoing[CONFIG_MAX_CORES]; /* for the lcore that polls the frame's queue */
    _Atomic unsigned queued;
    _Atomic uint64_t passes[CONFIG_MAX_CORES];
    _Atomic bool busy[CONFIG_MAX_CORES]; /* had the last pass anything to do? */

    int saved_stderr, log_file;
    char log[65536];
} wire = {.lock = PTHREAD_MUTEX_INITIALIZER, .saved_stderr = -1};

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
/* By default it sleeps for a second when a process ends, and every test is a process. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=20";
}
#endif
#endif

/* --- configuration ---------------------------------------------------------------------------- */

unsigned wire_cpu(unsigned before)
{
    cpu_set_t set;
    size_t cpu = CPU_SETSIZE;

    CPU_ZERO(&set);
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    while (cpu-- > 0)
        if (CPU_ISSET(cpu, &set) && before-- == 0)
            return (unsigned)cpu;
    FAIL("this process may not use that many CPUs");
}

unsigned wire_cpus(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    return (unsigned)CPU_COUNT(&set);
}

struct config wire_config_device(const char *device)
{
    static struct config_address address;
    static struct config_port port;
    static unsigned core;
    struct config config = config_default();

    core = wire_cpu(0);
    address = (struct config_address){WIRE_ADDRESS, 24};
    port = config_port_default();
    port.device = (char *)(uintptr_t)device;
    port.addresses = &address;
    port.addresses_count = 1;
    config.cores = &core;
    config.cores_count = 1;
    config.ports = &port;
    config.ports_count = 1;
    config.buffers = 4096;
    config.memory_mb = 256; /* plain pages: those that are not touched cost nothing */
    config.sockets.maximum = 16;
    config.sockets.ring_slots = 256;
    return config;
}

struct config wire_config(void)
{
    return wire_config_device("vdev:net_ring0");
}

/* --- the lcore's end ------------------------------------------------------------------------------ */

static struct rte_ring *ring_of(unsigned port, unsigned queue)
{
    CHECK(port < CONFIG_MAX_PORTS && queue < CONFIG_MAX_QUEUES);
    CHECK_MSG(wire.rings[port][queue] != NULL, "nothing can be sent on port %u, queue %u", port,
              queue);
    return wire.rings[port][queue];
}

static uint16_t segment_length(const struct wire_frame *frame, unsigned index, size_t done,
                               uint16_t room)
{
    size_t left = frame->length - done;

    if (frame->segments != NULL && index < frame->segments_count) {
        CHECK(frame->segments[index] <= room && frame->segments[index] <= left);
        return frame->segments[index];
    }
    return left < room ? (uint16_t)left : room;
}

/* NULL when the pool is empty. */
static struct rte_mbuf *make_mbuf(const struct wire_frame *frame)
{
    struct rte_mbuf *head = NULL, **link = &head;
    size_t done = 0;
    unsigned index = 0;

    do {
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire.pool);

        if (mbuf == NULL) {
            rte_pktmbuf_free(head);
            return NULL;
        }
        uint16_t length = segment_length(frame, index++, done, rte_pktmbuf_tailroom(mbuf));
        memcpy(rte_pktmbuf_mtod(mbuf, void *), (const uint8_t *)frame->bytes + done, length);
        mbuf->data_len = length;
        *link = mbuf;
        link = &mbuf->next;
        head->nb_segs = (uint16_t)index;
        done += length;
    } while (done < frame->length);
    head->pkt_len = (uint32_t)frame->length;
    head->ol_flags |= frame->ol_flags;
    head->vlan_tci = frame->vlan_tci;
    return head;
}

static bool put_on_wire(const struct wire_frame *frame)
{
    struct rte_ring *ring = ring_of(frame->port, frame->queue);

    if (rte_ring_full(ring))
        return false;
    struct rte_mbuf *mbuf = make_mbuf(frame);
    if (mbuf == NULL)
        return false;
    CHECK(rte_ring_sp_enqueue(ring, mbuf) == 0);
    return true;
}

/* In front of lcore_step() on an lcore's own thread. */
static bool step_of_lcore(struct lcore *lcore, uint64_t now)
{
    struct outgoing_list *list = &wire.outgoing[lcore->index];
    bool busy;

    if (atomic_load_explicit(&wire.queued, memory_order_relaxed) != 0 &&
        pthread_mutex_trylock(&wire.lock) == 0) {
        while (list->first != NULL && put_on_wire(&list->first->frame)) {
            struct outgoing *sent = list->first;

            list->first = sent->next;
            if (list->first == NULL)
                list->last = &list->first;
            free(sent);
            atomic_fetch_sub_explicit(&wire.queued, 1, memory_order_release);
        }
        pthread_mutex_unlock(&wire.lock);
    }
    busy = lcore_step(lcore, now);
    atomic_store_explicit(&wire.busy[lcore->index], busy, memory_order_relaxed);
    atomic_fetch_add_explicit(&wire.passes[lcore->index], 1, memory_order_release);
    return busy;
}

/* --- starting and stopping ------------------------------------------------------------------------ */

static void find_rings(void)
{
    memset(wire.rings, 0, sizeof wire.rings);
    for (unsigned port = 0; port < dataplane.config.ports_count; port++) {
        const char *device = dataplane.config.ports[port].device;

        if (strncmp(device, "vdev:net_ring", 13) != 0)
            continue;
        for (unsigned queue = 0; queue < dataplane.config.ports[port].queues; queue++) {
            char name[RTE_RING_NAMESIZE];

            snprintf(name, sizeof name, "ETH_RXTX%u_%.16s", queue, device + 5);
            wire.rings[port][queue] = rte_ring_lookup(name);
            CHECK_MSG(wire.rings[port][queue] != NULL, "DPDK has no ring %s", name);
        }
    }
}

/* What no lcore has put on the wire before the last stop. */
static void forget_outgoing(void)
{
    for (unsigned i = 0; i < CONFIG_MAX_CORES; i++) {
        struct outgoing_list *list = &wire.outgoing[i];

        while (list->first != NULL) {
            struct outgoing *outgoing = list->first;

            list->first = outgoing->next;
            free(outgoing);
        }
        list->last = &list->first;
    }
    atomic_store(&wire.queued, 0);
}

int wire_try_start(const struct config *config, const struct endpoint_operations *operations,
                   bool by_hand, struct config_error *error)
{
    int result = dataplane_start(config, operations, by_hand, error);

    if (result != 0)
        return result;
    wire.by_hand = by_hand;
    forget_outgoing();
    wire.pool = rte_mempool_lookup("wirerx_pool_0");
    CHECK(wire.pool != NULL);
    find_rings();
    for (unsigned i = 0; !by_hand && i < dataplane.lcores_count; i++)
        atomic_store_explicit(&dataplane.lcores[i].step, step_of_lcore, memory_order_release);
    return 0;
}

void wire_start(const struct config *config, const struct endpoint_operations *operations,
                bool by_hand)
{
    struct config_error error;
    int result = wire_try_start(config, operations, by_hand, &error);

    CHECK_MSG(result == 0, "the dataplane does not start (%d): %s", result, error.text);
}

void wire_stop(void)
{
    bool captured = wire.saved_stderr >= 0; /* by the test itself, which then looks at the log */

    wire_check_balance();
    if (!captured)
        wire_capture_log();
    CHECK_EQ_I64(dataplane_stop(), 0);
    if (!captured) {
        const char *log = wire_captured_log();
        CHECK_MSG(log[0] == '\0', "stopping was not silent: %s", log);
    }
    wire_check_balance();
    forget_outgoing();
    wire.pool = NULL;
}

/* --- sending ------------------------------------------------------------------------------------------ */

static struct outgoing_list *list_for(const struct wire_frame *frame)
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        for (unsigned k = 0; k < dataplane.lcores[i].queues_count; k++) {
            const struct rx_queue *queue = &dataplane.lcores[i].queues[k];

            if (queue->port->index == frame->port && queue->queue == frame->queue)
                return &wire.outgoing[i];
        }
    FAIL("no lcore polls port %u, queue %u", frame->port, frame->queue);
}

static void queue_for_lcore(const struct wire_frame *frame)
{
    struct outgoing *outgoing = malloc(sizeof *outgoing + frame->length);
    struct outgoing_list *list = list_for(frame);

    CHECK(outgoing != NULL);
    ring_of(frame->port, frame->queue);
    outgoing->next = NULL;
    outgoing->frame = *frame;
    outgoing->frame.bytes = outgoing->bytes;
    memcpy(outgoing->bytes, frame->bytes, frame->length);
    if (frame->segments != NULL) {
        CHECK(frame->segments_count <= 64);
        memcpy(outgoing->segments, frame->segments, frame->segments_count * sizeof(uint16_t));
        outgoing->frame.segments = outgoing->segments;
    }
    pthread_mutex_lock(&wire.lock);
    *list->last = outgoing;
    list->last = &outgoing->next;
    atomic_fetch_add_explicit(&wire.queued, 1, memory_order_release);
    pthread_mutex_unlock(&wire.lock);
}

bool wire_try_send(const struct wire_frame *frame)
{
    CHECK(wire.pool != NULL);
    if (wire.by_hand)
        return put_on_wire(frame);
    queue_for_lcore(frame);
    return true;
}

void wire_send_frame(const struct wire_frame *frame)
{
    CHECK(wire_try_send(frame));
}

void wire_send(const void *bytes, size_t length)
{
    wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length});
}

void wire_send_segments(const void *bytes, size_t length, const uint16_t *segments, unsigned count)
{
    wire_send_frame(&(struct wire_frame){
        .bytes = bytes, .length = length, .segments = segments, .segments_count = count});
}

void wire_send_udp(uint32_t destination, uint16_t port, const void *payload, size_t length)
{
    uint8_t bytes[FRAME_MAX];

    wire_send(bytes, frame_udp(bytes, sizeof bytes, destination, port, payload, length));
}

void wire_send_numbers(uint32_t destination, uint16_t port, uint64_t first, unsigned count,
                       size_t length)
{
    uint8_t payload[FRAME_MAX];

    for (unsigned i = 0; i < count; i++) {
        frame_fill(payload, length, first + i);
        wire_send_udp(destination, port, payload, length);
        if (i % WIRE_NUMBERS_AT_ONCE == WIRE_NUMBERS_AT_ONCE - 1)
            wire_settle();
    }
    wire_settle();
}

/* --- passes --------------------------------------------------------------------------------------------- */

bool wire_step_one(unsigned lcore, uint64_t now)
{
    CHECK(wire.by_hand && lcore < dataplane.lcores_count);
    return lcore_step(&dataplane.lcores[lcore], now);
}

bool wire_step(uint64_t now)
{
    bool busy = false;

    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        busy |= wire_step_one(i, now);
    return busy;
}

/* Nothing is between the sender and the sockets' rings, but for what an lcore has in its hands. */
static bool wire_is_empty(void)
{
    if (atomic_load_explicit(&wire.queued, memory_order_acquire) != 0)
        return false;
    for (unsigned port = 0; port < CONFIG_MAX_PORTS; port++)
        for (unsigned queue = 0; queue < CONFIG_MAX_QUEUES; queue++)
            if (wire.rings[port][queue] != NULL && !rte_ring_empty(wire.rings[port][queue]))
                return false;
    for (unsigned to = 0; to < dataplane.lcores_count; to++)
        for (unsigned from = 0; from < dataplane.lcores_count; from++)
            if (dataplane.lcores[to].handover[from] != NULL &&
                !rte_ring_empty(dataplane.lcores[to].handover[from]))
                return false;
    return true;
}

/* In so many passes every socket is looked at, and its buffers are home. */
static unsigned sweep_passes(void)
{
    uint32_t most = 0;

    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        most = RTE_MAX(most, dataplane.lcores[i].homed_count);
    return LCORE_SWEEP_PASSES * (most / LCORE_SWEEP + 2);
}

/* @return true: the lcores had something to do in their last one */
static bool await_passes(uint64_t deadline, unsigned passes)
{
    bool busy = false;

    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        uint64_t from = atomic_load_explicit(&wire.passes[i], memory_order_acquire);

        while (atomic_load_explicit(&wire.passes[i], memory_order_acquire) < from + passes) {
            CHECK_MSG(wake_clock() < deadline, "lcore %u does not move", i);
            sched_yield();
        }
        busy |= atomic_load_explicit(&wire.busy[i], memory_order_relaxed);
    }
    return busy;
}

void wire_settle(void)
{
    uint64_t deadline = wake_clock() + SETTLE_NS;
    unsigned quiet = 0;

    if (wire.by_hand) {
        for (unsigned pass = 0; quiet < QUIET_PASSES; pass++) {
            CHECK_MSG(pass < SETTLE_PASSES, "the wire does not settle");
            bool busy = wire_step(rte_rdtsc());
            quiet = !busy && wire_is_empty() ? quiet + 1 : 0;
        }
        for (unsigned pass = sweep_passes(); pass != 0; pass--)
            wire_step(rte_rdtsc());
        return;
    }
    while (quiet < QUIET_PASSES) {
        CHECK_MSG(wake_clock() < deadline, "the wire does not settle");
        bool busy = await_passes(deadline, 2);
        quiet = !busy && wire_is_empty() ? quiet + 1 : 0;
    }
    await_passes(deadline, sweep_passes());
}

/* --- counters --------------------------------------------------------------------------------------------- */

uint64_t wire_counter_of(enum dataplane_scope scope, unsigned index, const char *name)
{
    struct dataplane_report report;

    CHECK_EQ_I64(dataplane_report(scope, index, &report), 0);
    for (unsigned i = 0; i < report.count; i++)
        if (strcmp(report.rows[i].name, name) == 0)
            return report.rows[i].value;
    FAIL("no counter is named %s", name);
}

uint64_t wire_counter(const char *name)
{
    return wire_counter_of(DATAPLANE_SCOPE_ALL, 0, name);
}

static bool is_fate(const char *name)
{
    for (unsigned i = 0; i < COUNTER_TOTAL; i++)
        if (strcmp(counter_rows[i].name, name) == 0)
            return counter_rows[i].is_fate != 0;
    return false; /* the device's own */
}

static uint64_t value_in(const struct dataplane_report *report, const char *name)
{
    for (unsigned i = 0; i < report->count; i++)
        if (strcmp(report->rows[i].name, name) == 0)
            return report->rows[i].value;
    FAIL("no counter is named %s", name);
}

static void print_report(const struct dataplane_report *report)
{
    for (unsigned i = 0; i < report->count; i++)
        if (report->rows[i].value != 0)
            fprintf(stderr, "  %-24s %llu\n", report->rows[i].name,
                    (unsigned long long)report->rows[i].value);
}

/* @return false: there is no such port or lcore */
static bool check_one(enum dataplane_scope scope, unsigned index)
{
    static const char *const names[] = {[DATAPLANE_SCOPE_ALL] = "all",
                                        [DATAPLANE_SCOPE_PORT] = "port",
                                        [DATAPLANE_SCOPE_LCORE] = "lcore"};
    struct dataplane_report report;
    uint64_t fates = 0;

    if (dataplane_report(scope, index, &report) != 0)
        return false;
    for (unsigned i = 0; i < report.count; i++)
        if (is_fate(report.rows[i].name))
            fates += report.rows[i].value;
    uint64_t entered = value_in(&report, "frames") + value_in(&report, "handed_in") +
                       value_in(&report, "looped") + value_in(&report, "reassembled");
    if (fates != entered)
        print_report(&report);
    CHECK_MSG(fates == entered, "%s %u: %llu frames entered, %llu fates", names[scope], index,
              (unsigned long long)entered, (unsigned long long)fates);
    if (scope == DATAPLANE_SCOPE_LCORE)
        return true;
    uint64_t device = value_in(&report, "device.frames");
    if (device != value_in(&report, "frames"))
        print_report(&report);
    CHECK_MSG(device == value_in(&report, "frames"),
              "%s %u: the device counted %llu frames, the lcores %llu", names[scope], index,
              (unsigned long long)device, (unsigned long long)value_in(&report, "frames"));
    if (scope == DATAPLANE_SCOPE_ALL && dataplane_running())
        CHECK_EQ_U64(value_in(&report, "handed_copies"), value_in(&report, "handed_in"));
    return true;
}

void wire_check_balance(void)
{
    CHECK(check_one(DATAPLANE_SCOPE_ALL, 0));
    for (unsigned port = 0; check_one(DATAPLANE_SCOPE_PORT, port); port++)
        continue;
    for (unsigned lcore = 0; check_one(DATAPLANE_SCOPE_LCORE, lcore); lcore++)
        continue;
}

unsigned wire_free_buffers(void)
{
    CHECK(wire.pool != NULL);
    return rte_mempool_avail_count(wire.pool);
}

/* --- the log ---------------------------------------------------------------------------------------------- */

void wire_capture_log(void)
{
    CHECK(wire.saved_stderr < 0);
    fflush(stderr);
    wire.saved_stderr = dup(STDERR_FILENO);
    wire.log_file = memfd_create("log", 0);
    CHECK(wire.saved_stderr >= 0 && wire.log_file >= 0);
    CHECK(dup2(wire.log_file, STDERR_FILENO) >= 0);
}

const char *wire_captured_log(void)
{
    ssize_t length;

    CHECK(wire.saved_stderr >= 0);
    fflush(stderr);
    dup2(wire.saved_stderr, STDERR_FILENO);
    close(wire.saved_stderr);
    wire.saved_stderr = -1;
    length = pread(wire.log_file, wire.log, sizeof wire.log - 1, 0);
    wire.log[length < 0 ? 0 : length] = '\0';
    close(wire.log_file);
    return wire.log;
}
