/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_DEVICE_H
#define WIRERX_CONFIG_DEVICE_H

/**
 * @file
 * What a `device` text says, without asking DPDK.
 */

#include <stdbool.h>
#include <stddef.h>

/** DPDK's limit (RTE_DEV_NAME_MAX_LEN), the final NUL included. */
#define CONFIG_DEVICE_NAME_SIZE 64

struct config_device {
    bool virtual; /**< made by a driver (vdev:), on no bus */
    /** As DPDK names the device: `net_pcap0`, or a PCI address in full (`0000:01:00.0`). */
    char name[CONFIG_DEVICE_NAME_SIZE];
    const char *arguments; /**< driver arguments within the text, "" if there are none */
    unsigned captures;     /**< rx_pcap= arguments of a net_pcap device */
    bool infinite;         /**< a net_pcap device that repeats its captures for ever */
};

/**
 * Take a device text apart.
 *
 * @param text    not NULL; must outlive `device`
 * @param reason  receives the reason of a refusal
 * @return 0, or -1 with reason set
 */
int config_device_parse(const char *text, struct config_device *device, char *reason, size_t size);

/**
 * Is there a network behind the devices of this driver? None is behind those that are memory or a file.
 *
 * @param driver  its name, or that of one of its devices (struct config_device); NULL: some other
 */
bool config_device_has_network(const char *driver);

#endif
