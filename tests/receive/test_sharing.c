/* SPDX-License-Identifier: BSD-3-Clause */

/* Who may bind beside whom: SO_REUSEADDR and SO_EXCLUSIVEADDRUSE, as Windows has it since Server 2003. */

#include "support/suite.h"

#include "harness.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(sharing, open_quiet, close_all);

enum mode {
    PLAIN,
    REUSING,
    EXCLUSIVE,
};

static SOCKET make(enum mode mode)
{
    SOCKET s = make_socket();

    if (mode == REUSING)
        CHECK_EQ_I64(set_option(s, SO_REUSEADDR, TRUE), 0);
    if (mode == EXCLUSIVE)
        CHECK_EQ_I64(set_option(s, SO_EXCLUSIVEADDRUSE, TRUE), 0);
    return s;
}

static int bind_to(SOCKET s, uint32_t address, uint16_t port)
{
    struct sockaddr_in name = address_of(address, port);
    int error = 0;

    return spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error) == 0 ? 0 : error;
}

/* Rows: the first to bind; columns: the second; each to any address, then to a certain one. */
SUITE_TEST(sharing, follows_the_documented_table) // SO_EXCLUSIVEADDRUSE, SO_REUSEADDR
{
    enum {
        OK = 0,
        USED = WSAEADDRINUSE,
        DENIED = WSAEACCES
    };
    static const int table[6][6] = {
        {USED, OK, DENIED, OK, USED, OK},             /* plain */
        {OK, USED, OK, DENIED, OK, USED},             /* */
        {USED, OK, OK, OK, USED, OK},                 /* reusing */
        {OK, USED, OK, OK, OK, USED},                 /* */
        {USED, DENIED, DENIED, DENIED, USED, DENIED}, /* exclusive */
        {OK, USED, OK, DENIED, OK, USED},             /* */
    };

    for (unsigned first = 0; first < 6; first++)
        for (unsigned second = 0; second < 6; second++) {
            SOCKET a = make((enum mode)(first / 2)), b = make((enum mode)(second / 2));

            CHECK_EQ_I64(bind_to(a, first % 2 ? HERE : 0, PORT), 0);
            int error = bind_to(b, second % 2 ? HERE : 0, PORT);
            CHECK_MSG(error == table[first][second], "%u after %u: %d, wanted %d", second, first,
                      error, table[first][second]);
            CHECK_EQ_I64(bind_to(b, 0, OTHER_PORT), error == 0 ? WSAEINVAL : 0);
            close_socket(a);
            close_socket(b);
        }
}

SUITE_TEST(sharing, is_decided_before_binding_and_not_both_ways) // SO_EXCLUSIVEADDRUSE
{
    SOCKET s = make(EXCLUSIVE), other = make(REUSING);

    CHECK_EQ_U64(get_option(s, SO_EXCLUSIVEADDRUSE), TRUE);
    CHECK_EQ_U64(get_option(other, SO_EXCLUSIVEADDRUSE), FALSE);
    CHECK_EQ_I64(set_option(s, SO_REUSEADDR, TRUE), WSAEINVAL);
    CHECK_EQ_I64(set_option(s, SO_REUSEADDR, FALSE), 0);
    CHECK_EQ_I64(set_option(other, SO_EXCLUSIVEADDRUSE, TRUE), WSAEINVAL);
    CHECK_EQ_I64(set_option(other, SO_EXCLUSIVEADDRUSE, FALSE), 0);
    CHECK_EQ_I64(bind_to(s, 0, PORT), 0);
    CHECK_EQ_I64(set_option(s, SO_EXCLUSIVEADDRUSE, FALSE), WSAEINVAL);
    CHECK_EQ_U64(get_option(s, SO_EXCLUSIVEADDRUSE), TRUE);
    close_socket(s);
    s = make(PLAIN); /* the same slot */
    CHECK_EQ_U64(get_option(s, SO_EXCLUSIVEADDRUSE), FALSE);
    CHECK_EQ_I64(bind_to(s, HERE, PORT), 0);
}

SUITE_TEST(sharing, a_socket_that_survived_a_stop_holds_no_name)
{
    struct config config = wire_config();
    SOCKET s = make(EXCLUSIVE);

    CHECK_EQ_I64(bind_to(s, 0, PORT), 0);
    wire_stop();
    wire_start(&config, &pending_operations, true);
    SOCKET next = make(EXCLUSIVE);
    CHECK_EQ_I64(bind_to(next, 0, PORT), 0);
}

#endif
