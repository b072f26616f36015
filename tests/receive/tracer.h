/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_TRACER_H
#define WIRERX_TESTS_RECEIVE_TRACER_H

/**
 * @file
 * System calls counted from outside: a process is run under ptrace(), and what two of its threads ask
 * of the kernel between marks is counted, whoever asks and by whatever instruction.
 */

#include <stdbool.h>
#include <stdint.h>

#define TRACER_WINDOWS 16u
#define TRACER_NUMBERS 512u

/** One window: system calls by number, for each of the two threads. */
struct tracer_window {
    bool opened, closed;
    uint64_t calls[2][TRACER_NUMBERS];
};

/**
 * Run `body` in a child process under the tracer. Ends the test when the child fails.
 * @return false: this machine does not allow tracing
 */
bool tracer_run(void (*body)(void), struct tracer_window windows[TRACER_WINDOWS]);

/** In the child: count from here, for these two threads; until there. */
void tracer_open(unsigned window, int thread_a, int thread_b);
void tracer_close(unsigned window);

/** Sum of a window's calls by one thread, without `except` (a system call's number, or -1). */
uint64_t tracer_calls(const struct tracer_window *window, unsigned thread, long except);

#endif
