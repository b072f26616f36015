/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_mark.h"

#include <signal.h>
#include <stddef.h>
#include <unwind.h>

struct search {
    const struct stack_mark *mark;
    uintptr_t begin; /* of the frame before: where the frames that it called end */
    uintptr_t code;
    bool left;
};

static bool same_function(uintptr_t a, uintptr_t b)
{
    /* A return address may be the first of what follows the function. */
    return _Unwind_FindEnclosingFunction((void *)(a - 1)) ==
           _Unwind_FindEnclosingFunction((void *)(b - 1));
}

/* Called for every frame; the frame before ends where this one begins. */
static _Unwind_Reason_Code look_at(struct _Unwind_Context *context, void *argument)
{
    struct search *search = argument;
    uintptr_t end = _Unwind_GetCFA(context);

    if (search->code != 0 && search->begin < search->mark->end && search->mark->end <= end) {
        search->left = end != search->mark->end || !same_function(search->code, search->mark->code);
        return _URC_END_OF_STACK;
    }
    search->begin = end;
    search->code = _Unwind_GetIP(context);
    return _URC_NO_REASON;
}

/* On another stack addresses say nothing. */
static bool on_alternate_stack(void)
{
    stack_t stack;

    return sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_ONSTACK);
}

__attribute__((noinline)) uintptr_t stack_mark_code(void)
{
    return (uintptr_t)__builtin_return_address(0);
}

bool stack_mark_is_left(const struct stack_mark *mark, uintptr_t asker)
{
    struct search search = {.mark = mark};

    if (mark->end <= asker && !on_alternate_stack())
        return true;
    _Unwind_Backtrace(look_at, &search);
    return search.left;
}
