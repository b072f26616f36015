/* SPDX-License-Identifier: BSD-3-Clause */

/* Which frames rules name for the kernel. */

#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_rules.h"
#include "support/frames.h"

#define TCP 6
#define UDP 17

static const struct config_kernel_rule lldp = {false, 0x88cc, 0, 65535};
static const struct config_kernel_rule any_tcp = {true, TCP, 0, 65535};
static const struct config_kernel_rule ssh = {true, TCP, 22, 22};
static const struct config_kernel_rule ptp = {true, UDP, 319, 320};

/* The frame in an allocation of its own length, for AddressSanitizer. */
static bool matches_bytes(const struct config_kernel_rule *rule, const uint8_t *bytes,
                          size_t length)
{
    struct kernel_frame read;
    uint8_t *exact = malloc(length);

    CHECK(exact != NULL);
    memcpy(exact, bytes, length);
    bool matches = kernel_frame_read(exact, length, &read) && kernel_rules_match(rule, 1, &read);
    free(exact);
    return matches;
}

static bool matches(const struct config_kernel_rule *rule, struct frame frame)
{
    uint8_t bytes[256];

    return matches_bytes(rule, bytes, frame_build(&frame, bytes, sizeof bytes));
}

SUITE_TEST(kernel_rules, an_ethertype_is_found_behind_two_tags_and_no_more)
{
    struct frame frame = {.ethertype = 0x88cc};

    CHECK(matches(&lldp, frame));
    for (frame.tags_count = 1; frame.tags_count <= 2; frame.tags_count++)
        CHECK(matches(&lldp, frame));
    CHECK(!matches(&lldp, frame));
    frame = (struct frame){.ethertype = 0x88cd};
    CHECK(!matches(&lldp, frame));
    CHECK(!matches(&lldp, (struct frame){0}));
}

SUITE_TEST(kernel_rules, a_port_is_that_of_the_destination_within_its_bounds)
{
    CHECK(matches(&ssh, (struct frame){.protocol = TCP, .destination_port = 22}));
    CHECK(!matches(&ssh, (struct frame){.protocol = TCP, .destination_port = 23}));
    CHECK(!matches(&ssh, (struct frame){.protocol = TCP, .source_port = 22}));
    CHECK(!matches(&ssh, (struct frame){.protocol = UDP, .destination_port = 22}));
    CHECK(matches(&ssh, (struct frame){.protocol = TCP, .destination_port = 22, .options = 40}));
    CHECK(!matches(&ptp, (struct frame){.destination_port = 318}));
    CHECK(matches(&ptp, (struct frame){.destination_port = 319}));
    CHECK(matches(&ptp, (struct frame){.destination_port = 320}));
    CHECK(!matches(&ptp, (struct frame){.destination_port = 321}));
}

SUITE_TEST(kernel_rules, fragments_have_no_ports)
{
    struct frame frame = {.protocol = TCP, .destination_port = 22, .fragment = 0x2000};

    CHECK(!matches(&ssh, frame));
    CHECK(matches(&any_tcp, frame));
    frame.fragment = 1;
    CHECK(!matches(&ssh, frame));
    frame.fragment = 0x4000; /* DF */
    CHECK(matches(&ssh, frame));
}

SUITE_TEST(kernel_rules, ipv4_that_is_none_has_no_protocol)
{
    CHECK(!matches(&any_tcp, (struct frame){.protocol = TCP, .version_ihl = 0x65}));
    CHECK(!matches(&any_tcp, (struct frame){.protocol = TCP, .version_ihl = 0x44}));
    CHECK(!matches(&any_tcp, (struct frame){.protocol = TCP, .ethertype = 0x86dd}));
}

SUITE_TEST(kernel_rules, of_a_frame_cut_short_nothing_is_believed_that_is_not_there)
{
    struct frame frame = {.protocol = TCP, .destination_port = 22, .options = 8, .tags_count = 1};
    uint8_t bytes[256];

    frame_build(&frame, bytes, sizeof bytes);
    for (size_t length = 1; length < 14 + 4 + 28 + 4; length++) {
        CHECK(!matches_bytes(&ssh, bytes, length));
        CHECK(matches_bytes(&any_tcp, bytes, length) == (length >= 14 + 4 + 20));
    }
    CHECK(matches_bytes(&ssh, bytes, 14 + 4 + 28 + 4));
}

SUITE_TEST(kernel_rules, any_rule_will_do_and_without_one_there_is_none)
{
    const struct config_kernel_rule rules[] = {lldp, ptp, ssh};
    struct kernel_frame read = {.ethertype = 0x0800, .packet = 14, .protocol = TCP, .port = 22};

    CHECK(kernel_rules_match(rules, 3, &read));
    CHECK(!kernel_rules_match(rules, 2, &read));
    CHECK(!kernel_rules_match(rules, 0, &read));
}
