/* SPDX-License-Identifier: BSD-3-Clause */

/* Events as file descriptors: what shows, to whom, and for how long. */

#include "support/suite.h"

#include "helpers.h"

#include "descriptor_helpers.h"
#include "provider/host/event.h"
#include "wirerx/wirerx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- what shows ------------------------------------------------------------------------------- */

SUITE_TEST(descriptor, shows_a_manual_reset_event)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);

    CHECK(!is_readable(descriptor));
    for (int round = 0; round < 3; round++) {
        CHECK(WSASetEvent(event));
        CHECK(is_readable(descriptor));
        CHECK(WSASetEvent(event));
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0); /* which leaves it signalled */
        CHECK(is_readable(descriptor));
        CHECK(WSAResetEvent(event));
        CHECK(!is_readable(descriptor));
        CHECK(WSAResetEvent(event));
        CHECK(!is_readable(descriptor));
    }
}

SUITE_TEST(descriptor, shows_an_auto_reset_event_until_a_wait_has_taken_it)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int descriptor = wirerx_event_descriptor(event);

    for (int round = 0; round < 3; round++) {
        CHECK(SetEvent(event));
        CHECK(SetEvent(event));
        CHECK(is_readable(descriptor));
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        CHECK(!is_readable(descriptor));
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        CHECK(!is_readable(descriptor));
    }
}

SUITE_TEST(descriptor, shows_from_the_first_what_the_event_was)
{
    HANDLE events[2] = {CreateEventW(NULL, TRUE, TRUE, NULL),
                        CreateEventW(NULL, FALSE, TRUE, NULL)};

    for (int i = 0; i < 2; i++) {
        CHECK(is_readable(wirerx_event_descriptor(events[i])));
        CHECK(ResetEvent(events[i]));
        CHECK(!is_readable(wirerx_event_descriptor(events[i])));
    }
}

SUITE_TEST(descriptor, shows_what_a_wait_for_several_has_taken)
{
    WSAEVENT events[3] = {CreateEventW(NULL, FALSE, TRUE, NULL), WSACreateEvent(),
                          CreateEventW(NULL, FALSE, TRUE, NULL)};
    int descriptors[3];

    for (int i = 0; i < 3; i++)
        descriptors[i] = wirerx_event_descriptor(events[i]);
    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, TRUE, 0, FALSE), WSA_WAIT_TIMEOUT);
    CHECK(is_readable(descriptors[0]));
    CHECK(is_readable(descriptors[2]));
    CHECK(WSASetEvent(events[1]));
    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, TRUE, 0, FALSE), WSA_WAIT_EVENT_0);
    CHECK(!is_readable(descriptors[0]));
    CHECK(is_readable(descriptors[1])); /* manual-reset */
    CHECK(!is_readable(descriptors[2]));
    CHECK(WSASetEvent(events[0]));
    CHECK(WSASetEvent(events[2]));
    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, FALSE, 0, FALSE), WSA_WAIT_EVENT_0);
    CHECK(!is_readable(descriptors[0]));
    CHECK(is_readable(descriptors[2]));
}

SUITE_TEST(descriptor, shows_a_claimed_event_and_one_that_was_given_up)
{
    HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL);
    int descriptor = wirerx_event_descriptor(event);

    CHECK_EQ_U64(event_claim(event), EVENT_SIGNALLED);
    CHECK(is_readable(descriptor));
    event_settle(event, false);
    CHECK(is_readable(descriptor));
    CHECK_EQ_U64(event_claim(event), EVENT_SIGNALLED);
    CHECK(SetEvent(event)); /* merges with the claimed signal */
    event_settle(event, true);
    CHECK(!is_readable(descriptor));
}

/* --- asking ----------------------------------------------------------------------------------- */

SUITE_TEST(descriptor, is_the_same_for_everybody_who_asks)
{
    HANDLE event = WSACreateEvent(), other = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);

    CHECK(descriptor >= 0);
    CHECK_EQ_I64(wirerx_event_descriptor(event), descriptor);
    CHECK_EQ_I64(wirerx_event_descriptor((HANDLE)((uintptr_t)event | 3)), descriptor); // D14
    CHECK(wirerx_event_descriptor(other) != descriptor);
    CHECK(SetEvent(other));
    CHECK(!is_readable(descriptor));
}

static void check_refused(HANDLE handle)
{
    WSASetLastError(0);
    CHECK_EQ_I64(wirerx_event_descriptor(handle), -1);
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_HANDLE);
}

SUITE_TEST(descriptor, of_what_is_no_event_is_refused)
{
    WSATHREADID id;
    HANDLE event = WSACreateEvent();
    HANDLE closed = WSACreateEvent();

    CHECK(host_current_thread(&id));
    CHECK(WSACloseEvent(closed));
    check_refused(NULL);
    check_refused(INVALID_HANDLE_VALUE);
    check_refused(id.ThreadHandle);
    check_refused((HANDLE)((uintptr_t)event + ((uintptr_t)2 << 22)));
    check_refused(closed);
    WSASetLastError(5);
    CHECK(wirerx_event_descriptor(event) >= 0);
    CHECK_EQ_I64(WSAGetLastError(), 0); // A02
}

SUITE_TEST(descriptor, leaves_errno_alone)
{
    HANDLE event = WSACreateEvent();

    errno = 77;
    wirerx_event_descriptor(event);
    SetEvent(event);
    ResetEvent(event); /* its last read would leave EAGAIN, had it nothing to read */
    CloseHandle(event);
    CHECK_EQ_I64(errno, 77);
}

/* --- waiting in the four ways ----------------------------------------------------------------- */

static void set_after_a_while(struct runner *self)
{
    Sleep(20);
    CHECK(SetEvent(self->argument));
}

SUITE_TEST(descriptor, ends_a_select)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);
    struct runner setter = {.thread = 0};

    run(&setter, set_after_a_while, event);
    CHECK(select_ends(descriptor, 10000));
    CHECK(ResetEvent(event));
    CHECK(!select_ends(descriptor, 0));
    finish(&setter);
}

SUITE_TEST(descriptor, ends_a_poll)
{
    HANDLE event = WSACreateEvent();
    struct pollfd polled = {.fd = wirerx_event_descriptor(event), .events = POLLIN};
    struct runner setter = {.thread = 0};

    run(&setter, set_after_a_while, event);
    CHECK_EQ_I64(poll(&polled, 1, 10000), 1);
    CHECK_EQ_I64(polled.revents, POLLIN);
    finish(&setter);
}

SUITE_TEST(descriptor, ends_an_epoll_wait_as_long_as_the_event_is_signalled)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int watch = watch_descriptor(wirerx_event_descriptor(event), EPOLLIN);
    struct runner setter = {.thread = 0};

    run(&setter, set_after_a_while, event);
    CHECK(watch_ends(watch, 10000));
    CHECK(watch_ends(watch, 0)); /* level-triggered: nobody has looked */
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK(!watch_ends(watch, 0));
    finish(&setter);
    close(watch);
}

/* Each time that it becomes signalled is an edge, whether or not the one before was looked at. */
SUITE_TEST(descriptor, gives_an_edge_for_each_time_the_event_becomes_signalled)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    int watch = watch_descriptor(wirerx_event_descriptor(event), EPOLLIN | EPOLLET);

    CHECK(!watch_ends(watch, 0));
    for (int round = 0; round < 3; round++) {
        CHECK(SetEvent(event));
        CHECK(watch_ends(watch, 0));
        CHECK(!watch_ends(watch, 0));
        CHECK(SetEvent(event)); /* it is signalled already */
        CHECK(!watch_ends(watch, 0));
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        CHECK(!watch_ends(watch, 0));
    }
    close(watch);
}

/* io_uring without its library: a submission queue, one IORING_OP_POLL_ADD, a completion. */
struct ring {
    int descriptor;
    uint8_t *submissions, *completions;
    struct io_uring_sqe *entries;
    struct io_uring_params parameters;
};

static void *map_ring(const struct ring *ring, size_t length, off_t what)
{
    void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, ring->descriptor, what);

    CHECK(at != MAP_FAILED);
    return at;
}

static void open_ring(struct ring *ring)
{
    const struct io_uring_params *parameters = &ring->parameters;

    ring->descriptor = (int)syscall(SYS_io_uring_setup, 4, &ring->parameters);
    if (ring->descriptor < 0)
        SKIP("no io_uring here: %s", strerror(errno));
    ring->submissions =
        map_ring(ring, parameters->sq_off.array + 4 * sizeof(uint32_t), IORING_OFF_SQ_RING);
    ring->completions = map_ring(ring, parameters->cq_off.cqes + 8 * sizeof(struct io_uring_cqe),
                                 IORING_OFF_CQ_RING);
    ring->entries = map_ring(ring, 4 * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

static void ring_poll(struct ring *ring, int descriptor)
{
    uint32_t *tail = (uint32_t *)(void *)(ring->submissions + ring->parameters.sq_off.tail);
    uint32_t *order = (uint32_t *)(void *)(ring->submissions + ring->parameters.sq_off.array);
    uint32_t at = *tail & 3;

    ring->entries[at] = (struct io_uring_sqe){
        .opcode = IORING_OP_POLL_ADD, .fd = descriptor, .poll32_events = POLLIN};
    order[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    CHECK_EQ_I64(syscall(SYS_io_uring_enter, ring->descriptor, 1, 0, 0, NULL, 0), 1);
}

static unsigned ring_completions(const struct ring *ring)
{
    const uint32_t *tail =
        (const uint32_t *)(const void *)(ring->completions + ring->parameters.cq_off.tail);

    return __atomic_load_n(tail, __ATOMIC_ACQUIRE);
}

SUITE_TEST(descriptor, ends_a_poll_of_io_uring)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);
    struct ring ring = {.descriptor = -1};
    struct runner setter = {.thread = 0};

    open_ring(&ring);
    ring_poll(&ring, descriptor);
    CHECK_EQ_U64(ring_completions(&ring), 0);
    run(&setter, set_after_a_while, event);
    CHECK_EQ_I64(
        syscall(SYS_io_uring_enter, ring.descriptor, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0), 0);
    CHECK_EQ_U64(ring_completions(&ring), 1);
    const struct io_uring_cqe *completion =
        (const void *)(ring.completions + ring.parameters.cq_off.cqes);
    CHECK_EQ_I64(completion->res, POLLIN);
    finish(&setter);
}

/* --- closing ---------------------------------------------------------------------------------- */

SUITE_TEST(descriptor, is_closed_with_its_event)
{
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);
    int watch = watch_descriptor(descriptor, EPOLLIN);

    CHECK(SetEvent(event));
    CHECK(CloseHandle(event));
    CHECK(!is_open(descriptor));
    CHECK(!watch_ends(watch, 0)); /* epoll has forgotten it */
    check_refused(event);
    close(watch);
}

SUITE_TEST(descriptor, is_not_inherited_by_the_slots_next_event)
{
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL);
    int descriptor = wirerx_event_descriptor(event);

    CHECK(CloseHandle(event));
    HANDLE next = WSACreateEvent();

    CHECK_EQ_U64(((uintptr_t)event ^ (uintptr_t)next) >> 2 & 0xfffff, 0); /* the same slot */
    int stranger = dup(STDIN_FILENO);

    CHECK_EQ_I64(stranger, descriptor); /* the same number, now a file of the client */
    CHECK(SetEvent(next));
    CHECK(ResetEvent(next));
    CHECK(!SetEvent(event));
    int another = wirerx_event_descriptor(next);

    CHECK(another >= 0 && another != stranger);
    CHECK(!is_readable(another));
    check_refused(event);
    CHECK(CloseHandle(next));
    CHECK(is_open(stranger));
    close(stranger);
}

SUITE_TEST(descriptor, is_none_of_those_that_leak)
{
    int first = dup(STDIN_FILENO);

    for (int i = 0; i < 3000; i++) { /* more than a process may have open */
        HANDLE event = WSACreateEvent();

        CHECK(wirerx_event_descriptor(event) >= 0);
        CHECK(i % 2 == 0 || SetEvent(event));
        CHECK(CloseHandle(event));
    }
    int last = dup(STDIN_FILENO);

    CHECK_EQ_I64(last, first + 1);
    close(first);
    close(last);
}

/* --- no more files ---------------------------------------------------------------------------- */

static void allow_files(rlim_t count)
{
    struct rlimit limit;

    CHECK_EQ_I64(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    CHECK_EQ_I64(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

SUITE_TEST(descriptor, that_the_process_may_not_have_is_refused_and_changes_nothing)
{
    HANDLE has_one = WSACreateEvent(), has_none = CreateEventW(NULL, FALSE, TRUE, NULL);
    int descriptor = wirerx_event_descriptor(has_one);
    struct rlimit before;

    CHECK_EQ_I64(getrlimit(RLIMIT_NOFILE, &before), 0);
    allow_files((rlim_t)descriptor + 1);
    errno = 77;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_I64(wirerx_event_descriptor(has_none), -1);
        CHECK_EQ_I64(WSAGetLastError(), WSAEMFILE);
    }
    CHECK_EQ_I64(errno, 77);
    CHECK_EQ_I64(wirerx_event_descriptor(has_one), descriptor);
    CHECK_EQ_U64(WaitForSingleObject(has_none, 0), WAIT_OBJECT_0);
    CHECK(SetEvent(has_none));
    allow_files(before.rlim_cur);
    CHECK(is_readable(wirerx_event_descriptor(has_none)));
    allow_files((rlim_t)descriptor + 1);
    HANDLE refused = WSACreateEvent();

    CHECK_EQ_I64(wirerx_event_descriptor(refused), -1);
    CHECK(CloseHandle(refused));
    CHECK(CloseHandle(has_none));
    CHECK(CloseHandle(has_one));
}

/* --- other processes -------------------------------------------------------------------------- */

SUITE_TEST(descriptor, is_closed_by_exec)
{
    int flags = fcntl(wirerx_event_descriptor(WSACreateEvent()), F_GETFD);

    CHECK(flags >= 0);
    CHECK(flags & FD_CLOEXEC);
}

/* In the child: 0, or the number of the line that does not hold. */
#define HOLDS(condition)            \
    do {                            \
        if (!(condition))           \
            _exit(__LINE__ & 0xff); \
    } while (0)

static void be_the_child(HANDLE event, HANDLE signalled, int descriptor)
{
    HOLDS(event_look(event) == EVENT_CLEAR);
    HOLDS(SetEvent(event));
    HOLDS(!is_readable(descriptor)); /* the parent's event is not */
    HOLDS(ResetEvent(signalled));
    int own = wirerx_event_descriptor(event);

    HOLDS(own >= 0 && own != descriptor);
    HOLDS(is_readable(own));
    HOLDS(ResetEvent(event));
    HOLDS(!is_readable(own));
    HOLDS(CloseHandle(event));
    HOLDS(!is_open(own));
    HOLDS(is_open(descriptor)); /* the child's to close */
    HOLDS(CloseHandle(signalled));
    _exit(0);
}

SUITE_TEST(descriptor, of_the_parent_is_not_touched_by_the_child_of_a_fork)
{
    HANDLE event = WSACreateEvent(), signalled = CreateEventW(NULL, FALSE, TRUE, NULL);
    int descriptor = wirerx_event_descriptor(event);
    int other = wirerx_event_descriptor(signalled);
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        be_the_child(event, signalled, descriptor);
    CHECK_EQ_I64(waitpid(child, &status, 0), child);
    CHECK_EQ_I64(status, 0);
    CHECK(!is_readable(descriptor));
    CHECK(is_readable(other));
    CHECK_EQ_I64(wirerx_event_descriptor(event), descriptor);
    CHECK(SetEvent(event));
    CHECK(is_readable(descriptor));
    CHECK_EQ_U64(WaitForSingleObject(signalled, 0), WAIT_OBJECT_0);
    CHECK(!is_readable(other));
}
