/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "veth.h"

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

void veth_make_host(const char *address)
{
    struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
    struct ifreq request = {.ifr_data = (char *)&off};
    char commands[128];
    int any = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(commands, sizeof commands, "ip addr add %s dev wtest0 && ip link set lo up", address);
    CHECK(veth_run(commands));
    memcpy(request.ifr_name, "wtest0", sizeof "wtest0");
    CHECK(any >= 0 && ioctl(any, SIOCETHTOOL, &request) == 0);
    close(any);
}
