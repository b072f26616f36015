/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock() */
#include "port.h"

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config_device.h"
#include "impair.h"
#include "kernel_interface.h"
#include "log.h"
#include "numa_place.h"
#include "pool.h"
#include "replay.h"

#define VDEV_PREFIX "vdev:"

static uint16_t eth_burst(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max,
                          struct lcore *lcore, uint64_t now)
{
    (void)lcore;
    (void)now;
    return rte_eth_rx_burst(port->id, queue, mbufs, max);
}

static int eth_statistics(struct port *port, struct port_statistics *statistics)
{
    struct rte_eth_stats stats;

    if (rte_eth_stats_get(port->id, &stats) != 0)
        return -1;
    *statistics =
        (struct port_statistics){stats.ipackets, stats.imissed, stats.ierrors, stats.rx_nombuf};
    return 0;
}

static uint16_t eth_transmit(struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                             uint16_t count)
{
    return rte_eth_tx_burst(port->id, queue, mbufs, count);
}

static int eth_link(struct port *port, struct port_link *link)
{
    struct rte_eth_link known;
    int result = rte_eth_link_get_nowait(port->id, &known);

    if (result != 0)
        return result;
    *link = (struct port_link){
        .up = known.link_status == RTE_ETH_LINK_UP,
        .megabits = known.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : known.link_speed,
    };
    return 0;
}

static int eth_multicast(struct port *port, struct rte_ether_addr *list, uint32_t count)
{
    return rte_eth_dev_set_mc_addr_list(port->id, list, count);
}

/* A device that does not know the one mode may know the other, which nothing else here asks for. */
static int eth_all_multicast(struct port *port, bool on)
{
    if (!on)
        return rte_eth_promiscuous_get(port->id) == 1 ? rte_eth_promiscuous_disable(port->id)
                                                      : rte_eth_allmulticast_disable(port->id);
    if (rte_eth_allmulticast_enable(port->id) == 0)
        return 0;
    return rte_eth_promiscuous_enable(port->id);
}

static int eth_clock(struct port *port, uint64_t *ticks)
{
    struct timespec now;
    int result;

    if (!port->clock.timesync)
        return rte_eth_read_clock(port->id, ticks);
    result = rte_eth_timesync_read_time(port->id, &now);
    if (result == 0)
        *ticks = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return result;
}

const struct port_operations port_rte_eth = {
    .name = "rte_eth",
    .burst = eth_burst,
    .statistics = eth_statistics,
    .transmit = eth_transmit,
    .link = eth_link,
    .multicast = eth_multicast,
    .all_multicast = eth_all_multicast,
    .clock = eth_clock,
};

static int refuse(struct config_error *error, unsigned index, const char *device, const char *what,
                  int code)
{
    snprintf(error->text, sizeof error->text, "ports[%u].device: %s: %s%s%s", index, device, what,
             code != 0 ? ": " : "", code != 0 ? rte_strerror(code < 0 ? -code : code) : "");
    return -1;
}

/* "vdev:net_pcap0,rx_pcap=f" is known to DPDK as "net_pcap0". */
static const char *dpdk_arguments(const char *device)
{
    size_t prefix = strlen(VDEV_PREFIX);

    return strncmp(device, VDEV_PREFIX, prefix) == 0 ? device + prefix : device;
}

static int probe(struct port *port, struct config_error *error)
{
    const char *device = port->config->device;
    const char *arguments = dpdk_arguments(device);
    char name[RTE_DEV_NAME_MAX_LEN];
    size_t length = strcspn(arguments, ",");
    int result;

    if (length >= sizeof name)
        return refuse(error, port->index, device, "the name is too long", 0);
    snprintf(name, sizeof name, "%.*s", (int)length, arguments);
    if (rte_eth_dev_get_port_by_name(name, &port->id) == 0)
        return 0; /* made by the program itself, e.g. by rte_eth_from_rings() */
    result = rte_dev_probe(arguments);
    if (result != 0)
        return refuse(error, port->index, device,
                      "DPDK could not probe the device (is its driver bound and installed?)",
                      result);
    port->probed_by_us = true;
    if (rte_eth_dev_get_port_by_name(name, &port->id) != 0)
        return refuse(error, port->index, device, "the device is there but is no Ethernet port", 0);
    return 0;
}

static uint64_t wanted_offloads(const struct port *port, const struct rte_eth_dev_info *info)
{
    uint64_t wanted = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    unsigned frame = port->mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;

    if (!port->rules.ignore_udp_checksums)
        wanted |= RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    if (frame > (unsigned)rte_pktmbuf_data_room_size(port->pool) - RTE_PKTMBUF_HEADROOM)
        wanted |= RTE_ETH_RX_OFFLOAD_SCATTER;
    return wanted & info->rx_offload_capa;
}

static int find_transmit(struct port *port, const struct rte_eth_dev_info *info,
                         struct config_error *error)
{
    enum config_transmit wanted = port->config->transmit;
    int result;

    if (wanted == CONFIG_TRANSMIT_OFF ||
        (wanted == CONFIG_TRANSMIT_AUTO && !config_device_has_network(info->driver_name)))
        return 0;
    if (info->max_tx_queues == 0) {
        if (wanted == CONFIG_TRANSMIT_AUTO)
            return 0;
        snprintf(error->text, sizeof error->text,
                 "ports[%u].transmit: on, but %s has no queue to transmit by", port->index,
                 port->config->device);
        return -1;
    }
    result = rte_eth_macaddr_get(port->id, &port->mac);
    if (result != 0)
        return refuse(error, port->index, port->config->device, "the device has no MAC address",
                      result);
    port->transmit_offloads = (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
                               RTE_ETH_TX_OFFLOAD_MULTI_SEGS) &
                              info->tx_offload_capa;
    port->transmits = true;
    return 0;
}

static int set_up_queues(struct port *port, const struct rte_eth_dev_info *info,
                         struct config_error *error)
{
    const char *device = port->config->device;
    uint16_t descriptors = CONFIG_RX_DESCRIPTORS, tx_descriptors = CONFIG_TX_DESCRIPTORS;
    int node = port->numa_node < 0 ? SOCKET_ID_ANY : port->numa_node;
    uint16_t tx_queues = (uint16_t)RTE_MIN(port->queues, info->max_tx_queues);
    int result = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &descriptors, &tx_descriptors);

    if (result != 0)
        return refuse(error, port->index, device, "no usable number of descriptors", result);
    for (uint16_t queue = 0; queue < port->queues; queue++) {
        result =
            rte_eth_rx_queue_setup(port->id, queue, descriptors, (unsigned)node, NULL, port->pool);
        if (result != 0)
            return refuse(error, port->index, device, "a receive queue could not be set up",
                          result);
    }
    for (uint16_t queue = 0; queue < tx_queues; queue++) {
        result = rte_eth_tx_queue_setup(port->id, queue, tx_descriptors, (unsigned)node, NULL);
        if (result != 0)
            return refuse(error, port->index, device, "a transmit queue could not be set up",
                          result);
    }
    return 0;
}

/* Of a port that has what the kernel's interface has. */
static int find_interface(struct port *port, const struct rte_eth_dev_info *info,
                          struct config_error *error)
{
    struct kernel_interface interface;
    int result;

    if (port->config->address != CONFIG_ADDRESS_FROM_KERNEL)
        return 0;
    port->kernel_index = (int)info->if_index;
    if (port->kernel_index == 0) {
        snprintf(
            error->text, sizeof error->text,
            "ports[%u].address: from-kernel, but the driver %s knows no interface of the kernel "
            "for %s: it has taken the device from the kernel; give the port addresses",
            port->index, info->driver_name != NULL ? info->driver_name : "", port->config->device);
        return -1;
    }
    result = kernel_interface_read(port->kernel_index, &interface);
    if (result < 0 || !interface.present) {
        snprintf(
            error->text, sizeof error->text,
            "ports[%u].address: from-kernel, but the kernel does not show the interface of %s in "
            "this network namespace",
            port->index, port->config->device);
        return -1;
    }
    port->mtu = interface.has.mtu;
    return 0;
}

static int configure(struct port *port, struct config_error *error)
{
    const char *device = port->config->device;
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf = {0};
    uint64_t timestamps;
    char reason[160];
    int result = rte_eth_dev_info_get(port->id, &info);

    if (result != 0)
        return refuse(error, port->index, device, "the device does not describe itself", result);
    if (find_interface(port, &info, error) != 0)
        return -1;
    conf.rxmode.mtu = port->mtu;
    if (port->queues > info.max_rx_queues) {
        snprintf(error->text, sizeof error->text, "ports[%u].queues: %u exceeds the device's %u",
                 port->index, port->queues, info.max_rx_queues);
        return -1;
    }
    if (info.max_mtu != 0 && port->mtu > info.max_mtu) {
        snprintf(error->text, sizeof error->text, "ports[%u].mtu: %u exceeds the device's %u",
                 port->index, port->mtu, info.max_mtu);
        return -1;
    }
    if (find_transmit(port, &info, error) != 0)
        return -1;
    if (port_clock_find(port, &info, &timestamps, error) != 0)
        return -1;
    conf.rxmode.offloads = wanted_offloads(port, &info) | timestamps;
    conf.txmode.offloads = port->transmit_offloads;
    if (port->queues > 1) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf =
            (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP) & info.flow_type_rss_offloads;
        if (conf.rx_adv_conf.rss_conf.rss_hf == 0)
            conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
    }
    result = rte_eth_dev_configure(port->id, port->queues,
                                   (uint16_t)RTE_MIN(port->queues, info.max_tx_queues), &conf);
    if (result != 0) {
        snprintf(reason, sizeof reason, "the device refuses %u queues at mtu %u", port->queues,
                 port->mtu);
        return refuse(error, port->index, device, reason, result);
    }
    return set_up_queues(port, &info, error);
}

static int configure_and_start(struct port *port, struct config_error *error)
{
    unsigned before = rte_mempool_avail_count(port->pool);
    int result = configure(port, error);

    if (result == 0) {
        result = rte_eth_dev_start(port->id);
        if (result == 0)
            port->started = true;
        else
            refuse(error, port->index, port->config->device, "the device does not start", result);
    }
    port->buffers_taken = before - rte_mempool_avail_count(port->pool);
    return result;
}

int port_open(struct port *port, const struct config *config, unsigned index,
              struct config_error *error)
{
    const struct config_port *settings = &config->ports[index];

    *port = (struct port){
        .operations = &port_rte_eth,
        .config = settings,
        .index = (uint16_t)index,
        .id = RTE_MAX_ETHPORTS,
        .queues = (uint16_t)settings->queues,
        .mtu = settings->mtu,
        .rules = {.vlan = (uint16_t)settings->vlan,
                  .ignore_udp_checksums = settings->checksums == CONFIG_CHECKSUMS_IGNORE},
    };
    if (settings->pace != CONFIG_PACE_LIVE) {
        port->replay = replay_create(port, error);
        if (port->replay == NULL)
            return -1;
        port->operations = &port_replay;
    }
    if (settings->impair != NULL && impair_begin(port, error) != 0)
        goto failed;
    if (probe(port, error) != 0)
        goto failed;
    port->numa_node = rte_eth_dev_socket_id(port->id);
    numa_place_check(config, port->index, port->numa_node);
    port->pool = pool_for_node(port->numa_node < 0 ? numa_place_default() : port->numa_node,
                               config_buffers(config), config->buffer_bytes);
    if (port->pool == NULL) {
        snprintf(error->text, sizeof error->text,
                 "memory: no room for %u packet buffers (%s); raise memory.megabytes or lower "
                 "memory.buffers",
                 config_buffers(config), rte_strerror(rte_errno));
        goto failed;
    }
    if (configure_and_start(port, error) != 0)
        goto failed;
    if (multicast_filter_start(port) != 0) {
        snprintf(error->text, sizeof error->text, "out of memory");
        goto failed;
    }
    if (port_clock_begin(port, error) != 0)
        goto failed;
    if (port->replay != NULL)
        replay_port_started(port->replay, &port->clock);
    return 0;
failed:
    port_close(port);
    return -1;
}

/* No lcore polls any more. Devices made of software do not give back by themselves what they hold. A
 * bounded number of frames, as some never run out of them. */
static void discard_rest(const struct port *port)
{
    struct rte_mbuf *mbufs[PORT_BURST];
    uint16_t count;

    for (uint16_t queue = 0; queue < port->queues; queue++)
        for (unsigned taken = 0; taken < CONFIG_RX_DESCRIPTORS; taken += count) {
            count = rte_eth_rx_burst(port->id, queue, mbufs, PORT_BURST);
            if (count == 0)
                break;
            rte_pktmbuf_free_bulk(mbufs, count);
        }
}

/* Nor is anything transmitted any more. What has been, some drivers find out only when asked to transmit. */
static void take_back_transmitted(struct port *port)
{
    struct rte_mbuf *none[1] = {NULL};

    port->operations->transmit(port, 0, none, 0);
}

static void stop_and_remove(const struct port *port)
{
    struct rte_eth_dev_info info;

    if (port->started)
        rte_eth_dev_stop(port->id);
    if (port->probed_by_us && rte_eth_dev_info_get(port->id, &info) == 0)
        rte_dev_remove(info.device); /* closes the port as well */
    else if (!port->probed_by_us)
        rte_eth_dev_close(port->id);
}

/*
 * A driver replaces each buffer that it gives us, so it ends with as many as it took for its queues. Some
 * never give them back: net_af_xdp of DPDK 22.11 deletes the memory area with its fill ring full. That is
 * so where nothing comes back though something was taken; where a part comes back, nothing is excused.
 */
static void close_device(struct port *port)
{
    unsigned before = port->pool != NULL ? rte_mempool_avail_count(port->pool) : 0;

    stop_and_remove(port);
    if (port->pool != NULL && rte_mempool_avail_count(port->pool) == before)
        port->buffers_kept = port->buffers_taken;
}

void port_close(struct port *port)
{
    if (port->started && port->replay == NULL)
        discard_rest(port);
    if (port->started && port->transmits)
        take_back_transmitted(port);
    impair_end(port);
    replay_destroy(port->replay);
    port->replay = NULL;
    multicast_filter_end(port);
    if (port->id < RTE_MAX_ETHPORTS && rte_eth_dev_is_valid_port(port->id))
        close_device(port);
    port->started = false;
    port->id = RTE_MAX_ETHPORTS;
}
