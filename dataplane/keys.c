/* SPDX-License-Identifier: BSD-3-Clause */
#include "keys.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include "command.h"
#include "ipv4.h"
#include "log.h"

/* All tables have the same filter. */
static void remove_key(struct endpoint *e, struct demux_key key)
{
    struct demux_filter *filter = NULL;

    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        struct command command = {.kind = COMMAND_REMOVE, .endpoint = e, .key = key};

        command_call(&dataplane.lcores[i], &command);
        if (command.member != NULL)
            filter = command.member->filter;
        rte_free(command.member);
    }
    rte_free(filter);
}

/* A member for every table. @return false: memory is short, and there is none */
static bool create_members(struct demux_member *members[CONFIG_MAX_CORES],
                           const struct demux_member *like)
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        members[i] =
            rte_zmalloc_socket("member", sizeof *members[i], 0, dataplane.lcores[i].numa_node);
        if (members[i] == NULL) {
            while (i-- != 0)
                rte_free(members[i]);
            return false;
        }
        *members[i] = *like;
    }
    return true;
}

/* The filter, NULL or not, belongs to the tables from now on. @return 0; -ENOBUFS: all tables are as before */
static int add_key_filtered(struct endpoint *e, uint32_t address, bool every_member, bool wildcard,
                            uint32_t ports, struct demux_filter *filter)
{
    struct demux_key key = {address, binding_of(e)->port, IPPROTO_UDP};
    struct demux_member *members[CONFIG_MAX_CORES] = {NULL};
    const struct demux_member like = {.endpoint = e,
                                      .home = atomic_load(&e->home),
                                      .wildcard = wildcard,
                                      .ports = ports,
                                      .filter = filter};
    struct demux_filter *unused = NULL;
    bool full = false;

    if (!create_members(members, &like)) {
        rte_free(filter);
        return -ENOBUFS;
    }
    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        struct command command = {.kind = COMMAND_ADD,
                                  .endpoint = e,
                                  .key = key,
                                  .every_member = every_member,
                                  .member = members[i],
                                  .result = -1};

        if (!full)
            command_call(&dataplane.lcores[i], &command);
        /* Not linked: the endpoint was there, or the table is full. */
        if (command.result != 0 && members[i] != NULL) {
            unused = members[i]->filter;
            rte_free(members[i]);
        }
        full |= command.result < 0;
    }
    if (full) { /* the first table was: no key was there before, nor is one in another */
        remove_key(e, key);
        unused = filter;
    }
    rte_free(unused);
    return full ? -ENOBUFS : 0;
}

static int add_key(struct endpoint *e, uint32_t address, bool every_member, bool wildcard,
                   uint32_t ports)
{
    return add_key_filtered(e, address, every_member, wildcard, ports, NULL);
}

bool keys_is_group(uint32_t address)
{
    return ipv4_is_multicast(rte_be_to_cpu_32(address));
}

static unsigned wildcard_addresses(uint32_t addresses[KEYS_MAX_LOCAL])
{
    unsigned count =
        dataplane_local_addresses(addressing_now(), addresses, true, KEYS_MAX_LOCAL - 1);

    addresses[count++] = rte_cpu_to_be_32(IPV4_LOOPBACK_NET);
    return count;
}

static bool is_unicast(uint32_t address)
{
    uint32_t ours[CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES];
    unsigned count = dataplane_local_addresses(addressing_now(), ours, false, RTE_DIM(ours));

    for (unsigned i = 0; i < count; i++)
        if (ours[i] == address)
            return true;
    return ipv4_is_loopback(rte_be_to_cpu_32(address));
}

void keys_remove_all(struct endpoint *e)
{
    struct binding *binding = binding_of(e);
    uint32_t addresses[KEYS_MAX_LOCAL] = {binding->address};
    unsigned count = 1;

    if (binding->address == 0)
        count = wildcard_addresses(addresses);
    for (unsigned i = 0; i < count; i++)
        remove_key(e, (struct demux_key){addresses[i], binding->port, IPPROTO_UDP});
    for (struct joined_group *g = binding->groups; g != NULL; g = g->next)
        remove_key(e, (struct demux_key){g->group, binding->port, IPPROTO_UDP});
}

/* What the parts of a group say together. @return false: memory is short */
static bool create_filter(const struct binding *binding, uint32_t group, uint32_t *ports,
                          struct demux_filter **filter)
{
    unsigned parts = 0, filtered = 0;

    *ports = 0;
    *filter = NULL;
    for (const struct joined_group *g = membership_first(binding, group); g != NULL;
         g = membership_next(g)) {
        *ports |= g->ports;
        parts++;
        filtered += !source_filter_is_any(&g->filter);
    }
    if (filtered == 0)
        return true;
    struct demux_filter *made =
        rte_zmalloc("filter", sizeof *made + parts * sizeof made->parts[0], 0);
    if (made == NULL)
        return false;
    for (const struct joined_group *g = membership_first(binding, group); g != NULL;
         g = membership_next(g)) {
        made->parts[made->count].ports = g->ports;
        made->parts[made->count++].filter = g->filter;
    }
    *filter = made;
    return true;
}

int keys_set_group(struct endpoint *e, uint32_t group)
{
    const struct binding *binding = binding_of(e);
    struct demux_filter *filter;
    uint32_t ports;

    /* Bound to one group: other groups' datagrams are not for this binding. */
    if (keys_is_group(binding->address) && binding->address != group)
        return 0;
    if (!create_filter(binding, group, &ports, &filter))
        return -ENOBUFS;
    if (ports != 0)
        return add_key_filtered(e, group, true, false, ports, filter);
    remove_key(e, (struct demux_key){group, binding->port, IPPROTO_UDP});
    return 0;
}

int keys_add_all(struct endpoint *e)
{
    struct binding *binding = binding_of(e);
    uint32_t addresses[KEYS_MAX_LOCAL] = {binding->address};
    unsigned count = keys_is_group(binding->address) ? 0 : 1;
    bool wildcard = binding->address == 0;
    int result = 0;

    if (wildcard)
        count = wildcard_addresses(addresses);
    for (unsigned i = 0; i < count && result == 0; i++)
        result = add_key(e, addresses[i], !is_unicast(addresses[i]), wildcard, KEYS_ALL_PORTS);
    for (struct joined_group *g = binding->groups; g != NULL && result == 0; g = g->next)
        result = keys_set_group(e, g->group);
    if (result != 0)
        keys_remove_all(e);
    return result;
}

/* --- other addresses than before ------------------------------------------------------------------- */

void keys_wildcard(struct keys_wildcard *wildcard)
{
    wildcard->count = wildcard_addresses(wildcard->addresses);
}

static bool has(const struct keys_wildcard *wildcard, uint32_t address)
{
    for (unsigned i = 0; i < wildcard->count; i++)
        if (wildcard->addresses[i] == address)
            return true;
    return false;
}

/* Does a binding stand for this address? */
static bool stands_for(const struct binding *binding, uint32_t address)
{
    return binding->address == 0 || binding->address == address;
}

static void readdress(struct endpoint *e, const struct keys_wildcard *gone,
                      const struct keys_wildcard *come)
{
    const struct binding *binding = binding_of(e);
    int result = 0;

    for (unsigned i = 0; i < gone->count; i++)
        if (stands_for(binding, gone->addresses[i]))
            remove_key(e, (struct demux_key){gone->addresses[i], binding->port, IPPROTO_UDP});
    for (unsigned i = 0; i < come->count; i++)
        if (stands_for(binding, come->addresses[i]))
            result |= add_key(e, come->addresses[i], !is_unicast(come->addresses[i]),
                              binding->address == 0, KEYS_ALL_PORTS);
    if (result != 0)
        log_line("port %u: a socket does not receive on a new address, as a table is full: lower "
                 "the number of sockets or raise sockets.maximum",
                 rte_be_to_cpu_16(binding->port));
}

void keys_readdress(const struct keys_wildcard *before)
{
    struct keys_wildcard now, gone = {0}, come = {0};

    keys_wildcard(&now);
    for (unsigned i = 0; i < before->count; i++)
        if (!has(&now, before->addresses[i]) && !has(&gone, before->addresses[i]))
            gone.addresses[gone.count++] = before->addresses[i];
    for (unsigned i = 0; i < now.count; i++)
        if (!has(before, now.addresses[i]) && !has(&come, now.addresses[i]))
            come.addresses[come.count++] = now.addresses[i];
    if (gone.count == 0 && come.count == 0)
        return;
    for (uint32_t slot = 0; slot < dataplane.slots_used; slot++)
        if (dataplane.bindings[slot].bound &&
            atomic_load(&endpoint_at(slot)->state) == ENDPOINT_ATTACHED)
            readdress(endpoint_at(slot), &gone, &come);
}
