/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_SUITE_H
#define WIRERX_TESTS_SUITE_H

/**
 * @file
 * One way to write a test, two ways to run it. As a Criterion suite (the rule), and with
 * WIRERX_PLAIN_TESTS as an executable of its own, because Criterion cannot start under TSan:
 *
 *     SUITE_FIXTURE(event, open_event, close_event);
 *
 *     SUITE_TEST(event, manual_reset_stays_set) // D08
 *     {
 *         CHECK(SetEvent(event));
 *         CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
 *     }
 *
 * Either way a test has a process to itself, a failed check ends it, and checks may fail on any of
 * its threads. Every macro evaluates its arguments once. A file of helpers that contains no tests
 * defines SUITE_CHECKS_ONLY before it includes this one, and then has the checks and SKIP alone.
 *
 * The plain executable: `NAME [--list] [--no-fork] [--repeat=N] [FILTER...]`. A filter is a part of
 * SUITE/TEST, or a shell pattern for all of it. Its last line is `N passed, N failed, N skipped`.
 * Exit status 0: all passed; 1: some failed; 2: nothing was selected.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/**
 * What a test may ask for, as designated initialisers after its name:
 * `SUITE_TEST(wait, ends_in_time, .timeout = 5)`. The fields are those of Criterion that we use.
 */
struct suite_options {
    int sentinel; /**< not yours */
    void (*init)(void);
    void (*fini)(void);
    int signal;     /**< the test passes by dying of this signal */
    int exit_code;  /**< the test passes by ending the process with this code */
    bool disabled;  /**< counts as skipped */
    double timeout; /**< seconds; 0 is 120 in a plain executable and no limit under Criterion */
};

/** One test, or one suite's fixture, of a plain executable. */
struct suite_entry {
    const char *suite;
    const char *name;
    void (*body)(void); /**< NULL: the entry is the suite's fixture */
    const struct suite_options *options;
    struct suite_entry *next;
};

/** Called before main() by SUITE_TEST and SUITE_FIXTURE. Keeps the order of definition. */
void suite_register(struct suite_entry *entry);

/** The whole of a plain executable. */
int suite_main(int argc, char **argv);

/** Is this the test's first thread? Only there can Criterion be told of a failure. */
bool suite_on_test_thread(void);

/** Print `file:line: message` and end the process, which is the test, with status 1. */
_Noreturn void suite_die(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** End the plain test that runs, as skipped. */
_Noreturn void suite_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Where two byte strings first differ; `length` when nowhere. */
size_t suite_first_difference(const void *a, const void *b, size_t length);

/**
 * ThreadSanitizer makes starting DPDK dear (half a second each time), and has nothing to say about tests
 * with one thread and no lcore: files of only such tests leave them out there.
 */
#if defined(__SANITIZE_THREAD__)
#define UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif
#ifndef UNDER_THREAD_SANITIZER
#define UNDER_THREAD_SANITIZER 0
#endif

#if defined(SUITE_CHECKS_ONLY) || defined(WIRERX_PLAIN_TESTS)

/** End this test as failed. */
#define FAIL(...) suite_die(__FILE__, __LINE__, __VA_ARGS__)
/** End this test as skipped, with the reason. On the test's own thread. */
#define SKIP(...) suite_skip(__VA_ARGS__)

#else

#include <criterion/criterion.h>

#define FAIL(...)                                       \
    do {                                                \
        if (suite_on_test_thread())                     \
            cr_assert_fail(__VA_ARGS__);                \
        else                                            \
            suite_die(__FILE__, __LINE__, __VA_ARGS__); \
    } while (0)
#define SKIP(...) cr_skip_test(__VA_ARGS__)

#endif

/** The test goes on only if this holds. */
#define CHECK(condition)                           \
    do {                                           \
        if (!(condition))                          \
            FAIL("%s: does not hold", #condition); \
    } while (0)

/** As CHECK, with a message that says more than the condition's text. */
#define CHECK_MSG(condition, ...) \
    do {                          \
        if (!(condition))         \
            FAIL(__VA_ARGS__);    \
    } while (0)

#define SUITE_COMPARE_(type, format, actual, operator, expected)                             \
    do {                                                                                     \
        type actual_ = (type)(actual);                                                       \
        type expected_ = (type)(expected);                                                   \
        if (!(actual_ operator expected_))                                                   \
            FAIL("%s is " format ", wanted %s %s (" format ")", #actual, actual_, #operator, \
                 #expected, expected_);                                                      \
    } while (0)

#define CHECK_EQ_U64(actual, expected) SUITE_COMPARE_(uint64_t, "%#" PRIx64, actual, ==, expected)
#define CHECK_NE_U64(actual, expected) SUITE_COMPARE_(uint64_t, "%#" PRIx64, actual, !=, expected)
#define CHECK_EQ_I64(actual, expected) SUITE_COMPARE_(int64_t, "%" PRId64, actual, ==, expected)
#define CHECK_LE_U64(actual, expected) SUITE_COMPARE_(uint64_t, "%" PRIu64, actual, <=, expected)
#define CHECK_GE_U64(actual, expected) SUITE_COMPARE_(uint64_t, "%" PRIu64, actual, >=, expected)
#define CHECK_EQ_PTR(actual, expected) SUITE_COMPARE_(const void *, "%p", actual, ==, expected)
#define CHECK_NE_PTR(actual, expected) SUITE_COMPARE_(const void *, "%p", actual, !=, expected)

#define CHECK_EQ_STR(actual, expected)                                        \
    do {                                                                      \
        const char *actual_ = (actual);                                       \
        const char *expected_ = (expected);                                   \
        if (strcmp(actual_, expected_) != 0)                                  \
            FAIL("%s is \"%s\", wanted \"%s\"", #actual, actual_, expected_); \
    } while (0)

#define CHECK_EQ_MEM(actual, expected, length)                                              \
    do {                                                                                    \
        const unsigned char *actual_ = (const unsigned char *)(actual);                     \
        const unsigned char *expected_ = (const unsigned char *)(expected);                 \
        size_t length_ = (length);                                                          \
        size_t at_ = suite_first_difference(actual_, expected_, length_);                   \
        if (at_ != length_)                                                                 \
            FAIL("%s differs at byte %zu of %zu: %02x, wanted %02x", #actual, at_, length_, \
                 actual_[at_], expected_[at_]);                                             \
    } while (0)

#if defined(SUITE_CHECKS_ONLY)

/* no tests in this file */

#elif defined(WIRERX_PLAIN_TESTS)

#define SUITE_ENTRY_(area, test, body, ...)                                            \
    static const struct suite_options suite_##area##_##test##_options = {__VA_ARGS__}; \
    static struct suite_entry suite_##area##_##test##_entry = {                        \
        #area, #test, body, &suite_##area##_##test##_options, NULL};                   \
    __attribute__((constructor)) static void suite_##area##_##test##_register(void)    \
    {                                                                                  \
        suite_register(&suite_##area##_##test##_entry);                                \
    }

/** A test; the body follows. More arguments: fields of struct suite_options. */
#define SUITE_TEST(area, test, ...)                                               \
    static void suite_##area##_##test(void);                                      \
    SUITE_ENTRY_(area, test, suite_##area##_##test, .sentinel = 0, ##__VA_ARGS__) \
    static void suite_##area##_##test(void)

/** What runs before and after every test of a suite, in its process. Either may be NULL. Once. */
#define SUITE_FIXTURE(area, setup, teardown)                               \
    SUITE_ENTRY_(area, fixture, NULL, .init = (setup), .fini = (teardown)) \
    _Static_assert(1, "a semicolon follows")

/* Weak: one of them per file of tests, and the linker keeps any. */
__attribute__((weak)) int main(int argc, char **argv)
{
    return suite_main(argc, argv);
}

#else

#define SUITE_TEST(area, test, ...) Test(area, test, ##__VA_ARGS__)
#define SUITE_FIXTURE(area, setup, teardown) TestSuite(area, .init = (setup), .fini = (teardown))

#endif

#endif
