/* SPDX-License-Identifier: BSD-3-Clause */

/* Joining and leaving multicast groups, of all sources or of some. */

#include <errno.h>
#include <rte_byteorder.h>
#include <stdlib.h>

#include "command.h"
#include "groups.h"
#include "keys.h"
#include "membership.h"
#include "state.h"

/* Ports that an interface address means, as bits; 0: no such interface. */
static uint32_t ports_of_interface(uint32_t interface)
{
    uint32_t index = rte_be_to_cpu_32(interface);

    if (index == 0)
        return (1u << dataplane.config.ports_count) - 1;
    if (index >> 24 ==
        0) /* 0.0.0.0/8 is no host's (RFC 1122, 3.2.1.3): an index, as Windows has it */
        return index <= dataplane.config.ports_count ? 1u << (index - 1) : 0;
    for (unsigned p = 0; p < addressing_now()->ports_count; p++)
        for (unsigned a = 0; a < addressing_now()->ports[p].addresses_count; a++)
            if (addressing_now()->ports[p].addresses[a].address == index)
                return 1u << p;
    return 0;
}

/* --- what a group's parts are ----------------------------------------------------------------------- */

/* Unlink what a binding has of a group. */
static struct joined_group *take_parts(const struct binding *binding, uint32_t group)
{
    struct joined_group *part, *parts = NULL;

    while ((part = membership_first(binding, group)) != NULL) {
        membership_unlink(part);
        part->next = parts;
        parts = part;
    }
    return parts;
}

static void free_parts(struct joined_group *parts)
{
    while (parts != NULL) {
        struct joined_group *next = parts->next;

        free(parts);
        parts = next;
    }
}

static uint32_t ports_of_parts(const struct joined_group *parts)
{
    uint32_t ports = 0;

    for (; parts != NULL; parts = parts->next)
        ports |= parts->ports;
    return ports;
}

/* Add ports that no part has. @return 0; -ENOMEM */
static int add_part(struct joined_group **parts, uint32_t group, uint32_t ports,
                    const struct source_filter *filter)
{
    if (ports == 0 || source_filter_is_none(filter))
        return 0;
    for (struct joined_group *part = *parts; part != NULL; part = part->next)
        if (source_filter_equal(&part->filter, filter)) {
            part->ports |= ports;
            return 0;
        }
    struct joined_group *part = malloc(sizeof *part);
    if (part == NULL)
        return -ENOBUFS;
    *part =
        (struct joined_group){.next = *parts, .group = group, .ports = ports, .filter = *filter};
    *parts = part;
    return 0;
}

/* --- what changes them ------------------------------------------------------------------------------ */

struct change {
    enum dataplane_source_change kind;
    uint32_t group;
    uint32_t ports;
    uint32_t source;
    const struct source_filter *filter; /* in place of whatever is there; NULL: `kind` says */
};

/* What a port wants of a group after a change. @return 0 or an error */
static int change_filter(const struct change *change, struct source_filter *filter, bool joined)
{
    if (change->filter != NULL) {
        *filter = *change->filter;
        return 0;
    }
    switch (change->kind) {
    case DATAPLANE_JOIN:
        *filter = joined ? *filter : SOURCE_FILTER_ANY;
        return joined ? -EADDRINUSE : 0;
    case DATAPLANE_LEAVE:
        *filter = SOURCE_FILTER_NONE;
        return joined ? 0 : -EADDRNOTAVAIL;
    case DATAPLANE_JOIN_SOURCE:
        return joined && filter->exclude ? -EINVAL : source_filter_add(filter, change->source);
    case DATAPLANE_LEAVE_SOURCE:
        return joined && filter->exclude ? -EINVAL : source_filter_remove(filter, change->source);
    case DATAPLANE_BLOCK_SOURCE:
    case DATAPLANE_UNBLOCK_SOURCE:
        if (!joined)
            return -EADDRNOTAVAIL;
        if (!filter->exclude)
            return -EINVAL;
        return change->kind == DATAPLANE_BLOCK_SOURCE
                   ? source_filter_add(filter, change->source)
                   : source_filter_remove(filter, change->source);
    }
    return -EINVAL;
}

/* One after the other the ports that a change is about, and the others as they are. It succeeds if any port
 * is changed, and fails as the last one has if none is. */
static int change_parts(const struct change *change, const struct joined_group *before,
                        struct joined_group **after)
{
    uint32_t left = change->ports, joined = ports_of_parts(before);
    int result = -EADDRNOTAVAIL;
    bool changed = false;

    *after = NULL;
    for (const struct joined_group *part = before; part != NULL; part = part->next) {
        struct source_filter filter = part->filter;
        uint32_t here = part->ports & change->ports;

        if (add_part(after, part->group, part->ports & ~here, &part->filter) != 0)
            return -ENOBUFS;
        if (here != 0) {
            int error = change_filter(change, &filter, true);

            changed |= error == 0;
            result = error != 0 ? error : result;
        }
        if (add_part(after, part->group, here, &filter) != 0)
            return -ENOBUFS;
    }
    left &= ~joined;
    if (left != 0) {
        struct source_filter filter = SOURCE_FILTER_NONE;
        int error = change_filter(change, &filter, false);

        changed |= error == 0;
        result = error != 0 && joined == 0 ? error : result;
        if (error == 0 && add_part(after, change->group, left, &filter) != 0)
            return -ENOBUFS;
    }
    return changed ? 0 : result;
}

/* --- telling ---------------------------------------------------------------------------------------- */

/* What all sockets together want of a group on a port (RFC 3376, 3.2). */
static struct source_filter merge_all(const struct group_members *members, unsigned port)
{
    struct source_filter merged = SOURCE_FILTER_NONE;

    for (const struct joined_group *part = members->parts; part != NULL;
         part = part->members_next) {
        const struct endpoint *e = endpoint_at((uint32_t)(part->binding - dataplane.bindings));

        if ((part->ports >> port & 1) == 0 || !part->binding->bound ||
            atomic_load(&e->state) == ENDPOINT_NET_DOWN)
            continue;
        source_filter_merge(&merged, &part->filter);
        if (source_filter_is_any(&merged))
            break;
    }
    return merged;
}

/* Tell the network, by the port's keeper. @return 0; -ENOBUFS: it has too many groups */
static int tell_keeper(const struct port *port, uint32_t group, const struct source_filter *merged)
{
    struct command command = {
        .kind = COMMAND_GROUP, .port = port->index, .group = group, .filter = merged};

    if (!port->transmits)
        return 0;
    command_call(port->keeper, &command);
    return command.result;
}

/* Tell the devices of these ports and their keepers. @return 0; -ENOBUFS: one of them has too many groups */
static int tell_ports(const struct group_members *members, uint32_t ports)
{
    uint32_t group = members->group;
    int result = 0;

    for (unsigned p = 0; p < dataplane.ports_count; p++) {
        struct port *port = &dataplane.ports[p];

        if ((ports >> p & 1) == 0)
            continue;
        struct source_filter merged = merge_all(members, p);
        int error = multicast_filter_set(port, group, !source_filter_is_none(&merged));
        if (error == 0)
            error = tell_keeper(port, group, &merged);
        result = error != 0 ? error : result;
    }
    return result;
}

int groups_bound(struct endpoint *e)
{
    int result = 0;

    for (const struct joined_group *g = binding_of(e)->groups; g != NULL && result == 0;
         g = g->next)
        result = tell_ports(g->members, g->ports);
    return result;
}

void groups_forget(struct endpoint *e, bool tell)
{
    struct joined_group *part;

    while ((part = binding_of(e)->groups) != NULL) {
        membership_unlink(part);
        if (tell)
            tell_ports(part->members, part->ports);
        membership_tidy(part->members);
        free(part);
    }
}

/* --- calls ------------------------------------------------------------------------------------------ */

static void put_parts(struct binding *binding, struct group_members *members,
                      struct joined_group *parts)
{
    while (parts != NULL) {
        struct joined_group *next = parts->next;

        membership_link(parts, binding, members);
        parts = next;
    }
}

/* With other parts than before. @return 0, or an error: as before */
static int replace_parts(struct endpoint *e, const struct change *change,
                         struct group_members *members, struct joined_group *before,
                         struct joined_group *after)
{
    struct binding *binding = binding_of(e);
    int result = 0;

    put_parts(binding, members, after);
    if (binding->bound) {
        result = tell_ports(members, change->ports);
        if (result == 0)
            result = keys_set_group(e, change->group);
    }
    if (result == 0) {
        free_parts(before);
        return 0;
    }
    /* The tables are as they were, and what ports were told before they have room for. */
    free_parts(take_parts(binding, change->group));
    put_parts(binding, members, before);
    tell_ports(members, change->ports);
    return result;
}

/* Take the control lock for a call about a group on an interface. @return 0 and its ports; or an error, and the
 * lock is not held */
static int begin_call(const struct endpoint *e, uint32_t generation, uint32_t interface,
                      uint32_t *ports)
{
    int result;

    if (owner_mutex_lock(&dataplane.control) != 0)
        return -EDEADLK;
    result = binding_check(e, generation);
    if (result == 0) {
        *ports = ports_of_interface(interface);
        result = *ports != 0 ? 0 : -EADDRNOTAVAIL;
    }
    if (result != 0)
        owner_mutex_unlock(&dataplane.control);
    return result;
}

static int carry_out(struct endpoint *e, uint32_t generation, uint32_t interface,
                     struct change *change)
{
    struct binding *binding = binding_of(e);
    struct joined_group *after = NULL;
    int result = begin_call(e, generation, interface, &change->ports);

    if (result != 0)
        return result;
    struct group_members *members = membership_of(change->group, true);
    result = -ENOBUFS;
    if (members == NULL)
        goto out;
    struct joined_group *before = take_parts(binding, change->group);
    result = change_parts(change, before, &after);
    if (result == 0) {
        result = replace_parts(e, change, members, before, after);
    } else {
        free_parts(after);
        put_parts(binding, members, before);
    }
    membership_tidy(members);
    binding_note_replays();
out:
    owner_mutex_unlock(&dataplane.control);
    return result;
}

int dataplane_change_group(struct endpoint *e, uint32_t generation,
                           enum dataplane_source_change kind, uint32_t group, uint32_t interface,
                           uint32_t source)
{
    struct change change = {.kind = kind, .group = group, .source = source};

    if (!keys_is_group(group) ||
        (kind >= DATAPLANE_JOIN_SOURCE && (source == 0 || keys_is_group(source))))
        return -EINVAL;
    return carry_out(e, generation, interface, &change);
}

int dataplane_set_filter(struct endpoint *e, uint32_t generation, uint32_t group,
                         uint32_t interface, const struct source_filter *filter)
{
    struct change change = {.group = group, .filter = filter};

    if (!keys_is_group(group))
        return -EINVAL;
    for (unsigned i = 0; i < filter->count; i++)
        if (filter->sources[i] == 0 || keys_is_group(filter->sources[i]))
            return -EINVAL;
    return carry_out(e, generation, interface, &change);
}

int dataplane_filter(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface,
                     struct source_filter *filter)
{
    uint32_t ports;
    int result;

    if (!keys_is_group(group))
        return -EINVAL;
    result = begin_call(e, generation, interface, &ports);
    if (result != 0)
        return result;
    *filter = SOURCE_FILTER_NONE;
    for (const struct joined_group *part = membership_first(binding_of(e), group); part != NULL;
         part = membership_next(part))
        if ((part->ports & ports) != 0)
            source_filter_merge(filter, &part->filter);
    owner_mutex_unlock(&dataplane.control);
    return 0;
}

int dataplane_join(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface)
{
    return dataplane_change_group(e, generation, DATAPLANE_JOIN, group, interface, 0);
}

int dataplane_leave(struct endpoint *e, uint32_t generation, uint32_t group, uint32_t interface)
{
    return dataplane_change_group(e, generation, DATAPLANE_LEAVE, group, interface, 0);
}
