/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <dirent.h>
#include <limits.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/config_device.h"

#define VDEV_PREFIX "vdev:"

/** net_af_xdp takes 2,048 for its own queue, others for theirs. */
#define BUFFERS 8191u
#define BUFFER_CACHE 256u
#define DESCRIPTORS 1024u
/** An ordinary buffer fits a page with its header, which net_af_xdp needs. */
#define ORDINARY_ROOM RTE_MBUF_DEFAULT_BUF_SIZE
#define JUMBO_ROOM (RTE_PKTMBUF_HEADROOM + 9216u)
#define MEMORY_MB_ORDINARY 128
#define MEMORY_MB_JUMBO 256

static bool jumbo(const struct gen_options *options)
{
    return gen_largest_payload(options) + GEN_HEADER_BYTES > ORDINARY_ROOM - RTE_PKTMBUF_HEADROOM;
}

/* "0-3,8" of the CPUs that this process may use. */
static void describe_affinity(char *text, size_t size)
{
    cpu_set_t allowed;
    size_t at = 0;

    text[0] = '\0';
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_ZERO(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && at < size; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed))
            at += (size_t)snprintf(text + at, size - at, "%s%d", at != 0 ? "," : "", cpu);
}

/* EAL keeps pointers into its arguments. */
static struct {
    char texts[16][4096];
    char *list[16];
    int count;
} arguments;

static void add_argument(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add_argument(const char *format, ...)
{
    char *text = arguments.texts[arguments.count];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof arguments.texts[0], format, values);
    va_end(values);
    arguments.list[arguments.count++] = text;
}

/* What EAL leaves even where nothing is shared. */
static void remove_runtime_directory(void)
{
    const char *directory = rte_eal_get_runtime_dir();
    DIR *files = opendir(directory);
    struct dirent *file;
    char path[PATH_MAX + 300];

    while (files != NULL && (file = readdir(files)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", directory, file->d_name);
        unlink(path); /* fails on "." and "..", which is well */
    }
    if (files != NULL)
        closedir(files);
    rmdir(directory);
}

static int start_environment(const struct gen_options *options)
{
    const char *level = getenv("WIRERX_EAL_LOG_LEVEL");
    char cpus[3072];
    bool pci = false;

    for (unsigned i = 0; i < GEN_LINES && options->devices[i] != NULL; i++)
        pci |= strncmp(options->devices[i], VDEV_PREFIX, strlen(VDEV_PREFIX)) != 0;
    if (options->core >= 0)
        snprintf(cpus, sizeof cpus, "%d", options->core);
    else
        describe_affinity(cpus, sizeof cpus);
    add_argument("wirerx-gen");
    add_argument("--lcores=0@(%s)", cpus);
    add_argument("--file-prefix=wirerx-gen-%d", (int)getpid());
    add_argument("--no-telemetry");
    add_argument("--log-level=*:%s", level != NULL ? level : "critical");
    add_argument("-m");
    add_argument("%d", jumbo(options) ? MEMORY_MB_JUMBO : MEMORY_MB_ORDINARY);
    if (pci) { /* an allow list, so that only what is named is probed, one by one */
        add_argument("-a");
        add_argument("0000:00:00.0");
    } else {
        add_argument("--no-pci");
    }
    if (strcmp(options->memory, "no-huge") == 0) {
        add_argument("--no-huge");
        add_argument("--no-shconf");
    } else if (strcmp(options->memory, "in-memory") == 0) {
        add_argument("--in-memory");
    }
    bool started = rte_eal_init(arguments.count, arguments.list) >= 0;
    int error = rte_errno;
    if (!started || strcmp(options->memory, "huge") != 0)
        remove_runtime_directory();
    if (!started)
        return gen_refuse(
            "DPDK's environment does not start (%s); WIRERX_EAL_LOG_LEVEL=info has it "
            "say why",
            rte_strerror(error));
    return 0;
}

static int set_up_queues(const struct gen_devices *devices, const struct gen_device *device,
                         uint16_t rx_queues)
{
    uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;

    if (rte_eth_dev_adjust_nb_rx_tx_desc(device->port, &rx, &tx) != 0)
        return -1;
    if (rx_queues != 0 && rte_eth_rx_queue_setup(device->port, 0, rx, (unsigned)SOCKET_ID_ANY, NULL,
                                                 devices->pool) != 0)
        return -1;
    return rte_eth_tx_queue_setup(device->port, 0, tx, (unsigned)SOCKET_ID_ANY, NULL);
}

static int open_one(struct gen_devices *devices, const struct gen_options *options,
                    struct gen_device *device)
{
    bool is_virtual = strncmp(device->text, VDEV_PREFIX, strlen(VDEV_PREFIX)) == 0;
    const char *device_text = device->text + (is_virtual ? strlen(VDEV_PREFIX) : 0);
    unsigned mtu = gen_largest_payload(options) + GEN_HEADER_BYTES - RTE_ETHER_HDR_LEN;
    struct config_device parsed;
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf = {.rxmode = {.mtu = RTE_MAX(mtu, (unsigned)RTE_ETHER_MTU)}};
    char reason[64];
    int result;

    config_device_parse(device->text, &parsed, reason, sizeof reason); /* accepted before */
    result = rte_dev_probe(device_text);
    if (result != 0 || rte_eth_dev_get_port_by_name(parsed.name, &device->port) != 0)
        return gen_refuse(
            "--device %s: DPDK could not probe it as an Ethernet device (is its driver "
            "bound and installed, its interface or file there?)%s%s",
            device->text, result != 0 ? ": " : "", result != 0 ? rte_strerror(-result) : "");
    result = rte_eth_dev_info_get(device->port, &info);
    if (result == 0 && info.max_mtu != 0 && mtu > info.max_mtu)
        return gen_refuse(
            "--device %s: a payload of %u bytes needs an MTU of %u, and the device has "
            "at most %u",
            device->text, gen_largest_payload(options), mtu, info.max_mtu);
    if (result != 0 || info.max_tx_queues == 0)
        return gen_refuse("--device %s: it cannot send", device->text);
    /* Some drivers are not to be had without a receive queue, others have none. */
    uint16_t rx_queues = (uint16_t)RTE_MIN(1u, info.max_rx_queues);
    result = rte_eth_dev_configure(device->port, rx_queues, 1, &conf);
    if (result == 0)
        result = set_up_queues(devices, device, rx_queues);
    if (result == 0)
        result = rte_eth_dev_start(device->port);
    if (result != 0)
        return gen_refuse("--device %s: it does not start: %s", device->text,
                          rte_strerror(-result));
    rte_eth_stats_reset(device->port);
    return 0;
}

int gen_devices_open(struct gen_devices *devices, const struct gen_options *options)
{
    *devices = (struct gen_devices){.count = 0};
    if (start_environment(options) != 0)
        return -1;
    devices->pool =
        rte_pktmbuf_pool_create("generator", BUFFERS, BUFFER_CACHE, 0,
                                jumbo(options) ? JUMBO_ROOM : ORDINARY_ROOM, SOCKET_ID_ANY);
    if (devices->pool == NULL)
        return gen_refuse("no memory for packet buffers: %s", rte_strerror(rte_errno));
    for (unsigned i = 0; i < GEN_LINES && options->devices[i] != NULL; i++) {
        devices->rows[i].text = options->devices[i];
        if (open_one(devices, options, &devices->rows[i]) != 0)
            return -1;
        devices->count++;
    }
    return 0;
}

void gen_devices_close(struct gen_devices *devices, const struct gen_options *options)
{
    usleep(options->linger_ms * 1000);
    for (unsigned i = 0; i < devices->count; i++) {
        struct gen_device *device = &devices->rows[i];
        struct rte_eth_stats stats;

        device->counts = rte_eth_stats_get(device->port, &stats) == 0;
        if (device->counts) {
            device->sent = stats.opackets;
            device->errors = stats.oerrors;
        }
        rte_eth_dev_stop(device->port);
        rte_eth_dev_close(device->port);
    }
    rte_eal_cleanup();
    if (strcmp(options->memory, "huge") == 0)
        remove_runtime_directory();
}
