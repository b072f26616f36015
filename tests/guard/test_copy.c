/* SPDX-License-Identifier: BSD-3-Clause */

/* Copies, stores and loads at the edges of memory, by every road that there is to it. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"
#include "provider/guard_sanitize.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHECK_ROAD(condition) \
    CHECK_MSG(condition, "by %s, length %zu: %s does not hold", road, length, #condition)

static const size_t lengths[] = {1,   2,   3,   4,   5,   7,   8,    9,    15,   16,   17,  31,
                                 32,  33,  63,  64,  65,  127, 128,  129,  130,  159,  160, 161,
                                 176, 192, 193, 255, 256, 257, 1023, 1408, 4095, 4096, 5000};

#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

/* Two pages are enough for every length above. */
static char ours[2 * PAGE] __attribute__((aligned(64)));

static void copy_exactly(void)
{
    static const size_t offsets[] = {0, 1, 8, 15, 31, 63};
    static char target[3 * PAGE];
    static char expected[sizeof(target)];

    fill(ours, sizeof(ours), 1);
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t length = lengths[i];
        for (size_t at = 0; at < 6; at++) {
            for (size_t from = 0; from < 6; from++) {
                size_t to = 100 + offsets[at];
                memset(target, 0x5a, sizeof(target));
                memset(expected, 0x5a, sizeof(expected));
                memcpy(expected + to, ours + offsets[from], length);
                CHECK_ROAD(guard_copy_to(target + to, ours + offsets[from], length));
                CHECK_EQ_MEM(target, expected, sizeof(target));
                memset(target, 0x5a, sizeof(target));
                CHECK_ROAD(guard_copy_from(target + to, ours + offsets[from], length));
                CHECK_EQ_MEM(target, expected, sizeof(target));
            }
        }
    }
}

SUITE_TEST(guard_copy, moves_the_range_and_nothing_beside_it)
{
    by_every_road(copy_exactly);
}

static void copy_large(void)
{
    size_t length = 300001;
    char *from = malloc(length);
    char *to = calloc(1, length + 2);
    CHECK(from && to);
    fill(from, length, 2);
    CHECK_ROAD(guard_copy_to(to + 1, from, length));
    CHECK_EQ_MEM(to + 1, from, length);
    CHECK_ROAD(to[0] == 0 && to[length + 1] == 0);
    memset(to, 0, length + 2);
    CHECK_ROAD(guard_copy_from(to + 1, from, length));
    CHECK_EQ_MEM(to + 1, from, length);
    free(from);
    free(to);
}

SUITE_TEST(guard_copy, moves_more_than_a_pipe_holds)
{
    by_every_road(copy_large);
}

static void copy_nothing(void)
{
    size_t length = 0;
    void *const anywhere[] = {NULL, (void *)1, (void *)UINTPTR_MAX, (void *)(UINTPTR_MAX << 47)};
    for (size_t i = 0; i < 4; i++) {
        CHECK_ROAD(guard_copy_to(anywhere[i], ours, 0));
        CHECK_ROAD(guard_copy_from(ours, anywhere[i], 0));
    }
}

SUITE_TEST(guard_copy, of_no_bytes_needs_no_memory)
{
    by_every_road(copy_nothing);
}

static void copy_at_edges(void)
{
    char *island = map_island(2);
    char *end = island + 2 * PAGE;

    fill(ours, sizeof(ours), 3);
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t length = lengths[i];
        memset(island, 0, 2 * PAGE);
        CHECK_ROAD(guard_copy_to(end - length, ours, length));
        CHECK_EQ_MEM(end - length, ours, length);
        memset(island, 0, 2 * PAGE);
        CHECK_ROAD(guard_copy_to(island, ours, length));
        CHECK_EQ_MEM(island, ours, length);
        CHECK_ROAD(guard_copy_from(ours, end - length, length));
        CHECK_ROAD(guard_copy_from(ours, island, length));

        for (size_t over = 1; over <= length; over = over * 3 + 1) {
            CHECK_ROAD(!guard_copy_to(end - length + over, ours, length));
            CHECK_ROAD(!guard_copy_to(island - over, ours, length));
            CHECK_ROAD(!guard_copy_from(ours, end - length + over, length));
            CHECK_ROAD(!guard_copy_from(ours, island - over, length));
        }
        CHECK_ROAD(!guard_copy_to(end, ours, length));
        CHECK_ROAD(!guard_copy_from(ours, end, length));
    }
    unmap_island(island, 2);
}

SUITE_TEST(guard_copy, tells_one_byte_outside_of_the_mapping) /* A09 */
{
    by_every_road(copy_at_edges);
}

static void copy_without_permission(void)
{
    char *island = map_island(3);
    char *middle = island + PAGE;

    fill(ours, sizeof(ours), 4);
    CHECK(mprotect(middle, PAGE, PROT_READ) == 0);
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t length = lengths[i];
        CHECK_ROAD(!guard_copy_to(middle, ours, length));
        CHECK_ROAD(!guard_copy_to(middle - length + 1, ours, length));
        CHECK_ROAD(!guard_copy_to(middle + PAGE - 1, ours, length));
        CHECK_ROAD(guard_copy_from(ours, middle, length));
    }
    size_t length = PAGE;
    memset(ours, 0, PAGE);
    CHECK_EQ_MEM(middle, ours, PAGE);

    CHECK(mprotect(middle, PAGE, PROT_NONE) == 0);
    CHECK_ROAD(!guard_copy_to(middle, ours, length));
    CHECK_ROAD(!guard_copy_from(ours, middle, length));
    unmap_island(island, 3);
}

SUITE_TEST(guard_copy, respects_the_protection_of_a_page) /* A09 */
{
    by_every_road(copy_without_permission);
}

static void copy_to_truncated_file(void)
{
    int file = memfd_create("guard", MFD_CLOEXEC);
    CHECK(file >= 0 && ftruncate(file, 2 * (off_t)PAGE) == 0);
    char *start = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(start != MAP_FAILED);

    size_t length = 2 * PAGE;
    CHECK_ROAD(guard_copy_to(start, ours, length));
    CHECK(ftruncate(file, (off_t)PAGE) == 0);
    CHECK_ROAD(!guard_copy_to(start, ours, length));
    CHECK_ROAD(!guard_copy_from(ours, start, length));
    CHECK_ROAD(!guard_copy_to(start + PAGE, ours, 1));
    CHECK_ROAD(!guard_store64_release(start + PAGE, 1));
    CHECK_ROAD(guard_copy_to(start, ours, PAGE));
    CHECK(munmap(start, 2 * PAGE) == 0 && close(file) == 0);
}

SUITE_TEST(guard_copy, tells_a_file_that_was_truncated) /* A09 */
{
    by_every_road(copy_to_truncated_file);
}

/* Where no program can have memory, and `length` bytes from there. */
static void copy_to_nowhere(void)
{
    static const uintptr_t nowhere[] = {
        0,                  /* NULL */
        1,                  /* almost */
        0x7ffffffff000,     /* the last page below the hole is never mapped */
        0x0000800000000000, /* not canonical: the fault has no address (SI_KERNEL) */
        0x4141414141414141, /* not canonical either */
        0xffff7fffffffffff, /* the last that is not canonical */
        0xffff800000000000, /* the kernel's half */
        0xffffffff81000000, /* the kernel's text */
        UINTPTR_MAX - 7,    /* the end: every length from 9 wraps around */
        UINTPTR_MAX,
    };
    for (size_t at = 0; at < sizeof(nowhere) / sizeof(nowhere[0]); at++) {
        void *there = (void *)nowhere[at];
        for (size_t i = 0; i < LENGTHS; i++) {
            size_t length = lengths[i];
            CHECK_ROAD(!guard_copy_to(there, ours, length));
            CHECK_ROAD(!guard_copy_from(ours, there, length));
        }
        size_t length = sizeof(uint64_t);
        uint64_t value;
        CHECK_ROAD(!guard_store32(there, 1));
        CHECK_ROAD(!guard_store64(there, 1));
        CHECK_ROAD(!guard_store64_release(there, 1));
        CHECK_ROAD(!guard_load64_acquire(there, &value));
    }
}

SUITE_TEST(guard_copy, tells_addresses_that_no_memory_can_have) /* A09 */
{
    by_every_road(copy_to_nowhere);
}

#if !GUARD_ASAN && !GUARD_TSAN /* they object to our own side, rightly */
static void copy_around_the_end(void)
{
    char *island = map_island(1);
    char *middle = island + PAGE / 2;
    CHECK(ours < island); /* so that a length may wrap around for the one and not for the other */
    memset(island, 0x11, PAGE);
    for (size_t over = 0; over < 200; over += 8) {
        size_t length = SIZE_MAX - over;
        CHECK_ROAD(!guard_copy_to(middle, ours, length));
        CHECK_ROAD(!guard_copy_from(ours, middle, length));
        length = over - (uintptr_t)middle; /* ends at `over`; 0: behind the last byte there is */
        CHECK_ROAD(!guard_copy_to(middle, ours, length));
        CHECK_ROAD(!guard_copy_from(ours, middle, length));
    }
    for (size_t i = 0; i < PAGE; i++)
        CHECK(island[i] == 0x11);
    unmap_island(island, 1);
}

SUITE_TEST(guard_copy, refuses_a_range_that_wraps_around)
{
    by_every_road(copy_around_the_end);
}
#endif

static char *beyond_the_stack(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0);
    if (limit.rlim_cur < 4 << 20)
        SKIP("the stack is limited to less than 4 MiB");
    return (char *)__builtin_frame_address(0) - (2 << 20);
}

SUITE_TEST(guard_copy, reaches_a_stack_that_has_yet_to_grow)
{
    char *below = beyond_the_stack();
    CHECK(guard_install() == 0);
    CHECK(guard_copy_to(below, ours, 100));
    lose_guard();
    CHECK(guard_copy_to(below - (256 << 10), ours, 100));
    find_guard();
    guard_remove();
}

static void store_anywhere(void)
{
    char *island = map_island(1);
    uint64_t mine = 0x0123456789abcdef;
    size_t length = 8;

    for (size_t at = 0; at < 32; at++) {
        uint64_t value = 0;
        memset(island, 0x5a, 64);
        CHECK_ROAD(guard_store64(island + at, mine));
        CHECK_ROAD(guard_load64_acquire(island + at, &value));
        CHECK_EQ_U64(value, mine);
        CHECK_ROAD(guard_store64_release(island + at, ~mine));
        CHECK_EQ_MEM(island + at, &(uint64_t){~mine}, 8);
        CHECK_ROAD(guard_store32(island + at, (uint32_t)mine));
        CHECK_EQ_MEM(island + at, &(uint32_t){(uint32_t)mine}, 4);
        CHECK_EQ_MEM(island + at + 4, (char *)&(uint64_t){~mine} + 4, 4);
        CHECK_ROAD(island[at + 8] == 0x5a && (at == 0 || island[at - 1] == 0x5a));
    }
    CHECK_ROAD(guard_store64(island + PAGE - 8, mine));
    CHECK_ROAD(guard_store32(island + PAGE - 4, (uint32_t)mine));
    for (size_t over = 1; over <= 8; over++) {
        uint64_t value;
        CHECK_ROAD(!guard_store64(island + PAGE - 8 + over, mine));
        CHECK_ROAD(!guard_store64(island - over, mine));
        CHECK_ROAD(!guard_load64_acquire(island + PAGE - 8 + over, &value));
        CHECK_ROAD(!guard_load64_acquire(island - over, &value));
    }
    for (size_t over = 1; over <= 4; over++) {
        CHECK_ROAD(!guard_store32(island + PAGE - 4 + over, 1));
        CHECK_ROAD(!guard_store32(island - over, 1));
    }
    unmap_island(island, 1);
}

SUITE_TEST(guard_copy, stores_and_loads_words_at_any_alignment)
{
    by_every_road(store_anywhere);
}

static _Alignas(64) uint64_t polled;
static atomic_uint looks;
static atomic_uint torn;
static atomic_bool stop;

/* Both halves are always the same, unless only one of them has arrived. */
static void *watch_for_torn_values(void *unused)
{
    uint64_t value;
    while (!atomic_load(&stop)) {
        if (!guard_load64_acquire(&polled, &value) || (uint32_t)value != (uint32_t)(value >> 32))
            atomic_fetch_add(&torn, 1);
        atomic_fetch_add(&looks, 1);
    }
    return unused;
}

SUITE_TEST(guard_copy, stores_an_aligned_word_at_once, .timeout = 60)
{
    pthread_t watcher;
    CHECK(guard_install() == 0);
    CHECK(pthread_create(&watcher, NULL, watch_for_torn_values, NULL) == 0);
    while (atomic_load(&looks) < 1000000) {
        for (int i = 0; i < 100; i++) {
            CHECK(guard_store64_release(&polled, UINT64_MAX));
            CHECK(guard_store64(&polled, 0));
        }
    }
    atomic_store(&stop, true);
    CHECK(pthread_join(watcher, NULL) == 0);
    CHECK_EQ_U64(atomic_load(&torn), 0);
    guard_remove();
}

SUITE_TEST(guard_copy, goes_through_the_kernel_until_the_handlers_are_installed)
{
    char *island = map_island(1);
    CHECK(guard_lost());
    CHECK(guard_check());
    CHECK(guard_copy_to(island, ours, 64));
    CHECK(!guard_copy_to(island + PAGE, ours, 64));

    CHECK(guard_install() == 0);
    CHECK(!guard_lost());
    CHECK(!guard_copy_to(island + PAGE, ours, 64));
    guard_remove();

    CHECK(guard_lost());
    CHECK(guard_copy_to(island, ours, 64));
    CHECK(!guard_copy_to(island + PAGE, ours, 64));
    unmap_island(island, 1);
}
