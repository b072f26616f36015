/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_CPUS_H
#define WIRERX_CONFIG_CPUS_H

/**
 * @file
 * Which CPUs this machine has and which of them this process may use.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One more than the highest CPU number that Linux can be built for. */
#define CONFIG_CPUS_MAX 8192u

struct config_cpus {
    uint64_t words[CONFIG_CPUS_MAX / 64];
};

/** What the system says about CPUs. */
struct config_cpus_known {
    struct config_cpus online;   /**< by the machine */
    struct config_cpus allowed;  /**< affinity of the process's main thread */
    struct config_cpus isolated; /**< kept free by the kernel (isolcpus=): in no default affinity */
};

void config_cpus_add(struct config_cpus *cpus, unsigned cpu);
bool config_cpus_has(const struct config_cpus *cpus, unsigned cpu);

/** Read a list as the kernel writes it, "0-3,8"; 0, or -1 if it is none. */
int config_cpus_parse(const char *list, struct config_cpus *cpus);

/** Write such a list; ends with "..." when `size` is short. */
void config_cpus_print(const struct config_cpus *cpus, char *list, size_t size);

/** Ask the system. */
void config_cpus_read(struct config_cpus_known *known);

/**
 * Whether a dataplane thread can be bound to this CPU.
 *
 * @param reason  receives why not
 * @return 0, or -1 with reason set
 */
int config_cpus_usable(const struct config_cpus_known *known, unsigned cpu, char *reason,
                       size_t size);

#endif
