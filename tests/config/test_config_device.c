/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/suite.h"

#include "config_device.h"

#define PCI_OR_VDEV                                                                   \
    " is neither a PCI address such as 0000:01:00.0 nor vdev: and a driver, such as " \
    "vdev:net_pcap0,rx_pcap=feed.pcap"
#define LONG_NAME "net_nulllllllllllllllllllllllllllllllllllllllllllllllllllllllll"

SUITE_TEST(device, texts_that_are_one)
{
    static const struct {
        const char *text;
        const char *name;
        const char *arguments;
        bool virtual;
        unsigned captures;
        bool infinite;
    } rows[] = {
        {"0000:01:00.0", "0000:01:00.0", "", false, 0, false},
        {"1:0.7", "0000:01:00.7", "", false, 0, false},
        {"ABCD:eF:1f.7", "abcd:ef:1f.7", "", false, 0, false},
        {"10000:e1:00.0", "10000:e1:00.0", "", false, 0, false},
        {"0000:01:00.0,mprq_en=1,representor=[0-3,5]", "0000:01:00.0",
         "mprq_en=1,representor=[0-3,5]", false, 0, false},
        {"vdev:net_null0", "net_null0", "", true, 0, false},
        {"vdev:net_null12,size=64,copy=1", "net_null12", "size=64,copy=1", true, 0, false},
        {"vdev:net_af_xdp0,iface=veth0", "net_af_xdp0", "iface=veth0", true, 0, false},
        {"vdev:net_af_packet1,iface=eth0,flag", "net_af_packet1", "iface=eth0,flag", true, 0,
         false},
        {"vdev:net_pcap0,rx_pcap=a b.pcap", "net_pcap0", "rx_pcap=a b.pcap", true, 1, false},
        {"vdev:net_pcap0,rx_pcap=a,rx_pcap=b,tx_pcap=c", "net_pcap0",
         "rx_pcap=a,rx_pcap=b,tx_pcap=c", true, 2, false},
        {"vdev:net_pcap0,iface=lo", "net_pcap0", "iface=lo", true, 0, false},
        {"vdev:net_pcap0,rx_pcap=a,infinite_rx=1", "net_pcap0", "rx_pcap=a,infinite_rx=1", true, 1,
         true},
        {"vdev:net_pcap0,infinite_rx=0,rx_pcap=a", "net_pcap0", "infinite_rx=0,rx_pcap=a", true, 1,
         false},
        /* As the driver has it: given twice it does not count, and without a capture neither. */
        {"vdev:net_pcap0,infinite_rx=1,rx_pcap=a,infinite_rx=1", "net_pcap0",
         "infinite_rx=1,rx_pcap=a,infinite_rx=1", true, 1, false},
        {"vdev:net_pcap0,infinite_rx=1,rx_iface=lo", "net_pcap0", "infinite_rx=1,rx_iface=lo", true,
         0, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_device device;
        char reason[256] = "";

        CHECK_MSG(config_device_parse(rows[i].text, &device, reason, sizeof(reason)) == 0, "%s: %s",
                  rows[i].text, reason);
        CHECK_EQ_STR(device.name, rows[i].name);
        CHECK_EQ_STR(device.arguments, rows[i].arguments);
        CHECK_EQ_I64(device.virtual, rows[i].virtual);
        CHECK_MSG(device.captures == rows[i].captures, "%s", rows[i].text);
        CHECK_MSG(device.infinite == rows[i].infinite, "%s", rows[i].text);
    }
}

SUITE_TEST(device, texts_that_are_none)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"", "no device is named"},
        {"eth0", "'eth0'" PCI_OR_VDEV},
        {"net_pcap0", "'net_pcap0'" PCI_OR_VDEV},
        {"VDEV:net_pcap0", "'VDEV:net_pcap0'" PCI_OR_VDEV},
        {"0000:01:00", "'0000:01:00'" PCI_OR_VDEV},
        {"0000:01:00.8", "'0000:01:00.8'" PCI_OR_VDEV},
        {"0000:01:20.0", "'0000:01:20.0'" PCI_OR_VDEV},
        {"0000:100:00.0", "'0000:100:00.0'" PCI_OR_VDEV},
        {"123456789:01:00.0", "'123456789:01:00.0'" PCI_OR_VDEV},
        {"0x0:01:00.0", "'0x0:01:00.0'" PCI_OR_VDEV},
        {"-1:00.0", "'-1:00.0'" PCI_OR_VDEV},
        {"0000:01:00.0 ", "'0000:01:00.0 '" PCI_OR_VDEV},
        {":01:00.0", "':01:00.0'" PCI_OR_VDEV},
        {"0000:01:00.0,", "nothing follows the last comma"},
        {"vdev:", "vdev: names no driver: vdev:net_pcap0,rx_pcap=feed.pcap would"},
        {"vdev:,a=b", "vdev: names no driver: vdev:net_pcap0,rx_pcap=feed.pcap would"},
        {"vdev:crypto_null0",
         "'crypto_null0' is no DPDK network driver: their names begin with net_"},
        {"vdev:net_null 0", "'net_null 0' is no DPDK network driver: their names begin with net_"},
        {"vdev: net_null0", "' net_null0' is no DPDK network driver: their names begin with net_"},
        {"vdev:net_pcap,rx_pcap=a", "'net_pcap' lacks a unit number, such as net_pcap0"},
        {"vdev:net_", "'net_' lacks a unit number, such as net_0"},
        {"vdev:" LONG_NAME "0", "a device name of 64 characters; DPDK takes at most 63"},
        {"vdev:net_null0,", "nothing follows the last comma"},
        {"vdev:net_null0,size=64,", "'' is no driver argument: key=value is expected"},
        {"vdev:net_null0,,size=64", "'' is no driver argument: key=value is expected"},
        {"vdev:net_null0,=64", "'' is no driver argument: key=value is expected"},
        {"vdev:net_null0, size=64", "' size' is no driver argument: key=value is expected"},
        {"vdev:net_pcap0,rx_pcpa=a", "net_pcap takes no argument 'rx_pcpa'"},
        {"vdev:net_pcap0,rx_pcap", "net_pcap's argument rx_pcap has no value"},
        {"vdev:net_pcap0,rx_pcap=", "net_pcap's argument rx_pcap has no value"},
        {"vdev:net_null0,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
         "more than 32 driver arguments"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_device device;
        char reason[256] = "";

        CHECK_MSG(config_device_parse(rows[i].text, &device, reason, sizeof(reason)) == -1, "%s",
                  rows[i].text);
        CHECK_EQ_STR(reason, rows[i].reason);
    }
}
