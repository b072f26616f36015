/* SPDX-License-Identifier: BSD-3-Clause */

/* A veth pair in a namespace of this process, what the kernel counts there, and the sender. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "network.h"

static int say(char *reason, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int say(char *reason, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, size, format, arguments);
    va_end(arguments);
    return -1;
}

static int write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);

    if (file < 0)
        return -1;
    ssize_t written = write(file, text, strlen(text));
    close(file);
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

/* A namespace for the network; without root, one for users first, in which we are root. */
static int enter_namespace(void)
{
    char map[64];
    unsigned user = geteuid(), group = getegid();

    if (user == 0)
        return unshare(CLONE_NEWNET);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return -1;
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    if (write_file("/proc/self/uid_map", map) != 0)
        return -1;
    snprintf(map, sizeof map, "0 %u 1", group);
    return write_file("/proc/self/gid_map", map);
}

/* ip(8) with the words of one line. */
static int ip(const char *line)
{
    char copy[256], *words[32] = {(char[]){"ip"}}, *rest = copy, *word;
    int count = 1, status;

    snprintf(copy, sizeof copy, "%s", line);
    while ((word = strsep(&rest, " ")) != NULL && count < 31)
        words[count++] = word;
    pid_t child = fork();
    if (child == 0) {
        execvp("ip", words);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#define WIRE_LINK ("link add " NETWORK_SENDER " type veth peer name " NETWORK_RECEIVER)
#define WIRE_SENDER_UP ("link set " NETWORK_SENDER " up")
#define WIRE_RECEIVER_UP ("link set " NETWORK_RECEIVER " up")
#define WIRE_ADDRESS ("addr add 198.18.0.2/15 dev " NETWORK_RECEIVER)

int wire_lay(struct network *network, char *reason, size_t size)
{
    static const char *const lines[] = {
        WIRE_LINK, "link set lo up", WIRE_SENDER_UP, WIRE_RECEIVER_UP, WIRE_ADDRESS,
    };

    if (enter_namespace() != 0)
        return say(reason, size, "no network namespace can be had: %s", strerror(errno));
    /* Or the kernel sends frames of its own. */
    write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int status = ip(lines[i]);

        if (status == 127)
            return say(reason, size, "ip(8) is missing: package iproute2");
        if (status != 0)
            return say(reason, size, "`ip %s` fails with status %d", lines[i], status);
    }
    network->interface = if_nametoindex(NETWORK_RECEIVER);
    return network->interface != 0 ? 0 : say(reason, size, "the veth pair is not there");
}

/* --- what the kernel counts ----------------------------------------------------------------------------- */

/* Columns of /proc/net/dev: 8 of receiving, 8 of sending; the fourth of each are drops. */
static void read_interface(const char *line, const char *name, uint64_t *values)
{
    size_t length = strlen(name);
    char *at;

    line += strspn(line, " ");
    if (strncmp(line, name, length) != 0 || line[length] != ':')
        return;
    at = (char *)(uintptr_t)line + length + 1;
    for (unsigned i = 0; i < 16; i++)
        values[i] = strtoull(at, &at, 10);
}

/* "RcvbufErrors" among the names of the Udp: lines, and its value in the line that follows. */
static uint64_t read_socket_losses(void)
{
    FILE *file = fopen("/proc/self/net/snmp", "r");
    char names[1024] = "", values[1024] = "";
    uint64_t losses = 0;

    while (file != NULL && fgets(names, sizeof names, file) != NULL)
        if (strncmp(names, "Udp:", 4) == 0 && fgets(values, sizeof values, file) != NULL) {
            char *name, *value, *name_rest = names, *value_rest = values;

            while ((name = strsep(&name_rest, " \n")) != NULL &&
                   (value = strsep(&value_rest, " \n")) != NULL)
                if (strcmp(name, "RcvbufErrors") == 0)
                    losses = strtoull(value, NULL, 10);
            break;
        }
    if (file != NULL)
        fclose(file);
    return losses;
}

void wire_count(struct wire_counts *counts)
{
    FILE *file = fopen("/proc/self/net/dev", "r");
    uint64_t sender[16] = {0}, receiver[16] = {0};
    char line[512];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        read_interface(line, NETWORK_SENDER, sender);
        read_interface(line, NETWORK_RECEIVER, receiver);
    }
    if (file != NULL)
        fclose(file);
    *counts = (struct wire_counts){
        .sent = sender[9],
        .device_lost = receiver[3] + sender[11],
        .socket_lost = read_socket_losses(),
    };
}

/* --- the sender ------------------------------------------------------------------------------------------ */

/* It lies beside this program. */
static void sender_path(char *path, size_t size)
{
    char own[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

    own[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    snprintf(path, size, "%s/wirerx-gen", own);
}

int wire_sender_start(struct wire_sender *sender, const struct network *network, unsigned rate)
{
    char path[PATH_MAX + 16], rates[32], milliseconds[16], payload[16];
    int ends[2];

    sender_path(path, sizeof path);
    snprintf(rates, sizeof rates, "%u,0", rate);
    snprintf(milliseconds, sizeof milliseconds, "%u", network->options->slice_ms);
    snprintf(payload, sizeof payload, "%u", network->options->payload);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    sender->pid = fork();
    if (sender->pid == 0) {
        cpu_set_t mask;

        /* The client is bound to a CPU; the sender is free, unless told otherwise. */
        memset(&mask, 0xff, sizeof mask);
        if (network->options->sender_cpu >= 0) {
            CPU_ZERO(&mask);
            CPU_SET((unsigned)network->options->sender_cpu, &mask);
        }
        sched_setaffinity(0, sizeof mask, &mask);
        dup2(ends[1], STDOUT_FILENO);
        execl(path, "wirerx-gen", "--device", "vdev:net_af_packet0,iface=" NETWORK_SENDER, "--to",
              "239.200.0.1:5000", "--rate", rates, "--duration", milliseconds, "--payload", payload,
              "--json", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    sender->output = ends[0];
    if (sender->pid < 0)
        close(ends[0]);
    return sender->pid < 0 ? -1 : 0;
}

int wire_sender_ended(struct wire_sender *sender, int64_t *sent)
{
    int status;
    pid_t ended = waitpid(sender->pid, &status, WNOHANG);

    if (ended == 0)
        return 0;
    json_t *report = json_loadfd(sender->output, 0, NULL); /* small enough to wait in the pipe */
    close(sender->output);
    *sent = json_integer_value(json_object_get(report, "sent"));
    json_decref(report);
    return ended == sender->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 && *sent > 0 ? 1
                                                                                              : -1;
}
