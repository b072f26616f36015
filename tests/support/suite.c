/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "suite.h"

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SKIPPED 77
#define DEFAULT_TIMEOUT 120.0

enum outcome {
    PASSED,
    FAILED,
    SKIPPED,
    OUTCOMES
};

static struct suite_entry *first, **last = &first;
static char *skip_reason;   /* 256 bytes, shared with the test's process */
static jmp_buf *in_process; /* where a skipped test returns to under --no-fork */

void suite_register(struct suite_entry *entry)
{
    *last = entry;
    last = &entry->next;
}

bool suite_on_test_thread(void)
{
    return syscall(SYS_gettid) == getpid();
}

size_t suite_first_difference(const void *a, const void *b, size_t length)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    size_t at = 0;

    while (at < length && x[at] == y[at])
        at++;
    return at;
}

void suite_die(const char *file, int line, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s:%d: %s\n", file, line, message);
    _exit(1); /* not exit(): other threads of the test are still running */
}

void suite_skip(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (skip_reason)
        vsnprintf(skip_reason, 256, format, arguments);
    va_end(arguments);
    if (in_process)
        longjmp(*in_process, 1);
    exit(EXIT_SKIPPED);
}

static const struct suite_options *fixture_of(const struct suite_entry *test)
{
    static const struct suite_options none;

    for (const struct suite_entry *e = first; e; e = e->next)
        if (!e->body && strcmp(e->suite, test->suite) == 0)
            return e->options;
    return &none;
}

static void run_body(const struct suite_entry *test)
{
    const struct suite_options *fixture = fixture_of(test);

    if (fixture->init)
        fixture->init();
    if (test->options->init)
        test->options->init();
    test->body();
    if (test->options->fini)
        test->options->fini();
    if (fixture->fini)
        fixture->fini();
}

/* Wait for the test's process. @return its wait status, or -1 when it was killed for its time. */
static int wait_in_time(pid_t child, double timeout)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    int milliseconds = (int)((timeout > 0 ? timeout : DEFAULT_TIMEOUT) * 1e3);
    int status = 0;
    bool late = ended.fd >= 0 && poll(&ended, 1, milliseconds) == 0;

    if (late)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (ended.fd >= 0)
        close(ended.fd);
    return late ? -1 : status;
}

static enum outcome run_forked(const struct suite_entry *test)
{
    const struct suite_options *options = test->options;

    fflush(NULL);
    pid_t child = fork();

    if (child < 0) {
        perror("fork");
        return FAILED;
    }
    if (child == 0) {
        run_body(test);
        exit(0); /* with the sanitizers' last words */
    }
    int status = wait_in_time(child, options->timeout);

    if (status == -1)
        printf("        it was still running after its %g s\n",
               options->timeout > 0 ? options->timeout : DEFAULT_TIMEOUT);
    else if (WIFSIGNALED(status) && WTERMSIG(status) != options->signal)
        printf("        it died of signal %d, %s\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
        return SKIPPED;
    else if (WIFEXITED(status) && (options->signal || WEXITSTATUS(status) != options->exit_code))
        printf("        it ended with status %d\n", WEXITSTATUS(status));
    else
        return PASSED;
    return FAILED;
}

static enum outcome run_here(const struct suite_entry *test)
{
    jmp_buf skipped;

    in_process = &skipped;
    if (setjmp(skipped))
        return SKIPPED;
    run_body(test);
    return PASSED;
}

static bool matches(const struct suite_entry *test, char **filters, int count)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", test->suite, test->name);
    for (int i = 0; i < count; i++)
        if (strpbrk(filters[i], "*?[") ? fnmatch(filters[i], name, 0) == 0
                                       : strstr(name, filters[i]) != NULL)
            return true;
    return count == 0;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static enum outcome run_test(const struct suite_entry *test, bool forked)
{
    static const char *const words[OUTCOMES] = {"passed", "FAILED", "skipped"};
    enum outcome outcome = SKIPPED;
    double start = seconds();

    snprintf(skip_reason, 256, "disabled");
    if (!test->options->disabled)
        outcome = forked ? run_forked(test) : run_here(test);
    printf("%-7s %s/%s", words[outcome], test->suite, test->name);
    if (outcome == SKIPPED)
        printf(": %s\n", skip_reason);
    else
        printf(" (%.2f s)\n", seconds() - start);
    fflush(stdout);
    return outcome;
}

int suite_main(int argc, char **argv)
{
    unsigned counts[OUTCOMES] = {0};
    unsigned long repeat = 1;
    bool list = false;
    bool forked = true;
    int next = 1;

    for (; next < argc && strncmp(argv[next], "--", 2) == 0; next++) {
        if (strcmp(argv[next], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[next], "--no-fork") == 0) {
            forked = false;
        } else if (strncmp(argv[next], "--repeat=", 9) == 0) {
            repeat = strtoul(argv[next] + 9, NULL, 10);
        } else {
            fprintf(stderr, "%s: %s is not --list, --no-fork or --repeat=N\n", argv[0], argv[next]);
            return 2;
        }
    }
    skip_reason = mmap(NULL, 256, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (skip_reason == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    for (; repeat > 0; repeat--)
        for (const struct suite_entry *e = first; e; e = e->next) {
            if (!e->body || !matches(e, argv + next, argc - next))
                continue;
            if (list)
                printf("%s/%s\n", e->suite, e->name);
            else
                counts[run_test(e, forked)]++;
        }
    if (list)
        return 0;
    printf("%u passed, %u failed, %u skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
    if (counts[PASSED] + counts[FAILED] + counts[SKIPPED] == 0)
        return 2;
    return counts[FAILED] > 0;
}
