/* SPDX-License-Identifier: BSD-3-Clause */

/* When a datagram was received: by its burst, by a device's clock, by the capture it is from. */

#include "support/suite.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <rte_mbuf_dyn.h>
#include <stdlib.h>
#include <time.h>

#include "pool.h"
#include "port_clock.h"
#include "replaying.h"
#include "state.h"
#include "wall_clock.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(receive_time, capture_begin, capture_end);

#define BASE_S UINT64_C(1700000000)

static int64_t realtime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- captures ------------------------------------------------------------------------------------ */

static void add_number(uint64_t number, uint64_t time)
{
    uint8_t payload[64], bytes[FRAME_MAX];

    frame_fill(payload, sizeof payload, number);
    capture_add(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, payload, sizeof payload), time);
}

/* Receive `count` datagrams, whose times are these, of which `unit_ns` is one. */
static void expect_times(const struct client *c, const uint64_t *times, unsigned count,
                         uint64_t unit_ns)
{
    struct taken taken;

    for (unsigned i = 0; i < count; i++) {
        while (!client_take(c, &taken))
            step(1);
        CHECK(frame_is_filled(taken.bytes, 64, i));
        CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_RECORDED);
        CHECK_EQ_I64(taken.time.wall_ns, (int64_t)(times[i] * unit_ns));
        CHECK_EQ_U64(taken.time.error_ns, 0);
    }
}

static void check_capture(const char *file, const uint64_t *times, unsigned count, uint64_t unit_ns,
                          enum config_pace pace)
{
    replay_start(file, pace);
    struct client c = client_joined(GROUP, PORT);

    go();
    expect_times(&c, times, count, unit_ns);
    run_to_the_end(2);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(receive_time, microseconds_of_a_capture_come_back_exactly)
{
    uint64_t times[1000];

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 1000; i++)
        add_number(i, times[i] = BASE_S * 1000000 + i * 7919 % 1000003);
    capture_close();
    check_capture("f.pcap", times, 1000, 1000, CONFIG_PACE_DRAINED);
}

SUITE_TEST(receive_time, nanoseconds_of_a_capture_come_back_exactly)
{
    uint64_t times[1000];

    capture_open_nanoseconds("f.pcap");
    for (unsigned i = 0; i < 1000; i++) /* the first ones are whole microseconds */
        add_number(i, times[i] = BASE_S * 1000000000 + i * (i < 300 ? 1000 : UINT64_C(7919001)));
    capture_close();
    check_capture("f.pcap", times, 1000, 1, CONFIG_PACE_DRAINED);
    capture_open_nanoseconds("g.pcap");
    for (unsigned i = 0; i < 300; i++)
        add_number(i, times[i] = BASE_S * 1000000000 + i * 1001);
    capture_close();
    check_capture("g.pcap", times, 300, 1, CONFIG_PACE_RECORDED);
}

SUITE_TEST(receive_time, each_file_of_a_port_has_its_own)
{
    static char device[512];
    uint64_t coarse[100], fine[100], seen[2] = {0};
    struct taken taken;

    capture_open("a.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 100; i++)
        add_number(i, coarse[i] = BASE_S * 1000000 + i);
    capture_close();
    capture_open_nanoseconds("b.pcap");
    for (unsigned i = 0; i < 100; i++)
        add_number(i, fine[i] = (BASE_S + 1000) * 1000000000 + i * 17);
    capture_close();
    snprintf(device, sizeof device, "vdev:net_pcap0,rx_pcap=%s,rx_pcap=%s", capture_path("a.pcap"),
             capture_path("b.pcap"));
    struct config config = replay_config(device, CONFIG_PACE_DRAINED);
    config.ports[0].queues = 2;
    wire_start(&config, &client_operations, true);
    struct client c = client_joined(GROUP, PORT);
    go();
    while (seen[0] + seen[1] < 200) {
        step(1);
        while (client_take(&c, &taken)) {
            unsigned file = (uint64_t)taken.time.wall_ns >= (BASE_S + 1000) * 1000000000;
            uint64_t expected = file == 0 ? coarse[seen[0]] * 1000 : fine[seen[1]];

            CHECK_EQ_I64(taken.time.wall_ns, (int64_t)expected);
            CHECK(frame_is_filled(taken.bytes, 64, seen[file]));
            seen[file]++;
        }
    }
    run_to_the_end(4);
    client_close(&c);
    wire_stop();
}

/* The device loses a frame when the pool is empty, and which it was is not told: from then on a time may be
 * off by what net_pcap cuts off, and says so. */
SUITE_TEST(receive_time, after_a_loss_times_say_that_they_are_cut_off)
{
    static struct rte_mbuf *taken_away[BUFFERS];
    struct rte_mempool *pool;
    struct taken taken;
    unsigned received = 0;

    capture_open_nanoseconds("f.pcap");
    for (unsigned i = 0; i < 200; i++)
        add_number(i, BASE_S * 1000000000 + i * 1001);
    capture_close();
    replay_start("f.pcap", CONFIG_PACE_RECORDED);
    pool = dataplane.ports[0].pool;
    struct client c = client_joined(GROUP, PORT);
    CHECK_EQ_I64(rte_pktmbuf_alloc_bulk(pool, taken_away, BUFFERS - 32), 0);
    go();
    while (client_queued(&c) < 32)
        step(1);
    for (; received < 10; received++) {
        CHECK(client_take(&c, &taken));
        CHECK_EQ_U64(taken.time.error_ns, 0);
        CHECK_EQ_I64(taken.time.wall_ns, (int64_t)(BASE_S * 1000000000 + received * 1001));
    }
    step(5);
    CHECK_GE_U64(wire_counter("drop.device_no_buffer"), 1);
    rte_pktmbuf_free_bulk(taken_away, BUFFERS - 32);
    while (!progress().drained || client_queued(&c) != 0) {
        step(1);
        for (; client_take(&c, &taken); received++) {
            uint64_t number = 0, told = (uint64_t)taken.time.wall_ns - BASE_S * 1000000000;

            while (!frame_is_filled(taken.bytes, 64, number))
                number++;
            CHECK_EQ_U64(taken.time.error_ns, 999);
            CHECK_LE_U64(told, number * 1001);
            CHECK_GE_U64(told + taken.time.error_ns, number * 1001);
            CHECK(number < 32 || told % 1000 == 0);
        }
    }
    CHECK_GE_U64(received, 100);
    CHECK_LE_U64(received, 199);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(receive_time, a_capture_has_none_where_only_the_bursts_are_wanted)
{
    struct taken taken;

    write_numbers("f.pcap", GROUP, 10, 64);
    struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_RECORDED);
    config.ports[0].timestamps = CONFIG_TIMESTAMPS_BURST;
    wire_start(&config, &client_operations, true);
    struct client c = client_joined(GROUP, PORT);
    go();
    for (unsigned i = 0; i < 10; i++) {
        while (!client_take(&c, &taken))
            step(1);
        CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_BURST);
        CHECK_GE_U64((uint64_t)taken.time.wall_ns, BASE_S * 1000000000); /* today, not 1970 */
    }
    client_close(&c);
    wire_stop();
}

/* What is played as fast as it comes has recorded times too, as net_pcap cuts them off. */
SUITE_TEST(receive_time, a_live_capture_has_what_the_driver_gives)
{
    struct taken taken;

    capture_open_nanoseconds("f.pcap");
    add_number(0, BASE_S * 1000000000 + 1999);
    capture_close();
    struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_LIVE);
    wire_start(&config, &client_operations, true);
    struct client c = client_joined(GROUP, PORT);
    step(3);
    CHECK(client_take(&c, &taken) || true); /* whether it had joined in time */
    client_close(&c);
    CHECK_EQ_I64(dataplane.ports[0].clock.kind, PORT_CLOCK_RECORDED);
    CHECK_EQ_I64(dataplane.ports[0].clock.unit_ns, 1000);
    CHECK_EQ_U64(atomic_load(&dataplane.ports[0].clock.error_ns), 999);
    wire_stop();
}

/* --- bursts -------------------------------------------------------------------------------------- */

SUITE_TEST(receive_time, a_burst_has_the_wall_time_at_which_it_was_taken)
{
    struct config config = wire_config();
    struct taken taken;

    wire_start(&config, &client_operations, true);
    struct client c = client_joined(GROUP, PORT);
    for (unsigned i = 0; i < 50; i++) {
        int64_t before = realtime();

        wire_send_udp(GROUP, PORT, "x", 1);
        wire_settle();
        int64_t after = realtime();
        CHECK(client_take(&c, &taken));
        CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_BURST);
        CHECK(taken.time.wall_ns + (int64_t)taken.time.error_ns >= before);
        CHECK(taken.time.wall_ns - (int64_t)taken.time.error_ns <= after);
        CHECK_LE_U64(taken.time.error_ns, 100000000);
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    }
    client_close(&c);
    wire_stop();
}

SUITE_TEST(receive_time, a_looped_datagram_has_its_burst)
{
    struct config config = wire_config();
    struct taken taken;

    wire_start(&config, &client_operations, true);
    struct client c = client_bound(WIRE_ADDRESS, PORT);
    client_send(&c, WIRE_ADDRESS, PORT, 64, 1);
    wire_settle();
    CHECK(client_take(&c, &taken));
    CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_BURST);
    CHECK(taken.time.error_ns != UINT64_MAX);
    client_close(&c);
    wire_stop();
}

/* --- devices ------------------------------------------------------------------------------------- */

static struct {
    struct port_operations operations;
    double hz;
    int64_t begun_ns; /* real time when its clock stood at 0 */
    int64_t late_ns;  /* how long before the burst a frame is stamped */
    int refusal;
    int64_t stamped_ns;
    uint64_t stamp; /* of the next frames, where not 0 */
} device;

static uint64_t device_ticks(int64_t wall_ns)
{
    return (uint64_t)((double)(wall_ns - device.begun_ns) * 1e-9 * device.hz);
}

static int device_clock(struct port *port, uint64_t *ticks)
{
    (void)port;
    if (device.refusal != 0)
        return device.refusal;
    *ticks = device_ticks(realtime());
    return 0;
}

/* The port's frames, each stamped by the device's clock. */
static uint16_t device_burst(struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                             uint16_t max, struct lcore *lcore, uint64_t now)
{
    uint16_t count = port_rte_eth.burst(port, queue, mbufs, max, lcore, now);

    for (uint16_t i = 0; i < count; i++) {
        device.stamped_ns = realtime() - device.late_ns;
        *RTE_MBUF_DYNFIELD(mbufs[i], (size_t)port->clock.field, rte_mbuf_timestamp_t *) =
            device.stamp != 0 ? device.stamp : device_ticks(device.stamped_ns);
        mbufs[i]->ol_flags |= port->clock.flag;
    }
    return count;
}

/* A port of net_ring with such a device before it. */
static struct port *start_device(double hz)
{
    static const struct rte_eth_dev_info info = {.driver_name = "net_nic",
                                                 .rx_offload_capa = RTE_ETH_RX_OFFLOAD_TIMESTAMP};
    static struct config_port settings;
    struct config config = wire_config();
    struct port *port = &dataplane.ports[0];
    struct config_error error;
    uint64_t offloads = 0;

    wire_start(&config, &client_operations, true);
    device.hz = hz;
    device.begun_ns = realtime() - 5000000000;
    device.operations = port_rte_eth;
    device.operations.burst = device_burst;
    device.operations.clock = device_clock;
    port->operations = &device.operations;
    settings = *port->config;
    settings.timestamps = CONFIG_TIMESTAMPS_DEVICE;
    port->config = &settings;
    CHECK_EQ_I64(port_clock_find(port, &info, &offloads, &error), 0);
    CHECK_EQ_U64(offloads, RTE_ETH_RX_OFFLOAD_TIMESTAMP);
    CHECK_EQ_I64(port_clock_begin(port, &error), 0);
    return port;
}

static void receive_one(const struct client *c, struct taken *taken)
{
    wire_send_udp(GROUP, PORT, "x", 1);
    wire_settle();
    CHECK(client_take(c, taken));
}

/* The device's clock runs at a rate that nobody was told. Plain datagrams and others take the same road as
 * ever: the time lies in the mbuf. */
SUITE_TEST(receive_time, a_devices_clock_is_converted_within_the_stated_error)
{
    static const double rates[] = {1e9, 156.25e6, 1.00007e9};
    struct taken taken;

    for (unsigned i = 0; i < 3; i++) {
        start_device(rates[i]);
        struct client c = client_joined(GROUP, PORT);
        device.late_ns = 20000000; /* 20 ms in the device's queue */
        for (unsigned n = 0; n < 40; n++) {
            receive_one(&c, &taken);
            CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_DEVICE);
            int64_t off = taken.time.wall_ns - device.stamped_ns;
            CHECK_MSG((uint64_t)llabs(off) <= taken.time.error_ns + (uint64_t)(1e9 / rates[i]),
                      "off by %lld ns, of at most %llu", (long long)off,
                      (unsigned long long)taken.time.error_ns);
            CHECK_LE_U64(taken.time.error_ns, 200000000);
            CHECK(taken.time.burst_tsc <= dataplane_tsc());
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        client_close(&c);
        wire_stop();
    }
}

SUITE_TEST(receive_time, a_time_that_cannot_be_is_not_believed)
{
    struct taken taken;

    start_device(1e9);
    struct client c = client_joined(GROUP, PORT);
    device.stamp = UINT64_MAX / 2;
    receive_one(&c, &taken);
    CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_BURST);
    device.stamp = 1; /* five seconds ago */
    receive_one(&c, &taken);
    CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_BURST);
    device.stamp = 0;
    receive_one(&c, &taken);
    CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_DEVICE);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(receive_time, a_frame_without_a_time_has_its_burst)
{
    struct port *port = start_device(1e9);
    struct taken taken;
    struct client c = client_joined(GROUP, PORT);

    device.operations.burst = port_rte_eth.burst;
    receive_one(&c, &taken);
    CHECK_EQ_I64(taken.time.source, RECEIVE_TIME_BURST);
    CHECK_EQ_I64(port->clock.kind, PORT_CLOCK_DEVICE);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(receive_time, a_device_whose_clock_nobody_can_read_is_refused)
{
    struct port *port = start_device(1e9);
    struct config_error error;

    device.refusal = -ENODEV;
    CHECK_EQ_I64(port_clock_begin(port, &error), -1);
    CHECK_MSG(strstr(error.text, "ports[0].timestamps: device, but") != NULL &&
                  strstr(error.text, "does not tell what its clock says") != NULL,
              "%s", error.text);
    wire_stop();
}

SUITE_TEST(receive_time, a_device_that_takes_none_is_refused_if_asked_for_them)
{
    static const char *const devices[] = {"vdev:net_ring0", "vdev:net_null0"};
    struct config_error error;

    for (unsigned i = 0; i < 2; i++) {
        struct config config = wire_config_device(devices[i]);

        config.ports[0].timestamps = CONFIG_TIMESTAMPS_DEVICE;
        CHECK_EQ_I64(wire_try_start(&config, &client_operations, true, &error), -ENODEV);
        CHECK_MSG(strstr(error.text, "ports[0].timestamps: device, but vdev:net_") != NULL &&
                      strstr(error.text, "puts no time in the frames that it receives") != NULL,
                  "%s", error.text);
    }
}

#endif
