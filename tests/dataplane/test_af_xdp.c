/* SPDX-License-Identifier: BSD-3-Clause */

/* net_af_xdp over a veth pair in a namespace of the test's own: frames arrive, and the buffers that its
 * driver keeps when it is closed are told from those that we have lost. */

#include "support/suite.h"

#include <net/if.h>
#include <netpacket/packet.h>
#include <rte_mbuf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "veth.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define FRAMES 3000u /* more than the driver's fill ring has buffers */

/** ETH_AF_XDP_DFLT_NUM_DESCS of DPDK 22.11: what its driver puts into a fill ring, whatever it is asked
 *  for. */
#define FILL_RING 2048u

static void start(void)
{
    struct config config = wire_config_device("vdev:net_af_xdp0,iface=wtest1");
    struct config_error error;

    config.ports[0].transmit = CONFIG_TRANSMIT_OFF; /* buffers are counted here */
    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    if (wire_try_start(&config, &client_operations, true, &error) != 0)
        SKIP("this machine has no AF_XDP: %s", error.text);
}

/* FRAMES datagrams from the other end, each received before the next few come. */
static void pass_frames(struct client *c)
{
    int sender = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll end = {.sll_family = AF_PACKET,
                              .sll_ifindex = (int)if_nametoindex("wtest0")};
    struct frame frame = {
        .destination = GROUP, .destination_port = PORT, .payload = "abc", .length = 3};
    uint8_t bytes[256];
    size_t length = frame_build(&frame, bytes, sizeof bytes);
    unsigned received = 0, idle = 0;

    CHECK(sender >= 0 && bind(sender, (struct sockaddr *)&end, sizeof end) == 0);
    for (unsigned sent = 0; received < FRAMES && idle < 100000;) {
        if (sent < FRAMES && sent - received < 16) {
            CHECK_EQ_I64(send(sender, bytes, length, 0), (int64_t)length);
            sent++;
        }
        wire_step(dataplane_tsc());
        unsigned now = (unsigned)client_drain(c);
        received += now;
        idle = now == 0 ? idle + 1 : 0;
    }
    close(sender);
    CHECK_EQ_U64(received, FRAMES);
}

/* @return what it logged */
static const char *stop(void)
{
    wire_capture_log();
    wire_stop();
    return wire_captured_log();
}

SUITE_TEST(af_xdp, buffers_that_the_driver_keeps_are_counted_and_are_no_leak)
{
    start();
    struct client c = client_joined(GROUP, PORT);
    pass_frames(&c);
    client_close(&c);
    CHECK_EQ_U64(wire_free_buffers(), 4096 - FILL_RING);
    CHECK_EQ_U64(wire_counter("device.buffers_kept"), 0); /* it may still give them back */
    CHECK(strstr(stop(), "not returned") == NULL);
    CHECK_EQ_U64(wire_counter("device.buffers_kept"), FILL_RING);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_PORT, 0, "device.buffers_kept"), FILL_RING);
}

SUITE_TEST(af_xdp, one_lost_buffer_shows_beside_those_that_the_driver_keeps)
{
    start();
    CHECK(rte_pktmbuf_alloc(dataplane.ports[0].pool) != NULL); /* and is never freed */
    CHECK(strstr(stop(), "2049 packet buffers were not returned") != NULL);
    CHECK_EQ_U64(wire_counter("device.buffers_kept"), FILL_RING);
}
