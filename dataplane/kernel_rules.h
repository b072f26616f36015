/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_KERNEL_RULES_H
#define WIRERX_KERNEL_RULES_H

/**
 * @file
 * Is a frame one that rules name for the kernel? A core in the sense of host.h: a function of a frame's
 * first bytes. Of frames that nobody here takes it believes no length but those that it has checked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/** Bytes that are looked at: Ethernet, two tags, IPv4 with options, and the ports behind it. */
#define KERNEL_LOOKED_AT (14u + 2u * 4u + 60u + 4u)

/** What rules can name. */
struct kernel_frame {
    uint16_t ethertype; /**< behind up to two tags; host byte order */
    uint16_t packet;    /**< bytes from the frame's start to what it carries */
    int protocol;       /**< of IPv4; -1: it is something else */
    int port; /**< destination port of TCP or UDP, host byte order; -1: none, or not there, as
                             in a fragment */
};

/**
 * Read a frame. Fuzz target.
 * @param bytes   its first ones, contiguous
 * @param length  how many there are: all of it, or at least KERNEL_LOOKED_AT
 * @return false: it is too short for Ethernet, or ends in its tags
 */
bool kernel_frame_read(const uint8_t *bytes, size_t length, struct kernel_frame *frame);

/** Does any of the rules name it? */
bool kernel_rules_match(const struct config_kernel_rule *rules, unsigned count,
                        const struct kernel_frame *frame);

#endif
