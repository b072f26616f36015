/* SPDX-License-Identifier: BSD-3-Clause */

/* The interface by which a port reaches the kernel, and the thread that reads and writes it: how they begin and
 * end, who wakes the thread, and what else can happen to an interface. */

#include "support/suite.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "kernel_end.h"
#include "network.h"
#include "state.h"
#include "support/wire.h"
#include "tap.h"
#include "veth.h"
#include "wake.h"

SUITE_TEST(tap, an_interface_that_is_down_or_removed_refuses_frames)
{
    kernel_end_start();
    CHECK(veth_run("ip link set wtap0 down"));
    kernel_end_send_ethertype(KERNEL_END_LLDP);
    kernel_end_await_counter("lost.kernel_refused", 1);
    CHECK(veth_run("ip link set wtap0 up"));
    kernel_end_send_ethertype(KERNEL_END_LLDP);
    kernel_end_await_counter("kernel.received", 1);
    wire_capture_log();
    CHECK(veth_run("ip link del wtap0"));
    kernel_end_send_ethertype(KERNEL_END_LLDP);
    kernel_end_await_counter("lost.kernel_refused", 2);
    wire_step(dataplane_tsc());
    kernel_end_stop();
    CHECK(strstr(wire_captured_log(), "the interface wtap0, by which a port reaches the kernel, is "
                                      "gone") != NULL);
}

SUITE_TEST(tap, what_is_on_the_way_at_the_stop_comes_home)
{
    uint8_t bytes[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    kernel_end_start();
    for (unsigned i = 0; i < 20; i++) {
        kernel_end_send_ethertype(KERNEL_END_LLDP);
        CHECK_EQ_I64(send(kernel_end_socket(), bytes, sizeof bytes, 0), sizeof bytes);
    }
    kernel_end_stop(); /* which checks that no buffer is missing, and the sums */
    CHECK_EQ_U64(wire_counter("to_kernel"), 20);
}

SUITE_TEST(tap, other_lcores_hand_over_what_is_for_the_kernel)
{
    struct config config = kernel_end_config();
    static unsigned cores[2];
    static const uint8_t lldp[60] = {0x01, 0x80, 0xc2, [12] = 0x88, [13] = 0xcc};
    uint8_t got[256];

    if (wire_cpus() < 2)
        SKIP("two lcores need two CPUs");
    cores[0] = wire_cpu(0);
    cores[1] = wire_cpu(1);
    config.cores = cores;
    config.cores_count = 2;
    config.ports[0].queues = 2;
    kernel_end_start_with(config);
    wire_send_frame(&(struct wire_frame){.bytes = lldp, .length = sizeof lldp, .queue = 1});
    CHECK_EQ_U64(kernel_end_await(got, sizeof got), 60);
    CHECK_EQ_U64(wire_counter("handed_over"), 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    kernel_end_stop();
}

SUITE_TEST(tap, an_lcore_wakes_the_thread_that_writes)
{
    struct config config = kernel_end_config();
    uint8_t frame[60] = {0x01, 0x80, 0xc2, [12] = 0x88, [13] = 0xcc}, got[256];

    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    config.ports[0].addresses_count = 0; /* nothing is said by the port itself */
    wire_start(&config, &client_operations, false);
    kernel_end_open();
    for (frame[14] = 0; frame[14] < 100; frame[14]++) {
        uint64_t until = wake_clock() + KERNEL_END_PATIENCE_NS;

        wire_send(frame, sizeof frame);
        while (kernel_end_look(got, sizeof got) == 0) {
            CHECK(wake_clock() < until);
            usleep(50); /* so that the thread sleeps before the next */
        }
        CHECK_EQ_U64(got[14], frame[14]);
    }
    wire_settle();
    CHECK_EQ_U64(wire_counter("to_kernel"), 100);
    kernel_end_stop();
}

/* A thread's sink that has used up its budget. */
static struct wake_errand *handed_over;
static unsigned handed_over_count;

static bool defer_none(struct wake_sink *sink, _Atomic uint32_t *word, int count)
{
    (void)sink;
    (void)word;
    (void)count;
    return false;
}

static bool may_not_call(struct wake_sink *sink)
{
    (void)sink;
    return false;
}

static void keep_errand(struct wake_sink *sink, struct wake_errand *errand)
{
    (void)sink;
    handed_over = errand;
    handed_over_count++;
}

SUITE_TEST(tap, beyond_its_budget_an_lcore_leaves_the_wake_up_to_the_service_thread)
{
    static struct wake_sink spent = {defer_none, may_not_call, keep_errand};
    struct tap *tap;
    uint8_t got[256];

    kernel_end_start();
    wire_step(dataplane_tsc()); /* and the thread has empties */
    tap = dataplane.ports[0].tap;
    for (unsigned i = 0; i < 3; i++) {
        while ((atomic_load(&tap->wants) & TAP_WANTS_FRAMES) == 0)
            usleep(100);
        wake_sink = &spent;
        kernel_end_send_ethertype(KERNEL_END_LLDP);
        kernel_end_send_ethertype(KERNEL_END_LLDP); /* the errand is out already */
        wake_sink = NULL;
        CHECK_EQ_U64(handed_over_count, i + 1);
        usleep(10000);
        CHECK_EQ_U64(kernel_end_look(got, sizeof got), 0); /* it sleeps */
        handed_over->run(handed_over);
        CHECK_EQ_U64(kernel_end_await(got, sizeof got), 60);
        CHECK_EQ_U64(kernel_end_await(got, sizeof got), 60);
    }
    kernel_end_stop();
}

SUITE_TEST(tap, starting_again_makes_the_interface_again)
{
    struct config config = kernel_end_config();
    char shown[64];

    for (unsigned i = 0; i < 3; i++) {
        kernel_end_start_with(config);
        snprintf(shown, sizeof shown, "ip link show wtap0 | grep -q 'mtu %u '", 1400 + i);
        CHECK_EQ_I64(veth_run(shown), i != 0);
        config.ports[0].mtu = 1401 + i;
        kernel_end_stop();
    }
}

SUITE_TEST(tap, a_child_of_this_process_does_not_keep_the_interface)
{
    int ends[2]; /* the parent's, the child's */
    char byte = 0;

    kernel_end_start();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        if (write(ends[1], &byte, 1) != 1)
            _exit(1);
        while (read(ends[1], &byte, 1) > 0) /* until the parent has stopped */
            continue;
        _exit(0);
    }
    close(ends[1]);
    CHECK_EQ_I64(read(ends[0], &byte, 1), 1); /* the child runs, so its side of fork() is done */
    kernel_end_stop();                        /* and the interface is gone */
    close(ends[0]);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void expect_refused(const struct config *config, const char *reason)
{
    struct config_error error;

    CHECK(wire_try_start(config, &client_operations, true, &error) != 0);
    CHECK_MSG(strcmp(error.text, reason) == 0, "%s", error.text);
}

SUITE_TEST(tap, is_refused_where_it_cannot_be)
{
    struct config config = kernel_end_config();
    char taken[] = "wtest0", *name = config.ports[0].kernel;

    expect_refused(&config, "ports[0].kernel: the kernel would have its frames sent, and "
                            "vdev:net_ring0 has no network to transmit to");
    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    config.ports[0].kernel = taken;
    expect_refused(&config, "ports[0].kernel: no TAP interface wtest0 can be made: Device or "
                            "resource busy; there is an interface of this name");
    config.ports[0].kernel = name;
    kernel_end_start_with(config); /* and nothing is left over from that */
    kernel_end_stop();
}
