/* SPDX-License-Identifier: BSD-3-Clause */
#include "socket_store.h"

#include <rte_malloc.h>

void socket_store_sizes(uint32_t ring_slots, uint32_t min_buffers, uint32_t slots[STORE_GRADES])
{
    uint32_t own = rte_align32pow2(RTE_MAX(min_buffers, STORE_OWN_SLOTS));

    slots[0] = RTE_MIN(own, ring_slots);
    slots[1] = RTE_MIN(slots[0] * 4, ring_slots);
    slots[2] = ring_slots;
}

uint32_t socket_store_bytes(uint32_t slots)
{
    return (uint32_t)(sizeof(struct socket_store) +
                      (slots + STORE_SLACK) * sizeof(struct ring_element));
}

struct socket_store *socket_store_create(uint32_t slots, uint32_t grade, int numa_node)
{
    uint32_t bytes = socket_store_bytes(slots);
    struct socket_store *store =
        rte_malloc_socket("socket_store", bytes, RTE_CACHE_LINE_SIZE, numa_node);

    if (store == NULL)
        return NULL;
    store->next = NULL;
    store->slots = slots;
    store->grade = grade;
    store->bytes = bytes;
    store->ring = (struct ring_element *)(store + 1);
    return store;
}

void socket_store_free_all(struct socket_store *store)
{
    while (store != NULL) {
        struct socket_store *next = store->next;

        rte_free(store);
        store = next;
    }
}
