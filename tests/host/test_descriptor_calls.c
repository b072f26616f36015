/* SPDX-License-Identifier: BSD-3-Clause */

/* The system calls that an event's descriptor costs: how many, on which thread, and what may happen
 * around them. */

#include "support/suite.h"

#include "helpers.h"

#include "descriptor_helpers.h"
#include "provider/host/event.h"
#include "wirerx/wirerx.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

/* --- threads that count their system calls ---------------------------------------------------- */

static struct counting {
    struct wake_sink sink;
    unsigned budget;
    unsigned asked;
    void (*when_asked)(void); /* once; what another thread might do between look and call */
    struct wake_errand *errand;
    unsigned handed_over;
} counting;

static bool may_call(struct wake_sink *sink)
{
    void (*when_asked)(void) = counting.when_asked;

    CHECK_EQ_PTR(sink, &counting.sink);
    counting.asked++;
    counting.when_asked = NULL;
    if (when_asked)
        when_asked();
    if (counting.budget == 0)
        return false;
    counting.budget--;
    return true;
}

static void hand_over(struct wake_sink *sink, struct wake_errand *errand)
{
    CHECK_EQ_PTR(sink, &counting.sink);
    CHECK_EQ_PTR(counting.errand, NULL); /* once at a time */
    counting.errand = errand;
    counting.handed_over++;
}

static void count_calls(unsigned budget)
{
    struct wake_sink sink = {.may_call = may_call, .hand_over = hand_over};

    counting = (struct counting){.sink = sink, .budget = budget};
    wake_sink = &counting.sink;
}

/* What the service thread does. */
static void run_errand(void)
{
    struct wake_errand *errand = counting.errand;

    CHECK_NE_PTR(errand, NULL);
    wake_sink = NULL;
    counting.errand = NULL;
    errand->run(errand);
}

SUITE_TEST(descriptor_calls, are_none_while_nobody_has_asked)
{
    HANDLE event = WSACreateEvent(), automatic = CreateEventW(NULL, FALSE, FALSE, NULL);

    count_calls(100);
    for (int i = 0; i < 3; i++) {
        CHECK(SetEvent(event));
        CHECK(ResetEvent(event));
        CHECK(SetEvent(automatic));
        CHECK_EQ_U64(WaitForSingleObject(automatic, 0), WAIT_OBJECT_0);
    }
    CHECK_EQ_U64(counting.asked, 0);
    wake_sink = NULL;
}

SUITE_TEST(descriptor_calls, are_one_for_each_change_and_none_for_what_changes_nothing)
{
    HANDLE event = WSACreateEvent();

    CHECK(wirerx_event_descriptor(event) >= 0);
    count_calls(100);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(SetEvent(event));
        CHECK(SetEvent(event));
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        CHECK_EQ_U64(counting.asked, 2 * i + 1);
        CHECK(ResetEvent(event));
        CHECK(ResetEvent(event));
        CHECK_EQ_U64(counting.asked, 2 * i + 2);
    }
    wake_sink = NULL;
}

SUITE_TEST(descriptor_calls, beyond_the_budget_are_left_to_another_thread)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);

    count_calls(0);
    CHECK(SetEvent(event));
    CHECK_EQ_U64(counting.handed_over, 1);
    CHECK(!is_readable(descriptor));
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0); /* the event does not wait for it */
    CHECK(ResetEvent(event));
    CHECK(SetEvent(event)); /* whatever happens meanwhile, one errand is enough */
    CHECK_EQ_U64(counting.handed_over, 1);
    CHECK(!is_readable(descriptor));
    run_errand();
    CHECK(is_readable(descriptor));
    count_calls(0);
    CHECK(ResetEvent(event));
    CHECK(is_readable(descriptor));
    run_errand(); /* it can be used again */
    CHECK(!is_readable(descriptor));
    CHECK(CloseHandle(event));
    CHECK(!is_open(descriptor)); /* all have left */
}

/* Others do not wait for the errand. */
SUITE_TEST(descriptor_calls, that_are_late_are_overtaken_by_threads_that_do_not_count)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);

    count_calls(0);
    CHECK(SetEvent(event));
    wake_sink = NULL;
    CHECK(ResetEvent(event));
    CHECK(!is_readable(descriptor));
    CHECK(SetEvent(event));
    CHECK(is_readable(descriptor));
    CHECK(ResetEvent(event));
    run_errand();
    CHECK(!is_readable(descriptor));
}

/*
 * A write that comes too late, by a thread that has lost its core right after it: whoever is woken
 * finds nothing, and must not be woken by it again.
 */
static HANDLE asked_event;

static void find_nothing(void)
{
    struct wake_sink *mine = wake_sink;
    struct pollfd polled = {.fd = wirerx_event_descriptor(asked_event), .events = POLLIN};
    uint64_t one = 1;

    wake_sink = NULL; /* this is another thread */
    CHECK_EQ_U64(event_take(asked_event), EVENT_SIGNALLED);
    CHECK_EQ_I64(write(polled.fd, &one, sizeof(one)), sizeof(one)); /* as the late one does */
    CHECK_EQ_I64(poll(&polled, 1, 0), 1);
    CHECK_EQ_U64(event_take(asked_event), EVENT_CLEAR);
    CHECK_EQ_I64(poll(&polled, 1, 0), 0);
    CHECK_EQ_I64(write(polled.fd, &one, sizeof(one)), sizeof(one));
    CHECK(event_reset(asked_event));
    CHECK_EQ_I64(poll(&polled, 1, 0), 0);
    wake_sink = mine;
}

SUITE_TEST(descriptor_calls, that_come_too_late_end_one_wait_for_nothing_and_no_second)
{
    asked_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    CHECK(wirerx_event_descriptor(asked_event) >= 0);
    count_calls(100);
    counting.when_asked = find_nothing;
    CHECK(SetEvent(asked_event));
    wake_sink = NULL;
    CHECK(!is_readable(wirerx_event_descriptor(asked_event)));
}

SUITE_TEST(descriptor_calls, that_are_late_show_a_signal_that_is_gone_to_nobody)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int descriptor = wirerx_event_descriptor(event);
    int watch = watch_descriptor(descriptor, EPOLLIN | EPOLLET);

    count_calls(0);
    CHECK(SetEvent(event));
    wake_sink = NULL;
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    run_errand();
    CHECK(!is_readable(descriptor));
    CHECK(!watch_ends(watch, 0));
    close(watch);
}

/*
 * A thread that waits for edges looks between two signals and finds the first one taken by somebody
 * else, whose read has not come yet. The second signal must be an edge although the descriptor has
 * been readable all along.
 */
SUITE_TEST(descriptor_calls, that_are_late_give_an_edge_for_a_second_signal)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int descriptor = wirerx_event_descriptor(event);
    int watch = watch_descriptor(descriptor, EPOLLIN | EPOLLET);

    CHECK(SetEvent(event));
    CHECK(watch_ends(watch, 0));
    count_calls(0); /* stands for a taker that has lost its core */
    CHECK_EQ_U64(event_take(event), EVENT_SIGNALLED);
    CHECK_EQ_U64(counting.handed_over, 1);
    wake_sink = NULL;
    CHECK_EQ_U64(event_take(event), EVENT_CLEAR);
    CHECK(!watch_ends(watch, 0));
    CHECK(SetEvent(event));
    run_errand();
    CHECK(watch_ends(watch, 0));
    close(watch);
}

SUITE_TEST(descriptor, under_way_hold_a_close_of_the_descriptor_up)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);

    count_calls(0);
    CHECK(SetEvent(event));
    wake_sink = NULL;
    CHECK(CloseHandle(event));
    CHECK(
        is_open(descriptor)); /* the errand is under way, and the number must not be another file */
    CHECK_EQ_I64(wirerx_event_descriptor(event), -1);
    CHECK(!SetEvent(event));
    HANDLE next = WSACreateEvent();

    CHECK(((uintptr_t)event ^ (uintptr_t)next) >> 2 & 0xfffff); /* nor the slot another event */
    run_errand();
    CHECK(!is_open(descriptor));
    next = WSACreateEvent();
    CHECK_EQ_U64(((uintptr_t)event ^ (uintptr_t)next) >> 2 & 0xfffff, 0);
    CHECK(!is_readable(wirerx_event_descriptor(next)));
}

static void close_it(void)
{
    CHECK(event_close(asked_event));
}

SUITE_TEST(descriptor_calls, of_a_thread_that_counts_are_never_the_closing)
{
    asked_event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(asked_event);

    count_calls(100);
    counting.when_asked = close_it;
    CHECK(SetEvent(asked_event));
    CHECK_EQ_U64(counting.handed_over, 1);
    CHECK(is_open(descriptor));
    run_errand();
    CHECK(!is_open(descriptor));
    CHECK_EQ_I64(wirerx_event_descriptor(asked_event), -1);
}

/* --- between look and call -------------------------------------------------------------------- */

/*
 * The write by which a set shows the signal is caught on its way into the kernel, and things happen
 * that another thread might have done just then; after them the write is made, too late.
 */
static void (*before_the_write)(void);

static void catch_write(int number, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    uint64_t one = 1;
    struct iovec buffer = {.iov_base = &one, .iov_len = sizeof(one)};

    (void)number;
    CHECK_EQ_I64(info->si_syscall, SYS_write);
    before_the_write();
    ssize_t written =
        writev((int)interrupted->uc_mcontext.gregs[REG_RDI], &buffer, 1); /* not caught */

    CHECK_EQ_I64(written, sizeof(one));
    interrupted->uc_mcontext.gregs[REG_RAX] = written;
}

static void catch_writes_to(int descriptor)
{
    struct sigaction action = {.sa_sigaction = catch_write, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)descriptor, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

    CHECK_EQ_I64(sigaction(SIGSYS, &action, NULL), 0);
    CHECK_EQ_I64(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ_I64(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void take_it(void)
{
    CHECK_EQ_U64(event_take(asked_event), EVENT_SIGNALLED);
}

SUITE_TEST(descriptor_calls, that_show_a_signal_which_is_gone_are_mended_by_their_thread)
{
    asked_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int descriptor = wirerx_event_descriptor(asked_event);

    catch_writes_to(descriptor);
    before_the_write = take_it;
    CHECK(SetEvent(asked_event));
    CHECK_EQ_U64(event_look(asked_event), EVENT_CLEAR);
    CHECK(!is_readable(descriptor));
}

SUITE_TEST(descriptor_calls, that_begin_before_the_close_find_the_descriptor_open)
{
    asked_event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(asked_event);

    catch_writes_to(descriptor);
    before_the_write = close_it; /* were it closed now, the write could go to another file */
    CHECK(SetEvent(asked_event));
    CHECK(!is_open(descriptor));
    CHECK_EQ_I64(wirerx_event_descriptor(asked_event), -1);
}

/* --- more threads at a descriptor than are counted -------------------------------------------- */

static unsigned changes;

/* Each change is made while all those before it have not made their call yet. */
static void change_again(void)
{
    if (--changes == 0)
        return;
    counting.when_asked = change_again;
    CHECK(event_look(asked_event) == EVENT_SIGNALLED ? event_reset(asked_event)
                                                     : event_set(asked_event));
}

static void crowd(unsigned count, bool ends_signalled)
{
    int descriptor = wirerx_event_descriptor(asked_event);
    bool begins_signalled = ends_signalled == (count % 2 == 0);

    CHECK(begins_signalled ? event_set(asked_event) : event_reset(asked_event));
    changes = count + 1;
    count_calls(0xffffffffu);
    change_again();
    wake_sink = NULL;
    CHECK_EQ_U64(event_look(asked_event) == EVENT_SIGNALLED, ends_signalled);
    CHECK_EQ_U64(is_readable(descriptor), ends_signalled);
}

SUITE_TEST(descriptor_calls, may_be_those_of_more_threads_than_are_counted)
{
    asked_event = WSACreateEvent();
    for (unsigned count = EVENT_MAX_USERS - 1; count <= EVENT_MAX_USERS + 1; count++) {
        crowd(count, false);
        CHECK_GE_U64(counting.asked, EVENT_MAX_USERS - 1);
        crowd(count, true);
    }
    CHECK(CloseHandle(asked_event)); /* nobody was forgotten */
    HANDLE next = WSACreateEvent();

    CHECK_EQ_U64(((uintptr_t)asked_event ^ (uintptr_t)next) >> 2 & 0xfffff, 0);
}
