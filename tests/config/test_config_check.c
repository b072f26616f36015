/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/suite.h"

#include "config_test.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* What a program can get wrong that a file cannot, or says without a file's name and line. */

static struct config config;

static void make_config(void)
{
    config = test_config();
}

static void free_config(void)
{
    config_free(&config);
}

SUITE_FIXTURE(check, make_config, free_config);

static void set_device(const char *device)
{
    free(config.ports[0].device);
    config.ports[0].device = device == NULL ? NULL : strdup(device);
}

SUITE_TEST(check, accepts_defaults_with_a_core_and_a_port)
{
    struct config_error error = {""};

    CHECK_MSG(config_check(&config, &error, NULL, NULL, NULL) == 0, "%s", error.text);
    CHECK_EQ_I64(config_check(&config, NULL, NULL, NULL, NULL), 0);
}

static unsigned line_seven(const void *map, const char *path)
{
    CHECK_EQ_PTR(map, &config);
    CHECK_EQ_STR(path, "ports[0].mtu");
    return 7;
}

SUITE_TEST(check, asks_for_the_line_of_what_it_refuses)
{
    struct config_error error;

    config.ports[0].mtu = 1;
    CHECK_EQ_I64(config_check(&config, &error, line_seven, &config, "x"), -1);
    CHECK_EQ_STR(error.text, "x:7: ports[0].mtu: 1 is out of range: 68 to 9702 bytes");
    CHECK_EQ_I64(config_check(&config, &error, NULL, NULL, "x"), -1);
    CHECK_EQ_STR(error.text, "x: ports[0].mtu: 1 is out of range: 68 to 9702 bytes");
}

SUITE_TEST(check, refuses_what_is_not_there)
{
    unsigned *cores = config.cores;
    struct config_port *ports = config.ports;

    config.cores = NULL;
    test_refused(&config, "cores: no cores: at least one is needed, such as [2]");
    config.cores = cores;
    config.ports = NULL;
    test_refused(&config, "ports: no ports: at least one is needed");
    config.ports = ports;
    config.ports[0].addresses_count = 1;
    test_refused(&config, "ports[0].addresses: 1 are announced but none given");
    config.ports[0].addresses_count = 0;
    set_device(NULL);
    test_refused(&config, "ports[0].device: no device is named");
}

SUITE_TEST(check, refuses_a_core_that_the_machine_does_not_have)
{
    struct config_error error;

    config.cores[0] = 8191;
    CHECK_EQ_I64(config_check(&config, &error, NULL, NULL, NULL), -1);
    CHECK_MSG(strncmp(error.text,
                      "cores[0]: core 8191 does not exist or is offline; this machine has ",
                      66) == 0,
              "%s", error.text);
    config.cores[0] = 8192;
    test_refused(&config, "cores[0]: 8192 is out of range: 0 to 8191");
}

SUITE_TEST(check, refuses_a_core_that_this_process_may_not_use)
{
    unsigned first = test_core();
    char expected[128];
    cpu_set_t all;
    cpu_set_t other;

    CHECK_EQ_I64(sched_getaffinity(0, sizeof(all), &all), 0);
    if (CPU_COUNT(&all) < 2)
        SKIP("one core only");
    CPU_ZERO(&other);
    for (unsigned core = first + 1; CPU_COUNT(&other) == 0; core++) {
        if (!CPU_ISSET(core, &all))
            continue;
        CPU_SET(core, &other);
        snprintf(expected, sizeof(expected),
                 "cores[0]: this process may not use core %u, only %u (see taskset, cpuset)", first,
                 core);
    }
    CHECK_EQ_I64(sched_setaffinity(0, sizeof(other), &other), 0);
    test_refused(&config, expected);
}

SUITE_TEST(check, refuses_values_that_no_choice_stands_for)
{
    config.memory = (enum config_memory)3;
    test_refused(&config, "memory.pages: choice 3 is no value; expected: no-huge, in-memory or "
                          "huge");
    config.memory = CONFIG_MEMORY_HUGE;
    config.ports[0].checksums = (enum config_checksums)2;
    test_refused(&config, "ports[0].checksums: choice 2 is no value; expected: verify or ignore");
    config.ports[0].checksums = CONFIG_CHECKSUMS_IGNORE;
    config.ports[0].pace = (enum config_pace)4;
    test_refused(&config, "ports[0].pace: choice 4 is no value; expected: live, drained, "
                          "recorded or 1 to 1000000000 frames a second");
}

SUITE_TEST(check, refuses_rates_that_are_none)
{
    set_device("vdev:net_pcap0,rx_pcap=a.pcap");
    config.ports[0].pace = CONFIG_PACE_RATE;
    config.ports[0].pace_rate = 0.5;
    test_refused(&config, "ports[0].pace: 0.5 is out of range: 1 to 1000000000 frames a second");
    config.ports[0].pace_rate = (double)NAN;
    test_refused(&config, "ports[0].pace: nan is out of range: 1 to 1000000000 frames a second");
    config.ports[0].pace_rate = (double)INFINITY;
    test_refused(&config, "ports[0].pace: inf is out of range: 1 to 1000000000 frames a second");
    config.ports[0].pace_rate = 1488095.25;
    CHECK_EQ_I64(config_check(&config, NULL, NULL, NULL, NULL), 0);
}

SUITE_TEST(check, refuses_to_hold_what_is_no_replay)
{
    config.ports[0].held = true;
    test_refused(&config, "ports[0].pace: a held port is a replay: it needs a pace");
    set_device("vdev:net_pcap0,rx_pcap=a.pcap");
    config.ports[0].pace = CONFIG_PACE_DRAINED;
    CHECK_EQ_I64(config_check(&config, NULL, NULL, NULL, NULL), 0);
}

SUITE_TEST(check, refuses_a_prefix_above_32)
{
    config.ports[0].addresses = malloc(sizeof(struct config_address));
    config.ports[0].addresses_count = 1;
    config.ports[0].addresses[0] = (struct config_address){0xc0000201, 33};
    test_refused(&config, "ports[0].addresses[0]: 192.0.2.1/33 has a prefix length out of range: 0 "
                          "to 32");
    config.ports[0].addresses[0].prefix_length = 32;
    CHECK_EQ_I64(config_check(&config, NULL, NULL, NULL, NULL), 0);
}

SUITE_TEST(check, refuses_numbers_above_any_range)
{
    config.sockets.maximum = UINT32_MAX;
    test_refused(&config, "sockets.maximum: too many sockets: 4294967295 is out of range: 1 to "
                          "65536 sockets");
}

SUITE_TEST(check, refuses_rules_for_the_kernel_that_no_text_can_say)
{
    struct config_kernel_rule *rule = calloc(1, sizeof(*rule));

    config.ports[0].kernel = strdup("wrx0");
    config.ports[0].kernel_rules_count = 1;
    test_refused(&config, "ports[0].kernel-rules: 1 are announced but none given");
    CHECK(rule != NULL);
    config.ports[0].kernel_rules = rule;
    *rule = (struct config_kernel_rule){.is_protocol = true, .number = 256, .last_port = 65535};
    test_refused(&config, "ports[0].kernel-rules[0]: 256 is no protocol of IPv4: 0 to 255");
    *rule = (struct config_kernel_rule){.is_protocol = true, .number = 1, .last_port = 80};
    test_refused(&config, "ports[0].kernel-rules[0]: only tcp and udp have ports");
    *rule = (struct config_kernel_rule){true, 6, 81, 80};
    test_refused(&config, "ports[0].kernel-rules[0]: ports from 81 to 80 are none");
}
