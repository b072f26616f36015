/* SPDX-License-Identifier: BSD-3-Clause */

/* Signals: during calls, and handlers that call what their thread is in the middle of. A timer raises
 * them as fast as it can, so that they hit everywhere. */

#include "support/suite.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "harness.h"

SUITE_FIXTURE(signals, open_live, close_all);

static _Atomic unsigned handled;
static void (*in_handler)(void);
static pthread_t interrupted;

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    if (!pthread_equal(pthread_self(), interrupted)) { /* the kernel chooses any thread */
        pthread_kill(interrupted, SIGALRM);
        errno = saved;
        return;
    }
    atomic_fetch_add(&handled, 1);
    if (in_handler != NULL)
        in_handler();
    errno = saved;
}

static void storm(void (*handler)(void), int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    struct itimerval often = {.it_interval = {0, 150}, .it_value = {0, 150}};

    in_handler = handler;
    interrupted = pthread_self();
    CHECK_EQ_I64(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ_I64(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void calm(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};

    CHECK_EQ_I64(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQ_I64(signal(SIGALRM, SIG_IGN) == SIG_ERR, 0);
}

/* --- during a blocking receive ------------------------------------------------------------------------ */

#define DATAGRAMS 3000u

static void send_slowly(struct runner *self)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (uint32_t n = 0; n < SCALED(DATAGRAMS); n++) {
        arrive(PORT, &n, sizeof n);
        while (n >= atomic_load(&self->step) + 100)
            nap();
        if (n % 4 == 0)
            nap(); /* so that the receiver sleeps now and then */
    }
}

static void receive_through_a_storm(int flags)
{
    static struct runner sender;
    SOCKET s = open_socket(PORT);

    memset(&sender, 0, sizeof sender);
    run(&sender, send_slowly, s, NULL);
    storm(NULL, flags);
    for (uint32_t n = 0; n < SCALED(DATAGRAMS); n++) {
        uint32_t got = 0;
        struct outcome outcome = receive(s, &got, sizeof got);

        CHECK_EQ_I64(outcome.result, 0);
        CHECK_EQ_U64(got, n);
        atomic_store(&sender.step, n + 1);
    }
    calm();
    finish(&sender);
    CHECK_GE_U64(atomic_load(&handled), 10);
    close_socket(s);
}

SUITE_TEST(signals, neither_end_a_receive_nor_lose_its_data) // B03 B12
{
    receive_through_a_storm(SA_RESTART);
    receive_through_a_storm(0);
}

SUITE_TEST(signals, do_not_shorten_a_time_out) // L01
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 100), 0);
    for (int restart = 0; restart < 2; restart++) {
        storm(NULL, restart ? SA_RESTART : 0);
        uint64_t before = wake_clock();
        CHECK_REFUSED(receive(s, room, sizeof room), WSAETIMEDOUT);
        CHECK_GE_U64(milliseconds_since(before), 100);
        CHECK_LE_U64(milliseconds_since(before), 10000);
        calm();
    }
}

/* --- a handler that receives from the socket that its thread receives from ---------------------------- */

static SOCKET the_socket;
static _Atomic unsigned refused, received_by_handler;
static _Atomic unsigned seen[DATAGRAMS];

static int receive_number(void)
{
    DWORD bytes = 0, flags = 0;
    uint32_t number = UNTOUCHED;
    WSABUF buffer = {.len = sizeof number, .buf = (char *)&number};
    int error = 0;

    if (spi.lpWSPRecv(the_socket, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error) != 0)
        return error;
    if (bytes != sizeof number || number >= DATAGRAMS)
        return -1;
    atomic_fetch_add(&seen[number], 1);
    return 0;
}

static void receive_in_handler(void)
{
    switch (receive_number()) {
    case 0:
        atomic_fetch_add(&received_by_handler, 1);
        break;
    case WSAEINPROGRESS:
        atomic_fetch_add(&refused, 1);
        break;
    case WSAEWOULDBLOCK:
        break;
    default:
        abort();
    }
}

static void send_all(struct runner *self)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (uint32_t n = 0; n < SCALED(DATAGRAMS); n++) {
        arrive(PORT, &n, sizeof n);
        while (n >= atomic_load(&self->step) + atomic_load(&received_by_handler) + 100)
            nap();
    }
}

SUITE_TEST(signals, handler_that_receives_from_a_locked_socket_is_refused) // A20
{
    static struct runner sender;
    uint64_t limit;

    the_socket = open_socket(PORT);
    set_nonblocking(the_socket, true);
    run(&sender, send_all, the_socket, NULL);
    storm(receive_in_handler, SA_RESTART);
    while (atomic_load(&sender.step) + atomic_load(&received_by_handler) < SCALED(DATAGRAMS)) {
        int error = receive_number();

        if (error == 0)
            atomic_fetch_add(&sender.step, 1);
        else
            CHECK_EQ_I64(error, WSAEWOULDBLOCK);
    }
    /* Until one has hit: the road is short. A receive that finds nothing does not take LOCK; this does. */
    limit = wake_clock() + 20000000000ull;
    while (atomic_load(&refused) == 0 && wake_clock() < limit) {
        u_long readable;

        CHECK_EQ_I64(ioctlsocket(the_socket, (LONG)FIONREAD, &readable), 0);
    }
    calm();
    finish(&sender);
    CHECK_GE_U64(atomic_load(&refused), 1);
    for (uint32_t n = 0; n < SCALED(DATAGRAMS); n++)
        CHECK_EQ_U64(atomic_load(&seen[n]), 1);
}

/* --- a handler that calls control ------------------------------------------------------------------------ */

static SOCKET spare;
static _Atomic unsigned control_refused, control_done;

static void note_control(int error)
{
    if (error == WSAEINPROGRESS)
        atomic_fetch_add(&control_refused, 1);
    else if (error == 0)
        atomic_fetch_add(&control_done, 1);
    else
        abort();
}

static void control_in_handler(void)
{
    static unsigned turn;
    struct sockaddr_in name = address_of(0, OTHER_PORT);
    struct wirerx_counter counters[4];
    size_t count;
    int error = 0;

    switch (turn++ % 4) {
    case 0:
        note_control(wirerx_counters(WIRERX_SCOPE_ALL, 0, counters, 4, &count));
        break;
    case 1:
        if (spare == INVALID_SOCKET)
            spare = spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error);
        note_control(spare == INVALID_SOCKET ? error : 0);
        break;
    case 2:
        if (spare != INVALID_SOCKET) {
            spi.lpWSPBind(spare, (struct sockaddr *)&name, sizeof name, &error);
            note_control(error == WSAEINVAL ? 0 : error); /* bound already */
        }
        break;
    default:
        if (spare != INVALID_SOCKET) {
            int result = spi.lpWSPCloseSocket(spare, &error);

            note_control(result == 0 ? 0 : error);
            if (result == 0)
                spare = INVALID_SOCKET;
        }
    }
}

SUITE_TEST(signals, handler_that_interrupts_control_is_refused) // A20
{
    struct sockaddr_in name = address_of(0, PORT);
    int error = 0;

    spare = INVALID_SOCKET;
    storm(control_in_handler, SA_RESTART);
    for (unsigned i = 0;
         i < SCALED(2000u) || atomic_load(&control_refused) < 5 || atomic_load(&control_done) < 5;
         i++) {
        SOCKET s = spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error);

        CHECK_MSG(s != INVALID_SOCKET, "WSPSocket: %d", error);
        CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), 0);
        CHECK_EQ_I64(join(s, THE_GROUP), 0);
        CHECK_EQ_I64(spi.lpWSPCloseSocket(s, &error), 0);
    }
    calm();
    if (spare != INVALID_SOCKET)
        CHECK_EQ_I64(spi.lpWSPCloseSocket(spare, &error), 0);
}

/* --- a handler that uses events ---------------------------------------------------------------------------- */

SUITE_FIXTURE(signals_host, open_winsock, close_winsock);

static HANDLE shared[2];

static void use_events(void)
{
    HANDLE own = CreateEventW(NULL, FALSE, TRUE, NULL);

    SetEvent(shared[0]);
    ResetEvent(shared[1]);
    SetEvent(shared[1]);
    WaitForMultipleObjects(2, shared, TRUE, 0);
    if (own != NULL) { /* refused while the table's first use of a slot is interrupted */
        if (WaitForSingleObject(own, 0) != WAIT_OBJECT_0 || !CloseHandle(own))
            abort();
    }
}

SUITE_TEST(signals_host, handler_may_interrupt_what_is_done_to_events) // D08
{
    uint64_t limit = wake_clock() + 1500000000ull;
    HANDLE many[64];

    for (int i = 0; i < 2; i++)
        shared[i] = CreateEventW(NULL, FALSE, TRUE, NULL);
    storm(use_events, SA_RESTART);
    while (wake_clock() < limit) {
        for (int i = 0; i < 64; i++) {
            many[i] = CreateEventW(NULL, i % 2, TRUE, NULL);
            CHECK(many[i] != NULL);
        }
        SetEvent(shared[0]);
        SetEvent(shared[1]);
        WaitForMultipleObjects(2, shared, TRUE, 0);
        CHECK_EQ_U64(WSAWaitForMultipleEvents(64, many, TRUE, 0, TRUE), WAIT_OBJECT_0);
        for (int i = 0; i < 64; i++)
            CHECK(CloseHandle(many[i]));
    }
    calm();
    CHECK_GE_U64(atomic_load(&handled), 50);
    /* No claim is left behind: both can be had. */
    for (int i = 0; i < 2; i++) {
        SetEvent(shared[i]);
        CHECK_EQ_U64(WaitForSingleObject(shared[i], 5000), WAIT_OBJECT_0);
        CHECK(CloseHandle(shared[i]));
    }
}
