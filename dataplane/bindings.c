/* SPDX-License-Identifier: BSD-3-Clause */

/* Binding: which address and port, and on which lcore the endpoint is at home from then on. And the
 * other end: whose datagrams it takes. */

#include <errno.h>
#include <rte_byteorder.h>

#include "command.h"
#include "groups.h"
#include "ipv4.h"
#include "keys.h"
#include "replay.h"
#include "state.h"

#define DYNAMIC_PORT_FIRST 49152u

struct binding *binding_of(const struct endpoint *e)
{
    return &dataplane.bindings[e->slot];
}

/* Control operations arrive without LOCK: is the slot still the caller's socket? It cannot become
 * another one while the control lock is held. */
int binding_check(const struct endpoint *e, uint32_t generation)
{
    if (lock_word_generation(atomic_load(&e->word)) != generation)
        return -ENOTSOCK;
    if (!dataplane_running() || atomic_load(&e->state) == ENDPOINT_NET_DOWN)
        return -ENETDOWN;
    return 0;
}

void binding_note_replays(void)
{
    for (unsigned p = 0; p < dataplane.ports_count; p++)
        if (dataplane.ports[p].replay != NULL)
            replay_note_socket(dataplane.ports[p].replay);
}

static bool is_local(uint32_t address)
{
    uint32_t host = rte_be_to_cpu_32(address);
    uint32_t ours[CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES];
    unsigned count = dataplane_local_addresses(addressing_now(), ours, false, RTE_DIM(ours));

    for (unsigned i = 0; i < count; i++)
        if (ours[i] == address)
            return true;
    return ipv4_is_loopback(host) && host != IPV4_LOOPBACK_NET && host != IPV4_LOOPBACK_BROADCAST;
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
        const struct port_addressing *port = &addressing_now()->ports[lcore->queues[q].port->index];

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

/* What a binding says to one more of its port. */
static int conflict(const struct binding *with, uint32_t address, enum dataplane_sharing sharing)
{
    if (with->address == address) {
        if (sharing != DATAPLANE_SHARE)
            return -EADDRINUSE;
        return with->sharing == DATAPLANE_SHARE ? 0 : -EACCES;
    }
    return with->address == 0 && with->sharing == DATAPLANE_SHARE_EXCLUSIVE ? -EACCES : 0;
}

static int find_conflict(uint32_t address, uint16_t port, enum dataplane_sharing sharing)
{
    for (uint32_t slot = 0; slot < dataplane.slots_used; slot++) {
        const struct binding *other = &dataplane.bindings[slot];

        if (!other->bound || other->port != port ||
            atomic_load(&endpoint_at(slot)->state) != ENDPOINT_ATTACHED)
            continue; /* one that has survived a stop holds no name any more */
        int result = conflict(other, address, sharing);
        if (result != 0)
            return result;
    }
    return 0;
}

int dataplane_bind(struct endpoint *e, uint32_t generation, uint32_t address, uint16_t port,
                   enum dataplane_sharing sharing)
{
    struct binding *binding = binding_of(e);
    int result;

    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    result = binding_check(e, generation);
    if (result != 0)
        goto out;
    result = -EINVAL;
    if (binding->bound)
        goto out;
    result = -EADDRNOTAVAIL;
    if (address != 0 && !keys_is_group(address) && !is_local(address))
        goto out;
    if (port == 0) {
        port = choose_port();
        result = port != 0 ? 0 : -EADDRINUSE;
    } else {
        result = find_conflict(address, port, sharing);
    }
    if (result != 0)
        goto out;
    binding->address = address;
    binding->port = port;
    binding->sharing = sharing;
    atomic_store(&e->home, choose_home(binding));
    binding->bound = true;

    struct lcore *home = &dataplane.lcores[atomic_load(&e->home)];
    struct command attach = {.kind = COMMAND_ATTACH, .endpoint = e};
    command_call(home, &attach);
    result = keys_add_all(e);
    if (result == 0) {
        result = groups_bound(e);
        if (result != 0)
            keys_remove_all(e);
    }
    if (result != 0) {
        struct command detach = {.kind = COMMAND_DETACH, .endpoint = e};

        command_call(home, &detach);
        binding->bound = false;
        groups_bound(e); /* without this one, the network is told */
        goto out;
    }
    atomic_store_explicit(&binding->name, (uint64_t)address | (uint64_t)port << 32,
                          memory_order_release);
    atomic_store_explicit(&e->state, ENDPOINT_ATTACHED, memory_order_release);
    binding_note_replays();
out:
    owner_mutex_unlock(&dataplane.control);
    return result;
}

int dataplane_connect(struct endpoint *e, uint32_t generation, uint32_t address, uint16_t port)
{
    struct command command = {
        .kind = COMMAND_PEER, .endpoint = e, .peer_address = address, .peer_port = port};
    int result;

    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    result = binding_check(e, generation);
    if (result == 0 && !binding_of(e)->bound)
        result = -EINVAL;
    if (result == 0)
        command_call(&dataplane.lcores[atomic_load(&e->home)], &command);
    owner_mutex_unlock(&dataplane.control);
    return result;
}

void dataplane_binding(const struct endpoint *e, uint32_t *address, uint16_t *port)
{
    uint64_t name = atomic_load_explicit(&dataplane.bindings[e->slot].name, memory_order_acquire);

    *address = (uint32_t)name;
    *port = (uint16_t)(name >> 32);
}
