/* SPDX-License-Identifier: BSD-3-Clause */
#include "recv_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"
#include "receive_mode.h"

#define MIN_RATE 1.0
#define MAX_RATE 1e9
#define MAX_IDLE_MS (24ull * 60 * 60 * 1000)

static int add_join(struct recv_options *options, const char *option, const char *text, bool stall,
                    struct command_error *error)
{
    struct recv_join join = {.stall = stall};
    char address[INET_ADDRSTRLEN];
    struct in_addr parsed;
    uint64_t port = 0;

    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return command_error(error, "--%s %s: not GROUP:PORT, such as 239.1.1.1:5000", option,
                             text);
    size_t length = (size_t)(colon - text);
    if (length >= sizeof address)
        return command_error(error, "--%s %s: no IPv4 address stands before the colon", option,
                             text);
    memcpy(address, text, length);
    address[length] = '\0';
    if (inet_pton(AF_INET, address, &parsed) != 1)
        return command_error(error, "--%s %s: no IPv4 address stands before the colon", option,
                             text);
    join.group = ntohl(parsed.s_addr);
    if (!IN_MULTICAST(join.group))
        return command_error(error, "--%s %s: not a multicast group (224.0.0.0 to 239.255.255.255)",
                             option, text);
    if (options_number("port", colon + 1, 1, UINT16_MAX, &port, error) != 0)
        return command_error(error, "--%s %s: not a port from 1 to 65535", option, text);
    if (options->join_count == RECV_MAX_JOINS)
        return command_error(error, "too many sockets: at most %u groups can be joined",
                             RECV_MAX_JOINS);
    join.port = (uint16_t)port;
    snprintf(join.name, sizeof join.name, "%s:%u", address, (unsigned)join.port);
    options->joins[options->join_count++] = join;
    return 0;
}

static int set_join(void *target, const char *value, struct command_error *error)
{
    return add_join(target, "join", value, false, error);
}

static int set_stall(void *target, const char *value, struct command_error *error)
{
    return add_join(target, "stall", value, true, error);
}

static int set_one_socket(void *target, const char *value, struct command_error *error)
{
    (void)value, (void)error;
    ((struct recv_options *)target)->one_socket = true;
    return 0;
}

static int set_generated(void *target, const char *value, struct command_error *error)
{
    (void)value, (void)error;
    ((struct recv_options *)target)->generated = true;
    return 0;
}

static int set_config(void *target, const char *value, struct command_error *error)
{
    (void)error;
    ((struct recv_options *)target)->config = value;
    return 0;
}

static int set_replay(void *target, const char *value, struct command_error *error)
{
    (void)error;
    ((struct recv_options *)target)->replay = value;
    return 0;
}

static int set_pace(void *target, const char *value, struct command_error *error)
{
    struct recv_options *options = target;
    char *end = NULL;

    options->pace_given = true;
    if (strcmp(value, "drained") == 0) {
        options->pace = RECV_DRAINED;
        return 0;
    }
    if (strcmp(value, "recorded") == 0) {
        options->pace = RECV_RECORDED;
        return 0;
    }
    options->pace = RECV_RATE;
    options->frames_per_second = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(options->frames_per_second) ||
        options->frames_per_second < MIN_RATE || options->frames_per_second > MAX_RATE)
        return command_error(error,
                             "--pace %s: not `drained`, `recorded` or %.0f to %.0f frames a second",
                             value, MIN_RATE, MAX_RATE);
    return 0;
}

static int set_checksums(void *target, const char *value, struct command_error *error)
{
    struct recv_options *options = target;

    options->checksums_given = true;
    options->ignore_checksums = strcmp(value, "ignore") == 0;
    if (!options->ignore_checksums && strcmp(value, "verify") != 0)
        return command_error(error, "--checksums %s: neither `verify` nor `ignore`", value);
    return 0;
}

static int set_mode(void *target, const char *value, struct command_error *error)
{
    struct recv_options *options = target;

    options->mode = receive_mode_find(value);
    if (options->mode == NULL)
        return command_error(error, "--mode %s: not blocking, nonblocking, event or apc", value);
    return 0;
}

static int set_core(void *target, const char *value, struct command_error *error)
{
    struct recv_options *options = target;
    uint64_t core = 0;
    cpu_set_t allowed;

    if (options_number("core", value, 0, INT32_MAX, &core, error) != 0)
        return -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 &&
        (core >= CPU_SETSIZE || !CPU_ISSET(core, &allowed)))
        return command_error(error, "--core %s: this process may not run on such a core", value);
    options->core = (int)core;
    return 0;
}

static int set_count(void *target, const char *value, struct command_error *error)
{
    return options_number("count", value, 1, INT64_MAX, &((struct recv_options *)target)->count,
                          error);
}

static int set_idle_exit(void *target, const char *value, struct command_error *error)
{
    return options_number("idle-exit", value, 1, MAX_IDLE_MS,
                          &((struct recv_options *)target)->idle_exit_ms, error);
}

static int set_output(void *target, const char *value, struct command_error *error)
{
    (void)error;
    ((struct recv_options *)target)->output = value;
    return 0;
}

static int set_times(void *target, const char *value, struct command_error *error)
{
    (void)error;
    ((struct recv_options *)target)->times = value;
    return 0;
}

static int set_json(void *target, const char *value, struct command_error *error)
{
    (void)value, (void)error;
    ((struct recv_options *)target)->json = true;
    return 0;
}

const struct option_row recv_option_rows[RECV_OPTION_ROWS] = {
    {"join", "GROUP:PORT",
     "Join this multicast group and receive the datagrams sent to it on this UDP port, on a socket "
     "of its own. May be given many times, also for one group. Without any, --replay lists the "
     "groups that are in the file.",
     true, set_join},
    {"stall", "GROUP:PORT",
     "Join this group on a socket that is never read, to see what a dead reader costs: its own "
     "datagrams, once its ring is full, and nobody else's.",
     true, set_stall},
    {"one-socket", NULL,
     "Join all groups on a single socket, so that datagrams keep their order across groups. They "
     "must have one port.",
     false, set_one_socket},
    {"config", "FILE",
     "Receive from the devices in this configuration (YAML). The socket bounds in it count.", false,
     set_config},
    {"replay", "FILE",
     "Receive from a capture (pcap or pcapng, Ethernet) as if it came off a device. Needs no "
     "configuration, no root and no huge pages; ends when the file is drained.",
     false, set_replay},
    {"pace", "PACE",
     "When the frames of a replay come: `drained`, the default: as fast as they are received; the "
     "source waits while a socket's ring lacks room, so nothing is lost. `recorded`: at the "
     "recorded gaps. A number: so many frames a second. Nothing waits in the last two, and full "
     "rings drop.",
     false, set_pace},
    {"checksums", "WHAT",
     "What a replay does with UDP checksums: `verify`, the default, drops and counts datagrams "
     "whose checksum is wrong; `ignore` delivers them. Published captures often have rewritten "
     "addresses and so wrong checksums.",
     false, set_checksums},
    {"core", "N",
     "The CPU core that a replay's dataplane polls on. Default: the last one that this process may "
     "use. Receiving threads keep to the others, where there are others.",
     false, set_core},
    {"mode", "MODE",
     "How to receive. `blocking`, the default: WSARecv that waits, one thread for each socket. "
     "`nonblocking`: FIONBIO and a loop over the sockets. `event`: overlapped receives posted "
     "ahead, and WSAWaitForMultipleEvents. `apc`: overlapped receives posted ahead with completion "
     "routines, and SleepEx.",
     false, set_mode},
    {"count", "N", "End after N datagrams.", false, set_count},
    {"idle-exit", "MS",
     "End when no datagram has come for so many milliseconds. A replay that a socket holds back "
     "ends after 2000 in any case, unless this says otherwise.",
     false, set_idle_exit},
    {"output", "FILE",
     "Write every datagram received: 32-bit big-endian length, then the payload; in the order in "
     "which receives returned. For one socket that is the order of arrival; between sockets it is "
     "the order in which the client got round to them.",
     false, set_output},
    {"times", "FILE",
     "Write for every datagram received, in the order of --output, a line of when that was: seconds "
     "since 1970-01-01 00:00 UTC with nine digits of nanoseconds; who says so (`burst`: the "
     "dataplane, when it took it off the device; `device`; `recorded`: the capture that is "
     "replayed, exactly); and how many nanoseconds it may be off, either way. With --mode blocking "
     "or nonblocking.",
     false, set_times},
    {"generated", NULL,
     "The datagrams are from `wirerx-gen`, on this machine: report the latency from sending to the "
     "return of the receive, and what their sequence numbers say is missing or late. With --config.",
     false, set_generated},
    {"json", NULL, "Print the report as one JSON object.", false, set_json},
};

void recv_options_init(struct recv_options *options)
{
    memset(options, 0, sizeof *options);
    options->core = -1;
    options->mode = receive_mode_find("blocking");
}

/** Writing over the file that is being replayed would end badly. */
static bool same_file(const char *a, const char *b)
{
    struct stat left, right;

    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

static int check_one_socket(const struct recv_options *options, struct command_error *error)
{
    for (unsigned i = 0; i < options->join_count; i++) {
        const struct recv_join *join = &options->joins[i];
        if (join->stall)
            return command_error(error, "--stall %s: needs a socket of its own, not --one-socket",
                                 join->name);
        if (join->port != options->joins[0].port)
            return command_error(error, "--one-socket: %s and %s have different ports",
                                 options->joins[0].name, join->name);
        for (unsigned j = 0; j < i; j++)
            if (join->group == options->joins[j].group)
                return command_error(error, "--one-socket: %s is joined twice", join->name);
    }
    return 0;
}

static int check_times(const struct recv_options *options, const char *source,
                       struct command_error *error)
{
    if (options->times == NULL)
        return 0;
    if (options->join_count == 0)
        return command_error(error, "--times: nothing is received without --join GROUP:PORT");
    if (options->mode != &receive_blocking && options->mode != &receive_nonblocking)
        return command_error(error, "--times: goes with --mode blocking or nonblocking, not %s",
                             options->mode->name);
    if (same_file(options->times, source))
        return command_error(error, "--times %s: that is the file to read", options->times);
    if (options->output != NULL && (strcmp(options->times, options->output) == 0 ||
                                    same_file(options->times, options->output)))
        return command_error(error, "--times %s: that is --output, too", options->times);
    return 0;
}

int recv_options_check(const struct recv_options *options, struct command_error *error)
{
    const char *source = options->config != NULL ? options->config : options->replay;

    if ((options->config == NULL) == (options->replay == NULL))
        return command_error(error, "give either --replay FILE.pcap or --config FILE.yaml");
    if (options->config != NULL && options->join_count == 0)
        return command_error(error, "nothing to receive: give --join GROUP:PORT");
    if (options->config != NULL && (options->pace_given || options->checksums_given))
        return command_error(error, "--%s goes with --replay; with --config it is in the file",
                             options->pace_given ? "pace" : "checksums");
    if (options->config != NULL && options->core >= 0)
        return command_error(error, "--core goes with --replay; with --config it is in the file");
    if (options->generated && options->replay != NULL)
        return command_error(error,
                             "--generated goes with --config: what a replay holds was sent long "
                             "ago");
    if (options->one_socket && check_one_socket(options, error) != 0)
        return -1;
    if (options->output != NULL && options->join_count == 0)
        return command_error(error, "--output: nothing is received without --join GROUP:PORT");
    if (options->output != NULL && same_file(options->output, source))
        return command_error(error, "--output %s: that is the file to read", options->output);
    return check_times(options, source, error);
}
