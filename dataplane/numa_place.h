/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_NUMA_PLACE_H
#define WIRERX_NUMA_PLACE_H

#include "config.h"

/** Memory goes to the device's node; this is the node for devices that have none (vdevs): core 0's. */
int numa_place_default(void);

/** Tell numa_place_default() which core comes first. */
void numa_place_set_first_core(unsigned cpu);

/** NUMA node of a CPU; 0 where the machine has no NUMA. */
int numa_place_of_cpu(unsigned cpu);

/** One warning for every configured core that is not on the port's node. */
void numa_place_check(const struct config *config, unsigned port, int port_node);

#endif
