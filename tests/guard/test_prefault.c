/* SPDX-License-Identifier: BSD-3-Clause */

/* What is known about a buffer before its receive is posted. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"
#include "provider/guard_internal.h"
#include "provider/guard_prefault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static char ours[64];

/* --- every way of asking: by MADV_POPULATE_WRITE or touching, with handlers and without --- */

static const char *way;

#define CHECK_WAY(condition) CHECK_MSG(condition, "%s: %s does not hold", way, #condition)

struct asking {
    void (*body)(void);
    bool old_kernel;
};

/* On a thread of its own, which the forbidden call is forbidden to alone; and nothing is known. */
static void *ask(void *argument)
{
    const struct asking *asking = argument;
    guard_pages_forget();
    if (asking->old_kernel)
        forbid_call(SYS_madvise, EINVAL);
    asking->body();
    return NULL;
}

static void in_one_way(void (*body)(void), bool old_kernel, const char *name)
{
    struct asking asking = {body, old_kernel};
    pthread_t thread;
    way = name;
    CHECK(pthread_create(&thread, NULL, ask, &asking) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void in_every_way(void (*body)(void))
{
    CHECK(guard_install() == 0);
    in_one_way(body, false, "by MADV_POPULATE_WRITE");
    in_one_way(body, true, "by touching");
    lose_guard();
    in_one_way(body, false, "by MADV_POPULATE_WRITE, without handlers");
    in_one_way(body, true, "by touching, without handlers");
    find_guard();
    guard_remove();
}

static size_t pages_in_memory(const char *start, size_t pages)
{
    size_t present = 0;
    unsigned char *residence = malloc(pages);
    CHECK(residence && mincore((void *)(uintptr_t)start, pages * PAGE, residence) == 0);
    for (size_t i = 0; i < pages; i++)
        present += residence[i] & 1;
    free(residence);
    return present;
}

static void ask_for_writable(void)
{
    char *island = map_island(8);
    island[0] = 'a';
    island[8 * PAGE - 1] = 'z';
    CHECK_WAY(pages_in_memory(island, 8) == 2);
    CHECK_WAY(guard_prefault(island + PAGE - 1, 2)); /* two bytes, two pages */
    CHECK_WAY(pages_in_memory(island, 8) == 3);
    CHECK_WAY(guard_prefault(island, 8 * PAGE));
    CHECK_WAY(pages_in_memory(island, 8) == 8);
    CHECK_WAY(island[0] == 'a' && island[8 * PAGE - 1] == 'z');
    unmap_island(island, 8);
}

SUITE_TEST(guard_prefault, brings_every_page_of_the_range_into_memory)
{
    in_every_way(ask_for_writable);
}

static void ask_over_edges(void)
{
    char *island = map_island(4);
    char *end = island + 4 * PAGE;
    CHECK_WAY(guard_prefault(end - 1, 1));
    CHECK_WAY(guard_prefault(end - PAGE - 1, PAGE + 1));
    CHECK_WAY(!guard_prefault(end - 1, 2));
    CHECK_WAY(!guard_prefault(end, 1));
    CHECK_WAY(!guard_prefault(island - 1, 2));
    CHECK_WAY(!guard_prefault(island, 4 * PAGE + 1));
    unmap_island(island, 4);
}

SUITE_TEST(guard_prefault, tells_one_byte_outside_of_the_mapping)
{
    in_every_way(ask_over_edges);
}

static void ask_for_partly_protected(void)
{
    static const int protections[] = {PROT_READ, PROT_NONE};
    for (int i = 0; i < 2; i++) {
        char *island = map_island(5);
        CHECK(mprotect(island + 2 * PAGE, PAGE, protections[i]) == 0);
        CHECK_WAY(!guard_prefault(island, 5 * PAGE));
        CHECK_WAY(!guard_prefault(island + 2 * PAGE + 5, 1));
        CHECK_WAY(!guard_prefault(island + 2 * PAGE - 1, 2));
        CHECK_WAY(guard_prefault(island, 2 * PAGE));
        CHECK_WAY(guard_prefault(island + 3 * PAGE, 2 * PAGE));
        unmap_island(island, 5);
    }
}

SUITE_TEST(guard_prefault, tells_a_range_that_is_partly_read_only)
{
    in_every_way(ask_for_partly_protected);
}

static void ask_around_the_last_range(void)
{
    char *island = map_island(2);

    CHECK_WAY(guard_prefault_again(island, 2 * PAGE)); /* from now on the range used last */
    CHECK_WAY(guard_prefault_again(island + PAGE, PAGE));
    CHECK_WAY(guard_prefault_again(island + 2 * PAGE - 1, 1));
    CHECK_WAY(!guard_prefault_again(island + 2 * PAGE - 1, 2));
    CHECK_WAY(!guard_prefault_again(island + 1, SIZE_MAX));
    CHECK_WAY(!guard_prefault_again(island + 1, SIZE_MAX - (uintptr_t)island));
    CHECK_WAY(!guard_prefault_again(island - 1, 2));
    CHECK_WAY(!guard_prefault_again((void *)UINTPTR_MAX, 2));
    CHECK_WAY(guard_prefault_again(island, 2 * PAGE)); /* after failures it is found anew */
    unmap_island(island, 2);
}

SUITE_TEST(guard_prefault, does_not_take_a_range_that_wraps_for_the_one_used_last)
{
    in_every_way(ask_around_the_last_range);
}

static void ask_across_mappings(void)
{
    char *island = map_island(3);
    char *other = map_island(3);
    int file = memfd_create("guard", MFD_CLOEXEC);
    CHECK(file >= 0 && ftruncate(file, (off_t)PAGE) == 0);
    CHECK(mmap(island + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) ==
          island + PAGE);
    CHECK_WAY(guard_prefault(island + 100, 3 * PAGE - 200));
    CHECK_WAY(pages_in_memory(island, 3) == 3);

    CHECK(mmap(other + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) ==
          other + PAGE);
    CHECK(ftruncate(file, 0) == 0);
    CHECK_WAY(!guard_prefault(other, 3 * PAGE)); /* SIGBUS */
    unmap_island(other, 3);
    unmap_island(island, 3);
    CHECK(close(file) == 0);
}

SUITE_TEST(guard_prefault, takes_a_range_across_several_mappings)
{
    in_every_way(ask_across_mappings);
}

static void ask_for_nonsense(void)
{
    static const struct {
        uintptr_t start;
        size_t length;
    } nonsense[] = {
        {0, 1},
        {0, SIZE_MAX},
        {1, SIZE_MAX},
        {0x0000800000000000, 64},
        {0x4141414141414141, 64},
        {0xffff800000000000, 4096},
        {UINTPTR_MAX, 1},
        {UINTPTR_MAX, SIZE_MAX},
        {UINTPTR_MAX - 4095, 4096},
        {UINTPTR_MAX - 4096, 2},
    };
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
        CHECK_MSG(!guard_prefault((void *)nonsense[i].start, nonsense[i].length), "%s: row %zu",
                  way, i);

    char *island = map_island(1);
    CHECK_WAY(!guard_prefault(island, SIZE_MAX));
    CHECK_WAY(!guard_prefault(island, SIZE_MAX - (uintptr_t)island));
    CHECK_WAY(!guard_prefault(island, SIZE_MAX / 2));
    CHECK_WAY(!guard_prefault(island, UINT32_MAX)); /* a WSABUF can say this much */
    unmap_island(island, 1);
}

SUITE_TEST(guard_prefault, refuses_addresses_and_lengths_that_cannot_be)
{
    in_every_way(ask_for_nonsense);
}

static void ask_for_nothing(void)
{
    CHECK_WAY(guard_prefault(NULL, 0));
    CHECK_WAY(guard_prefault((void *)UINTPTR_MAX, 0));
}

SUITE_TEST(guard_prefault, of_no_bytes_needs_no_memory)
{
    in_every_way(ask_for_nothing);
}

static void ask_for_huge(void)
{
    size_t length = 256 * MIB;
    char *start = mmap(NULL, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(start != MAP_FAILED);
    CHECK_WAY(guard_prefault(start + 1, length - 1));
    CHECK_WAY(pages_in_memory(start, 1) == 1);
    CHECK_WAY(pages_in_memory(start + length - PAGE, 1) == 1);
    CHECK_WAY(pages_in_memory(start, length / PAGE) <= 32 * MIB / PAGE);

    CHECK(munmap(start + length / 2, PAGE) == 0);
    CHECK_WAY(!guard_copy_to(start + length / 2, ours, 1)); /* empties the cache */
    CHECK_WAY(!guard_prefault(start, length));
    CHECK(munmap(start, length) == 0);
}

SUITE_TEST(guard_prefault, of_a_huge_range_does_not_fill_memory)
{
    in_every_way(ask_for_huge);
}

SUITE_TEST(guard_prefault, reaches_a_stack_that_has_yet_to_grow)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0);
    if (limit.rlim_cur < 4 * MIB)
        SKIP("the stack is limited to less than 4 MiB");
    char *below = (char *)__builtin_frame_address(0) - 2 * MIB;
    CHECK(guard_install() == 0);
    CHECK(guard_prefault(below, 100));
    lose_guard();
    CHECK(guard_prefault(below - MIB / 4, 100));
    find_guard();
    guard_remove();
}

/* --- touching is no writing --- */

static unsigned touches;
static atomic_uint *shared_count;
static atomic_bool stop;

static void *count_up(void *counted)
{
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        atomic_fetch_add_explicit(shared_count, 1, memory_order_relaxed);
        ++*(unsigned *)counted;
    }
    return NULL;
}

static void touch_while_others_write(void)
{
    char *island = map_island(1);
    unsigned counted = 0;
    pthread_t writer;
    shared_count = (atomic_uint *)(void *)island;
    atomic_store(&stop, false);
    CHECK(pthread_create(&writer, NULL, count_up, &counted) == 0);
    for (unsigned i = 0; i < touches || atomic_load(shared_count) == 0; i++)
        CHECK_WAY(guard_touch(island));
    atomic_store(&stop, true);
    CHECK(pthread_join(writer, NULL) == 0);
    CHECK_WAY(atomic_load(shared_count) == counted);
    unmap_island(island, 1);
}

SUITE_TEST(guard_prefault, loses_no_write_of_another_thread, .timeout = 60)
{
    CHECK(guard_install() == 0);
    touches = 3000000;
    in_one_way(touch_while_others_write, false, "with handlers");
    lose_guard();
    touches = 20000;
    in_one_way(touch_while_others_write, false, "without handlers");
    find_guard();
    guard_remove();
}

/* --- the cache --- */

static void hit_without_calls(void)
{
    char *island = map_island(40);
    CHILD_CHECK(guard_install() == 0);
    for (size_t i = 0; i < 40; i += 5) /* as many ranges as the cache holds */
        CHILD_CHECK(guard_prefault(island + i * PAGE, 2 * PAGE));
    die_of_any_call();
    for (size_t i = 0; i < 1000; i++) {
        char *range = island + i % 8 * 5 * PAGE;
        if (!guard_prefault(range, 2 * PAGE) || !guard_prefault(range + 100, 1500) ||
            !guard_copy_to(range, ours, sizeof(ours)))
            syscall(SYS_exit_group, 3);
    }
    syscall(SYS_exit_group, 0);
}

static void hit_many_pages(void)
{
    enum {
        MANY = 64
    };
    static const size_t strides[] = {2, 3, 512, 4096};
    char *island = map_island((size_t)MANY * 4096);
    CHILD_CHECK(guard_install() == 0);
    for (unsigned k = 0; k < sizeof strides / sizeof strides[0]; k++)
        for (size_t i = 0; i < MANY; i++)
            CHILD_CHECK(guard_prefault_again(island + i * strides[k] * PAGE + 100, 60));
    die_of_any_call();
    for (unsigned k = 0; k < sizeof strides / sizeof strides[0]; k++)
        for (size_t i = 0; i < MANY; i++)
            if (!guard_prefault_again(island + i * strides[k] * PAGE + 100, 60))
                syscall(SYS_exit_group, 3);
    syscall(SYS_exit_group, 0);
}

/* A client that has a few dozen receives posted, each in a page of its own. */
SUITE_TEST(guard_prefault, makes_no_system_call_for_any_of_many_buffers)
{
    CHECK_CHILD_SUCCEEDS(hit_many_pages);
}

static void *ask_for_one(void *page)
{
    CHILD_CHECK(guard_prefault_again(page, 60));
    return NULL;
}

static void hit_what_another_has_asked_for(void)
{
    char *island = map_island(1);
    pthread_t thread;
    CHILD_CHECK(guard_install() == 0);
    CHILD_CHECK(pthread_create(&thread, NULL, ask_for_one, island) == 0);
    CHILD_CHECK(pthread_join(thread, NULL) == 0);
    die_of_any_call();
    syscall(SYS_exit_group, guard_prefault_again(island, 60) ? 0 : 3);
}

SUITE_TEST(guard_prefault, knows_what_another_thread_has_asked_for)
{
    CHECK_CHILD_SUCCEEDS(hit_what_another_has_asked_for);
}

static void miss_without_calls(void)
{
    char *island = map_island(1);
    CHILD_CHECK(guard_install() == 0);
    die_of_any_call();
    guard_prefault(island, 1);
    syscall(SYS_exit_group, 0);
}

SUITE_TEST(guard_prefault, hit_makes_no_system_call)
{
    CHECK_CHILD_SUCCEEDS(hit_without_calls);
    CHECK_CHILD_DIES_OF(miss_without_calls, SIGSYS); /* or the test above proves nothing */
}

static void hit_slices_as_one(void)
{
    char *island = map_island(100);
    char *other = map_island(40);
    CHILD_CHECK(guard_install() == 0);
    for (size_t at = 0; at + 1000 <= 100 * PAGE; at += 1000)
        CHILD_CHECK(guard_prefault(island + at, 1000));
    for (size_t i = 0; i < 35; i += 5)
        CHILD_CHECK(guard_prefault(other + i * PAGE, PAGE));
    die_of_any_call();
    for (size_t at = 0; at + 1000 <= 100 * PAGE; at += 1000)
        if (!guard_prefault(island + at, 1000))
            syscall(SYS_exit_group, 3);
    syscall(SYS_exit_group, guard_prefault(island, 99 * PAGE) ? 0 : 4);
}

SUITE_TEST(guard_prefault, remembers_a_buffer_by_its_slices)
{
    CHECK_CHILD_SUCCEEDS(hit_slices_as_one);
}

SUITE_TEST(guard_prefault, works_with_many_ranges)
{
    char *island = map_island(200);
    CHECK(guard_install() == 0);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 200; i += 2)
            CHECK(guard_prefault(island + i * PAGE, PAGE));
    CHECK_EQ_U64(pages_in_memory(island, 200), 100);
    guard_remove();
    unmap_island(island, 200);
}

static void protect_after_hit(void)
{
    static const int protections[] = {PROT_READ, PROT_NONE};
    for (int i = 0; i < 2; i++) {
        char *island = map_island(2);
        CHECK_WAY(guard_prefault(island, 2 * PAGE));
        CHECK_WAY(guard_prefault(island, 2 * PAGE));
        CHECK(mprotect(island + PAGE, PAGE, protections[i]) == 0);
        guard_prefault(island, 2 * PAGE); /* either answer is allowed */
        CHECK_WAY(guard_copy_to(island, ours, 8));
        CHECK_WAY(!guard_copy_to(island + PAGE, ours, 8));
        CHECK_WAY(!guard_prefault(island, 2 * PAGE)); /* a failed copy empties every cache */
        CHECK_WAY(guard_prefault(island, PAGE));
        unmap_island(island, 2);
    }
}

SUITE_TEST(guard_prefault, is_a_hint_and_the_copy_is_the_guarantee)
{
    in_every_way(protect_after_hit);
}

SUITE_TEST(guard_prefault, remembers_until_an_access_fails)
{
    char *island = map_island(1);
    CHECK(guard_install() == 0);
    CHECK(guard_prefault(island, 1));
    CHECK(mprotect(island, PAGE, PROT_NONE) == 0);
    for (unsigned hits = 0; hits < 200000; hits++)
        CHECK(guard_prefault(island, 1)); /* a look would have been refused */
    CHECK(!guard_copy_to(island, "", 1));
    CHECK(!guard_prefault(island, 1));
    guard_remove();
    unmap_island(island, 1);
}
