/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "helpers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *start(void *argument)
{
    struct runner *runner = argument;

    CHECK(host_current_thread(&runner->id));
    atomic_store(&runner->tid, (int)syscall(SYS_gettid));
    atomic_store(&runner->started, true);
    runner->body(runner);
    atomic_store(&runner->ended, true);
    return NULL;
}

void run(struct runner *runner, void (*body)(struct runner *self), void *argument)
{
    runner->body = body;
    runner->argument = argument;
    CHECK_EQ_I64(pthread_create(&runner->thread, NULL, start, runner), 0);
    UNTIL(atomic_load(&runner->started));
}

uint64_t finish(struct runner *runner)
{
    CHECK_EQ_I64(pthread_join(runner->thread, NULL), 0);
    return atomic_load(&runner->result);
}

bool sleeps(struct runner *runner)
{
    char path[64];
    char state = '?';

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&runner->tid));
    FILE *file = fopen(path, "r");

    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    fclose(file);
    return state == 'S';
}

uint64_t in_milliseconds(uint64_t milliseconds)
{
    return wake_clock() + milliseconds * 1000000;
}

void remove_futex_waitv(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex_waitv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

    CHECK_EQ_I64(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ_I64(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}
