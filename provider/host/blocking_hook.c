/* SPDX-License-Identifier: BSD-3-Clause */
#include "blocking_hook.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "stack_mark.h"

/* Of which use of Winsock a hook is: a thread's hook of an earlier one is void. */
static _Atomic unsigned uses;

static _Thread_local FARPROC set; /* NULL: the default */
static _Thread_local unsigned set_in;
/* The frame that called the hook; all 0: none. */
static _Thread_local struct stack_mark frame;

INT_PTR CALLBACK blocking_hook_default(VOID)
{
    return FALSE;
}

static FARPROC current(void)
{
    return set && set_in == atomic_load_explicit(&uses, memory_order_relaxed)
               ? set
               : blocking_hook_default;
}

FARPROC blocking_hook_set(FARPROC hook)
{
    FARPROC before = current();

    set = hook;
    set_in = atomic_load_explicit(&uses, memory_order_relaxed);
    return before;
}

bool blocking_hook_runs(void)
{
    return frame.end != 0 && !stack_mark_is_left(&frame, STACK_FRAME_END);
}

/* A hook's result says whether it has more to do; only 32 bits of it are defined. */
static BOOL CALLBACK call_hook(DWORD_PTR context)
{
    BOOL(CALLBACK * hook)(void) = (BOOL(CALLBACK *)(void))(void (*)(void))current();
    struct stack_mark outer = frame;

    (void)context;
    frame = (struct stack_mark){STACK_FRAME_END, stack_mark_code()};
    while (hook())
        continue;
    frame = outer;
    return TRUE; /* go on: cancelling is WSACancelBlockingCall()'s business (N01) */
}

LPBLOCKINGCALLBACK blocking_hook_callback(void)
{
    return current() == blocking_hook_default ? NULL : call_hook;
}

void blocking_hook_forget_all(void)
{
    atomic_fetch_add_explicit(&uses, 1, memory_order_relaxed);
}
