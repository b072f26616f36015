/* SPDX-License-Identifier: BSD-3-Clause */

/* Endpoints as control sees them: opening and closing slots, binding, joining. Which lcore an
 * endpoint is at home on is decided here, and every lcore's demux table is kept in step by command. */

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ipv4.h"
#include "numa_place.h"
#include "replay.h"
#include "state.h"

#define DYNAMIC_PORT_FIRST 49152u
#define ALL_PORTS UINT32_MAX
/* Every port's addresses, a directed broadcast for each, and the limited one. */
#define MAX_LOCAL_KEYS (CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES * 2 + 1)

_Atomic(struct endpoint *) endpoint_chunks[CONFIG_MAX_SOCKETS / ENDPOINT_CHUNK];

static struct binding *binding_of(const struct endpoint *e)
{
    return &dataplane.bindings[e->slot];
}

/* --- slots ---------------------------------------------------------------------------------- */

static int ensure_chunk(uint32_t slot)
{
    uint32_t index = slot / ENDPOINT_CHUNK;

    if (atomic_load(&endpoint_chunks[index]) != NULL)
        return 0;
    struct endpoint *chunk = rte_zmalloc_socket("endpoints", ENDPOINT_CHUNK * sizeof *chunk,
                                                RTE_CACHE_LINE_SIZE, numa_place_default());
    if (chunk == NULL)
        return -1;
    for (uint32_t i = 0; i < ENDPOINT_CHUNK; i++)
        chunk[i].slot = index * ENDPOINT_CHUNK + i;
    atomic_store_explicit(&endpoint_chunks[index], chunk, memory_order_release);
    return 0;
}

static void free_rings(struct endpoint *e)
{
    rte_free(e->ring);
    rte_free(e->way_home);
    e->ring = NULL;
    e->way_home = NULL;
    e->lcore.ring = NULL;
}

static int create_rings(struct endpoint *e, uint32_t slots)
{
    int node = numa_place_default();
    ssize_t bytes = rte_ring_get_memsize(slots * 2);

    e->ring = rte_zmalloc_socket("socket_ring", slots * sizeof *e->ring, RTE_CACHE_LINE_SIZE, node);
    e->way_home = rte_zmalloc_socket("way_home", (size_t)bytes, RTE_CACHE_LINE_SIZE, node);
    if (e->ring == NULL || e->way_home == NULL) {
        free_rings(e);
        return -1;
    }
    rte_ring_init(e->way_home, "way_home", slots * 2, RING_F_SP_ENQ | RING_F_SC_DEQ);
    return 0;
}

/* Everything but what outlives a socket: the lock word's generation and the sleepers' count. */
static void reset(struct endpoint *e, const struct config_sockets *settings)
{
    atomic_store(&e->tail, 0);
    atomic_store(&e->serve_queued, false);
    atomic_store(&e->posted, 0);
    atomic_store(&e->head, 0);
    atomic_store(&e->buffers_consumed, 0);
    atomic_store(&e->bytes_consumed, 0);
    atomic_store(&e->bytes_limit, settings->ring_bytes);
    e->mask = settings->ring_slots - 1;
    e->slots = settings->ring_slots;
    e->cached_tail = 0;
    e->return_count = 0;
    e->return_batch = RTE_MIN(ENDPOINT_RETURN_BATCH, RTE_MAX(1u, settings->min_buffers));
    atomic_store(&e->received, 0);
    atomic_store(&e->truncated, 0);
    atomic_store(&e->faulted, 0);
    memset(&e->lcore, 0, sizeof e->lcore);
    e->lcore.ring = e->ring;
    e->lcore.mask = e->mask;
    e->lcore.minimum = settings->min_buffers;
}

int dataplane_endpoint_open(struct endpoint **endpoint)
{
    const struct config_sockets *settings = &dataplane.config.sockets;
    uint32_t slot = 0;
    int result;

    pthread_mutex_lock(&dataplane.control);
    result = -ENETDOWN;
    if (!dataplane_running())
        goto out;
    result = -EMFILE;
    if (dataplane.open_count >= settings->maximum)
        goto out;
    while (dataplane.bindings[slot].open)
        slot++;
    result = -ENOMEM;
    if (ensure_chunk(slot) != 0)
        goto out;
    struct endpoint *e = endpoint_at(slot);
    if (create_rings(e, settings->ring_slots) != 0)
        goto out;
    reset(e, settings);
    dataplane.bindings[slot] = (struct binding){.open = true};
    dataplane.slots_used = RTE_MAX(dataplane.slots_used, slot + 1);
    dataplane.open_count++;
    atomic_store(&e->state, ENDPOINT_UNBOUND);
    /* Even to odd: with this the handle begins to be valid, so it comes last. */
    uint64_t generation = lock_word_generation(atomic_load(&e->word)) + 1u;
    atomic_store_explicit(&e->word, (uint64_t)(uint32_t)generation << LOCK_WORD_GENERATION_SHIFT,
                          memory_order_release);
    *endpoint = e;
    result = 0;
out:
    pthread_mutex_unlock(&dataplane.control);
    return result;
}

/* Control operations arrive without LOCK: is the slot still the caller's socket? It cannot become
 * another one while the control lock is held. */
static int check_usable(struct endpoint *e, uint32_t generation)
{
    if (lock_word_generation(atomic_load(&e->word)) != generation)
        return -ENOTSOCK;
    if (!dataplane_running() || atomic_load(&e->state) == ENDPOINT_NET_DOWN)
        return -ENETDOWN;
    return 0;
}

/* --- keys on all lcores ----------------------------------------------------------------------- */

static void remove_key(struct endpoint *e, struct demux_key key)
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        struct command command = {.kind = COMMAND_REMOVE, .endpoint = e, .key = key};

        command_call(&dataplane.lcores[i], &command);
        rte_free(command.member);
    }
}

static int add_key(struct endpoint *e, uint32_t address, bool every_member, bool wildcard,
                   uint32_t ports)
{
    struct demux_key key = {address, binding_of(e)->port, IPPROTO_UDP};

    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        struct demux_member *member =
            rte_zmalloc_socket("member", sizeof *member, 0, dataplane.lcores[i].numa_node);
        struct command command = {.kind = COMMAND_ADD,
                                  .endpoint = e,
                                  .key = key,
                                  .every_member = every_member,
                                  .member = member,
                                  .result = -1};

        if (member != NULL) {
            *member = (struct demux_member){
                .endpoint = e, .home = atomic_load(&e->home), .wildcard = wildcard, .ports = ports};
            command_call(&dataplane.lcores[i], &command);
        }
        if (command.result != 0)
            rte_free(member); /* not linked: the endpoint was there, or the table is full */
        if (command.result < 0) {
            remove_key(e, key);
            return -ENOBUFS;
        }
    }
    return 0;
}

static bool is_multicast(uint32_t address)
{
    return ipv4_is_multicast(rte_be_to_cpu_32(address));
}

static void remove_all_keys(struct endpoint *e)
{
    struct binding *binding = binding_of(e);
    uint32_t addresses[MAX_LOCAL_KEYS] = {binding->address};
    unsigned count = 1;

    if (binding->address == 0)
        count = dataplane_local_addresses(addresses, true, MAX_LOCAL_KEYS);
    for (unsigned i = 0; i < count; i++)
        remove_key(e, (struct demux_key){addresses[i], binding->port, IPPROTO_UDP});
    for (struct joined_group *g = binding->groups; g != NULL; g = g->next)
        remove_key(e, (struct demux_key){g->group, binding->port, IPPROTO_UDP});
}

static int add_group_key(struct endpoint *e, const struct joined_group *group)
{
    const struct binding *binding = binding_of(e);

    /* Bound to one group: other groups' datagrams are not for this binding. */
    if (is_multicast(binding->address) && binding->address != group->group)
        return 0;
    return add_key(e, group->group, true, false, group->ports);
}

static int add_all_keys(struct endpoint *e)
{
    struct binding *binding = binding_of(e);
    uint32_t addresses[MAX_LOCAL_KEYS] = {binding->address};
    unsigned count = is_multicast(binding->address) ? 0 : 1;
    bool wildcard = binding->address == 0;
    int result = 0;

    if (wildcard)
        count = dataplane_local_addresses(addresses, true, MAX_LOCAL_KEYS);
    for (unsigned i = 0; i < count && result == 0; i++) {
        uint32_t address = addresses[i];
        uint32_t ours[CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES];
        unsigned ours_count = dataplane_local_addresses(ours, false, RTE_DIM(ours));
        bool unicast = false;

        for (unsigned k = 0; k < ours_count; k++)
            unicast |= ours[k] == address;
        result = add_key(e, address, !unicast, wildcard, ALL_PORTS);
    }
    for (struct joined_group *g = binding->groups; g != NULL && result == 0; g = g->next)
        result = add_group_key(e, g);
    if (result != 0)
        remove_all_keys(e);
    return result;
}

static void note_socket(void)
{
    for (unsigned p = 0; p < dataplane.ports_count; p++)
        if (dataplane.ports[p].replay != NULL)
            replay_note_socket(dataplane.ports[p].replay);
}

/* --- binding -------------------------------------------------------------------------------------- */

static bool is_local(uint32_t address)
{
    uint32_t ours[CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES];
    unsigned count = dataplane_local_addresses(ours, false, RTE_DIM(ours));

    for (unsigned i = 0; i < count; i++)
        if (ours[i] == address)
            return true;
    return false;
}

static bool port_in_use(uint16_t port)
{
    for (uint32_t slot = 0; slot < dataplane.slots_used; slot++)
        if (dataplane.bindings[slot].bound && dataplane.bindings[slot].port == port)
            return true;
    return false;
}

static uint16_t choose_port(void)
{
    unsigned range = UINT16_MAX - DYNAMIC_PORT_FIRST + 1;

    for (unsigned tries = 0; tries < range; tries++) {
        uint16_t port =
            (uint16_t)(DYNAMIC_PORT_FIRST + (dataplane.next_dynamic_port + tries) % range);

        if (!port_in_use(rte_cpu_to_be_16(port))) {
            dataplane.next_dynamic_port = (uint16_t)(port - DYNAMIC_PORT_FIRST + 1);
            return rte_cpu_to_be_16(port);
        }
    }
    return 0;
}

static bool has_queue_of(const struct lcore *lcore, uint32_t address)
{
    for (unsigned q = 0; q < lcore->queues_count; q++) {
        const struct config_port *port = lcore->queues[q].port->config;

        if (address == 0)
            return true;
        for (unsigned a = 0; a < port->addresses_count; a++)
            if (rte_cpu_to_be_32(port->addresses[a].address) == address)
                return true;
    }
    return false;
}

/* All sockets of one port number share a home, so that unicast has one first member; otherwise the
 * least burdened lcore among those that poll a queue of the address's port. */
static uint32_t choose_home(const struct binding *binding)
{
    uint32_t burden[CONFIG_MAX_CORES] = {0};
    uint32_t best = UINT32_MAX;

    for (uint32_t slot = 0; slot < dataplane.slots_used; slot++) {
        const struct binding *other = &dataplane.bindings[slot];
        const struct endpoint *e = endpoint_at(slot);

        if (e == NULL || !other->bound || atomic_load(&e->state) != ENDPOINT_ATTACHED)
            continue;
        uint32_t home = atomic_load(&e->home);
        if (other->port == binding->port)
            return home;
        burden[home]++;
    }
    for (int pass = 0; pass < 2 && best == UINT32_MAX; pass++)
        for (uint32_t i = 0; i < dataplane.lcores_count; i++)
            if (has_queue_of(&dataplane.lcores[i], pass == 0 ? binding->address : 0) &&
                (best == UINT32_MAX || burden[i] < burden[best]))
                best = i;
    return best == UINT32_MAX ? 0 : best;
}

int dataplane_bind(struct endpoint *e, uint32_t generation, uint32_t address, uint16_t port,
                   bool reuse)
{
    struct binding *binding = binding_of(e);
    int result;

    pthread_mutex_lock(&dataplane.control);
    result = check_usable(e, generation);
    if (result != 0)
        goto out;
    result = -EINVAL;
    if (binding->bound)
        goto out;
    result = -EADDRNOTAVAIL;
    if (address != 0 && !is_multicast(address) && !is_local(address))
        goto out;
    result = -EADDRINUSE;
    if (port == 0) {
        port = choose_port();
        if (port == 0)
            goto out;
    } else if (!reuse) {
        for (uint32_t slot = 0; slot < dataplane.slots_used; slot++) {
            const struct binding *other = &dataplane.bindings[slot];

            if (other->bound && other->port == port && other->address == address)
                goto out;
        }
    }
    binding->address = address;
    binding->port = port;
    binding->reuse = reuse;
    atomic_store(&e->home, choose_home(binding));
    binding->bound = true;

    struct lcore *home = &dataplane.lcores[atomic_load(&e->home)];
    struct command attach = {.kind = COMMAND_ATTACH, .endpoint = e};
    command_call(home, &attach);
    result = add_all_keys(e);
    if (result != 0) {
        struct command detach = {.kind = COMMAND_DETACH, .endpoint = e};

        command_call(home, &detach);
        binding->bound = false;
        goto out;
    }
    atomic_store_explicit(&binding->name, (uint64_t)address | (uint64_t)port << 32,
                          memory_order_release);
    atomic_store_explicit(&e->state, ENDPOINT_ATTACHED, memory_order_release);
    note_socket();
out:
    pthread_mutex_unlock(&dataplane.control);
    return result;
}

void dataplane_binding(const struct endpoint *e, uint32_t *address, uint16_t *port)
{
    uint64_t name = atomic_load_explicit(&dataplane.bindings[e->slot].name, memory_order_acquire);

    *address = (uint32_t)name;
    *port = (uint16_t)(name >> 32);
}

/* --- groups ---------------------------------------------------------------------------------------- */

/* Ports that an interface address means, as bits; 0: no such interface. */
static uint32_t ports_of_interface(uint32_t interface)
{
    if (interface == 0)
        return ALL_PORTS;
    for (unsigned p = 0; p < dataplane.config.ports_count; p++)
        for (unsigned a = 0; a < dataplane.config.ports[p].addresses_count; a++)
            if (rte_cpu_to_be_32(dataplane.config.ports[p].addresses[a].address) == interface)
                return 1u << p;
    return 0;
}

static struct joined_group **find_group(struct binding *binding, uint32_t group)
{
    struct joined_group **link = &binding->groups;

    while (*link != NULL && (*link)->group != group)
        link = &(*link)->next;
    return link;
}

/* The group's key as it should be now: there, with these ports, or gone. */
static int apply_group(struct endpoint *e, const struct joined_group *group)
{
    if (!binding_of(e)->bound)
        return 0;
    if (group->ports == 0) {
        remove_key(e, (struct demux_key){group->group, binding_of(e)->port, IPPROTO_UDP});
        return 0;
    }
    return add_group_key(e, group);
}

int dataplane_join(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface)
{
    struct binding *binding = binding_of(e);
    uint32_t ports;
    int result;

    if (!is_multicast(group))
        return -EINVAL;
    pthread_mutex_lock(&dataplane.control);
    result = check_usable(e, generation);
    if (result != 0)
        goto out;
    result = -EADDRNOTAVAIL;
    ports = ports_of_interface(interface);
    if (ports == 0)
        goto out;
    struct joined_group **link = find_group(binding, group);
    struct joined_group *joined = *link;
    result = -EADDRINUSE;
    if (joined != NULL && (joined->ports & ports) == ports)
        goto out;
    if (joined == NULL) {
        result = -ENOBUFS;
        joined = calloc(1, sizeof *joined);
        if (joined == NULL)
            goto out;
        joined->group = group;
        *link = joined;
    }
    uint32_t before = joined->ports;
    joined->ports |= ports;
    result = apply_group(e, joined);
    note_socket();
    if (result != 0) {
        joined->ports = before;
        if (before == 0) {
            *link = joined->next;
            free(joined);
        }
    }
out:
    pthread_mutex_unlock(&dataplane.control);
    return result;
}

int dataplane_leave(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface)
{
    struct binding *binding = binding_of(e);
    int result;

    if (!is_multicast(group))
        return -EINVAL;
    pthread_mutex_lock(&dataplane.control);
    result = check_usable(e, generation);
    if (result != 0)
        goto out;
    struct joined_group **link = find_group(binding, group);
    struct joined_group *joined = *link;
    uint32_t ports = ports_of_interface(interface);
    result = -EADDRNOTAVAIL;
    if (joined == NULL || (joined->ports & ports) == 0)
        goto out;
    joined->ports &= ~ports;
    apply_group(e, joined);
    if (joined->ports == 0) {
        *link = joined->next;
        free(joined);
    }
    result = 0;
out:
    pthread_mutex_unlock(&dataplane.control);
    return result;
}

/* --- closing ---------------------------------------------------------------------------------------- */

void dataplane_endpoint_close(struct endpoint *e)
{
    struct binding *binding = binding_of(e);

    pthread_mutex_lock(&dataplane.control);
    if (binding->bound && dataplane_running() && atomic_load(&e->state) == ENDPOINT_ATTACHED) {
        struct command detach = {.kind = COMMAND_DETACH, .endpoint = e};

        remove_all_keys(e);
        command_call(&dataplane.lcores[atomic_load(&e->home)], &detach);
    }
    while (binding->groups != NULL) {
        struct joined_group *group = binding->groups;

        binding->groups = group->next;
        free(group);
    }
    atomic_store(&e->state, ENDPOINT_CLOSED);
    free_rings(e);
    atomic_store(&binding->name, 0);
    *binding = (struct binding){.open = false};
    dataplane.open_count--;
    pthread_mutex_unlock(&dataplane.control);
}
