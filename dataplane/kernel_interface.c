/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_interface.h"

#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <rte_byteorder.h>
#include <stdlib.h>
#include <string.h>

#include "config_address.h"

/* A route with what it is sorted by. */
struct ranked {
    struct addressing_route route;
    uint32_t metric;
};

struct gather {
    int index;
    struct kernel_interface *interface;
    struct ranked *routes; /* all of them: which are the longest is known at the end */
    unsigned routes_count;
    bool no_memory;
};

/* --- addresses and routes --------------------------------------------------------------------- */

/* @return false: none, or of another family */
static bool address_of(struct nl_addr *addr, struct config_address *address)
{
    uint32_t bytes;

    if (addr == NULL || nl_addr_get_family(addr) != AF_INET)
        return false;
    address->prefix_length = nl_addr_get_prefixlen(addr);
    address->address = 0;
    if (nl_addr_get_len(addr) != sizeof bytes)
        return nl_addr_get_len(addr) == 0; /* 0.0.0.0/0 */
    memcpy(&bytes, nl_addr_get_binary_addr(addr), sizeof bytes);
    address->address = rte_be_to_cpu_32(bytes);
    return address->prefix_length <= 32;
}

static void take_address(struct nl_object *object, void *context)
{
    struct gather *gather = context;
    struct rtnl_addr *addr = (struct rtnl_addr *)object;
    struct port_addressing *has = &gather->interface->has;
    struct config_address address;

    if (rtnl_addr_get_ifindex(addr) != gather->index ||
        !address_of(rtnl_addr_get_local(addr), &address))
        return;
    address.prefix_length = (uint32_t)rtnl_addr_get_prefixlen(addr);
    if (has->addresses_count == CONFIG_MAX_ADDRESSES || config_address_problem(&address) != NULL)
        gather->interface->addresses_left++;
    else
        has->addresses[has->addresses_count++] = address;
}

/* The first way by our interface. Of several, as with ECMP, one is enough: there are no others of ours. */
static struct rtnl_nexthop *way_by(struct rtnl_route *route, int index)
{
    for (int i = 0; i < rtnl_route_get_nnexthops(route); i++) {
        struct rtnl_nexthop *way = rtnl_route_nexthop_n(route, i);

        if (rtnl_route_nh_get_ifindex(way) == index)
            return way;
    }
    return NULL;
}

static void add_route(struct gather *gather, const struct ranked *ranked)
{
    struct ranked *routes =
        realloc(gather->routes, (gather->routes_count + 1) * sizeof *gather->routes);

    if (routes == NULL) {
        gather->no_memory = true;
        return;
    }
    gather->routes = routes;
    routes[gather->routes_count++] = *ranked;
}

/* Those that the kernel makes of the addresses, which ours say as well, are left out. */
static void take_route(struct nl_object *object, void *context)
{
    struct gather *gather = context;
    struct rtnl_route *route = (struct rtnl_route *)object;
    struct config_address router = {0, 0}, source = {0, 0};
    struct ranked ranked = {.metric = rtnl_route_get_priority(route)};
    struct rtnl_nexthop *way = way_by(route, gather->index);

    if (way == NULL || rtnl_route_get_table(route) != RT_TABLE_MAIN ||
        rtnl_route_get_type(route) != RTN_UNICAST ||
        rtnl_route_get_protocol(route) == RTPROT_KERNEL || rtnl_route_nh_get_via(way) != NULL ||
        !address_of(rtnl_route_get_dst(route), &ranked.route.destination))
        return;
    if (rtnl_route_nh_get_gateway(way) != NULL &&
        !address_of(rtnl_route_nh_get_gateway(way), &router))
        return; /* by IPv6 */
    address_of(rtnl_route_get_pref_src(route), &source);
    ranked.route.router = router.address;
    ranked.route.source = source.address;
    add_route(gather, &ranked);
}

static int compare(const void *a, const void *b)
{
    const struct ranked *one = a, *other = b;

    if (one->route.destination.prefix_length != other->route.destination.prefix_length)
        return one->route.destination.prefix_length > other->route.destination.prefix_length ? -1
                                                                                             : 1;
    if (one->route.destination.address != other->route.destination.address)
        return one->route.destination.address < other->route.destination.address ? -1 : 1;
    return (one->metric > other->metric) - (one->metric < other->metric);
}

static bool same_network(const struct addressing_route *a, const struct addressing_route *b)
{
    return a->destination.address == b->destination.address &&
           a->destination.prefix_length == b->destination.prefix_length;
}

/* Of several to one network the one with the least metric, which is the first. */
static void rank_routes(struct gather *gather)
{
    struct port_addressing *has = &gather->interface->has;

    if (gather->routes_count != 0)
        qsort(gather->routes, gather->routes_count, sizeof *gather->routes, compare);
    for (unsigned i = 0; i < gather->routes_count; i++) {
        const struct addressing_route *route = &gather->routes[i].route;

        if (i != 0 && same_network(route, &gather->routes[i - 1].route))
            continue;
        if (has->routes_count == CONFIG_MAX_ROUTES)
            gather->interface->routes_left++;
        else
            has->routes[has->routes_count++] = *route;
    }
}

/* --- the whole interface ---------------------------------------------------------------------------- */

static int read_link(struct nl_sock *socket, struct gather *gather)
{
    struct rtnl_link *link = NULL;
    struct nl_addr *mac;
    int error = rtnl_link_get_kernel(socket, gather->index, NULL, &link);

    if (error == -NLE_OBJ_NOTFOUND || error == -NLE_NODEV)
        return 0;
    if (error < 0)
        return error;
    mac = rtnl_link_get_addr(link);
    if (mac != NULL && nl_addr_get_len(mac) == RTE_ETHER_ADDR_LEN)
        memcpy(&gather->interface->mac, nl_addr_get_binary_addr(mac), RTE_ETHER_ADDR_LEN);
    gather->interface->has.mtu = rtnl_link_get_mtu(link);
    gather->interface->present = true;
    rtnl_link_put(link);
    return 0;
}

static int read_addresses(struct nl_sock *socket, struct gather *gather)
{
    struct nl_cache *cache;
    int error = rtnl_addr_alloc_cache(socket, &cache);

    if (error < 0)
        return error;
    nl_cache_foreach(cache, take_address, gather);
    nl_cache_free(cache);
    return 0;
}

static int read_routes(struct nl_sock *socket, struct gather *gather)
{
    struct nl_cache *cache;
    int error = rtnl_route_alloc_cache(socket, AF_INET, 0, &cache);

    if (error < 0)
        return error;
    nl_cache_foreach(cache, take_route, gather);
    nl_cache_free(cache);
    rank_routes(gather);
    return gather->no_memory ? -NLE_NOMEM : 0;
}

int kernel_interface_read(int index, struct kernel_interface *interface)
{
    struct gather gather = {.index = index, .interface = interface};
    struct nl_sock *socket = nl_socket_alloc();
    int error;

    memset(interface, 0, sizeof *interface);
    if (socket == NULL)
        return -NLE_NOMEM;
    error = nl_connect(socket, NETLINK_ROUTE);
    if (error == 0)
        error = read_link(socket, &gather);
    if (error == 0 && interface->present)
        error = read_addresses(socket, &gather);
    if (error == 0 && interface->present)
        error = read_routes(socket, &gather);
    free(gather.routes);
    nl_socket_free(socket);
    return error;
}

/* --- news ------------------------------------------------------------------------------------------- */

struct kernel_news {
    struct nl_sock *socket;
    const int *indexes; /* during a call */
    unsigned count;
    bool any;
};

static bool concerns(const struct kernel_news *news, int index)
{
    for (unsigned i = 0; i < news->count; i++)
        if (news->indexes[i] == index)
            return true;
    return false;
}

/* A route with several ways names no interface here: it is looked at when it is asked for. */
static bool route_concerns(const struct kernel_news *news, struct nlmsghdr *header)
{
    const struct nlattr *way = nlmsg_find_attr(header, sizeof(struct rtmsg), RTA_OIF);

    return way == NULL || concerns(news, (int)nla_get_u32(way));
}

static int hear(struct nl_msg *message, void *context)
{
    struct kernel_news *news = context;
    struct nlmsghdr *header = nlmsg_hdr(message);

    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        if (nlmsg_valid_hdr(header, sizeof(struct ifinfomsg)))
            news->any |= concerns(news, ((struct ifinfomsg *)nlmsg_data(header))->ifi_index);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (nlmsg_valid_hdr(header, sizeof(struct ifaddrmsg)))
            news->any |= concerns(news, (int)((struct ifaddrmsg *)nlmsg_data(header))->ifa_index);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        if (nlmsg_valid_hdr(header, sizeof(struct rtmsg)))
            news->any |= route_concerns(news, header);
        break;
    default:
        break;
    }
    return NL_OK;
}

struct kernel_news *kernel_news_open(void)
{
    struct kernel_news *news = calloc(1, sizeof *news);

    if (news == NULL)
        return NULL;
    news->socket = nl_socket_alloc();
    if (news->socket == NULL)
        goto failed;
    nl_socket_disable_seq_check(news->socket);
    nl_socket_modify_cb(news->socket, NL_CB_VALID, NL_CB_CUSTOM, hear, news);
    if (nl_connect(news->socket, NETLINK_ROUTE) < 0 ||
        nl_socket_add_memberships(news->socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
                                  RTNLGRP_IPV4_ROUTE, 0) < 0 ||
        nl_socket_set_nonblocking(news->socket) < 0)
        goto failed;
    return news;
failed:
    kernel_news_close(news);
    return NULL;
}

/** Looks at the socket in one call: whoever makes routes faster than that is asked about later. */
#define MOST_TAKES 64u

bool kernel_news_take(struct kernel_news *news, const int *indexes, unsigned count)
{
    news->indexes = indexes;
    news->count = count;
    news->any = false;
    for (unsigned i = 0; i < MOST_TAKES; i++) {
        int error = nl_recvmsgs_default(news->socket);

        if (error == -NLE_AGAIN)
            break;
        if (error < 0)
            news->any = true; /* -NLE_NOMEM: there were too many (ENOBUFS) */
    }
    return news->any;
}

void kernel_news_close(struct kernel_news *news)
{
    if (news == NULL)
        return;
    nl_socket_free(news->socket);
    free(news);
}
