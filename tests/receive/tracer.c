/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A mark is a call that fails: fcntl(MARK, what | window << 8, threads). */
#define MARK (-0x57525852)
#define MARK_OPEN 1
#define MARK_CLOSE 2

void tracer_open(unsigned window, int thread_a, int thread_b)
{
    syscall(SYS_fcntl, MARK, MARK_OPEN | window << 8,
            (uint64_t)(uint32_t)thread_a | (uint64_t)(uint32_t)thread_b << 32);
}

void tracer_close(unsigned window)
{
    syscall(SYS_fcntl, MARK, MARK_CLOSE | window << 8, 0);
}

uint64_t tracer_calls(const struct tracer_window *window, unsigned thread, long except)
{
    uint64_t sum = 0;

    for (long number = 0; number < (long)TRACER_NUMBERS; number++)
        if (number != except)
            sum += window->calls[thread][number];
    return sum;
}

static struct {
    struct tracer_window *open;
    int threads[2];
} now;

static void enter(pid_t thread, const struct __ptrace_syscall_info *call,
                  struct tracer_window *windows)
{
    uint64_t number = call->entry.nr < TRACER_NUMBERS ? call->entry.nr : TRACER_NUMBERS - 1;

    if (number == SYS_fcntl && (int)call->entry.args[0] == MARK) {
        struct tracer_window *window = &windows[call->entry.args[1] >> 8 & (TRACER_WINDOWS - 1)];

        if ((call->entry.args[1] & 0xff) == MARK_OPEN) {
            window->opened = true;
            now.open = window;
            now.threads[0] = (int)(uint32_t)call->entry.args[2];
            now.threads[1] = (int)(call->entry.args[2] >> 32);
        } else {
            window->closed = true;
            now.open = NULL;
        }
        return;
    }
    for (unsigned i = 0; i < 2 && now.open != NULL; i++)
        if (thread == now.threads[i])
            now.open->calls[i][number]++;
}

/* @return the child's wait status */
static int trace(pid_t child, struct tracer_window *windows)
{
    for (;;) {
        int status, deliver = 0;
        pid_t thread = waitpid(-1, &status, __WALL);

        if (thread < 0) {
            CHECK(errno == EINTR);
            continue;
        }
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread == child)
                return status;
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info call;

            if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) > 0 &&
                call.op == PTRACE_SYSCALL_INFO_ENTRY)
                enter(thread, &call, windows);
        } else if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP) {
            deliver = WSTOPSIG(status); /* a signal of the child's own */
        }
        ptrace(PTRACE_SYSCALL, thread, 0, deliver);
    }
}

static void *call(void *body)
{
    (*(void (**)(void))body)();
    return NULL;
}

/* On a thread: a check that fails there ends this process and does not speak to the test's runner. */
static _Noreturn void run_child(void (*body)(void), int begin)
{
    pthread_t thread;
    char go;

    if (read(begin, &go, 1) != 1 || pthread_create(&thread, NULL, call, (void *)&body) != 0)
        _exit(2);
    pthread_join(thread, NULL);
    _exit(0);
}

bool tracer_run(void (*body)(void), struct tracer_window windows[TRACER_WINDOWS])
{
    int begin[2];

    CHECK(pipe(begin) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        run_child(body, begin[0]);
    if (ptrace(PTRACE_SEIZE, child, 0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return false;
    }
    CHECK(ptrace(PTRACE_INTERRUPT, child, 0, 0) == 0);
    CHECK(write(begin[1], "", 1) == 1);
    int status = trace(child, windows);
    close(begin[0]);
    close(begin[1]);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the traced process failed: %#x",
              (unsigned)status);
    return true;
}
