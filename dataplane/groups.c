/* SPDX-License-Identifier: BSD-3-Clause */

/* Joining and leaving multicast groups. */

#include <errno.h>
#include <rte_byteorder.h>
#include <stdlib.h>

#include "keys.h"
#include "state.h"

/* Ports that an interface address means, as bits; 0: no such interface. */
static uint32_t ports_of_interface(uint32_t interface)
{
    if (interface == 0)
        return (1u << dataplane.config.ports_count) - 1;
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
        keys_remove_group(e, group);
        return 0;
    }
    return keys_add_group(e, group);
}

int dataplane_join(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface)
{
    struct binding *binding = binding_of(e);
    uint32_t ports;
    int result;

    if (!keys_is_group(group))
        return -EINVAL;
    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    result = binding_check(e, generation);
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
    binding_note_replays();
    if (result != 0) {
        joined->ports = before;
        if (before == 0) {
            *link = joined->next;
            free(joined);
        }
    }
out:
    owner_mutex_unlock(&dataplane.control);
    return result;
}

int dataplane_leave(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface)
{
    struct binding *binding = binding_of(e);
    int result;

    if (!keys_is_group(group))
        return -EINVAL;
    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    result = binding_check(e, generation);
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
    owner_mutex_unlock(&dataplane.control);
    return result;
}
