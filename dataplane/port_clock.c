/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_clock.h"

#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "port.h"
#include "replay.h"
#include "wall_clock.h"

/** net_pcap of DPDK 22.11 opens captures and interfaces for microseconds, and cuts off what is below. */
#define PCAP_UNIT_NS 1000

static int refuse(const struct port *port, const char *what, int code, struct config_error *error)
{
    snprintf(error->text, sizeof error->text, "ports[%u].timestamps: device, but %s %s%s%s",
             port->index, port->config->device, what, code != 0 ? ": " : "",
             code != 0 ? rte_strerror(-code) : "");
    return -1;
}

static enum port_clock_kind kind_of(const struct port *port, const struct rte_eth_dev_info *info)
{
    bool pcap = info->driver_name != NULL && strcmp(info->driver_name, "net_pcap") == 0;

    if (port->config->timestamps == CONFIG_TIMESTAMPS_BURST)
        return PORT_CLOCK_NONE;
    if (pcap && replay_is_capture(port->config->device))
        return PORT_CLOCK_RECORDED;
    if (port->config->timestamps == CONFIG_TIMESTAMPS_AUTO)
        return PORT_CLOCK_NONE;
    if (pcap && strstr(port->config->device, "iface=") != NULL)
        return PORT_CLOCK_SYSTEM;
    return (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0 ? PORT_CLOCK_DEVICE
                                                                       : PORT_CLOCK_NONE;
}

int port_clock_find(struct port *port, const struct rte_eth_dev_info *info, uint64_t *offloads,
                    struct config_error *error)
{
    struct port_clock *clock = &port->clock;

    *offloads = 0;
    clock->kind = kind_of(port, info);
    if (clock->kind == PORT_CLOCK_NONE && port->config->timestamps == CONFIG_TIMESTAMPS_DEVICE)
        return refuse(port, "puts no time in the frames that it receives", 0, error);
    if (clock->kind == PORT_CLOCK_DEVICE)
        *offloads = RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    return 0;
}

static int read_device(void *argument, uint64_t *ticks)
{
    struct port *port = argument;

    return port->operations->clock(port, ticks);
}

/* Drivers have one or the other. */
static int begin_device(struct port *port)
{
    int result;

    clock_line_reset(&port->clock.line);
    port->clock.timesync = false;
    result = wall_clock_begin(&port->clock.line, read_device, port);
    if (result != -ENOTSUP)
        return result;
    port->clock.timesync = true;
    result = rte_eth_timesync_enable(port->id);
    return result != 0 ? result : wall_clock_begin(&port->clock.line, read_device, port);
}

int port_clock_begin(struct port *port, struct config_error *error)
{
    struct port_clock *clock = &port->clock;
    int result;

    if (clock->kind == PORT_CLOCK_NONE)
        return 0;
    /* The driver has registered it: here it is found. */
    if (rte_mbuf_dyn_rx_timestamp_register(&clock->field, &clock->flag) != 0) {
        snprintf(error->text, sizeof error->text,
                 "ports[%u].timestamps: mbufs have no room for a time (%s)", port->index,
                 rte_strerror(rte_errno));
        return -1;
    }
    clock->unit_ns = PCAP_UNIT_NS;
    atomic_store_explicit(&clock->error_ns, PCAP_UNIT_NS - 1, memory_order_relaxed);
    if (clock->kind == PORT_CLOCK_RECORDED && port->replay != NULL) {
        clock->unit_ns = replay_unit_ns(port->replay);
        atomic_store_explicit(&clock->error_ns, 0, memory_order_relaxed);
    }
    if (clock->kind != PORT_CLOCK_DEVICE)
        return 0;
    result = begin_device(port);
    return result == 0 ? 0 : refuse(port, "does not tell what its clock says", result, error);
}

void port_clock_look(struct port *port)
{
    struct clock_look look;

    if (port->clock.kind == PORT_CLOCK_DEVICE && wall_clock_look(read_device, port, &look) == 0)
        clock_line_add(&port->clock.line, &look);
}

bool port_clock_tell(const struct port_clock *clock, const struct rte_mbuf *mbuf, int64_t *wall_ns,
                     uint64_t *error_ns)
{
    if (clock->kind == PORT_CLOCK_NONE || (mbuf->ol_flags & clock->flag) == 0)
        return false;
    uint64_t time = *RTE_MBUF_DYNFIELD(mbuf, (size_t)clock->field, const rte_mbuf_timestamp_t *);
    if (clock->kind == PORT_CLOCK_DEVICE)
        return clock_line_tell(&clock->line, time, wall_ns, error_ns);
    *error_ns = atomic_load_explicit(&clock->error_ns, memory_order_relaxed);
    /* Modulo 2^64, as the driver has reckoned: a time before 1970 comes out right. */
    *wall_ns = (int64_t)(time * (uint64_t)clock->unit_ns);
    return true;
}
