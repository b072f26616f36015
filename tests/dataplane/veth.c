/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "veth.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char lay[] = "ip link add wtest0 type veth peer name wtest1 2>/dev/null && "
                          "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null; "
                          "ip link set wtest0 up 2>/dev/null && ip link set wtest1 up 2>/dev/null";

bool veth_run(const char *commands)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        execl("/bin/sh", "sh", "-c", commands, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

bool veth_lay(void)
{
    return unshare(CLONE_NEWNET) == 0 && veth_run(lay);
}

static struct {
    int ours, peer; /* namespaces */
} apart = {-1, -1};

static int new_namespace(void)
{
    return unshare(CLONE_NEWNET) == 0 ? open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
}

bool veth_lay_apart(void)
{
    char commands[128];

    apart.peer = new_namespace();
    apart.ours = new_namespace();
    if (apart.peer < 0 || apart.ours < 0 || !veth_run(lay))
        return false;
    snprintf(commands, sizeof commands, "ip link set wtest0 netns /proc/%d/fd/%d 2>/dev/null",
             (int)getpid(), apart.peer);
    return veth_run(commands);
}

static void enter(int name_space)
{
    CHECK(setns(name_space, CLONE_NEWNET) == 0);
}

void veth_must_run(const char *commands)
{
    CHECK_MSG(veth_run(commands), "%s", commands);
}

void veth_must_run_at_peer(const char *commands)
{
    enter(apart.peer);
    veth_must_run(commands);
    enter(apart.ours);
}

int veth_socket_at_peer(int domain, int type, int protocol)
{
    enter(apart.peer);
    int s = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    enter(apart.ours);
    CHECK(s >= 0);
    return s;
}

void veth_make_peer(const char *address)
{
    enter(apart.peer);
    veth_must_run("ip link set wtest0 up");
    veth_make_host(address);
    enter(apart.ours);
}

void veth_compute_checksums(const char *interface)
{
    struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
    struct ifreq request = {.ifr_data = (char *)&off};
    int any = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(strlen(interface) < sizeof request.ifr_name);
    memcpy(request.ifr_name, interface, strlen(interface));
    CHECK(any >= 0 && ioctl(any, SIOCETHTOOL, &request) == 0);
    close(any);
}

void veth_make_host(const char *address)
{
    char commands[128];

    snprintf(commands, sizeof commands, "ip addr add %s dev wtest0 && ip link set lo up", address);
    CHECK(veth_run(commands));
    veth_compute_checksums("wtest0");
}
