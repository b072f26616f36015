/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Client memory through the kernel, for when our signal handlers are not in place: a system call
 * answers EFAULT where a load or store of ours would end the process.
 *
 * The system calls are made raw, so that neither our own interposer nor a sanitizer's wrapper takes
 * them for the client's.
 *
 * Limit: eight aligned bytes are one store only as far as the kernel's own copy of eight bytes is;
 * no processor is known on which it is not, none promises it.
 */

#include "guard_internal.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* One call moves at most 2 GiB less a page. */
#define CALL_MAX ((size_t)1 << 30)

/* What every pipe holds, even when the user has used up his share of pipe memory. */
#define PIPE_HOLDS ((size_t)4096)

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * By way of a pipe, as the program's own read() or write() would: a stack grows, a device's memory
 * is reached, every sandbox allows it. Four calls and a moment with two descriptors; without free
 * descriptors it fails.
 */
static bool copy_by_pipe(char *to, const char *from, size_t length)
{
    int ends[2];
    if (syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;

    while (length > 0) {
        size_t step = smaller(length, PIPE_HOLDS);
        if (syscall(SYS_write, ends[1], from, step) != (long)step ||
            syscall(SYS_read, ends[0], to, step) != (long)step)
            break;
        to += step;
        from += step;
        length -= step;
    }
    syscall(SYS_close, ends[0]);
    syscall(SYS_close, ends[1]);
    return length == 0;
}

/*
 * One call as for another process's memory: `theirs` is looked up page by page with its
 * permissions. It says no in more cases than a store would (not yet grown stack, device memory, a
 * kernel or a sandbox without the call), so a pipe has the last word on what is left.
 */
static bool copy(long call, char *ours, char *theirs, size_t length)
{
    if (length > UINTPTR_MAX - (uintptr_t)theirs)
        return false; /* before a part of it is written */
    while (length > 0) {
        size_t step = smaller(length, CALL_MAX);
        struct iovec local = {ours, step};
        struct iovec remote = {theirs, step};
        long moved = syscall(call, getpid(), &local, 1UL, &remote, 1UL, 0UL);
        if (moved <= 0)
            break;
        ours += moved;
        theirs += moved;
        length -= (size_t)moved;
    }
    if (length == 0)
        return true;
    return call == SYS_process_vm_writev ? copy_by_pipe(theirs, ours, length)
                                         : copy_by_pipe(ours, theirs, length);
}

bool guard_kernel_copy_to(void *to, const void *from, size_t length)
{
    return copy(SYS_process_vm_writev, (void *)(uintptr_t)from, to, length);
}

bool guard_kernel_copy_from(void *to, const void *from, size_t length)
{
    return copy(SYS_process_vm_readv, to, (void *)(uintptr_t)from, length);
}

/*
 * FUTEX_WAKE_OP adds 0 to the client's word, atomically, before it wakes anybody. Nobody sleeps on
 * our own word. Who sleeps on the client's may be woken if it holds exactly 2047, and has to reckon
 * with being woken for nothing.
 */
static bool add_nothing(uintptr_t word)
{
    uint32_t nobody = 0;
    long operation = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 2047);
    return syscall(SYS_futex, &nobody, FUTEX_WAKE_OP_PRIVATE, 0L, 0L, word, operation) >= 0;
}

bool guard_kernel_touch(void *at)
{
    uintptr_t word = (uintptr_t)at & ~(uintptr_t)3;
    char byte;
    /* A futex call does not grow a stack; reading through the pipe does. */
    return add_nothing(word) || (guard_kernel_copy_from(&byte, at, 1) && add_nothing(word));
}
