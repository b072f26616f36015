/* SPDX-License-Identifier: BSD-3-Clause */
#include "multicast_filter.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <stdlib.h>
#include <string.h>

#include "ethernet.h"
#include "log.h"
#include "port.h"

#define LOW_BITS 23
#define ALL_HOSTS 0xe0000001u /* 224.0.0.1 */
#define FIRST_ROOM 64u

/* --- what is wanted ------------------------------------------------------------------------------ */

/* Where an address is, or would be. */
static uint32_t find(const struct multicast_filter *filter, uint32_t low)
{
    uint32_t from = 0, to = filter->count;

    while (from < to) {
        uint32_t middle = (from + to) / 2;

        if (filter->wanted[middle].low < low)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static int make_room(struct multicast_filter *filter)
{
    uint32_t room = filter->room == 0 ? FIRST_ROOM : filter->room * 2;

    if (filter->count < filter->room)
        return 0;
    void *larger = realloc(filter->wanted, room * sizeof filter->wanted[0]);
    if (larger == NULL)
        return -ENOBUFS;
    filter->wanted = larger;
    filter->room = room;
    return 0;
}

/* @return 1: the list of addresses is another one; 0: it is not; -ENOBUFS */
static int note(struct multicast_filter *filter, uint32_t group, bool wanted)
{
    uint32_t low = group & ((1u << LOW_BITS) - 1), bit = 1u << (group >> LOW_BITS & 31);
    uint32_t at = find(filter, low);
    bool known = at < filter->count && filter->wanted[at].low == low;
    struct multicast_address *address;

    if (!known && !wanted)
        return 0;
    if (!known && make_room(filter) != 0)
        return -ENOBUFS;
    address = &filter->wanted[at];
    if (!known) {
        memmove(address + 1, address, (filter->count++ - at) * sizeof *address);
        *address = (struct multicast_address){low, bit};
        return 1;
    }
    if (wanted) {
        address->groups |= bit;
        return 0;
    }
    address->groups &= ~bit;
    if (address->groups != 0)
        return 0;
    memmove(address, address + 1, (--filter->count - at) * sizeof *address);
    return 1;
}

/* --- what the device is told ------------------------------------------------------------------------ */

static void let_all_through(struct port *port)
{
    struct multicast_filter *filter = &port->multicast;

    if (filter->mode == MULTICAST_ALL)
        return;
    filter->mode =
        port->operations->all_multicast(port, true) == 0 ? MULTICAST_ALL : MULTICAST_UNKNOWN;
}

static int give_list(struct port *port)
{
    const struct multicast_filter *filter = &port->multicast;
    struct rte_ether_addr list[MULTICAST_FILTER_MOST];

    for (uint32_t i = 0; i < filter->count; i++)
        list[i] = ethernet_group(filter->wanted[i].low);
    return port->operations->multicast(port, list, filter->count);
}

/* A device without such a filter will not grow one. */
static void note_refusal(struct multicast_filter *filter, int refusal)
{
    filter->refusal = refusal;
    filter->refusals++;
    filter->refused_at = refusal == -ENOTSUP ? 0 : filter->count;
}

static void apply(struct port *port)
{
    struct multicast_filter *filter = &port->multicast;
    bool too_many = filter->count > MULTICAST_FILTER_MOST;

    let_all_through(port);
    if (filter->never_lists)
        return;
    if (too_many && !filter->too_many) {
        filter->refusal = -ENOSPC;
        filter->overflows++;
    }
    filter->too_many = too_many;
    if (too_many || filter->count >= filter->refused_at)
        return;
    int result = give_list(port);
    if (result == 0 && filter->mode == MULTICAST_ALL)
        result = port->operations->all_multicast(port, false);
    if (result != 0) {
        note_refusal(filter, result);
        return;
    }
    filter->mode = MULTICAST_LISTED;
    filter->refused_at = UINT32_MAX;
    filter->refusal = 0;
}

static void tell_if_unknown(const struct port *port)
{
    const struct multicast_filter *filter = &port->multicast;

    if (filter->mode == MULTICAST_UNKNOWN)
        log_line("ports[%u]: %s accepts neither a list of groups nor all-multicast nor promiscuous "
                 "mode (%s); groups may not arrive",
                 port->index, port->config->device, rte_strerror(-filter->refusal));
}

/* It may come and go with every join: the first time is enough. */
static void tell_of_change(const struct port *port)
{
    const struct multicast_filter *filter = &port->multicast;

    if (filter->mode == MULTICAST_ALL && filter->refusals + filter->overflows == 1)
        log_line("ports[%u]: %s lets all multicast through, as it does not filter %u addresses "
                 "(%s); what nobody here has joined is dropped all the same",
                 port->index, port->config->device, filter->count, rte_strerror(-filter->refusal));
    tell_if_unknown(port);
}

int multicast_filter_set(struct port *port, uint32_t group, bool wanted)
{
    struct multicast_filter *filter = &port->multicast;
    enum multicast_mode before = filter->mode;
    uint32_t host = rte_be_to_cpu_32(group);

    if (host == ALL_HOSTS && !wanted)
        return 0;
    int result = note(filter, host, wanted);
    if (result <= 0)
        return result;
    apply(port);
    if (filter->mode != before)
        tell_of_change(port);
    return 0;
}

int multicast_filter_start(struct port *port)
{
    struct multicast_filter *filter = &port->multicast;

    /* Which groups the kernel's daemons listen to is not known here. */
    *filter = (struct multicast_filter){
        .refused_at = UINT32_MAX,
        .never_lists =
            port->config->multicast == CONFIG_MULTICAST_ALL || port->config->kernel != NULL,
    };
    if (note(filter, ALL_HOSTS, true) < 0)
        return -ENOBUFS;
    apply(port);
    tell_if_unknown(port);
    return 0;
}

void multicast_filter_end(struct port *port)
{
    free(port->multicast.wanted);
    port->multicast.wanted = NULL;
    port->multicast.room = 0;
}
