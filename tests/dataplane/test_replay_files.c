/* SPDX-License-Identifier: BSD-3-Clause */

/* Files: those that end early, and those that are no capture of Ethernet. */

#include "support/suite.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "replaying.h"

SUITE_FIXTURE(replay_files, capture_begin, capture_end);

SUITE_TEST(replay_files, an_empty_capture_is_drained_at_once)
{
    write_numbers("f.pcap", GROUP, 0, 0);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    CHECK_EQ_U64(progress().total, 0);
    CHECK(!progress().drained); /* before the word */
    go();
    run_to_the_end(2);
    wire_stop();
}

/* A capture that was cut off: what there is of its last frame is one that is counted. */
SUITE_TEST(replay_files, the_last_frame_of_a_cut_file_counts_as_truncated)
{
    static const struct {
        long cut;
        unsigned whole;
        const char *row; /* what becomes of the rest; NULL: there is none */
    } rows[] = {
        {-1, 9, "drop.truncated"},
        {-99, 9, "drop.truncated"},
        {-120, 9, "drop.short_frame"},
        {-141, 9, "drop.short_frame"},
        {-142, 9, NULL},
        {-150, 9, NULL},
        {-157, 9, NULL},
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        unsigned total = rows[i].whole + (rows[i].row != NULL ? 1 : 0);

        write_numbers("f.pcap", GROUP, 10, 100); /* the last record: 16 bytes and 142 */
        capture_cut("f.pcap", rows[i].cut);
        replay_start("f.pcap", CONFIG_PACE_DRAINED);
        struct client c = client_joined(GROUP, PORT);
        CHECK_EQ_U64(progress().total, total);
        go();
        run_to_the_end(200);
        client_expect(&c, 0, rows[i].whole, 100);
        CHECK_EQ_U64(progress().released, total);
        if (rows[i].row != NULL)
            CHECK_EQ_U64(wire_counter(rows[i].row), 1);
        /* Of a record without a byte of its frame there is nothing to replay. */
        CHECK_EQ_U64(wire_counter("drop.device_errors"), rows[i].row != NULL ? 0 : 1);
        client_close(&c);
        wire_stop();
    }
}

static void expect_refusal(const char *name, const char *reason)
{
    struct config config = replay_config(capture_device(0, name), CONFIG_PACE_DRAINED);
    struct config_error error;
    char expected[512];

    CHECK_EQ_I64(wire_try_start(&config, &client_operations, true, &error), -ENODEV);
    snprintf(expected, sizeof expected, "%s: %s", capture_path(name), reason);
    CHECK_EQ_STR(error.text, expected);
    CHECK(!dataplane_running());
}

SUITE_TEST(replay_files, files_that_are_no_ethernet_capture_are_refused)
{
    static const uint8_t garbage[] = "this is no capture, whatever its name says";

    expect_refusal("missing.pcap", "No such file or directory");
    capture_write("empty.pcap", "", 0);
    expect_refusal("empty.pcap",
                   "truncated dump file; tried to read 4 file header bytes, only got 0");
    capture_write("garbage.pcap", garbage, sizeof garbage);
    expect_refusal("garbage.pcap", "unknown file format");
    capture_open("raw.pcap", DLT_RAW);
    capture_add(garbage, sizeof garbage, 0);
    capture_close();
    expect_refusal("raw.pcap", "the capture's link type is RAW; only Ethernet can be replayed");
    capture_open("cooked.pcap", DLT_LINUX_SLL);
    capture_close();
    expect_refusal("cooked.pcap",
                   "the capture's link type is LINUX_SLL; only Ethernet can be replayed");
    write_numbers("header.pcap", GROUP, 1, 100);
    capture_cut("header.pcap", 20);
    expect_refusal("header.pcap",
                   "truncated dump file; tried to read 24 file header bytes, only got 16");
    expect_refusal("", "error reading dump file: Is a directory");

    /* After all these it starts, if it is given a good one. */
    write_numbers("good.pcap", GROUP, 1, 100);
    replay_start("good.pcap", CONFIG_PACE_DRAINED);
    wire_stop();
}

SUITE_TEST(replay_files, a_record_that_cannot_be_is_refused)
{
    uint8_t huge[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f};
    uint8_t file[24 + 16 + 60 + 16];
    FILE *good;

    write_numbers("f.pcap", GROUP, 1, 18); /* 24, then 16 and 60 bytes */
    good = fopen(capture_path("f.pcap"), "rb");
    CHECK(good != NULL);
    CHECK_EQ_U64(fread(file, 1, 100, good), 100);
    fclose(good);
    memcpy(file + 100, huge, sizeof huge);
    capture_write("bad.pcap", file, sizeof file);
    expect_refusal("bad.pcap", "malformed after frame 1: invalid packet capture length 2147483647, "
                               "bigger than snaplen of 262144");
}
