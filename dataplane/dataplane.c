/* SPDX-License-Identifier: BSD-3-Clause */

/* Starting and stopping: ports, lcores, and everything they own. */

#include "dataplane.h"

#include <errno.h>
#include <pthread.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "numa_place.h"
#include "pool.h"
#include "port_watch.h"
#include "replay.h"
#include "ring.h"
#include "service.h"
#include "state.h"
#include "tap.h"
#include "wall_clock.h"
#include "way_home.h"

#define COMMAND_SLOTS 64u
#define DEMUX_MIN_KEYS 8192u /* more than a port can be a member of: HOST_IGMP_GROUPS */
#define DEMUX_KEYS_PER_SOCKET 8u

struct dataplane dataplane;

static _Atomic uint32_t default_spin_us;
static _Atomic uint64_t tsc_hz;

struct start_request {
    struct config_error *error;
};

static void destroy_lcore(struct lcore *lcore)
{
    host_destroy(lcore);
    demux_destroy(&lcore->demux);
    for (unsigned i = 0; i < CONFIG_MAX_CORES; i++) {
        rte_free(lcore->handover[i]);
        lcore->handover[i] = NULL;
    }
    store_stock_destroy(&lcore->stock);
    rte_free(lcore->commands);
    rte_free(lcore->wakes);
    rte_free(lcore->services);
    rte_free(lcore->touched);
    lcore->commands = lcore->wakes = lcore->services = NULL;
    lcore->touched = NULL;
}

static void forget_lcores(void)
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        rte_free(dataplane.lcores[i].queues);
    rte_free(dataplane.lcores);
    dataplane.lcores = NULL;
    dataplane.lcores_count = 0;
}

unsigned dataplane_local_addresses(const struct addressing *all, uint32_t *addresses,
                                   bool broadcast, unsigned capacity)
{
    unsigned count = 0, ports_count = ADDRESSING_LOAD(all->ports_count);

    for (unsigned p = 0; p < ports_count; p++) {
        const struct port_addressing *port = &all->ports[p];
        unsigned addresses_count = ADDRESSING_LOAD(port->addresses_count);

        for (unsigned a = 0; a < addresses_count && count < capacity; a++) {
            struct config_address address = addressing_load(&port->addresses[a]);
            uint32_t directed = config_broadcast(&address);

            addresses[count++] = rte_cpu_to_be_32(address.address);
            if (broadcast && directed != 0 && count < capacity)
                addresses[count++] = rte_cpu_to_be_32(directed);
        }
    }
    if (broadcast && count < capacity)
        addresses[count++] = UINT32_MAX;
    return count;
}

static int create_lcore(struct lcore *lcore, unsigned index)
{
    const struct config *config = &dataplane.config;
    unsigned cpu = config->cores[index];
    int node = numa_place_of_cpu(cpu);
    unsigned keys = config->sockets.maximum * DEMUX_KEYS_PER_SOCKET;

    lcore->index = index;
    lcore->id = service_lcore_id(index);
    lcore->cpu = cpu;
    lcore->numa_node = node;
    lcore->operations = dataplane.operations;
    lcore->peers = dataplane.lcores;
    lcore->peers_count = dataplane.lcores_count;
    lcore->call_service = service_wake;
    atomic_store(&lcore->step, lcore_step);
    lcore_set_addressing(lcore, addressing_now());
    lcore->queues =
        rte_zmalloc_socket("queues", sizeof(struct rx_queue) * CONFIG_MAX_PORTS * CONFIG_MAX_QUEUES,
                           RTE_CACHE_LINE_SIZE, node);
    lcore->minimum = config->sockets.min_buffers;
    lcore->look_after = look_after(0);
    lcore->quiet_cycles = STORE_QUIET_SECONDS * rte_get_tsc_hz();
    if (store_stock_create(&lcore->stock, config->sockets.ring_slots, config->sockets.min_buffers,
                           config->sockets.maximum, node, rte_get_tsc_hz()) != 0)
        return -1;
    lcore->commands = ring_create(COMMAND_SLOTS, sizeof(void *), node);
    lcore->wakes = ring_create(LCORE_DEFERRED_WAKES, sizeof(struct deferred_wake), node);
    lcore->services = ring_create(CONFIG_MAX_SOCKETS, sizeof(void *), node);
    lcore->touched = rte_malloc_socket("touched", config->sockets.maximum * sizeof(void *),
                                       RTE_CACHE_LINE_SIZE, node);
    if (lcore->queues == NULL || lcore->commands == NULL || lcore->wakes == NULL ||
        lcore->services == NULL || lcore->touched == NULL)
        return -1;
    for (unsigned from = 0; from < lcore->peers_count; from++) {
        if (from == index)
            continue;
        lcore->handover[from] = ring_create(LCORE_HANDOVER_SLOTS, sizeof(void *), node);
        if (lcore->handover[from] == NULL)
            return -1;
    }
    return demux_create(&lcore->demux, index, RTE_MAX(keys, DEMUX_MIN_KEYS), node);
}

/* Every queue to the lcore that has the fewest, of those on the device's node if there are any. */
static void assign_queue(struct port *port, uint16_t queue)
{
    struct lcore *best = &dataplane.lcores[0];

    for (unsigned i = 1; i < dataplane.lcores_count; i++) {
        struct lcore *lcore = &dataplane.lcores[i];
        bool near = port->numa_node < 0 || lcore->numa_node == port->numa_node;
        bool best_near = port->numa_node < 0 || best->numa_node == port->numa_node;

        if ((near && !best_near) || (near == best_near && lcore->queues_count < best->queues_count))
            best = lcore;
    }
    best->queues[best->queues_count++] = (struct rx_queue){.port = port, .queue = queue};
    if (queue == 0)
        port->keeper = best;
}

static void stop_lcores(void)
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        atomic_store_explicit(&dataplane.lcores[i].quit, true, memory_order_release);
    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        rte_eal_wait_lcore(dataplane.lcores[i].id);
        /* Acquire: all that the lcore did was before it cleared this. */
        while (atomic_load_explicit(&dataplane.lcores[i].running, memory_order_acquire))
            sched_yield();
    }
}

static int launch_lcores(struct config_error *error)
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        struct lcore *lcore = &dataplane.lcores[i];

        if (rte_eal_remote_launch(lcore_main, lcore, lcore->id) != 0) {
            snprintf(error->text, sizeof error->text, "core %u: DPDK's thread is busy", lcore->cpu);
            stop_lcores();
            return -1;
        }
        while (!atomic_load_explicit(&lcore->running, memory_order_acquire))
            sched_yield();
    }
    return 0;
}

static void close_ports(void)
{
    for (unsigned i = 0; i < dataplane.ports_count; i++) {
        struct port *port = &dataplane.ports[i];

        if (port->started)
            port->operations->statistics(port, &dataplane.last_statistics[i]);
        impair_figures(port, &dataplane.last_impaired[i]);
        port_close(port);
        dataplane.buffers_kept[i] = port->buffers_kept;
    }
    dataplane.ports_count = 0;
}

static unsigned buffers_kept(void)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < CONFIG_MAX_PORTS; i++)
        sum += dataplane.buffers_kept[i];
    return sum;
}

static void free_handed_over(void)
{
    struct rte_mbuf *mbuf;

    for (unsigned to = 0; to < dataplane.lcores_count; to++)
        for (unsigned from = 0; from < dataplane.lcores_count; from++)
            while (dataplane.lcores[to].handover[from] != NULL &&
                   rte_ring_sc_dequeue(dataplane.lcores[to].handover[from], (void **)&mbuf) == 0)
                host_discard(&dataplane.lcores[to], mbuf);
}

static void tear_down(void)
{
    service_attach_ports(NULL, 0);
    service_attach(NULL, 0, NULL);
    tap_stop();
    port_watch_end();
    free_handed_over();
    close_ports();
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        destroy_lcore(&dataplane.lcores[i]);
    for (unsigned i = 0; i < CONFIG_MAX_PORTS; i++)
        tap_close(&dataplane.ports[i]);
    unsigned missing = pool_destroy_all(), kept = buffers_kept();
    if (missing != kept)
        log_line("%u packet buffers were not returned when the dataplane stopped, of which the "
                 "devices' drivers have kept %u; please report this",
                 missing, kept);
}

/* What the configuration says; of what the kernel says nothing is known yet. */
static void publish_addressing(void)
{
    static struct addressing addressing;

    addressing_of_config(&addressing, &dataplane.config);
    addressing_publish(&addressing);
}

static int start_on_service(void *argument)
{
    struct config_error *error = ((struct start_request *)argument)->error;
    const struct config *config = &dataplane.config;

    publish_addressing();
    forget_lcores();
    atomic_store(&tsc_hz, rte_get_tsc_hz());
    wall_clock_begin_tsc();
    dataplane.lcores =
        rte_zmalloc("lcores", config->cores_count * sizeof *dataplane.lcores, RTE_CACHE_LINE_SIZE);
    if (dataplane.lcores == NULL)
        goto no_memory;
    dataplane.lcores_count = config->cores_count;
    for (unsigned i = 0; i < config->cores_count; i++)
        if (create_lcore(&dataplane.lcores[i], i) != 0)
            goto no_memory;
    for (unsigned i = 0; i < config->ports_count; i++) {
        dataplane.ports_count = i + 1;
        if (port_open(&dataplane.ports[i], config, i, error) != 0 ||
            tap_open(&dataplane.ports[i], error) != 0)
            goto failed;
        for (uint16_t queue = 0; queue < dataplane.ports[i].queues; queue++)
            assign_queue(&dataplane.ports[i], queue);
    }
    if (port_watch_begin(error) != 0)
        goto failed;
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        dataplane.lcores[i].send_pool = pool_near_node(dataplane.lcores[i].numa_node);
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        if (host_create(&dataplane.lcores[i], dataplane.ports, dataplane.ports_count) != 0)
            goto no_memory;
    service_attach_ports(dataplane.ports, dataplane.ports_count);
    service_attach(dataplane.lcores, dataplane.lcores_count, dataplane.operations);
    if (tap_start(error) == 0 && (dataplane.by_hand || launch_lcores(error) == 0))
        return 0;
    goto failed;
no_memory:
    snprintf(error->text, sizeof error->text,
             "memory: too little for the lcores' tables; raise memory.megabytes");
failed:
    tear_down();
    return -1;
}

/*
 * The child of a fork has no lcores and no service thread, and what they share with clients may be the
 * parent's own memory, not a copy. So nothing of it is found any more: no endpoint, no lcore, no port.
 */
static void forget_everything(void)
{
    atomic_store(&dataplane.running, false);
    for (size_t i = 0; i < RTE_DIM(endpoint_slots); i++)
        atomic_store_explicit(&endpoint_slots[i], NULL, memory_order_relaxed);
    dataplane.ports_count = 0;
    dataplane.lcores = NULL;
    dataplane.lcores_count = 0;
    dataplane.slots_used = 0;
    dataplane.open_count = 0;
    owner_mutex_reset(&dataplane.control);
    tap_forked();
    service_forked();
}

__attribute__((constructor(FORK_HANDLERS_INNERMOST))) static void handle_forks(void)
{
    pthread_atfork(NULL, NULL, forget_everything);
}

bool dataplane_control_is_mine(void)
{
    return owner_mutex_is_mine(&dataplane.control);
}

int dataplane_start(const struct config *config, const struct endpoint_operations *operations,
                    bool by_hand, struct config_error *error)
{
    struct start_request request = {error};
    int result;

    error->text[0] = '\0';
    if (owner_mutex_lock(&dataplane.control) != 0) {
        snprintf(error->text, sizeof error->text,
                 "called by a signal handler that has interrupted a call of this kind");
        return -EDEADLK;
    }
    if (dataplane_running()) {
        snprintf(error->text, sizeof error->text, "the dataplane runs already; stop it first");
        result = -EALREADY;
        goto out;
    }
    result = -EINVAL;
    if (config_check(config, error, NULL, NULL, NULL) != 0)
        goto out;
    config_free(&dataplane.config);
    result = -ENODEV;
    if (config_copy(&dataplane.config, config) != 0) {
        snprintf(error->text, sizeof error->text, "out of memory");
        goto out;
    }
    if (service_ensure(config, error) != 0)
        goto out;
    dataplane.operations = operations;
    atomic_store_explicit(&default_spin_us, config->sockets.spin_us, memory_order_relaxed);
    dataplane.by_hand = by_hand;
    memset(dataplane.last_statistics, 0, sizeof dataplane.last_statistics);
    memset(dataplane.last_impaired, 0, sizeof dataplane.last_impaired);
    memset(dataplane.buffers_kept, 0, sizeof dataplane.buffers_kept);
    if (service_call(start_on_service, &request) != 0)
        goto out;
    atomic_store_explicit(&dataplane.running, true, memory_order_release);
    result = 0;
out:
    owner_mutex_unlock(&dataplane.control);
    return result;
}

/* No lcore runs, so this thread stands in for every home lcore. */
static void end_endpoint(struct endpoint *e)
{
    dataplane.operations->network_down(e);
    if (e->lcore.attached)
        lcore_detach(&dataplane.lcores[atomic_load(&e->home)], e);
}

static int stop_on_service(void *unused)
{
    (void)unused;
    if (!dataplane.by_hand)
        stop_lcores();
    service_do_deferred();
    for (uint32_t slot = 0; slot < dataplane.slots_used; slot++)
        if (dataplane.bindings[slot].open)
            end_endpoint(endpoint_at(slot));
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        host_end(&dataplane.lcores[i]);
    tear_down();
    return 0;
}

int dataplane_stop(void)
{
    int result = -ENETDOWN;

    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    if (dataplane_running()) {
        atomic_store_explicit(&dataplane.running, false, memory_order_release);
        result = service_call(stop_on_service, NULL);
    }
    owner_mutex_unlock(&dataplane.control);
    return result;
}

bool dataplane_running(void)
{
    return atomic_load_explicit(&dataplane.running, memory_order_acquire);
}

uint32_t dataplane_default_spin_us(void)
{
    return atomic_load_explicit(&default_spin_us, memory_order_relaxed);
}

uint64_t dataplane_tsc(void)
{
    return rte_rdtsc();
}

uint64_t dataplane_tsc_hz(void)
{
    return atomic_load_explicit(&tsc_hz, memory_order_relaxed);
}
