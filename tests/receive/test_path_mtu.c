/* SPDX-License-Identifier: BSD-3-Clause */

/* IP_DONTFRAGMENT, IP_MTU_DISCOVER and IP_MTU, on a port that transmits. */

#include "support/suite.h"

#include "sending.h"
#include "wirerx/ws2tcpip.h"

#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define GROUP FRAME_IP(239, 129, 2, 3)
#define THERE OTHER_PORT
#define FITS (1500u - 28u)

static char bytes[SEND_MAX_PAYLOAD];

static void set_up(void)
{
    struct config config = wire_config();

    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    open_quiet_with(&config);
}

/* Nobody answers for the neighbour: what waits for it is given up first, or its buffers would be missing. */
static void tear_down(void)
{
    for (unsigned second = 1; second <= 5; second++)
        wire_step(dataplane_tsc() + second * dataplane_tsc_hz());
    close_all();
}

SUITE_FIXTURE(path_mtu, set_up, tear_down);

static struct outcome send_to(SOCKET s, uint32_t address, size_t length)
{
    struct outcome outcome = send_bytes_to(s, address, THERE, bytes, length);

    wire_settle();
    return outcome;
}

/* A router says that a packet of `length` bytes to the neighbour was too long. */
static void tell(size_t length, uint16_t mtu)
{
    struct frame quoted = {.source = WIRE_ADDRESS,
                           .source_port = PORT,
                           .destination = NEIGHBOUR,
                           .destination_port = THERE,
                           .payload = bytes,
                           .length = length - 28,
                           .fragment = 0x4000};
    struct frame_icmp icmp = {.type = 3, .code = 4, .quoted = &quoted, .mtu = mtu};
    uint8_t frame[2048];

    wire_send(frame, frame_icmp_build(&icmp, frame, sizeof frame));
    wire_settle();
}

SUITE_TEST(path_mtu, a_datagram_of_any_length_can_be_sent)
{
    SOCKET s = open_socket(PORT);

    CHECK_EQ_U64(get_ip_option(s, IP_DONTFRAGMENT), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_MTU_DISCOVER), IP_PMTUDISC_NOT_SET);
    CHECK_SENT(send_to(s, NEIGHBOUR, FITS + 1), FITS + 1);
    CHECK_SENT(send_to(s, NEIGHBOUR, SEND_MAX_PAYLOAD), SEND_MAX_PAYLOAD);
    CHECK_SENT(send_to(s, GROUP, SEND_MAX_PAYLOAD), SEND_MAX_PAYLOAD);
    CHECK_EQ_U64(wire_counter("fragmented"), 1); /* the neighbour has not answered yet */
    close_socket(s);
}

SUITE_TEST(path_mtu, one_that_must_not_be_cut_has_to_fit_the_link_and_the_path)
{
    SOCKET s = open_socket(PORT);

    CHECK_EQ_I64(set_ip_option(s, IP_DONTFRAGMENT, TRUE), 0);
    CHECK_EQ_U64(get_ip_option(s, IP_DONTFRAGMENT), 1);
    CHECK_EQ_U64(get_ip_option(s, IP_MTU_DISCOVER), IP_PMTUDISC_NOT_SET);
    CHECK_REFUSED(send_to(s, NEIGHBOUR, FITS + 1), WSAEMSGSIZE);
    CHECK_REFUSED(send_to(s, GROUP, FITS + 1), WSAEMSGSIZE);
    CHECK_SENT(send_to(s, GROUP, FITS), FITS);
    CHECK_SENT(send_to(s, NEIGHBOUR, FITS), FITS);
    tell(1500, 1000);
    CHECK_REFUSED(send_to(s, NEIGHBOUR, 1000 - 27), WSAEMSGSIZE);
    CHECK_SENT(send_to(s, NEIGHBOUR, 1000 - 28), 1000 - 28);
    CHECK_SENT(send_to(s, GROUP, FITS), FITS);
    CHECK_SENT(send_to(s, LOOPBACK, SEND_MAX_PAYLOAD), SEND_MAX_PAYLOAD); /* does not leave */
    CHECK_EQ_I64(set_ip_option(s, IP_DONTFRAGMENT, FALSE), 0);
    CHECK_SENT(send_to(s, NEIGHBOUR, FITS + 1), FITS + 1);
    CHECK_EQ_U64(wire_counter("lost.send_too_long"), 0);
    close_socket(s);
}

SUITE_TEST(path_mtu, discovery_that_is_set_comes_before_dont_fragment)
{
    SOCKET s = open_socket(PORT);

    CHECK_EQ_I64(set_ip_option(s, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
    CHECK_REFUSED(send_to(s, NEIGHBOUR, FITS + 1), WSAEMSGSIZE);
    CHECK_SENT(send_to(s, NEIGHBOUR, FITS), FITS);
    tell(1500, 1000);
    CHECK_REFUSED(send_to(s, NEIGHBOUR, FITS), WSAEMSGSIZE);
    CHECK_EQ_I64(set_ip_option(s, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE), 0);
    CHECK_SENT(send_to(s, NEIGHBOUR, FITS), FITS); /* to find out whether it is so still */
    CHECK_REFUSED(send_to(s, NEIGHBOUR, FITS + 1), WSAEMSGSIZE);
    CHECK_EQ_I64(set_ip_option(s, IP_DONTFRAGMENT, TRUE), 0);
    CHECK_EQ_I64(set_ip_option(s, IP_MTU_DISCOVER, IP_PMTUDISC_DONT), 0);
    CHECK_SENT(send_to(s, NEIGHBOUR, FITS + 1), FITS + 1);
    CHECK_EQ_I64(set_ip_option(s, IP_MTU_DISCOVER, IP_PMTUDISC_NOT_SET), 0);
    CHECK_REFUSED(send_to(s, NEIGHBOUR, FITS + 1), WSAEMSGSIZE);
    CHECK_EQ_I64(set_ip_option(s, IP_MTU_DISCOVER, IP_PMTUDISC_MAX), WSAEINVAL);
    CHECK_EQ_I64(set_ip_option(s, IP_MTU_DISCOVER, (DWORD)-1), WSAEINVAL);
    CHECK_EQ_U64(get_ip_option(s, IP_MTU_DISCOVER), IP_PMTUDISC_NOT_SET);
    close_socket(s);
}

SUITE_TEST(path_mtu, a_connected_socket_is_told_its_path_s)
{
    SOCKET s = open_socket(PORT);
    DWORD value;
    int length = sizeof value, error = 0;

    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, IPPROTO_IP, IP_MTU, (char *)&value, &length, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTCONN);
    CHECK_EQ_I64(set_ip_option(s, IP_MTU, 1400), WSAENOPROTOOPT);
    connect_to(s, NEIGHBOUR, THERE);
    CHECK_EQ_U64(get_ip_option(s, IP_MTU), 1500);
    CHECK_EQ_I64(set_ip_option(s, IP_DONTFRAGMENT, TRUE), 0);
    CHECK_SENT(send_bytes(s, bytes, FITS, 0), FITS);
    wire_settle();
    tell(1500, 0);
    CHECK_EQ_U64(get_ip_option(s, IP_MTU), 1492);
    CHECK_REFUSED(send_bytes(s, bytes, FITS, 0), WSAEMSGSIZE);
    connect_to(s, LOOPBACK, THERE);
    CHECK_EQ_U64(get_ip_option(s, IP_MTU), 65535);
    close_socket(s);
}
