/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_GUARD_HELPERS_H
#define WIRERX_TESTS_GUARD_HELPERS_H

/**
 * @file
 * Memory with edges, ways to reach it, and child processes that die: what the guard's tests share.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE ((size_t)4096)

/** `pages` pages, zero and writable, with an inaccessible page before and behind. */
char *map_island(size_t pages);
void unmap_island(char *start, size_t pages);

/** Fill with a pattern that differs between neighbours, lengths and seeds. */
void fill(char *start, size_t length, unsigned seed);

/**
 * Run `body` once for each way that client memory is reached: the handlers with each kind of copy
 * that this processor has, then system calls because the handlers are lost, by process_vm_* and
 * by pipe. Installs and removes the guard. `road` names the present one, for messages.
 */
void by_every_road(void (*body)(void));
extern const char *road;

/** Put a handler over ours that ends the process, so that the guard is lost; and take it away. */
void lose_guard(void);
void find_guard(void);

/** guard_check() without its log line. */
bool check_quietly(void);

/** Make a system call fail with `error` for this thread, for good. */
void forbid_call(long call, int error);

/** From now on any system call of this thread but exit_group() kills the process. */
void die_of_any_call(void);

/** How a child process ended, and the first of what it wrote to stderr. */
struct ending {
    int status; /* as from waitpid() */
    char said[16384];
};

/**
 * Run `body` in a child process; when it returns, the child exits with 0. Children start with
 * SIGSEGV and SIGBUS at their defaults (not at a sanitizer's handlers) and leave no core.
 */
void run_child(void (*body)(void), struct ending *ending);

/** In a child: end it as failed, with the condition on stderr, unless the condition holds. */
#define CHILD_CHECK(condition) child_check((condition), __FILE__, __LINE__, #condition)
void child_check(bool holds, const char *file, int line, const char *text);

#define CHECK_CHILD_SUCCEEDS(body)                                                       \
    do {                                                                                 \
        struct ending ending_;                                                           \
        run_child(body, &ending_);                                                       \
        CHECK_MSG(ending_.status == 0, "%s: wait status %#x: %s", #body, ending_.status, \
                  ending_.said);                                                         \
    } while (0)

#define CHECK_CHILD_DIES_OF(body, signal)                                                        \
    do {                                                                                         \
        struct ending ending_;                                                                   \
        run_child(body, &ending_);                                                               \
        CHECK_MSG(WIFSIGNALED(ending_.status) && WTERMSIG(ending_.status) == (signal),           \
                  "%s: wait status %#x, wanted death by %s: %s", #body, ending_.status, #signal, \
                  ending_.said);                                                                 \
    } while (0)

#endif
