/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_watch.h"

#include <errno.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <rte_common.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config_address.h"
#include "kernel_interface.h"
#include "keys.h"
#include "log.h"
#include "state.h"

/** Of so many looks one is at the links: asking a device takes it longer than asking the kernel for news. */
#define LOOKS_PER_LINK 4u

static struct {
    struct kernel_news *news; /* NULL: no port has what the kernel says */
    bool behind;              /* news that is not acted upon yet */
    bool read_failed;
    bool beginning;
    bool up[CONFIG_MAX_PORTS];
    bool gone[CONFIG_MAX_PORTS]; /* the device is, and that is logged */
    unsigned looks;
    struct addressing next;
    struct rte_ether_addr macs[CONFIG_MAX_PORTS];
} watch;

static bool is_from_kernel(const struct port *port)
{
    return port->config->address == CONFIG_ADDRESS_FROM_KERNEL;
}

/* --- links ---------------------------------------------------------------------------------------- */

/* @return is it up? Whoever does not tell is. */
static bool is_up(struct port *port)
{
    struct port_link link;
    int result = port->operations->link(port, &link);

    if (result == -ENODEV && !watch.gone[port->index]) {
        watch.gone[port->index] = true;
        log_line("ports[%u]: %s is gone; sockets stay open, and receive nothing more from it",
                 port->index, port->config->device);
    }
    return result != 0 || link.up;
}

static void look_at_links(void)
{
    for (unsigned p = 0; p < dataplane.ports_count; p++) {
        struct port *port = &dataplane.ports[p];
        bool was_up = watch.up[p];

        watch.up[p] = is_up(port);
        if (was_up || !watch.up[p] || !port->transmits)
            continue;
        struct command command = {.kind = COMMAND_LINK_UP, .port = p};
        command_call(port->keeper, &command);
    }
}

/* --- the kernel's interfaces -------------------------------------------------------------------------- */

/* Has a port this address that comes before this one: a configured one, or the first that the kernel gives it to?
 */
static bool is_taken(unsigned port, uint32_t address)
{
    for (unsigned p = 0; p < dataplane.ports_count; p++) {
        const struct port_addressing *other = &watch.next.ports[p];

        if (p == port || (p > port && is_from_kernel(&dataplane.ports[p])))
            continue;
        for (unsigned i = 0; i < other->addresses_count; i++)
            if (other->addresses[i].address == address)
                return true;
    }
    return false;
}

static void leave_out_taken(struct port_addressing *has, unsigned port)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < has->addresses_count; i++)
        if (!is_taken(port, has->addresses[i].address))
            has->addresses[kept++] = has->addresses[i];
    memset(&has->addresses[kept], 0, (has->addresses_count - kept) * sizeof has->addresses[0]);
    has->addresses_count = kept;
}

static void say_what_it_has(unsigned port, const struct kernel_interface *interface)
{
    char name[IF_NAMESIZE] = "its interface", list[160] = "";
    size_t at = 0;

    if_indextoname((unsigned)dataplane.ports[port].kernel_index, name);
    for (unsigned i = 0; i < interface->has.addresses_count && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ",
                               config_address_text(&interface->has.addresses[i]).text);
    log_line("ports[%u]: the kernel's %s has %s%s%s", port, name,
             !interface->present ? "gone"
             : at == 0           ? "no IPv4 address; the port waits for one"
                                 : list,
             interface->addresses_left != 0 ? "; other addresses are not possible for a port" : "",
             interface->routes_left != 0 ? "; it has more routes than there is room for" : "");
}

/* What a port is from now on. @return false: as before */
static bool take_interface(unsigned index, struct kernel_interface *interface)
{
    const struct port *port = &dataplane.ports[index];
    struct port_addressing *now = &watch.next.ports[index], before = *now;
    uint32_t mtu = interface->has.mtu;

    watch.macs[index] = interface->present ? interface->mac : port->mac;
    leave_out_taken(&interface->has, index);
    interface->has.mtu = mtu == 0 ? port->mtu : RTE_MIN(mtu, port->mtu);
    *now = interface->has;
    if (memcmp(now->addresses, before.addresses, sizeof now->addresses) != 0 || watch.beginning)
        say_what_it_has(index, interface);
    return memcmp(now, &before, sizeof before) != 0 ||
           (port->transmits && !rte_is_same_ether_addr(&watch.macs[index], &port->mac));
}

/* Ask the kernel, and note in watch.next what has changed. @return the ports, as bits */
static uint32_t read_kernel(void)
{
    uint32_t changed = 0;

    watch.next = *addressing_now();
    for (unsigned p = 0; p < dataplane.ports_count; p++) {
        struct kernel_interface interface;

        watch.macs[p] = dataplane.ports[p].mac;
        if (!is_from_kernel(&dataplane.ports[p]))
            continue;
        int error = kernel_interface_read(dataplane.ports[p].kernel_index, &interface);
        if (error < 0) {
            if (!watch.read_failed)
                log_line("ports[%u]: the kernel does not say what its interface has (%s); the port "
                         "stays as it is, and it is asked again",
                         p, nl_geterror(error));
            watch.read_failed = watch.behind = true;
            continue;
        }
        if (take_interface(p, &interface))
            changed |= 1u << p;
    }
    return changed;
}

static void follow_kernel(void)
{
    struct keys_wildcard before;

    watch.behind = false;
    uint32_t changed = read_kernel();
    if (!watch.behind)
        watch.read_failed = false;
    if (changed == 0)
        return;
    keys_wildcard(&before);
    addressing_publish(&watch.next);
    for (unsigned i = 0; i < dataplane.lcores_count; i++) {
        struct command command = {.kind = COMMAND_ADDRESSING,
                                  .addressing = &watch.next,
                                  .macs = watch.macs,
                                  .ports = changed};

        command_call(&dataplane.lcores[i], &command);
    }
    keys_readdress(&before);
}

static void take_news(void)
{
    int indexes[CONFIG_MAX_PORTS];
    unsigned count = 0;

    for (unsigned p = 0; p < dataplane.ports_count; p++)
        if (is_from_kernel(&dataplane.ports[p]))
            indexes[count++] = dataplane.ports[p].kernel_index;
    watch.behind |= kernel_news_take(watch.news, indexes, count);
}

/* --- calls ------------------------------------------------------------------------------------------ */

void port_watch(void)
{
    bool links = ++watch.looks % LOOKS_PER_LINK == 0;

    if (dataplane.by_hand || !dataplane_running())
        return;
    if (watch.news != NULL)
        take_news();
    if ((!links && !watch.behind) || !owner_mutex_try_lock(&dataplane.control))
        return; /* a client is at it: later */
    if (dataplane_running()) {
        if (links)
            look_at_links();
        if (watch.behind)
            follow_kernel();
    }
    owner_mutex_unlock(&dataplane.control);
}

int port_watch_now(void *unused)
{
    (void)unused;
    owner_mutex_lock(&dataplane.control);
    look_at_links();
    if (watch.news != NULL)
        take_news();
    if (watch.behind)
        follow_kernel();
    owner_mutex_unlock(&dataplane.control);
    return 0;
}

int port_watch_begin(struct config_error *error)
{
    bool any = false;

    watch.behind = watch.read_failed = false;
    for (unsigned p = 0; p < dataplane.ports_count; p++) {
        watch.gone[p] = false;
        any |= is_from_kernel(&dataplane.ports[p]);
        watch.up[p] = is_up(&dataplane.ports[p]);
    }
    if (!any)
        return 0;
    watch.news = kernel_news_open();
    if (watch.news == NULL) {
        snprintf(error->text, sizeof error->text,
                 "ports[].address: from-kernel, but the kernel gives no netlink socket to follow "
                 "its interfaces by");
        return -1;
    }
    watch.beginning = true;
    read_kernel();
    watch.beginning = false;
    addressing_publish(&watch.next);
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        lcore_set_addressing(&dataplane.lcores[i], &watch.next);
    return 0;
}

void port_watch_end(void)
{
    kernel_news_close(watch.news);
    watch.news = NULL;
}
