/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECV_OPTIONS_H
#define WIRERX_RECV_OPTIONS_H

/**
 * @file
 * The options of `wirerx recv`, read and checked against each other.
 */

#include <stdint.h>

#include "command.h"
#include "receive_mode.h"

#define RECV_MAX_JOINS 1024u

/** A group and port on the command line. */
struct recv_join {
    uint32_t group; /**< host byte order */
    uint16_t port;
    bool stall;    /**< joined and never read */
    char name[24]; /**< GROUP:PORT */
};

enum recv_pace {
    RECV_DRAINED,
    RECV_RECORDED,
    RECV_RATE
};

struct recv_options {
    struct recv_join joins[RECV_MAX_JOINS];
    unsigned join_count;
    const char *config; /**< exactly one of the two is set */
    const char *replay;
    bool one_socket;
    bool generated; /**< datagrams are wirerx-gen's */
    bool pace_given;
    enum recv_pace pace;
    double frames_per_second; /**< for RECV_RATE */
    bool checksums_given;
    bool ignore_checksums;
    int core; /**< -1: not given */
    const struct receive_mode *mode;
    uint64_t count;        /**< 0: no limit */
    uint64_t idle_exit_ms; /**< 0: not given */
    const char *output;
    const char *times;
    bool json;
};

/** The table: what `--help` and the man page print. */
#define RECV_OPTION_ROWS 15
extern const struct option_row recv_option_rows[RECV_OPTION_ROWS];

/** Before the command line is read. */
void recv_options_init(struct recv_options *options);

/** Do they go together? @return 0, or -1 with the error set */
int recv_options_check(const struct recv_options *options, struct command_error *error);

#endif
