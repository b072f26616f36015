/* SPDX-License-Identifier: BSD-3-Clause */

#include "guard.h"

#include "../dataplane/dataplane.h"
#include "guard_internal.h"
#include "guard_pages.h"
#include "guard_sanitize.h"
#include "quick_obstacles.h"

#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static const int guarded_signals[] = {SIGSEGV, SIGBUS};

#define SIGNALS (sizeof(guarded_signals) / sizeof(guarded_signals[0]))

/*
 * A handler of ours that was not on top when it should have been removed may still be called by
 * the one above it, and goes on passing faults to the one below. So it is never put on top a
 * second time (the two would call each other forever); the next installation uses the next layer.
 */
#define LAYERS 4

/* Kept out of the way of the few instructions that a guarded access takes. */
#define COLD __attribute__((cold, noinline))

struct previous {
    struct sigaction action;
    atomic_bool spent; /* it had SA_RESETHAND and has been called */
};

/* Written before our handler is in place, constant while it may be called. */
static struct previous previous[LAYERS][SIGNALS];

/* For guard_install(), guard_remove(), guard_check(): what follows, and the handlers in place. */
static struct owner_mutex lock;
static unsigned installs;
static unsigned layer;
static bool loss_logged;

/* True whenever our handlers are not known to be in place, before guard_install() too. */
static atomic_bool through_kernel = true;

bool guard_avx;
size_t guard_rep_min = SIZE_MAX;
atomic_uint guard_faults;

/* Does this signal come from the instruction at RIP, and not from kill() and its like? */
static bool is_synchronous(int number, const siginfo_t *info)
{
    if (number == SIGBUS && info->si_code == BUS_MCEERR_AO)
        return false; /* a memory module's fault found elsewhere */
    return info->si_code > 0;
}

/* Where the instruction at RIP goes on after a fault; 0: it is none of ours. */
static greg_t fixup_of(greg_t rip)
{
    if (rip >= (greg_t)guard_code_begin && rip < (greg_t)guard_code_end)
        return (greg_t)guard_code_fault;
    for (const struct guard_row *row = __start_guard_table; row != __stop_guard_table; row++)
        if ((greg_t)&row->instruction + row->instruction == rip)
            return (greg_t)&row->fault + row->fault;
    return 0;
}

/* An access has failed: what was believed about client memory may be wrong. */
static void note_failure(void)
{
    atomic_fetch_add_explicit(&guard_faults, 1, memory_order_relaxed);
    guard_pages_forget();
}

static bool redirect(ucontext_t *context)
{
    greg_t *rip = &context->uc_mcontext.gregs[REG_RIP];
    greg_t fixup = fixup_of(*rip);

    if (fixup == 0)
        return false;
    *rip = fixup;
    note_failure();
    return true;
}

/* What the kernel does with a signal of this kind when nobody handles it: end the process. */
static void die_by_default(int number, siginfo_t *info)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(number, &standard, NULL);
    if (is_synchronous(number, info))
        return; /* the instruction faults again, now for good, and the core shows it */
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), number, info) != 0)
        raise(number);
}

/* Do what the kernel would have done with this signal if we had not been here. */
static void pass_on(struct previous *to, int number, siginfo_t *info, ucontext_t *context)
{
    const struct sigaction *action = &to->action;
    bool handled = action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;

    if (handled && (action->sa_flags & (int)SA_RESETHAND))
        handled = !atomic_exchange_explicit(&to->spent, true, memory_order_relaxed);
    else if (action->sa_handler == SIG_IGN && !is_synchronous(number, info))
        return; /* a fault cannot be ignored */
    if (!handled) {
        die_by_default(number, info);
        return;
    }

    /* Ours runs with nothing blocked (SA_NODEFER); returning from it restores the thread's mask. */
    sigset_t blocked = action->sa_mask;
    if (!(action->sa_flags & SA_NODEFER))
        sigaddset(&blocked, number);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(number, info, context);
    else
        action->sa_handler(number);
}

static void handle(unsigned in_layer, int number, siginfo_t *info, void *context)
{
    int saved = errno;
    if (!is_synchronous(number, info) || !redirect(context))
        pass_on(&previous[in_layer][number == SIGSEGV ? 0 : 1], number, info, context);
    errno = saved;
}

#define DEFINE_LAYER(n)                                                         \
    static void handle_in_layer_##n(int number, siginfo_t *info, void *context) \
    {                                                                           \
        handle(n, number, info, context);                                       \
    }
DEFINE_LAYER(0)
DEFINE_LAYER(1)
DEFINE_LAYER(2)
DEFINE_LAYER(3)
#undef DEFINE_LAYER

static void (*const handlers[LAYERS])(int, siginfo_t *, void *) = {
    handle_in_layer_0,
    handle_in_layer_1,
    handle_in_layer_2,
    handle_in_layer_3,
};

static void go_through_kernel(bool yes)
{
    atomic_store_explicit(&through_kernel, yes, memory_order_release);
    quick_obstacle_set(OBSTACLE_GUARD_LOST, yes);
}

static bool is_on_top(int number)
{
    struct sigaction current;
    return layer < LAYERS && sigaction(number, NULL, &current) == 0 &&
           (current.sa_flags & SA_SIGINFO) && current.sa_sigaction == handlers[layer];
}

static void log_loss(int number)
{
    if (loss_logged)
        return;
    loss_logged = true;
    fprintf(stderr,
            "wirerx: guard: the program has put its own %s handler over wirerx's: client memory is "
            "now written by system calls, which is slower, and posted receives are no longer "
            "completed by the dataplane's cores. Install that handler before wirerx starts (it "
            "still gets every fault that is not wirerx's own) or use `wirerx run`.\n",
            number == SIGSEGV ? "SIGSEGV" : "SIGBUS");
}

/* Measured against memcpy: 32-byte moves win up to some 32 KiB; `rep movsb` beats 16-byte moves. */
static void choose_copy(void)
{
    unsigned eax;
    unsigned ebx = 0;
    unsigned ecx;
    unsigned edx;
    bool erms = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & (1U << 9));

    __builtin_cpu_init();
    guard_avx = __builtin_cpu_supports("avx");
    guard_rep_min = !erms ? SIZE_MAX : guard_avx ? 32768 : 2048;
}

static int put_on_top(size_t i)
{
    int number = guarded_signals[i];
    struct previous *below = &previous[layer][i];
    if (sigaction(number, NULL, &below->action) != 0)
        return -1;
    atomic_store_explicit(&below->spent, false, memory_order_relaxed);

    /*
     * No mask of our own and SA_NODEFER: a guarded fault changes nothing but RIP. SA_ONSTACK: the
     * one below may wait for stack overflows. SA_RESTART as whoever would have been there had it.
     */
    struct sigaction ours = {.sa_sigaction = handlers[layer],
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&ours.sa_mask);
    if (below->action.sa_handler == SIG_IGN || (below->action.sa_flags & SA_RESTART))
        ours.sa_flags |= SA_RESTART;
    return sigaction(number, &ours, NULL);
}

static int put_back(size_t i)
{
    struct previous *below = &previous[layer][i];
    struct sigaction action = below->action;
    if (atomic_load_explicit(&below->spent, memory_order_relaxed))
        action.sa_handler = SIG_DFL;
    return sigaction(guarded_signals[i], &action, NULL);
}

int guard_install(void)
{
    int result = 0;
    if (owner_mutex_lock(&lock) != 0) {
        errno = EDEADLK;
        return -1;
    }
    if (installs++ > 0)
        goto done;
    if (layer == LAYERS) {
        /* Somebody has covered us so often that we stay below, which is what a loss is. */
        log_loss(SIGSEGV);
        goto done;
    }
    choose_copy();
    for (size_t i = 0; i < SIGNALS; i++) {
        if (put_on_top(i) == 0)
            continue;
        int saved = errno;
        while (i-- > 0)
            put_back(i);
        installs = 0;
        errno = saved;
        result = -1;
        goto done;
    }
    go_through_kernel(false);
done:
    owner_mutex_unlock(&lock);
    return result;
}

void guard_remove(void)
{
    if (owner_mutex_lock(&lock) != 0)
        return;
    if (installs == 0 || --installs > 0 || layer == LAYERS)
        goto done;
    go_through_kernel(true);
    bool covered = false;
    for (size_t i = 0; i < SIGNALS; i++) {
        if (!is_on_top(guarded_signals[i]) || put_back(i) != 0)
            covered = true;
    }
    if (covered)
        layer++;
done:
    owner_mutex_unlock(&lock);
}

bool guard_check(void)
{
    if (owner_mutex_lock(&lock) != 0)
        return guard_lost();
    bool lost = installs == 0;
    for (size_t i = 0; i < SIGNALS && !lost; i++) {
        lost = !is_on_top(guarded_signals[i]);
        if (lost)
            log_loss(guarded_signals[i]);
    }
    go_through_kernel(lost);
    owner_mutex_unlock(&lock);
    return lost;
}

static void before_fork(void)
{
    owner_mutex_before_fork(&lock);
}

static void after_fork_in_parent(void)
{
    owner_mutex_after_fork_in_parent(&lock);
}

static void after_fork_in_child(void)
{
    owner_mutex_after_fork_in_child(&lock);
}

__attribute__((constructor(FORK_HANDLERS_INNERMOST))) static void handle_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static inline bool is_lost(void)
{
    return atomic_load_explicit(&through_kernel, memory_order_relaxed);
}

bool guard_lost(void)
{
    return is_lost();
}

/* By system call, and count a failure as redirect() does. */
static COLD bool kernel_copy_to(void *to, const void *from, size_t length)
{
    bool done = guard_kernel_copy_to(to, from, length);
    if (!done)
        note_failure();
    return done;
}

static COLD bool kernel_store32(void *to, uint32_t value)
{
    return kernel_copy_to(to, &value, sizeof(value));
}

static COLD bool kernel_store64(void *to, uint64_t value)
{
    return kernel_copy_to(to, &value, sizeof(value));
}

bool guard_copy_to(void *to, const void *from, size_t length)
{
    guard_saw_read(from, length);
    bool done = is_lost() ? kernel_copy_to(to, from, length) : guard_code_copy(to, from, length);
    if (done)
        guard_saw_write(to, length);
    return done;
}

bool guard_copy_from(void *to, const void *from, size_t length)
{
    guard_saw_write(to, length);
    bool done =
        is_lost() ? guard_kernel_copy_from(to, from, length) : guard_code_copy(to, from, length);
    if (done)
        guard_saw_read(from, length);
    return done;
}

bool guard_store32(void *to, uint32_t value)
{
    bool done = is_lost() ? kernel_store32(to, value) : guard_code_store32(to, value);
    if (done)
        guard_saw_write(to, sizeof(value));
    return done;
}

bool guard_store64(void *to, uint64_t value)
{
    bool done = is_lost() ? kernel_store64(to, value) : guard_code_store64(to, value);
    if (done)
        guard_saw_write(to, sizeof(value));
    return done;
}

bool guard_store64_release(void *to, uint64_t value)
{
#if GUARD_TSAN
    /* The sanitizer must hear of the release before anybody can see the value. */
    if (!guard_touch(to))
        return false;
    guard_saw_release(to);
#endif
    /*
     * x86 orders this store after every earlier store; the compiler cannot move those past a call
     * into assembly or the kernel. No guard_saw_write(): whoever polls this word does so while it
     * is written, on purpose.
     */
    return is_lost() ? kernel_store64(to, value) : guard_code_store64(to, value);
}

bool guard_load64_acquire(const void *from, uint64_t *value)
{
    /* x86 orders every later load after this one. */
    bool done = is_lost() ? guard_kernel_copy_from(value, from, sizeof(*value))
                          : guard_code_load64(from, value);
    if (done)
        guard_saw_acquire(from);
    return done;
}

bool guard_touch(void *at)
{
    return is_lost() ? guard_kernel_touch(at) : guard_code_touch(at);
}
