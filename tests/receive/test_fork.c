/* SPDX-License-Identifier: BSD-3-Clause */

/* fork() in a client. The child has no dataplane: every socket of the parent is none, nothing can be
 * started, and nothing that the child does reaches the parent, whose lcores go on. What is the host's
 * own, events and APCs, is there. */

#include "support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

SUITE_FIXTURE(fork, open_live, close_all);

/* The child has nobody to tell but its parent, by its status. */
#define IN_CHILD(condition)                                                          \
    do {                                                                             \
        if (!(condition)) {                                                          \
            dprintf(2, "%s:%d: in the child: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                                \
        }                                                                            \
    } while (0)

static void check_child(pid_t child)
{
    int status = -1;

    CHECK(child > 0);
    CHECK_EQ_I64(waitpid(child, &status, 0), child);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", status);
}

/* A child that hangs is ended, and found. */
static pid_t fork_limited(void)
{
    pid_t child = fork();

    if (child == 0)
        alarm(60);
    return child;
}

/* --- what a child finds ---------------------------------------------------------------------------------- */

#define IS_NO_SOCKET(call)                                        \
    do {                                                          \
        error = 0;                                                \
        IN_CHILD((call) == SOCKET_ERROR && error == WSAENOTSOCK); \
    } while (0)

static void find_no_socket(SOCKET s)
{
    static WSAOVERLAPPED overlapped;
    struct sockaddr_in name = address_of(0, OTHER_PORT);
    struct ip_mreq group = {.imr_multiaddr.s_addr = htonl(THE_GROUP)};
    fd_set set = {.fd_count = 1, .fd_array = {s}};
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    int length = sizeof name, error;
    DWORD bytes, flags = 0, one = 1;

    IS_NO_SOCKET(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error));
    IS_NO_SOCKET(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, &overlapped, NULL, NULL, &error));
    IS_NO_SOCKET(
        spi.lpWSPRecvFrom(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, NULL, NULL, &error));
    IS_NO_SOCKET(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error));
    IS_NO_SOCKET(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error));
    IS_NO_SOCKET(spi.lpWSPSetSockOpt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (const char *)&group,
                                     sizeof group, &error));
    IS_NO_SOCKET(
        spi.lpWSPIoctl(s, FIONBIO, &one, sizeof one, NULL, 0, &bytes, NULL, NULL, NULL, &error));
    IS_NO_SOCKET(spi.lpWSPSelect(0, &set, NULL, NULL, NULL, &error));
    IS_NO_SOCKET(spi.lpWSPCloseSocket(s, &error));
    error = 0;
    IN_CHILD(!spi.lpWSPGetOverlappedResult(s, &overlapped, &bytes, TRUE, &flags, &error) &&
             error == WSAENOTSOCK);
    struct wirerx_socket_counters counters;
    IN_CHILD(wirerx_socket_counters(s, &counters) == WSAENOTSOCK);
}

static void find_no_dataplane(void)
{
    struct wirerx_replay replay = {.path = "any.pcap", .core = -1};
    struct wirerx_replay_progress progress;
    struct wirerx_counter counters[8];
    struct wirerx_error reason;
    int error = 0;
    size_t count = 0;

    IN_CHILD(spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error) == INVALID_SOCKET &&
             error == WSAENETDOWN);
    IN_CHILD(wirerx_replay_go() == WSAENETDOWN);
    IN_CHILD(wirerx_replay_progress(&progress) == WSAENETDOWN);
    IN_CHILD(wirerx_counters(WIRERX_SCOPE_LCORE, 0, counters, 8, &count) == WSAEINVAL);
    IN_CHILD(wirerx_counters(WIRERX_SCOPE_ALL, 0, counters, 8, &count) == 0);
    IN_CHILD(wirerx_stop() == WSAENETDOWN);
    IN_CHILD(wirerx_start_replay(&replay, &reason) != 0);
}

static _Atomic unsigned apcs;

static void CALLBACK count_apc(ULONG_PTR n)
{
    atomic_fetch_add(&apcs, (unsigned)n);
}

static void find_the_host(HANDLE inherited)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    WSATHREADID id;
    int error = 0;

    IN_CHILD(event != NULL);
    IN_CHILD(SetEvent(event) && WaitForSingleObject(event, 1000) == WAIT_OBJECT_0);
    IN_CHILD(WaitForSingleObject(event, 1) == WAIT_TIMEOUT);
    IN_CHILD(SetEvent(inherited) && WaitForSingleObject(inherited, 1000) == WAIT_OBJECT_0);
    IN_CHILD(ResetEvent(inherited) && CloseHandle(inherited) && CloseHandle(event));
    IN_CHILD(WPUOpenCurrentThread(&id, &error) == 0);
    IN_CHILD(QueueUserAPC(count_apc, id.ThreadHandle, 1));
    IN_CHILD(SleepEx(1000, TRUE) == WAIT_IO_COMPLETION && atomic_load(&apcs) == 1);
}

static HANDLE event_of_both;

static void live_as_a_child(SOCKET s)
{
    int error = 0;

    find_no_socket(s);
    find_no_dataplane();
    find_the_host(event_of_both);
    IN_CHILD(spi.lpWSPCleanup(&error) == 0);
    IN_CHILD(WSACleanup() == 0);
    WSADATA data;
    IN_CHILD(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    IN_CHILD(WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0) == INVALID_SOCKET &&
             WSAGetLastError() == WSAENETDOWN);
    IN_CHILD(WSACleanup() == 0);
}

SUITE_TEST(fork, child_has_no_socket_and_can_start_nothing) // A05 E01 K01
{
    static struct runner blocked;
    static struct operation operation;
    SOCKET s = open_socket(PORT);
    char room[16];

    event_of_both = CreateEventW(NULL, TRUE, FALSE, NULL);
    arrive_text(PORT, "queued");
    UNTIL(counters_of(s).queued == 1);
    pid_t child = fork_limited();
    if (child == 0) {
        live_as_a_child(s);
        _exit(0);
    }
    check_child(child);
    CHECK(!is_signalled(event_of_both)); /* the child has set a copy */
    CHECK(CloseHandle(event_of_both));
    CHECK_TEXT(receive(s, room, sizeof room), room, "queued");
    /* The same with somebody blocked, and something posted. */
    SOCKET other = open_socket(OTHER_PORT);
    pend_event(other, &operation, 16);
    run_blocked(&blocked, s);
    event_of_both = CreateEventW(NULL, TRUE, FALSE, NULL);
    child = fork_limited();
    if (child == 0) {
        live_as_a_child(s);
        IN_CHILD(status_of(&operation) == 0x103); /* for ever: it was the parent's */
        _exit(0);
    }
    check_child(child);
    arrive_text(PORT, "blocked");
    arrive_text(OTHER_PORT, "posted");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "blocked");
    CHECK_EQ_U64(WaitForSingleObject(operation.overlapped.hEvent, 10000), WAIT_OBJECT_0);
    check_completed(&operation, "posted");
}

SUITE_TEST(fork, child_may_end_by_exit)
{
    SOCKET s = open_socket(PORT);
    char room[16];
#ifdef WIRERX_SANITIZED
    SKIP("the child's leak checker would look for the parent's threads");
#endif
    pid_t child = fork_limited();

    if (child == 0)
        exit(0); /* everybody's handlers, and destructors */
    check_child(child);
    arrive_text(PORT, "on");
    CHECK_TEXT(receive(s, room, sizeof room), room, "on");
}

SUITE_TEST(fork, refusal_says_why)
{
    struct config config = wire_config();
    struct config_error error;
    pid_t child = fork_limited();

    if (child == 0) {
        IN_CHILD(dataplane_start(&config, &pending_operations, false, &error) == -ENODEV);
        IN_CHILD(strstr(error.text, "fork()") != NULL && strstr(error.text, "parent") != NULL);
        _exit(0);
    }
    check_child(child);
}

/* --- children of a parent that works ------------------------------------------------------------------------ */

#define DATAGRAMS 3000u
#define CHILDREN 60u

static _Atomic unsigned total;
static _Atomic bool stop;

static void receive_in_order(struct runner *self)
{
    for (uint32_t n = 0; n < SCALED(DATAGRAMS); n++) {
        uint32_t got = UNTOUCHED;

        self->outcome = receive(self->s, &got, sizeof got);
        CHECK_EQ_I64(self->outcome.result, 0);
        CHECK_EQ_U64(got, n);
        atomic_fetch_add(&total, 1);
    }
}

/* Holds each of the mutexes now and then. */
static void use_tables(struct runner *self)
{
    while (!atomic_load(&stop)) {
        HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL);
        SOCKET s = make_socket();

        CHECK(event != NULL && CloseHandle(event));
        close_socket(s);
        atomic_fetch_add(&self->step, 1);
    }
}

static void send_in_order(struct runner *self)
{
    (void)self;
    for (uint32_t n = 0; n < SCALED(DATAGRAMS); n++) {
        arrive(PORT, &n, sizeof n);
        UNTIL(n < atomic_load(&total) + 100);
        if (n % 8 == 0)
            nap();
    }
}

static void live_shortly(SOCKET s)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int error = 0;

    IN_CHILD(event != NULL && SetEvent(event) && CloseHandle(event));
    IN_CHILD(spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error) == INVALID_SOCKET);
    IN_CHILD(spi.lpWSPCloseSocket(s, &error) == SOCKET_ERROR && error == WSAENOTSOCK);
    IN_CHILD(wirerx_stop() == WSAENETDOWN);
    IN_CHILD(spi.lpWSPCleanup(&error) == 0 && WSACleanup() == 0);
}

SUITE_TEST(fork, parent_loses_nothing_to_its_children) // G08
{
    static struct runner receiver, sender, users[2];
    SOCKET s = open_socket(PORT);
    unsigned children = 0;

    run(&receiver, receive_in_order, s, NULL);
    for (int i = 0; i < 2; i++)
        run(&users[i], use_tables, s, NULL);
    run(&sender, send_in_order, s, NULL);
    while (children < SCALED(CHILDREN) || atomic_load(&total) < SCALED(DATAGRAMS)) {
        pid_t child = fork_limited();

        if (child == 0) {
            live_shortly(s);
            _exit(0);
        }
        check_child(child);
        children++;
    }
    atomic_store(&stop, true);
    finish(&receiver);
    finish(&sender);
    for (int i = 0; i < 2; i++) {
        finish(&users[i]);
        CHECK_GE_U64(atomic_load(&users[i].step), 1);
    }
}

/* --- in the middle of a call ----------------------------------------------------------------------------------- */

static pid_t child_of_apc;
static SOCKET the_socket;

static void CALLBACK fork_in_apc(ULONG_PTR unused)
{
    (void)unused;
    child_of_apc = fork_limited();
    if (child_of_apc > 0)
        arrive_text(PORT, "parent's");
}

SUITE_TEST(fork, inside_a_blocking_receive_ends_it_in_the_child) // B08
{
    char room[16];
    WSATHREADID id;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&id, &error), 0);
    the_socket = open_socket(PORT);
    for (int i = 0; i < 2; i++) {
        CHECK(QueueUserAPC(fork_in_apc, id.ThreadHandle, 0));
        if (i == 1) { /* in WSPSelect */
            fd_set set = {.fd_count = 1, .fd_array = {the_socket}};
            int result = spi.lpWSPSelect(0, &set, NULL, NULL, NULL, &error);

            if (child_of_apc == 0) {
                IN_CHILD(result == SOCKET_ERROR && error == WSAENOTSOCK);
                _exit(0);
            }
            CHECK_EQ_I64(result, 1);
        }
        struct outcome outcome = receive(the_socket, room, sizeof room);
        if (child_of_apc == 0) {
            IN_CHILD(outcome.result == SOCKET_ERROR && outcome.error == WSAENOTSOCK);
            IN_CHILD(spi.lpWSPCancelBlockingCall(&error) == SOCKET_ERROR && error == WSAEINVAL);
            _exit(0);
        }
        CHECK_TEXT(outcome, room, "parent's");
        check_child(child_of_apc);
        CHECK_EQ_U64(sleepers_of(the_socket), 0);
    }
}

SUITE_TEST(fork, other_programs_can_be_started)
{
    static struct runner blocked;
    char *arguments[] = {"sh", "-c", "exit 0", NULL};
    SOCKET s = open_socket(PORT);
    pid_t child;

    run_blocked(&blocked, s);
    CHECK_EQ_I64(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, NULL), 0);
    check_child(child);
    child = fork_limited();
    if (child == 0) {
        execv("/bin/sh", arguments);
        _exit(127);
    }
    check_child(child);
    child = vfork();
    if (child == 0) {
        execv("/bin/sh", arguments);
        _exit(127);
    }
    check_child(child);
    arrive_text(PORT, "meanwhile");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "meanwhile");
}
