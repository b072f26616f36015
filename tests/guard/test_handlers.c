/* SPDX-License-Identifier: BSD-3-Clause */

/* Our signal handlers among the program's: every signal ends where it would have without us. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"
#include "provider/guard_sanitize.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char ours[64];
static char *island; /* one page; the byte behind it is nobody's */

static void open_island(void)
{
    island = map_island(1);
}

static void close_island(void)
{
    unmap_island(island, 1);
}

SUITE_FIXTURE(guard_handlers, open_island, close_island);

/* The program's own mistake, outside of the guard. */
static void fault(void)
{
    *(volatile char *)(island + PAGE) = 1;
}

static void fault_by_truncated_file(void)
{
    int file = memfd_create("guard", MFD_CLOEXEC);
    volatile char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHILD_CHECK(file >= 0 && page != MAP_FAILED);
    *page = 1;
}

static void set_handler(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR1);
    CHECK(sigaction(number, &action, NULL) == 0);
}

/* --- nobody else handles it --- */

static void fault_with_default(void)
{
    CHILD_CHECK(guard_install() == 0);
    CHILD_CHECK(!guard_copy_to(island + PAGE, ours, 8));
    fault();
}

static void bus_error_with_default(void)
{
    CHILD_CHECK(guard_install() == 0);
    fault_by_truncated_file();
}

static void kill_with_default(void)
{
    CHILD_CHECK(guard_install() == 0);
    kill(getpid(), SIGSEGV);
    pause();
}

static void bus_kill_with_default(void)
{
    CHILD_CHECK(guard_install() == 0);
    kill(getpid(), SIGBUS);
    pause();
}

SUITE_TEST(guard_handlers, program_still_dies_of_its_own_fault)
{
    CHECK_CHILD_DIES_OF(fault_with_default, SIGSEGV);
    CHECK_CHILD_DIES_OF(bus_error_with_default, SIGBUS);
}

SUITE_TEST(guard_handlers, program_still_dies_when_it_is_killed)
{
    CHECK_CHILD_DIES_OF(kill_with_default, SIGSEGV);
    CHECK_CHILD_DIES_OF(bus_kill_with_default, SIGBUS);
}

static void fault_while_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    CHILD_CHECK(guard_install() == 0);
    fault();
}

static void kill_while_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    CHILD_CHECK(guard_install() == 0);
    for (int i = 0; i < 3; i++)
        CHILD_CHECK(kill(getpid(), SIGSEGV) == 0);
    CHILD_CHECK(!guard_copy_to(island + PAGE, ours, 8));
    CHILD_CHECK(!guard_check());
}

SUITE_TEST(guard_handlers, ignoring_holds_for_kill_but_not_for_faults)
{
    CHECK_CHILD_DIES_OF(fault_while_ignored, SIGSEGV);
    CHECK_CHILD_SUCCEEDS(kill_while_ignored);
}

/* --- the program has a handler --- */

static sigjmp_buf recovery;
static volatile sig_atomic_t calls;
static void *volatile fault_address;
static volatile sig_atomic_t code;
static volatile pid_t sender;
static volatile int sent_value;

static void recover(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    calls++;
    fault_address = info->si_addr;
    code = info->si_code;
    siglongjmp(recovery, 1);
}

SUITE_TEST(guard_handlers, program_handles_its_own_faults)
{
    set_handler(SIGSEGV, recover, 0);
    CHECK(guard_install() == 0);
    for (int i = 1; i <= 3; i++) {
        if (sigsetjmp(recovery, 1) == 0) {
            fault();
            FAIL("went on after a fault");
        }
        CHECK_EQ_I64(calls, i);
        CHECK_EQ_PTR(fault_address, island + PAGE);
        CHECK_EQ_I64(code, SEGV_ACCERR);
        CHECK(!guard_copy_to(island + PAGE, ours, 8));
        CHECK_EQ_I64(calls, i); /* he was not asked about ours */
    }
    guard_remove();
}

static void open_the_page(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    calls++;
    mprotect(info->si_addr, 1, PROT_READ | PROT_WRITE);
}

SUITE_TEST(guard_handlers, program_may_repair_a_fault_and_go_on)
{
    char *wide = map_island(2);
    CHECK(mprotect(wide + PAGE, PAGE, PROT_READ) == 0);
    set_handler(SIGSEGV, open_the_page, 0);
    CHECK(guard_install() == 0);
    *(volatile char *)(wide + PAGE) = 7;
    CHECK_EQ_I64(calls, 1);
    CHECK_EQ_I64(wide[PAGE], 7);
    guard_remove();
    unmap_island(wide, 2);
}

static void recover_plainly(int number)
{
    calls += number;
    siglongjmp(recovery, 1);
}

SUITE_TEST(guard_handlers, plain_handler_is_called_too)
{
    CHECK(signal(SIGSEGV, recover_plainly) != SIG_ERR);
    CHECK(guard_install() == 0);
    if (sigsetjmp(recovery, 1) == 0)
        fault();
    CHECK_EQ_I64(calls, SIGSEGV);
    guard_remove();
}

static void note_sender(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    calls++;
    code = info->si_code;
    sender = info->si_pid;
    sent_value = info->si_value.sival_int;
}

SUITE_TEST(guard_handlers, kill_reaches_the_program_with_its_sender)
{
    set_handler(SIGSEGV, note_sender, 0);
    set_handler(SIGBUS, note_sender, 0);
    CHECK(guard_install() == 0);
    CHECK(kill(getpid(), SIGSEGV) == 0);
    CHECK_EQ_I64(calls, 1);
    CHECK_EQ_I64(code, SI_USER);
    CHECK_EQ_I64(sender, getpid());
    CHECK(sigqueue(getpid(), SIGBUS, (union sigval){.sival_int = 4711}) == 0);
    CHECK_EQ_I64(calls, 2);
    CHECK_EQ_I64(code, SI_QUEUE);
    CHECK_EQ_I64(sent_value, 4711);
    guard_remove();
}

/* --- how the program's handler is called --- */

static int pipe_ends[2];

static void write_to_pipe(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    calls += write(pipe_ends[1], "x", 1) == 1;
}

SUITE_TEST(guard_handlers, system_calls_restart_as_the_program_asked)
{
    static const int flags[] = {0, SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGSEGV};
    struct itimerspec soon = {.it_value = {.tv_nsec = 20000000}};
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    for (int i = 0; i < 2; i++) {
        char byte;
        CHECK(pipe(pipe_ends) == 0);
        set_handler(SIGSEGV, write_to_pipe, flags[i]);
        CHECK(guard_install() == 0);
        CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
        CHECK_EQ_I64(read(pipe_ends[0], &byte, 1), i == 0 ? -1 : 1);
        CHECK_EQ_I64(calls, i + 1);
        guard_remove();
        CHECK(close(pipe_ends[0]) == 0 && close(pipe_ends[1]) == 0);
    }
    CHECK(timer_delete(timer) == 0);
}

static void say_and_return(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    static const char text[] = "handled;";
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(98);
}

static void fault_with_one_shot_handler(void)
{
    set_handler(SIGSEGV, say_and_return, (int)SA_RESETHAND);
    CHILD_CHECK(guard_install() == 0);
    fault(); /* again and again, as the handler repairs nothing */
}

SUITE_TEST(guard_handlers, one_shot_handler_is_called_once)
{
    struct ending ending;
    run_child(fault_with_one_shot_handler, &ending);
    CHECK(WIFSIGNALED(ending.status) && WTERMSIG(ending.status) == SIGSEGV);
    CHECK_EQ_STR(ending.said, "handled;");
}

SUITE_TEST(guard_handlers, one_shot_handler_that_was_called_is_not_put_back)
{
    struct sigaction after;
    set_handler(SIGSEGV, note_sender, (int)SA_RESETHAND);
    CHECK(guard_install() == 0);
    CHECK(kill(getpid(), SIGSEGV) == 0);
    CHECK_EQ_I64(calls, 1);
    guard_remove();
    CHECK(sigaction(SIGSEGV, NULL, &after) == 0);
    CHECK(after.sa_handler == SIG_DFL);
}

SUITE_TEST(guard_handlers, guarded_fault_leaves_errno_and_mask_alone)
{
    sigset_t before;
    sigset_t after;
    CHECK(guard_install() == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &before) == 0);
    errno = EDOM;
    CHECK(!guard_copy_to(island + PAGE, ours, 8));
    CHECK_EQ_I64(errno, EDOM);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &after) == 0);
    for (int number = 1; number < 32; number++)
        CHECK_EQ_I64(sigismember(&after, number), sigismember(&before, number));
    guard_remove();
}

/* --- alternate stacks --- */

#define STACK_BYTES ((size_t)256 << 10)

static char *stack_bounds;
static volatile bool was_on_stack;

static void note_stack(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    uintptr_t at = (uintptr_t)__builtin_frame_address(0);
    was_on_stack = at > (uintptr_t)stack_bounds && at <= (uintptr_t)stack_bounds + STACK_BYTES;
    siglongjmp(recovery, 1);
}

static void *fault_on_alternate_stack(void *unused)
{
    stack_t mine = {.ss_sp = stack_bounds, .ss_size = STACK_BYTES};
    stack_t before;
    CHECK(sigaltstack(&mine, &before) == 0);
    CHECK(!guard_copy_to(island + PAGE, ours, 8));
    if (sigsetjmp(recovery, 1) == 0)
        fault();
    CHECK(was_on_stack);
    CHECK(!guard_copy_to(island + PAGE, ours, 8));
    CHECK(sigaltstack(&before, NULL) == 0);
    return unused;
}

SUITE_TEST(guard_handlers, work_on_a_thread_with_an_alternate_stack)
{
    pthread_t thread;
    stack_bounds = map_island(STACK_BYTES / PAGE);
    set_handler(SIGSEGV, note_stack, SA_ONSTACK);
    CHECK(guard_install() == 0);
    CHECK(pthread_create(&thread, NULL, fault_on_alternate_stack, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    guard_remove();
    unmap_island(stack_bounds, STACK_BYTES / PAGE);
}

/* --- coming and going --- */

SUITE_TEST(guard_handlers, last_removal_puts_the_program_handlers_back)
{
    struct sigaction after;
    set_handler(SIGSEGV, recover, SA_NODEFER);
    set_handler(SIGBUS, note_sender, 0);
    for (int round = 0; round < 10; round++) {
        CHECK(guard_install() == 0);
        CHECK(guard_install() == 0);
        guard_remove();
        CHECK(!guard_check());
        CHECK(!guard_copy_to(island + PAGE, ours, 8));
        guard_remove();
        CHECK(sigaction(SIGSEGV, NULL, &after) == 0);
        CHECK(after.sa_sigaction == recover);
        CHECK_EQ_I64(after.sa_flags & SA_NODEFER, SA_NODEFER);
        CHECK_EQ_I64(sigismember(&after.sa_mask, SIGUSR1), 1);
        CHECK(sigaction(SIGBUS, NULL, &after) == 0);
        CHECK(after.sa_sigaction == note_sender);
        guard_remove(); /* one too many does no harm */
    }
}

SUITE_TEST(guard_handlers, removal_leaves_a_handler_that_came_later)
{
    struct sigaction after;
    CHECK(guard_install() == 0);
    set_handler(SIGBUS, note_sender, 0);
    guard_remove();
    CHECK(sigaction(SIGBUS, NULL, &after) == 0);
    CHECK(after.sa_sigaction == note_sender);
}

static void lose_twice(void)
{
    CHILD_CHECK(guard_install() == 0);
    CHILD_CHECK(!guard_check());
    for (int i = 0; i < 2; i++) {
        struct sigaction before;
        struct sigaction mine = {.sa_handler = SIG_DFL};
        CHILD_CHECK(sigaction(SIGBUS, &mine, &before) == 0);
        for (int look = 0; look < 3; look++)
            CHILD_CHECK(guard_check());
        CHILD_CHECK(guard_lost());
        CHILD_CHECK(guard_copy_to(island, ours, 8));
        CHILD_CHECK(!guard_copy_to(island + PAGE, ours, 8));
        CHILD_CHECK(sigaction(SIGBUS, &before, NULL) == 0);
        CHILD_CHECK(!guard_check());
        CHILD_CHECK(!guard_lost());
        CHILD_CHECK(!guard_copy_to(island + PAGE, ours, 8));
    }
    guard_remove();
}

SUITE_TEST(guard_handlers, loss_is_noticed_and_said_once)
{
    struct ending ending;
    run_child(lose_twice, &ending);
    CHECK_MSG(ending.status == 0, "%s", ending.said);
    CHECK_MSG(strncmp(ending.said, "wirerx: ", 8) == 0, "%s", ending.said);
    CHECK(strstr(ending.said, "SIGBUS") != NULL);
    CHECK_EQ_PTR(strchr(ending.said, '\n'), ending.said + strlen(ending.said) - 1);
}

static struct sigaction chained;

static void call_the_one_before(int number, siginfo_t *info, void *context)
{
    calls++;
    chained.sa_sigaction(number, info, context);
}

static void chain_over_guard(void)
{
    struct sigaction mine = {.sa_sigaction = call_the_one_before, .sa_flags = SA_SIGINFO};
    sigemptyset(&mine.sa_mask);
    CHECK(sigaction(SIGSEGV, &mine, &chained) == 0);
}

SUITE_TEST(guard_handlers, handler_that_calls_ours_counts_as_a_loss)
{
    CHECK(guard_install() == 0);
    chain_over_guard();
    CHECK(!guard_copy_to(island + PAGE, ours, 8)); /* works, but who can know? */
    CHECK_EQ_I64(calls, 1);
    CHECK(check_quietly());
    CHECK(!guard_copy_to(island + PAGE, ours, 8));
    CHECK_EQ_I64(calls, 1);
    guard_remove();
}

SUITE_TEST(guard_handlers, installed_over_one_that_calls_ours_make_no_circle)
{
    set_handler(SIGSEGV, recover, 0);
    CHECK(guard_install() == 0);
    chain_over_guard();
    guard_remove();
    CHECK(guard_install() == 0);
    CHECK(!guard_check());
    CHECK(!guard_copy_to(island + PAGE, ours, 8));
    CHECK_EQ_I64(calls, 0);
    if (sigsetjmp(recovery, 1) == 0)
        fault();
    CHECK_EQ_I64(calls, 2); /* the chained one, and below our first the program's first */
    guard_remove();
}

static void cover_guard_forever(void)
{
    for (int round = 0; round < 10; round++) {
        CHILD_CHECK(guard_install() == 0);
        CHILD_CHECK(!guard_copy_to(island + PAGE, ours, 8));
        CHILD_CHECK(guard_copy_to(island, ours, 8));
        set_handler(SIGSEGV, round % 2 ? note_sender : recover, 0);
        guard_remove();
    }
    CHILD_CHECK(guard_install() == 0);
    CHILD_CHECK(guard_check());
}

SUITE_TEST(guard_handlers, covered_too_often_stay_with_the_kernel)
{
    CHECK_CHILD_SUCCEEDS(cover_guard_forever);
}

static void copy_in_child(void)
{
    CHILD_CHECK(guard_install() == 0);
    CHILD_CHECK(!guard_copy_to(island + PAGE, ours, 8));
    pid_t child = fork();
    if (child == 0)
        _exit(guard_copy_to(island + PAGE, ours, 8) || guard_lost() ? 1 : 0);
    int status = -1;
    CHILD_CHECK(waitpid(child, &status, 0) == child && status == 0);
}

SUITE_TEST(guard_handlers, are_inherited_by_a_forked_child)
{
    CHECK_CHILD_SUCCEEDS(copy_in_child);
}

/* --- what cannot be seen under TSan --- */

/*
 * It calls handlers with every signal blocked, calls those of SIGSEGV even while it holds locks of
 * its own, and does not survive an overflow of the stack, with or without the guard.
 */
#if !GUARD_TSAN

static atomic_bool stop;
static atomic_uint received;

static void count(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    atomic_fetch_add(&received, 1);
}

static void *copy_all_the_time(void *failures)
{
    static char from[3000];
    static char to[sizeof(from)];
    while (!atomic_load(&stop))
        *(unsigned *)failures += !guard_copy_to(to, from, sizeof(from));
    return NULL;
}

SUITE_TEST(guard_handlers, kill_in_the_middle_of_a_copy_is_no_fault, .timeout = 60)
{
    pthread_t copier;
    unsigned failures = 0;
    set_handler(SIGSEGV, count, 0);
    CHECK(guard_install() == 0);
    CHECK(pthread_create(&copier, NULL, copy_all_the_time, &failures) == 0);
    for (unsigned sent = 1; sent <= 3000; sent++) {
        CHECK(pthread_kill(copier, SIGSEGV) == 0);
        while (atomic_load(&received) < sent)
            sched_yield();
    }
    atomic_store(&stop, true);
    CHECK(pthread_join(copier, NULL) == 0);
    CHECK_EQ_U64(failures, 0);
    guard_remove();
}

static sigset_t mask_in_handler;

static void note_mask(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    pthread_sigmask(SIG_BLOCK, NULL, &mask_in_handler);
}

SUITE_TEST(guard_handlers, program_handler_runs_with_the_mask_it_asked_for)
{
    static const int flags[] = {0, SA_NODEFER};
    for (int i = 0; i < 2; i++) {
        sigset_t before;
        sigset_t after;
        set_handler(SIGSEGV, note_mask, flags[i]);
        CHECK(guard_install() == 0);
        CHECK(pthread_sigmask(SIG_BLOCK, NULL, &before) == 0);
        CHECK(kill(getpid(), SIGSEGV) == 0);
        CHECK(pthread_sigmask(SIG_BLOCK, NULL, &after) == 0);
        CHECK_EQ_I64(sigismember(&mask_in_handler, SIGSEGV), flags[i] == 0);
        CHECK_EQ_I64(sigismember(&mask_in_handler, SIGUSR1), 1);
        CHECK_EQ_I64(sigismember(&mask_in_handler, SIGUSR2), 0);
        for (int number = 1; number < 32; number++)
            CHECK_EQ_I64(sigismember(&after, number), sigismember(&before, number));
        guard_remove();
    }
}

static void copy_in_handler(int number)
{
    (void)number;
    /* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c) that it is safe is what is tested */
    calls += !guard_copy_to(island + PAGE - 4, ours, 8) && guard_copy_to(island, ours, 8);
}

SUITE_TEST(guard_handlers, copies_may_fault_inside_of_a_signal_handler)
{
    CHECK(signal(SIGUSR1, copy_in_handler) != SIG_ERR);
    CHECK(guard_install() == 0);
    CHECK(raise(SIGUSR1) == 0);
    CHECK_EQ_I64(calls, 1);
    guard_remove();
}

static unsigned overflow_stack(unsigned depth)
{
    volatile char room[4096];
    room[0] = (char)depth;
    room[sizeof(room) - 1] = room[0];
    return depth == UINT32_MAX ? 0 : overflow_stack(depth + 1) + (unsigned)room[sizeof(room) - 1];
}

static void report_overflow(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    static const char text[] = "stack overflow handled";
    _exit(write(STDERR_FILENO, text, sizeof(text) - 1) > 0 ? 42 : 43);
}

static void overflow_with_alternate_stack(void)
{
    stack_t mine = {.ss_sp = map_island(STACK_BYTES / PAGE), .ss_size = STACK_BYTES};
    CHILD_CHECK(sigaltstack(&mine, NULL) == 0);
    set_handler(SIGSEGV, report_overflow, SA_ONSTACK);
    CHILD_CHECK(guard_install() == 0);
    calls = (int)overflow_stack(0);
}

SUITE_TEST(guard_handlers, program_can_handle_an_overflow_of_its_stack)
{
    struct ending ending;
    run_child(overflow_with_alternate_stack, &ending);
    CHECK_EQ_I64(ending.status, 42 << 8);
    CHECK_EQ_STR(ending.said, "stack overflow handled");
}

#endif
