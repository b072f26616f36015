/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_KERNEL_H
#define WIRERX_CONFIG_KERNEL_H

/**
 * @file
 * A port's way to the kernel, as texts and as what a port can have.
 */

#include "config.h"
#include "config_report.h"

/** Read "lldp", "0x88cc", "icmp", "protocol 89", "tcp 22", "udp 319-320" and the like.
 *  @return 0, or -1 after config_refuse() */
int config_kernel_parse(const struct config_report *report, const char *path, const char *text,
                        struct config_kernel_rule *rule);

/** Refuse a name that no interface can have or another port has, rules that are none, rules without a
 *  kernel, and a kernel where nothing is transmitted. @return 0, or -1 after config_refuse() */
int config_kernel_check(const struct config_report *report, const struct config *config,
                        unsigned index);

/** The rules of a port that has a kernel and no rules of its own. */
const struct config_kernel_rule *config_kernel_default(unsigned *count);

/** The longest frame of a port with this mtu: with two tags. */
static inline unsigned config_kernel_frame_bytes(unsigned mtu)
{
    return 14 + 2 * 4 + mtu;
}

/** Buffers that one such frame takes, and a byte more: by that one which is longer is known. */
static inline unsigned config_kernel_segments(unsigned mtu, unsigned buffer_bytes)
{
    return config_kernel_frame_bytes(mtu) / buffer_bytes + 1;
}

#endif
