/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_MULTICAST_FILTER_H
#define WIRERX_MULTICAST_FILTER_H

/**
 * @file
 * Which groups' frames a port's device lets through: those that are wanted, or all. 32 groups share a MAC
 * address (RFC 1112, 6.4), so the device can only ever be coarse; the lcores' own tables decide.
 *
 * A device may know no such filter, have room for few addresses or refuse a list for any reason. Then it lets
 * all groups through, until the list is shorter than the one that was refused. While a list is replaced all
 * groups are let through, too: some drivers forget the old list before they take the new one, and what runs
 * shall have no gap.
 *
 * Under the control lock; may allocate and call the device's driver. Never on an lcore.
 */

#include <stdbool.h>
#include <stdint.h>

struct port;

/** Addresses in the longest list that a device is given. A driver goes through all of them at each join. */
#define MULTICAST_FILTER_MOST 1024u

enum multicast_mode {
    MULTICAST_UNKNOWN, /**< the device takes neither a list nor all: groups may not arrive */
    MULTICAST_LISTED,  /**< those that are wanted */
    MULTICAST_ALL,
};

struct multicast_filter {
    /** By the part of a group's address that its MAC address has; sorted. */
    struct multicast_address {
        uint32_t low;    /**< 23 bits */
        uint32_t groups; /**< wanted ones of the 32 that share it, a bit each by the 5 bits above */
    } * wanted;
    uint32_t count, room;
    enum multicast_mode mode;
    bool too_many;       /**< for MULTICAST_FILTER_MOST */
    uint32_t refused_at; /**< a list as long was refused: only shorter ones are tried */
    int refusal;         /**< why the last list was refused: 0, or -errno */
    bool never_lists;    /**< as the configuration wants it */
    uint64_t refusals;   /**< by the device, so far */
    uint64_t overflows;  /**< times that there were more than MULTICAST_FILTER_MOST */
};

/** The device has started: let through what all hosts listen to, 224.0.0.1; or all groups, for good, where
 *  the port's configuration says so. @return 0; -ENOBUFS */
int multicast_filter_start(struct port *port);

/** Let a group, in network order, through from now on, or no more; harmless twice.
 *  @return 0, whatever the device says; -ENOBUFS: no memory, and nothing has changed */
int multicast_filter_set(struct port *port, uint32_t group, bool wanted);

/** Forget the list, but not what it was. The device is closed. */
void multicast_filter_end(struct port *port);

#endif
