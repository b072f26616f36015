/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/suite.h"

#include "config_test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void parse_good(const char *text, struct config *config)
{
    struct config_error error = {""};

    CHECK_MSG(test_parse(text, config, &error) == 0, "%s", error.text);
}

SUITE_TEST(config, needs_only_cores_and_a_device_and_defaults_the_rest)
{
    struct config config;

    parse_good("cores: [@]\nports:\n  - device: vdev:net_null0\n", &config);
    CHECK_EQ_I64(config.cores_count, 1);
    CHECK_EQ_I64(config.cores[0], test_core());
    CHECK_EQ_I64(config.memory, CONFIG_MEMORY_NO_HUGE);
    CHECK_EQ_I64(config.memory_mb, 0);
    CHECK_EQ_I64(config.buffers, 0);
    CHECK_EQ_I64(config.buffer_bytes, 2048);
    CHECK_EQ_I64(config.ports_count, 1);
    CHECK_EQ_STR(config.ports[0].device, "vdev:net_null0");
    CHECK_EQ_I64(config.ports[0].addresses_count, 0);
    CHECK_EQ_I64(config.ports[0].queues, 1);
    CHECK_EQ_I64(config.ports[0].mtu, 1500);
    CHECK_EQ_I64(config.ports[0].vlan, 0);
    CHECK_EQ_I64(config.ports[0].checksums, CONFIG_CHECKSUMS_VERIFY);
    CHECK_EQ_I64(config.ports[0].timestamps, CONFIG_TIMESTAMPS_AUTO);
    CHECK_EQ_I64(config.ports[0].multicast, CONFIG_MULTICAST_LISTED);
    CHECK_EQ_I64(config.ports[0].pace, CONFIG_PACE_LIVE);
    CHECK(config.ports[0].kernel == NULL);
    CHECK_EQ_I64(config.ports[0].kernel_rules_count, 0);
    CHECK_EQ_I64(config.ports[0].kernel_rate, 10000);
    CHECK(!config.ports[0].held);
    CHECK_EQ_I64(config.sockets.maximum, 256);
    CHECK_EQ_I64(config.sockets.ring_slots, 2048);
    CHECK_EQ_I64(config.sockets.ring_bytes, 2097152);
    CHECK_EQ_I64(config.sockets.spin_us, 50);
    CHECK_EQ_I64(config.sockets.min_buffers, 64);
    config_free(&config);
}

static const char everything[] = "cores: [@]\n"
                                 "memory: {pages: huge, megabytes: 1024, buffers: 65536,\n"
                                 "         buffer-bytes: 9024}\n"
                                 "sockets:\n"
                                 "  maximum: 16\n"
                                 "  ring-slots: 4096\n"
                                 "  ring-bytes: 1000\n"
                                 "  spin-us: 0\n"
                                 "  min-buffers: 100\n"
                                 "ports:\n"
                                 "  - device: \"0000:01:00.1,mprq_en=1\"\n"
                                 "    addresses: [192.0.2.1/24, 198.51.100.7/31]\n"
                                 "    neighbours: [192.0.2.9 at 52:54:00:12:34:aB]\n"
                                 "    queues: 16\n"
                                 "    mtu: 9000\n"
                                 "    vlan: 100\n"
                                 "    checksums: ignore\n"
                                 "    kernel: wrx0\n"
                                 "    kernel-rules: [lldp, 0x888e, igmp, tcp 22, udp 319-320]\n"
                                 "    kernel-rate: 7\n"
                                 "    timestamps: device\n"
                                 "    multicast: all\n"
                                 "  - device: vdev:net_pcap3,rx_pcap=my capture.pcap\n"
                                 "    timestamps: burst\n"
                                 "    pace: 50000\n";

SUITE_TEST(config, takes_every_option_from_the_file)
{
    struct config config;

    parse_good(everything, &config);
    CHECK_EQ_I64(config.memory, CONFIG_MEMORY_HUGE);
    CHECK_EQ_I64(config.memory_mb, 1024);
    CHECK_EQ_I64(config.buffers, 65536);
    CHECK_EQ_I64(config.buffer_bytes, 9024);
    CHECK_EQ_I64(config.sockets.maximum, 16);
    CHECK_EQ_I64(config.sockets.ring_slots, 4096);
    CHECK_EQ_I64(config.sockets.ring_bytes, 1000);
    CHECK_EQ_I64(config.sockets.spin_us, 0);
    CHECK_EQ_I64(config.sockets.min_buffers, 100);
    CHECK_EQ_I64(config.ports_count, 2);
    CHECK_EQ_STR(config.ports[0].device, "0000:01:00.1,mprq_en=1");
    CHECK_EQ_I64(config.ports[0].addresses_count, 2);
    CHECK_EQ_I64(config.ports[0].addresses[0].address, 0xc0000201);
    CHECK_EQ_I64(config.ports[0].addresses[0].prefix_length, 24);
    CHECK_EQ_I64(config.ports[0].addresses[1].address, 0xc6336407);
    CHECK_EQ_I64(config.ports[0].addresses[1].prefix_length, 31);
    CHECK_EQ_I64(config.ports[0].neighbours_count, 1);
    CHECK_EQ_I64(config.ports[0].neighbours[0].address, 0xc0000209);
    CHECK(memcmp(config.ports[0].neighbours[0].mac, "\x52\x54\0\x12\x34\xab", 6) == 0);
    CHECK_EQ_I64(config.ports[0].queues, 16);
    CHECK_EQ_I64(config.ports[0].mtu, 9000);
    CHECK_EQ_I64(config.ports[0].vlan, 100);
    CHECK_EQ_I64(config.ports[0].checksums, CONFIG_CHECKSUMS_IGNORE);
    CHECK_EQ_STR(config.ports[0].kernel, "wrx0");
    CHECK_EQ_I64(config.ports[0].kernel_rules_count, 5);
    CHECK_EQ_I64(config.ports[0].kernel_rate, 7);
    CHECK_EQ_I64(config.ports[0].timestamps, CONFIG_TIMESTAMPS_DEVICE);
    CHECK_EQ_I64(config.ports[1].timestamps, CONFIG_TIMESTAMPS_BURST);
    CHECK_EQ_I64(config.ports[0].multicast, CONFIG_MULTICAST_ALL);
    CHECK_EQ_STR(config.ports[1].device, "vdev:net_pcap3,rx_pcap=my capture.pcap");
    CHECK_EQ_I64(config.ports[1].pace, CONFIG_PACE_RATE);
    CHECK(config.ports[1].pace_rate == 50000.0);
    CHECK_EQ_I64(config.ports[1].mtu, 1500);
    config_free(&config);
}

SUITE_TEST(config, takes_every_rule_for_the_kernel)
{
    static const struct {
        const char *text;
        struct config_kernel_rule rule;
    } rows[] = {
        {"lldp", {false, 0x88cc, 0, 65535}},     {"ptp", {false, 0x88f7, 0, 65535}},
        {"ipv6", {false, 0x86dd, 0, 65535}},     {"0x0600", {false, 0x0600, 0, 65535}},
        {"0xFFFf", {false, 0xffff, 0, 65535}},   {"icmp", {true, 1, 0, 65535}},
        {"igmp", {true, 2, 0, 65535}},           {"tcp", {true, 6, 0, 65535}},
        {"udp", {true, 17, 0, 65535}},           {"protocol 0", {true, 0, 0, 65535}},
        {"protocol 255", {true, 255, 0, 65535}}, {"tcp 22", {true, 6, 22, 22}},
        {"udp 319-320", {true, 17, 319, 320}},   {"udp 0-65535", {true, 17, 0, 65535}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config;
        char yaml[256];

        snprintf(yaml, sizeof(yaml),
                 "cores: [@]\nports: [{device: vdev:net_null0, kernel: a, kernel-rules: [%s]}]\n",
                 rows[i].text);
        parse_good(yaml, &config);
        const struct config_kernel_rule *rule = &config.ports[0].kernel_rules[0];
        CHECK_EQ_I64(rule->is_protocol, rows[i].rule.is_protocol);
        CHECK_EQ_U64(rule->number, rows[i].rule.number);
        CHECK_EQ_U64(rule->first_port, rows[i].rule.first_port);
        CHECK_EQ_U64(rule->last_port, rows[i].rule.last_port);
        config_free(&config);
    }
}

SUITE_TEST(config, takes_every_choice)
{
    static const struct {
        const char *line;
        enum config_pace pace;
        enum config_memory memory;
    } rows[] = {
        {"pace: live}]\nmemory: {pages: no-huge}\n", CONFIG_PACE_LIVE, CONFIG_MEMORY_NO_HUGE},
        {"pace: drained}]\nmemory: {pages: in-memory}\n", CONFIG_PACE_DRAINED,
         CONFIG_MEMORY_IN_MEMORY},
        {"pace: recorded}]\nmemory: {pages: huge}\n", CONFIG_PACE_RECORDED, CONFIG_MEMORY_HUGE},
        {"pace: '7', checksums: verify}]\nmemory: {}\nsockets: {}\n", CONFIG_PACE_RATE,
         CONFIG_MEMORY_NO_HUGE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config;
        char yaml[256];

        snprintf(yaml, sizeof(yaml),
                 "cores: [@]\nports: [{device: 'vdev:net_pcap0,rx_pcap=a.pcap', %s", rows[i].line);
        parse_good(yaml, &config);
        CHECK_EQ_I64(config.ports[0].pace, rows[i].pace);
        CHECK_EQ_I64(config.memory, rows[i].memory);
        config_free(&config);
    }
}

SUITE_TEST(config, takes_several_captures_and_a_byte_order_mark_and_windows_line_ends)
{
    struct config config;

    parse_good("\xef\xbb\xbf"
               "cores: [@]\r\nports:\r\n"
               "  - device: \"vdev:net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap\"\r\n"
               "    queues: 2\r\n    addresses: []\r\n",
               &config);
    CHECK_EQ_I64(config.ports[0].queues, 2);
    CHECK_EQ_I64(config.ports[0].addresses_count, 0);
    config_free(&config);
}

SUITE_TEST(config, samples_are_accepted)
{
    static const char *const samples[] = {"replay", "ring", "null", "lab-pcap-infinite",
                                          "af-xdp", "mlx5"};

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        char path[PATH_MAX];
        struct config config;
        struct config_error error = {""};

        snprintf(path, sizeof(path), "%s/%s.yaml", TEST_SOURCE_DIR "/configs", samples[i]);
        if (config_load(path, &config, &error) != 0) {
            /* Written for a machine with a core 1. */
            CHECK_MSG(strstr(error.text, ": cores[0]: ") != NULL, "%s", error.text);
            continue;
        }
        config_free(&config);
    }
}

SUITE_TEST(copy, is_deep_and_outlives_its_original)
{
    struct config config;
    struct config copy;

    parse_good(everything, &config);
    CHECK_EQ_I64(config_copy(&copy, &config), 0);
    CHECK(copy.cores != config.cores);
    CHECK(copy.ports != config.ports);
    CHECK(copy.ports[0].device != config.ports[0].device);
    CHECK(copy.ports[0].addresses != config.ports[0].addresses);
    CHECK(copy.ports[0].kernel != config.ports[0].kernel);
    CHECK(copy.ports[0].kernel_rules != config.ports[0].kernel_rules);
    config_free(&config);
    CHECK_EQ_I64(copy.cores[0], test_core());
    CHECK_EQ_STR(copy.ports[0].device, "0000:01:00.1,mprq_en=1");
    CHECK_EQ_STR(copy.ports[0].kernel, "wrx0");
    CHECK_EQ_U64(copy.ports[0].kernel_rules[4].last_port, 320);
    CHECK_EQ_I64(copy.ports[0].addresses[1].address, 0xc6336407);
    CHECK_EQ_I64(copy.ports[0].neighbours[0].address, 0xc0000209);
    CHECK(copy.ports[1].addresses == NULL);
    CHECK(copy.ports[1].pace_rate == 50000.0);
    CHECK_EQ_I64(copy.sockets.min_buffers, 100);
    CHECK_EQ_I64(config_check(&copy, NULL, NULL, NULL, NULL), 0);
    config_free(&copy);
}

SUITE_TEST(copy, of_defaults_has_nothing_to_free)
{
    struct config config = config_default();
    struct config copy;

    CHECK_EQ_I64(config_copy(&copy, &config), 0);
    CHECK(copy.cores == NULL);
    CHECK(copy.ports == NULL);
    CHECK_EQ_I64(copy.sockets.maximum, 256);
}

SUITE_TEST(free_config, leaves_a_zeroed_structure_and_can_be_repeated)
{
    struct config config = test_config();
    struct config zero = {0};

    config_free(&config);
    CHECK_EQ_MEM(&config, &zero, sizeof(zero));
    config_free(&config);
    config_free(&zero);
}

SUITE_TEST(size, of_the_pool_is_what_queues_cores_and_sockets_need)
{
    struct config config = test_config();

    CHECK_EQ_I64(config_buffers_needed(&config), 1024 + 2 * 384 + 256 * 64);
    config.ports[0].queues = 4;
    config.sockets.maximum = 10;
    CHECK_EQ_I64(config_buffers_needed(&config), 4 * 1024 + 2 * 384 + 10 * 64);
    config.sockets.maximum = 65536;
    config.sockets.min_buffers = 1048576;
    CHECK_EQ_I64(config_buffers_needed(&config), UINT_MAX);
    config_free(&config);
}

SUITE_TEST(size, of_the_pool_counts_the_transmit_queue_of_each_port_that_may_transmit)
{
    static const struct {
        const char *device;
        enum config_transmit transmit;
        unsigned held;
    } rows[] = {
        {"vdev:net_null0", CONFIG_TRANSMIT_AUTO, 0},
        {"vdev:net_null0", CONFIG_TRANSMIT_ON, 1024},
        {"vdev:net_pcap3,rx_pcap=a", CONFIG_TRANSMIT_AUTO, 0},
        {"vdev:net_ring12", CONFIG_TRANSMIT_AUTO, 0},
        {"vdev:net_af_packet0,iface=veth0", CONFIG_TRANSMIT_AUTO, 1024},
        {"vdev:net_af_packet0,iface=veth0", CONFIG_TRANSMIT_OFF, 0},
        {"vdev:net_ringer0", CONFIG_TRANSMIT_AUTO, 1024},
        {"0000:01:00.0", CONFIG_TRANSMIT_AUTO, 1024},
        {"0000:01:00.0", CONFIG_TRANSMIT_OFF, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config = test_config();

        free(config.ports[0].device);
        config.ports[0].device = strdup(rows[i].device);
        config.ports[0].transmit = rows[i].transmit;
        config.ports[0].queues = 2; /* one of the two transmits */
        CHECK_MSG(config_buffers_needed(&config) == 2 * 1024 + rows[i].held + 2 * 384 + 256 * 64,
                  "%s: %u", rows[i].device, config_buffers_needed(&config));
        config_free(&config);
    }
}

SUITE_TEST(size, of_a_computed_pool_adds_as_much_to_share_within_bounds)
{
    struct config config = test_config();

    CHECK_EQ_I64(config_buffers(&config), 2 * (1024 + 2 * 384 + 256 * 64));
    config.sockets.maximum = 1; /* at least 16,384 */
    CHECK_EQ_I64(config_buffers(&config), 1024 + 2 * 384 + 64 + 16384);
    config.sockets.maximum = 65536; /* at most 1,048,576 */
    CHECK_EQ_I64(config_buffers(&config), 1024 + 2 * 384 + 65536 * 64 + 1048576);
    config.sockets.min_buffers = 250;
    CHECK_EQ_I64(config_buffers(&config), CONFIG_MAX_BUFFERS);
    config.buffers = 20000;
    CHECK_EQ_I64(config_buffers(&config), 20000);
    config_free(&config);
}

SUITE_TEST(size, of_memory_is_what_is_given_or_holds_pool_and_rings)
{
    struct config config = test_config();
    unsigned computed;

    /* 36,352 buffers of 2,496 bytes and 256 rings of 2,048 slots of 32 bytes take 103 MiB. */
    config.memory = CONFIG_MEMORY_HUGE;
    computed = config_memory_mb(&config);
    CHECK_GE_U64(computed, 103 + 64);
    CHECK_LE_U64(computed, 220);
    config.sockets.maximum = 512;
    CHECK_GE_U64(config_memory_mb(&config), computed + 100);
    config.memory_mb = 999;
    CHECK_EQ_U64(config_memory_mb(&config), 999);
    config_free(&config);
}

SUITE_TEST(size, of_memory_without_huge_pages_has_a_page_for_each_buffer)
{
    struct config config = test_config();

    if (sysconf(_SC_PAGESIZE) != 4096)
        SKIP("pages of another size");
    CHECK_EQ_I64(config.memory, CONFIG_MEMORY_NO_HUGE);
    CHECK_GE_U64(config_memory_mb(&config), 36352 / 256 + 64);
    config.buffer_bytes = 9024; /* or three */
    CHECK_GE_U64(config_memory_mb(&config), 3 * 36352 / 256 + 64);
    config_free(&config);
}

static char *described(void (*describe)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    describe(stream);
    fclose(stream);
    return text;
}

SUITE_TEST(describe, shows_range_default_and_meaning_in_80_columns)
{
    char *text = described(config_describe);

    CHECK(strstr(text, "\nports[].mtu: 68 to 9702 bytes; default 1500\n"
                       "        Bytes above the Ethernet header") != NULL);
    CHECK(strstr(text, "\nmemory.pages: no-huge, in-memory or huge; default no-huge\n") != NULL);
    CHECK(strstr(text, "cores: list of up to 64, each 0 to 8191; required\n") != NULL);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        CHECK_MSG(strcspn(line, "\n") <= 80, "%.90s", line);
    free(text);
}

SUITE_TEST(describe, is_roff_for_the_manual)
{
    char *text = described(config_describe_man);

    CHECK_EQ_I64(strncmp(text, ".SH CONFIGURATION\n", 18), 0);
    CHECK(strstr(text, "\n.TP\n.B sockets.ring\\-slots\n"
                       "(64 to 1048576 datagrams; default 2048)\n.br\n") != NULL);
    free(text);
}
