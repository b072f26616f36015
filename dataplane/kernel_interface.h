/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_KERNEL_INTERFACE_H
#define WIRERX_KERNEL_INTERFACE_H

/**
 * @file
 * What the kernel has on one of its interfaces, asked for by netlink (rtnetlink(7), by libnl): addresses,
 * routes, MAC, MTU. And news of changes, which only say that it is time to ask again: so nothing is lost when
 * there are too many of them (ENOBUFS).
 *
 * On the service thread: system calls and malloc. In the network namespace that this thread is in.
 */

#include <rte_ether.h>
#include <stdbool.h>

#include "addressing.h"

struct kernel_interface {
    bool present;
    struct rte_ether_addr mac;
    /** MTU, addresses and routes; no gateway, as that is a route. Sorted: routes with the longest prefix first,
     *  then those with the least metric. */
    struct port_addressing has;
    unsigned addresses_left; /**< that it has, but there is no room for, or no port can have */
    unsigned routes_left;
};

struct kernel_news;

/**
 * Ask for everything on the interface. Blocks for the kernel's answer.
 * @param index  as if_nametoindex() gives it
 * @return 0, present or not; or a negative error of libnl, for nl_geterror()
 */
int kernel_interface_read(int index, struct kernel_interface *interface);

/** Begin to listen. @return NULL: netlink is not to be had */
struct kernel_news *kernel_news_open(void);

/** Was there any news since the last call that may concern one of these interfaces? Does not block. */
bool kernel_news_take(struct kernel_news *news, const int *indexes, unsigned count);

/** Harmless with NULL. */
void kernel_news_close(struct kernel_news *news);

#endif
