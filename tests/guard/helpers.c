/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"
#include "provider/guard_internal.h"
#include "provider/guard_sanitize.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if GUARD_ASAN || GUARD_TSAN
#include <sanitizer/common_interface_defs.h>
#endif

const char *road;

char *map_island(size_t pages)
{
    char *sea = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(sea != MAP_FAILED);
    CHECK(mprotect(sea + PAGE, pages * PAGE, PROT_READ | PROT_WRITE) == 0);
    return sea + PAGE;
}

void unmap_island(char *start, size_t pages)
{
    CHECK(munmap(start - PAGE, (pages + 2) * PAGE) == 0);
}

void fill(char *start, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++)
        start[i] = (char)(i * 7 + i / 251 + (size_t)seed * 31 + 1);
}

static void filter_calls(struct sock_filter *code, size_t length)
{
    struct sock_fprog program = {(unsigned short)length, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

#define LOAD_CALL BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define SKIP_ONE_UNLESS(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(call), 0, 1)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))

void forbid_call(long call, int error)
{
    struct sock_filter code[] = {LOAD_CALL, SKIP_ONE_UNLESS(call),
                                 ANSWER(SECCOMP_RET_ERRNO | (uint32_t)error),
                                 ANSWER(SECCOMP_RET_ALLOW)};
    filter_calls(code, sizeof(code) / sizeof(code[0]));
}

void die_of_any_call(void)
{
    struct sock_filter code[] = {LOAD_CALL, SKIP_ONE_UNLESS(SYS_exit_group),
                                 ANSWER(SECCOMP_RET_ALLOW), ANSWER(SECCOMP_RET_KILL_PROCESS)};
    filter_calls(code, sizeof(code) / sizeof(code[0]));
}

static struct sigaction covered;

static void die_of_lost_guard(int number)
{
    static const char text[] = "a fault reached the program although the guard knows it is lost\n";
    (void)number;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(98);
    _exit(99);
}

bool check_quietly(void)
{
    int said = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    CHECK(said >= 0 && nowhere >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
    bool lost = guard_check();
    CHECK(dup2(said, STDERR_FILENO) >= 0 && close(said) == 0 && close(nowhere) == 0);
    return lost;
}

void lose_guard(void)
{
    struct sigaction mine = {.sa_handler = die_of_lost_guard};
    CHECK(sigaction(SIGSEGV, &mine, &covered) == 0);
    CHECK(check_quietly());
    CHECK(guard_lost());
}

void find_guard(void)
{
    CHECK(sigaction(SIGSEGV, &covered, NULL) == 0);
    CHECK(!guard_check());
}

static void *without_process_vm(void *body)
{
    forbid_call(SYS_process_vm_writev, EPERM);
    forbid_call(SYS_process_vm_readv, ENOSYS);
    (*(void (**)(void))body)();
    return NULL;
}

void by_every_road(void (*body)(void))
{
    CHECK(guard_install() == 0);
    bool has_avx = guard_avx;

    guard_avx = false;
    guard_rep_min = SIZE_MAX;
    road = "16-byte moves";
    body();
    guard_rep_min = 129;
    road = "rep movsb";
    body();
    if (has_avx) {
        guard_avx = true;
        guard_rep_min = SIZE_MAX;
        road = "32-byte moves";
        body();
    }

    lose_guard();
    road = "process_vm_*";
    body();
    road = "pipe";
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, without_process_vm, &body) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    find_guard();
    guard_remove();
}

void child_check(bool holds, const char *file, int line, const char *text)
{
    if (holds)
        return;
    dprintf(STDERR_FILENO, "%s:%d: %s: does not hold\n", file, line, text);
    _exit(1);
}

static _Noreturn void be_child(void (*body)(void), int report)
{
    struct rlimit no_core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a child that fails to die must not outlive its test */
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    dup2(report, STDERR_FILENO);
#if GUARD_ASAN || GUARD_TSAN
    __sanitizer_set_report_path("stderr"); /* these reports are wanted, not a failure of the run */
#endif
    body();
#if GUARD_TSAN
    exit(0); /* its status tells whether there was a report */
#else
    _exit(0);
#endif
}

void run_child(void (*body)(void), struct ending *ending)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        be_child(body, report[1]);
    close(report[1]);

    size_t length = 0;
    ssize_t got;
    char rest[4096]; /* read on, or the child would wait for room */
    while ((got = length < sizeof(ending->said) - 1
                      ? read(report[0], ending->said + length, sizeof(ending->said) - 1 - length)
                      : read(report[0], rest, sizeof(rest))) > 0) {
        if (length < sizeof(ending->said) - 1)
            length += (size_t)got;
    }
    ending->said[length] = '\0';
    close(report[0]);
    CHECK(waitpid(child, &ending->status, 0) == child);
}
