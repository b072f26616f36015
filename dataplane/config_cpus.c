/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_CPUS "/sys/devices/system/cpu/"

/* Room for a list in a reason. */
#define LIST_SHOWN 96

void config_cpus_add(struct config_cpus *cpus, unsigned cpu)
{
    if (cpu < CONFIG_CPUS_MAX)
        cpus->words[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

bool config_cpus_has(const struct config_cpus *cpus, unsigned cpu)
{
    return cpu < CONFIG_CPUS_MAX && (cpus->words[cpu / 64] >> cpu % 64 & 1) != 0;
}

static bool read_number(const char **text, unsigned *number)
{
    char *end;
    unsigned long value;

    if (**text < '0' || **text > '9')
        return false;
    value = strtoul(*text, &end, 10);
    if (value >= CONFIG_CPUS_MAX)
        return false;
    *text = end;
    *number = (unsigned)value;
    return true;
}

int config_cpus_parse(const char *list, struct config_cpus *cpus)
{
    memset(cpus, 0, sizeof(*cpus));
    while (*list != '\0' && *list != '\n') {
        unsigned first;
        unsigned last;

        if (!read_number(&list, &first))
            return -1;
        last = first;
        if (*list == '-') {
            list++;
            if (!read_number(&list, &last))
                return -1;
        }
        for (unsigned cpu = first; cpu <= last; cpu++)
            config_cpus_add(cpus, cpu);
        if (*list == ',')
            list++;
        else if (*list != '\0' && *list != '\n')
            return -1;
    }
    return 0;
}

void config_cpus_print(const struct config_cpus *cpus, char *list, size_t size)
{
    size_t used = 0;

    snprintf(list, size, "none");
    for (unsigned first = 0; first < CONFIG_CPUS_MAX; first++) {
        unsigned last = first;
        int length;

        if (!config_cpus_has(cpus, first))
            continue;
        while (config_cpus_has(cpus, last + 1))
            last++;
        length = snprintf(list + used, size - used, first == last ? "%s%u" : "%s%u-%u",
                          used == 0 ? "" : ",", first, last);
        if ((size_t)length >= size - used) {
            snprintf(list + size - sizeof("..."), sizeof("..."), "...");
            return;
        }
        used += (size_t)length;
        first = last;
    }
}

/* A missing or empty file leaves the set empty. */
static void read_list(const char *path, struct config_cpus *cpus)
{
    char list[4096];
    FILE *file = fopen(path, "re");

    memset(cpus, 0, sizeof(*cpus));
    if (file == NULL)
        return;
    if (fgets(list, sizeof(list), file) != NULL)
        config_cpus_parse(list, cpus);
    fclose(file);
}

static void read_affinity(struct config_cpus *cpus)
{
    /* The kernel wants room for as many CPUs as it was built for. */
    cpu_set_t sets[CONFIG_CPUS_MAX / CPU_SETSIZE];

    memset(cpus, 0, sizeof(*cpus));
    memset(sets, 0, sizeof(sets));
    /* Of the process, not of this thread, which its owner may have bound for a reason. */
    if (sched_getaffinity(getpid(), sizeof(sets), sets) != 0)
        return;
    for (unsigned cpu = 0; cpu < CONFIG_CPUS_MAX; cpu++) {
        if (CPU_ISSET_S(cpu, sizeof(sets), sets))
            config_cpus_add(cpus, cpu);
    }
}

void config_cpus_read(struct config_cpus_known *known)
{
    static const struct config_cpus none;

    read_affinity(&known->allowed);
    read_list(SYSTEM_CPUS "isolated", &known->isolated);
    read_list(SYSTEM_CPUS "online", &known->online);
    /* Without /sys, what the scheduler lets us use is what we know to be there. */
    if (memcmp(&known->online, &none, sizeof(none)) == 0)
        known->online = known->allowed;
}

int config_cpus_usable(const struct config_cpus_known *known, unsigned cpu, char *reason,
                       size_t size)
{
    char list[LIST_SHOWN];

    if (!config_cpus_has(&known->online, cpu)) {
        config_cpus_print(&known->online, list, sizeof(list));
        snprintf(reason, size, "core %u does not exist or is offline; this machine has %s", cpu,
                 list);
        return -1;
    }
    if (!config_cpus_has(&known->allowed, cpu) && !config_cpus_has(&known->isolated, cpu)) {
        config_cpus_print(&known->allowed, list, sizeof(list));
        snprintf(reason, size, "this process may not use core %u, only %s (see taskset, cpuset)",
                 cpu, list);
        return -1;
    }
    return 0;
}
