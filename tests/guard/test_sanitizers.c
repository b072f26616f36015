/* SPDX-License-Identifier: BSD-3-Clause */

/* A sanitized build sees through the assembly of the guarded copy. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"
#include "provider/guard_sanitize.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#if GUARD_ASAN

#define ROOM ((size_t)100)

static char *theirs;
static char *ours;

static void open_buffers(void)
{
    theirs = malloc(ROOM);
    ours = malloc(ROOM);
    CHECK(theirs && ours && guard_install() == 0);
    fill(theirs, ROOM, 1);
    fill(ours, ROOM, 2);
}

static void close_buffers(void)
{
    guard_remove();
    free(theirs);
    free(ours);
}

SUITE_FIXTURE(guard_sanitizers, open_buffers, close_buffers);

static void overflow_their_buffer(void)
{
    guard_copy_to(theirs + 1, ours, ROOM);
}

static void overread_their_buffer(void)
{
    guard_copy_from(ours, theirs + 1, ROOM);
}

static void overread_our_buffer(void)
{
    guard_copy_to(theirs, ours + 1, ROOM);
}

static void overflow_our_buffer(void)
{
    guard_copy_from(ours + 1, theirs, ROOM);
}

static void store_behind_their_buffer(void)
{
    guard_store64(theirs + ROOM - 4, 1);
}

static void write_to_freed_buffer(void)
{
    char *volatile buffer = theirs; /* gcc warns of what is meant here */
    free(theirs);
    guard_copy_to(buffer, ours, 1);
}

static void check_report(void (*body)(void), const char *report)
{
    struct ending ending;
    run_child(body, &ending);
    CHECK_MSG(ending.status != 0 && strstr(ending.said, report), "wanted %s, status %#x: %s",
              report, ending.status, ending.said);
}

SUITE_TEST(guard_sanitizers, asan_sees_copies_beyond_either_buffer)
{
    check_report(overflow_their_buffer, "heap-buffer-overflow");
    check_report(overread_their_buffer, "heap-buffer-overflow");
    check_report(overread_our_buffer, "heap-buffer-overflow");
    check_report(overflow_our_buffer, "heap-buffer-overflow");
    check_report(store_behind_their_buffer, "heap-buffer-overflow");
}

SUITE_TEST(guard_sanitizers, asan_sees_copies_to_a_freed_buffer)
{
    check_report(write_to_freed_buffer, "heap-use-after-free");
}

SUITE_TEST(guard_sanitizers, asan_allows_what_is_allowed)
{
    CHECK(guard_copy_to(theirs, ours, ROOM));
    CHECK(guard_copy_from(ours, theirs, ROOM));
    CHECK(!guard_copy_to((void *)0x4141414141414141, ours, ROOM));
}

#elif GUARD_TSAN

static char message[256];
static char theirs[256];
static uint64_t flag;

/* The client's thread: wait until the flag is set, then look at the message. */
static void *poll_guarded(void *seen)
{
    uint64_t value = 0;
    while (value == 0)
        guard_load64_acquire(&flag, &value);
    *(char *)seen = theirs[200];
    return NULL;
}

static void *poll_plainly(void *seen)
{
    while (__atomic_load_n(&flag, __ATOMIC_ACQUIRE) == 0)
        ;
    *(char *)seen = theirs[200];
    return NULL;
}

static void *do_not_poll(void *seen)
{
    *(char *)seen = theirs[200];
    return NULL;
}

static void *write_at_the_same_time(void *unused)
{
    theirs[200] = 3;
    return unused;
}

static void run_against(void *(*client)(void *), bool (*publish)(void *, uint64_t))
{
    pthread_t thread;
    char seen = 0;
    CHILD_CHECK(guard_install() == 0);
    CHILD_CHECK(pthread_create(&thread, NULL, client, &seen) == 0);
    CHILD_CHECK(guard_copy_to(theirs, message, sizeof(theirs)));
    CHILD_CHECK(guard_store32(theirs + 204, 7));
    CHILD_CHECK(publish(&flag, 1));
    CHILD_CHECK(pthread_join(thread, NULL) == 0);
}

static void publish_to_guarded(void)
{
    run_against(poll_guarded, guard_store64_release);
}

static void publish_to_plain(void)
{
    run_against(poll_plainly, guard_store64_release);
}

static void publish_without_release(void)
{
    run_against(poll_guarded, guard_store64);
}

static void read_without_acquire(void)
{
    run_against(do_not_poll, guard_store64_release);
}

static void write_without_any(void)
{
    run_against(write_at_the_same_time, guard_store64_release);
}

static void publish_through_kernel(void)
{
    CHILD_CHECK(guard_install() == 0);
    lose_guard();
    publish_to_plain();
}

/* gcc's TSan misses a race now and then, when the two accesses are close in time. */
static void check_race(void (*body)(void))
{
    struct ending ending = {0};
    for (int attempt = 0; attempt < 20; attempt++) {
        run_child(body, &ending);
        if (ending.status != 0 && strstr(ending.said, "data race"))
            return;
    }
    FAIL("no race was reported; status %#x: %s", ending.status, ending.said);
}

SUITE_TEST(guard_sanitizers, tsan_sees_the_publication)
{
    CHECK_CHILD_SUCCEEDS(publish_to_guarded);
    CHECK_CHILD_SUCCEEDS(publish_to_plain);
    CHECK_CHILD_SUCCEEDS(publish_through_kernel);
}

SUITE_TEST(guard_sanitizers, tsan_sees_races_on_client_memory)
{
    check_race(publish_without_release);
    check_race(read_without_acquire);
    check_race(write_without_any);
}

#endif
