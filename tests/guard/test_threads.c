/* SPDX-License-Identifier: BSD-3-Clause */

/* Client memory that comes and goes while lcores copy. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * One page to write and one to read, mapped and unmapped at an address where mmap() puts nothing of
 * its own accord, so that a hole is not filled by somebody else's memory. A second mapping that
 * stays shows what has arrived.
 */
#define WHERE ((char *)0x10000000)
#define WRITERS 4
#define READERS 4
#define SLICE (PAGE / WRITERS)
#define ROUNDS 20000
#define OUTCOMES 2000 /* at least so many of either kind */

static int file;
static char *view;
static atomic_uint working;
static atomic_uint copied;
static atomic_uint refused;

/* Raw, because TSan takes mmap() for a write to the range, and this one is meant to collide. */
static void map_at(int protection, int flags, int descriptor)
{
    long at = syscall(SYS_mmap, WHERE, 2 * PAGE, protection, flags | MAP_FIXED, descriptor, 0L);
    CHECK_EQ_I64(at, (intptr_t)WHERE);
}

static void map_and_unmap(void)
{
    for (unsigned i = 0; atomic_load(&working) > 0; i++) {
        map_at(PROT_READ | PROT_WRITE, MAP_SHARED, file);
        for (unsigned pause = i % 7; pause > 0; pause--)
            sched_yield();
        switch (i % 3) {
        case 0:
            CHECK(syscall(SYS_munmap, WHERE, 2 * PAGE) == 0);
            break;
        case 1:
            map_at(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
            break;
        default:
            CHECK(syscall(SYS_mprotect, WHERE, PAGE, PROT_READ) == 0);
            break;
        }
    }
}

static bool goes_on(unsigned round)
{
    return round < ROUNDS || atomic_load(&copied) < OUTCOMES || atomic_load(&refused) < OUTCOMES;
}

static void *write_slice(void *argument)
{
    unsigned slice = (unsigned)(uintptr_t)argument;
    char message[SLICE];

    for (unsigned i = 0; goes_on(i); i++) {
        size_t length = 1 + i % SLICE;
        fill(message, length, i + slice);
        bool done = guard_copy_to(WHERE + slice * SLICE, message, length);
        atomic_fetch_add(done ? &copied : &refused, 1);
        if (done)
            CHECK_EQ_MEM(view + slice * SLICE, message, length);
    }
    atomic_fetch_sub(&working, 1);
    return NULL;
}

static void *read_page(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    char message[PAGE];

    for (unsigned i = 0; goes_on(i); i++) {
        size_t at = (i * 13 + seed) % PAGE;
        bool done = guard_copy_from(message, WHERE + PAGE + at, PAGE - at);
        atomic_fetch_add(done ? &copied : &refused, 1);
        if (done)
            CHECK_EQ_MEM(message, view + PAGE + at, PAGE - at);
    }
    atomic_fetch_sub(&working, 1);
    return NULL;
}

static void copy_while_mapping_changes(void)
{
    pthread_t threads[WRITERS + READERS];

    file = memfd_create("guard", MFD_CLOEXEC);
    CHECK(file >= 0 && ftruncate(file, 2 * (off_t)PAGE) == 0);
    view = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(view != MAP_FAILED);
    fill(view + PAGE, PAGE, 5);
    CHECK(mmap(WHERE, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
               0) == WHERE);

    atomic_store(&working, WRITERS + READERS);
    for (uintptr_t i = 0; i < WRITERS + READERS; i++)
        CHECK(pthread_create(&threads[i], NULL, i < WRITERS ? write_slice : read_page, (void *)i) ==
              0);
    map_and_unmap();
    for (unsigned i = 0; i < WRITERS + READERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(munmap(WHERE, 2 * PAGE) == 0);
}

SUITE_TEST(guard_threads, copy_to_memory_that_another_thread_unmaps, .timeout = 60) /* A09 */
{
    CHECK(guard_install() == 0);
    copy_while_mapping_changes();
    guard_remove();
}

SUITE_TEST(guard_threads, copy_by_system_call_to_memory_that_another_thread_unmaps,
           .timeout = 60) /* A09 */
{
    CHECK(guard_install() == 0);
    lose_guard();
    copy_while_mapping_changes();
    find_guard();
    guard_remove();
}

static atomic_bool stop;

static void *look_for_handlers(void *unused)
{
    while (!atomic_load(&stop))
        guard_check();
    return unused;
}

static void *copy_to_hole(void *hole)
{
    char byte = 1;
    for (unsigned i = 0; i < 3000; i++)
        CHECK(!guard_copy_to(hole, &byte, 1));
    return NULL;
}

SUITE_TEST(guard_threads, copy_while_the_service_thread_looks, .timeout = 60)
{
    char *island = map_island(1);
    pthread_t looker;
    pthread_t copiers[3];
    CHECK(guard_install() == 0);
    CHECK(pthread_create(&looker, NULL, look_for_handlers, NULL) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&copiers[i], NULL, copy_to_hole, island + PAGE) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(copiers[i], NULL) == 0);
    atomic_store(&stop, true);
    CHECK(pthread_join(looker, NULL) == 0);
    guard_remove();
    unmap_island(island, 1);
}
