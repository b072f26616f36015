/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_STACK_MARK_H
#define WIRERX_HOST_STACK_MARK_H

/**
 * @file
 * Has a function been left by longjmp()? C tells nobody. What is known of a function that calls client
 * code is kept outside its stack frame, with a mark of the frame; whoever comes later asks whether
 * that frame is still one of its callers'.
 *
 * First by the address alone: the stack grows down, so a frame that is not above the asker's is gone.
 * One that is above may be part of another function's by now. So, second, the unwinder walks the
 * calls: the marked frame is there if one ends at its address and is of the same function. That takes
 * some microseconds, and is needed only inside client code, or once after it was left.
 *
 * Where the unwinder does not get that far (code without unwind tables, a coroutine's stack), the
 * answer is "not left".
 */

#include <stdbool.h>
#include <stdint.h>

struct stack_mark {
    uintptr_t end;  /**< the frame's canonical address: one past it */
    uintptr_t code; /**< an address in the function */
};

/** The end of the frame of the function in which this is written. */
#define STACK_FRAME_END ((uintptr_t)__builtin_dwarf_cfa())

/** An address in the code of the function that calls this. */
uintptr_t stack_mark_code(void);

/**
 * Has the marked frame been left? Also from signal handlers.
 * @param asker  STACK_FRAME_END of a function that the marked one cannot be, or be called by
 */
bool stack_mark_is_left(const struct stack_mark *mark, uintptr_t asker);

#endif
