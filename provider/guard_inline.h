/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_INLINE_H
#define WIRERX_GUARD_INLINE_H

/**
 * @file
 * The guarded accesses of guard.h as single instructions in the caller, for the receives that are
 * tuned. Each instruction has a row in a table of the linker's making, which says where to go on when
 * it faults; guard.c's handler looks there.
 *
 * Only while OBSTACLE_GUARD_LOST is not set (quick_obstacles.h): without the handlers a fault would end
 * the process. Whoever has asked does not have to ask again within the call (guard_check() is a look
 * now and then, too).
 * As in guard_copy.S nothing but RIP is repaired, so each statement is one instruction that changes
 * no register before it can fault.
 */

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

#include "guard_internal.h"
#include "guard_sanitize.h"

/* The instruction at a label goes on at `fault`. Offsets, so that the table needs no relocation. */
#define GUARD_ROW_OF(label)                        \
    ".pushsection guard_table, \"a\", @progbits\n" \
    ".balign 4\n"                                  \
    ".long " #label "b - ., %l[fault] - .\n"       \
    ".popsection\n"
#define GUARD_ROW GUARD_ROW_OF(1)

/** Load 32 bits of client memory into a register of 64: one that is compared with a length needs no copy of
 *  itself. @return false: a fault; `*value` is undefined */
static inline bool guard_load32_wide(const void *from, uint64_t *value)
{
    uint64_t loaded;

    __asm__ goto("1: movl %1, %k0\n" GUARD_ROW
                 : "=r"(loaded)
                 : "m"(*(const uint32_t *)from)
                 : "memory"
                 : fault);
    guard_saw_read(from, sizeof(uint32_t));
    *value = loaded;
    return true;
fault:
    return false;
}

/** Load 32 bits of client memory. @return false: a fault; `*value` is undefined */
static inline bool guard_load32(const void *from, uint32_t *value)
{
    uint64_t loaded;

    if (!guard_load32_wide(from, &loaded))
        return false;
    *value = (uint32_t)loaded;
    return true;
}

/** Load 64 bits of client memory. @return false: a fault; `*value` is undefined */
static inline bool guard_load64(const void *from, uint64_t *value)
{
    uint64_t loaded;

    __asm__ goto("1: movq %1, %0\n" GUARD_ROW
                 : "=r"(loaded)
                 : "m"(*(const uint64_t *)from)
                 : "memory"
                 : fault);
    guard_saw_read(from, sizeof loaded);
    *value = loaded;
    return true;
fault:
    return false;
}

/** Store 32 bits in client memory. @return false: a fault */
static inline bool guard_put32(void *to, uint32_t value)
{
    __asm__ goto("1: movl %1, (%0)\n" GUARD_ROW : : "r"(to), "ri"(value) : "memory" : fault);
    guard_saw_write(to, sizeof value);
    return true;
fault:
    return false;
}

/** The same of the lower half of a register. @return false: a fault */
static inline bool guard_put32_wide(void *to, uint64_t value)
{
    __asm__ goto("1: movl %k1, (%0)\n" GUARD_ROW : : "r"(to), "r"(value) : "memory" : fault);
    guard_saw_write(to, sizeof(uint32_t));
    return true;
fault:
    return false;
}

/** Store 64 bits in client memory. @return false: a fault */
static inline bool guard_put64(void *to, uint64_t value)
{
    __asm__ goto("1: movq %1, (%0)\n" GUARD_ROW : : "r"(to), "r"(value) : "memory" : fault);
    guard_saw_write(to, sizeof value);
    return true;
fault:
    return false;
}

/**
 * The same, ordered after every earlier store (release), for a word that the client polls: after a
 * guard_put64() beside it has succeeded.
 */
static inline bool guard_put64_release(void *to, uint64_t value)
{
    guard_saw_release(to);
    /* x86 orders it after every earlier store, the compiler because of "memory". Not told to the
     * sanitizers as a write: whoever polls this word does so while it is written, on purpose. */
    __asm__ goto("1: movq %1, (%0)\n" GUARD_ROW : : "r"(to), "r"(value) : "memory" : fault);
    return true;
fault:
    return false;
}

/** Member of a structure of the client's, whose address may be anything: no pointer arithmetic. */
#define guard_member(pointer, type, member) \
    ((void *)((uintptr_t)(pointer) + offsetof(type, member)))

/* 33 to 64 bytes, which most messages of feeds have: all loads before the first store. */
static __rte_always_inline bool guard_copy_up_to_64(void *to, const void *base, size_t offset,
                                                    size_t length)
{
    const char *begin = (const char *)base + offset, *end = begin + length;
    __m128i first = _mm_loadu_si128((const __m128i *)begin);
    __m128i second = _mm_loadu_si128((const __m128i *)(begin + 16));
    __m128i third = _mm_loadu_si128((const __m128i *)(end - 32));
    __m128i last = _mm_loadu_si128((const __m128i *)(end - 16));

    __asm__ goto("1: movups %2, (%0)\n"
                 "2: movups %3, 16(%0)\n"
                 "3: movups %4, -32(%0, %1)\n"
                 "4: movups %5, -16(%0, %1)\n" GUARD_ROW_OF(1) GUARD_ROW_OF(2) GUARD_ROW_OF(3)
                     GUARD_ROW_OF(4)
                 :
                 : "r"(to), "r"(length), "x"(first), "x"(second), "x"(third), "x"(last)
                 : "memory"
                 : fault);
    return true;
fault:
    return false;
}

/**
 * guard_copy_to() from `base + offset`, without the question whether the handlers are in place. Called by
 * hand, because a compiler would give up every register for the few that it uses, and move to memory what a
 * receive has in them; and the sum has no register of its own either.
 */
static __rte_always_inline bool guard_copy_direct_at(void *to, const void *base, size_t offset,
                                                     size_t length)
{
    bool done;

    guard_saw_read((const char *)base + offset, length);
    if (length - 33 < 32) {
        done = guard_copy_up_to_64(to, base, offset, length);
    } else {
        /* Past the red zone, which may be in use. The arguments may be in any register, but not in
         * memory, as it could be on the stack that moves. */
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n"
                         "pushq %3\n"
                         "pushq %2\n"
                         "addq %4, (%%rsp)\n"
                         "pushq %1\n"
                         "call guard_code_copy_kept\n"
                         "leaq 152(%%rsp), %%rsp\n"
                         : "=a"(done)
                         : "r"(to), "r"(base), "r"(length), "er"(offset)
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory",
                           "cc");
    }
    if (done)
        guard_saw_write(to, length);
    return done;
}

/** guard_copy_direct_at() from where it begins. */
static inline bool guard_copy_direct(void *to, const void *from, size_t length)
{
    return guard_copy_direct_at(to, from, 0, length);
}

#endif
