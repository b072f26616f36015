/* SPDX-License-Identifier: BSD-3-Clause */
#include "keys.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include "command.h"
#include "ipv4.h"

/* Every port's addresses, a directed broadcast for each, the limited one, and loopback's. */
#define MAX_LOCAL_KEYS (CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES * 2 + 2)

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

bool keys_is_group(uint32_t address)
{
    return ipv4_is_multicast(rte_be_to_cpu_32(address));
}

static unsigned wildcard_addresses(uint32_t addresses[MAX_LOCAL_KEYS])
{
    unsigned count = dataplane_local_addresses(addresses, true, MAX_LOCAL_KEYS - 1);

    addresses[count++] = rte_cpu_to_be_32(IPV4_LOOPBACK_NET);
    return count;
}

static bool is_unicast(uint32_t address)
{
    uint32_t ours[CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES];
    unsigned count = dataplane_local_addresses(ours, false, RTE_DIM(ours));

    for (unsigned i = 0; i < count; i++)
        if (ours[i] == address)
            return true;
    return ipv4_is_loopback(rte_be_to_cpu_32(address));
}

void keys_remove_all(struct endpoint *e)
{
    struct binding *binding = binding_of(e);
    uint32_t addresses[MAX_LOCAL_KEYS] = {binding->address};
    unsigned count = 1;

    if (binding->address == 0)
        count = wildcard_addresses(addresses);
    for (unsigned i = 0; i < count; i++)
        remove_key(e, (struct demux_key){addresses[i], binding->port, IPPROTO_UDP});
    for (struct joined_group *g = binding->groups; g != NULL; g = g->next)
        remove_key(e, (struct demux_key){g->group, binding->port, IPPROTO_UDP});
}

int keys_add_group(struct endpoint *e, const struct joined_group *group)
{
    const struct binding *binding = binding_of(e);

    /* Bound to one group: other groups' datagrams are not for this binding. */
    if (keys_is_group(binding->address) && binding->address != group->group)
        return 0;
    return add_key(e, group->group, true, false, group->ports);
}

int keys_add_all(struct endpoint *e)
{
    struct binding *binding = binding_of(e);
    uint32_t addresses[MAX_LOCAL_KEYS] = {binding->address};
    unsigned count = keys_is_group(binding->address) ? 0 : 1;
    bool wildcard = binding->address == 0;
    int result = 0;

    if (wildcard)
        count = wildcard_addresses(addresses);
    for (unsigned i = 0; i < count && result == 0; i++)
        result = add_key(e, addresses[i], !is_unicast(addresses[i]), wildcard, KEYS_ALL_PORTS);
    for (struct joined_group *g = binding->groups; g != NULL && result == 0; g = g->next)
        result = keys_add_group(e, g);
    if (result != 0)
        keys_remove_all(e);
    return result;
}

void keys_remove_group(struct endpoint *e, const struct joined_group *group)
{
    remove_key(e, (struct demux_key){group->group, binding_of(e)->port, IPPROTO_UDP});
}
