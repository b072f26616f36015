/* SPDX-License-Identifier: BSD-3-Clause */

/* Endpoints' slots: opening one, and closing it when no client can reach it any more. */

#include <errno.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "groups.h"
#include "keys.h"
#include "numa_place.h"
#include "state.h"

_Atomic(struct endpoint *) endpoint_slots[CONFIG_MAX_SOCKETS];

static int ensure_chunk(uint32_t slot)
{
    uint32_t first = slot - slot % ENDPOINT_CHUNK;

    if (atomic_load(&endpoint_slots[slot]) != NULL)
        return 0;
    struct endpoint *chunk = rte_zmalloc_socket("endpoints", ENDPOINT_CHUNK * sizeof *chunk,
                                                RTE_CACHE_LINE_SIZE, numa_place_default());
    if (chunk == NULL)
        return -1;
    for (uint32_t i = 0; i < ENDPOINT_CHUNK; i++) {
        chunk[i].slot = first + i;
        atomic_store_explicit(&endpoint_slots[first + i], &chunk[i], memory_order_release);
    }
    return 0;
}

static void free_rings(struct endpoint *e)
{
    struct socket_store *store = atomic_load_explicit(&e->store, memory_order_relaxed);

    /* What the dataplane has stopped under. Who was detached has given it back (lcore_detach()). */
    if (store != e->own)
        rte_free(store);
    socket_store_free_all(e->lcore.left);
    e->lcore.left = NULL;
    rte_free(e->own);
    rte_free(e->send.bytes);
    e->send.bytes = NULL;
    e->send.capacity = 0;
    e->ring = NULL;
    e->own = e->from = NULL;
    atomic_store_explicit(&e->store, NULL, memory_order_relaxed);
    e->lcore.ring = NULL;
}

static int create_own_store(struct endpoint *e, const struct config_sockets *settings)
{
    uint32_t slots[STORE_GRADES];

    socket_store_sizes(settings->ring_slots, settings->min_buffers, slots);
    e->own = socket_store_create(slots[0], 0, numa_place_default());
    return e->own != NULL ? 0 : -1;
}

static void reset_send_queue(struct send_queue *q)
{
    atomic_store(&q->tail, 0);
    atomic_store(&q->posted, 0);
    atomic_store(&q->head, 0);
    atomic_store(&q->sent, 0);
    atomic_store(&q->listed, false);
    q->cached_head = 0;
    q->longest_uncut = 0;
    q->limit = SEND_LIMIT_DEFAULT;
}

/* Everything but what outlives a socket: the lock word's generation and the sleepers' counts. */
static void reset(struct endpoint *e, const struct config_sockets *settings)
{
    atomic_store(&e->tail, 0);
    atomic_store(&e->serve_queued, false);
    atomic_store(&e->posted, 0);
    atomic_store(&e->head, 0);
    atomic_store(&e->bytes_consumed, 0);
    e->slots = settings->ring_slots;
    endpoint_move(e, e->own);
    atomic_store(&e->store, e->own);
    atomic_store(&e->cached_tail, 0);
    atomic_store(&e->lent, 0);
    atomic_store(&e->came_back, NULL);
    atomic_store(&e->received, 0);
    atomic_store(&e->truncated, 0);
    atomic_store(&e->faulted, 0);
    atomic_store(&e->conditions, 0);
    atomic_store(&e->peer_filtered, 0);
    atomic_store(&e->ignored_conditions, 0);
    atomic_store(&e->refuses_looped_groups, false);
    reset_send_queue(&e->send);
    atomic_store(&e->shut_discarded, 0);
    memset(&e->lcore, 0, sizeof e->lcore);
    e->lcore.ring = e->ring;
    e->lcore.mask = e->mask;
    atomic_store(&e->lcore.bytes_limit, settings->ring_bytes);
}

/* Of a slot whose groups are gone. The name is read by clients at any time, also by
 * those whose socket this was. */
static void reset_binding(struct binding *binding, bool open)
{
    atomic_store_explicit(&binding->name, 0, memory_order_release);
    binding->open = open;
    binding->bound = false;
    binding->sharing = DATAPLANE_SHARE_NOT;
    binding->address = 0;
    binding->port = 0;
    binding->groups = NULL;
}

int dataplane_endpoint_open(struct endpoint **endpoint)
{
    const struct config_sockets *settings = &dataplane.config.sockets;
    uint32_t slot = 0;
    int result;

    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
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
    if (create_own_store(e, settings) != 0)
        goto out;
    reset(e, settings);
    reset_binding(&dataplane.bindings[slot], true);
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
    owner_mutex_unlock(&dataplane.control);
    return result;
}

/* What was accepted is sent, as far as it goes: a datagram to a full ring is lost as any other. */
static void drain(struct endpoint *e)
{
    struct command command = {.kind = COMMAND_DRAIN, .endpoint = e};

    if (e->send.bytes == NULL)
        return;
    do
        command_call(&dataplane.lcores[atomic_load(&e->home)], &command);
    while (command.result != 0);
}

void dataplane_endpoint_close(struct endpoint *e)
{
    struct binding *binding = binding_of(e);

    if (owner_mutex_lock(&dataplane.control) != 0)
        return; /* against the contract: the slot is lost */
    bool attached =
        binding->bound && dataplane_running() && atomic_load(&e->state) == ENDPOINT_ATTACHED;
    if (attached) {
        struct command detach = {.kind = COMMAND_DETACH, .endpoint = e};

        drain(e);
        keys_remove_all(e);
        command_call(&dataplane.lcores[atomic_load(&e->home)], &detach);
    }
    groups_forget(e, attached);
    atomic_store(&e->state, ENDPOINT_CLOSED);
    free_rings(e);
    reset_binding(binding, false);
    dataplane.open_count--;
    owner_mutex_unlock(&dataplane.control);
}
