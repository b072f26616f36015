/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/suite.h"

#include "config_cpus.h"

static struct config_cpus cpus(const char *list)
{
    struct config_cpus set;

    CHECK_MSG(config_cpus_parse(list, &set) == 0, "%s", list);
    return set;
}

SUITE_TEST(cpus, lists_are_read_and_written_as_the_kernel_does)
{
    static const struct {
        const char *read;
        const char *written;
    } rows[] = {
        {"0-3,8\n", "0-3,8"},
        {"0\n", "0"},
        {"\n", "none"},
        {"", "none"},
        {"63-64,127", "63-64,127"},
        {"5,4,6", "4-6"},
        {"8190-8191\n", "8190-8191"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_cpus set = cpus(rows[i].read);
        char list[64];

        config_cpus_print(&set, list, sizeof(list));
        CHECK_EQ_STR(list, rows[i].written);
    }
}

SUITE_TEST(cpus, lists_that_are_none)
{
    static const char *const rows[] = {"a", "1-", "-1", "1-a", "1 2", "8192", "0-99999", ",1"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_cpus set;

        CHECK_MSG(config_cpus_parse(rows[i], &set) == -1, "%s", rows[i]);
    }
}

SUITE_TEST(cpus, long_lists_are_cut)
{
    struct config_cpus set = cpus("1,3,5,7,9");
    char list[8];

    config_cpus_print(&set, list, sizeof(list));
    CHECK_EQ_STR(list, "1,3,...");
}

SUITE_TEST(cpus, this_machine_has_some)
{
    struct config_cpus_known known;
    char list[64];

    config_cpus_read(&known);
    config_cpus_print(&known.online, list, sizeof(list));
    CHECK(strcmp(list, "none") != 0);
    config_cpus_print(&known.allowed, list, sizeof(list));
    CHECK(strcmp(list, "none") != 0);
}

SUITE_TEST(cpus, one_is_usable_if_allowed_or_isolated)
{
    struct config_cpus_known known = {
        .online = cpus("0-5"), .allowed = cpus("0-1"), .isolated = cpus("2-3")};
    static const struct {
        unsigned cpu;
        const char *reason;
    } rows[] = {
        {0, ""},
        {1, ""},
        {2, ""}, /* isolated: in nobody's default affinity, and meant for us */
        {3, ""},
        {4, "this process may not use core 4, only 0-1 (see taskset, cpuset)"},
        {6, "core 6 does not exist or is offline; this machine has 0-5"},
        {99999, "core 99999 does not exist or is offline; this machine has 0-5"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char reason[256] = "";

        CHECK_EQ_I64(config_cpus_usable(&known, rows[i].cpu, reason, sizeof(reason)),
                     rows[i].reason[0] == '\0' ? 0 : -1);
        CHECK_EQ_STR(reason, rows[i].reason);
    }
}
