/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_INTERNAL_H
#define WIRERX_GUARD_INTERNAL_H

/**
 * @file
 * What the files of the guard share among themselves and with their tests. Nobody else includes it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hidden, so that a guarded copy is reached without a detour through a table of the linker's. */
#pragma GCC visibility push(hidden)

/*
 * guard_copy.S. A fault at an address in [guard_code_begin, guard_code_end) is repaired by
 * continuing at guard_code_fault, which makes the function return false.
 */
extern const char guard_code_begin[];
extern const char guard_code_end[];
extern const char guard_code_fault[];

bool guard_code_copy(void *to, const void *from, size_t length);
bool guard_code_store32(void *to, uint32_t value);
bool guard_code_store64(void *to, uint64_t value);
bool guard_code_load64(const void *from, uint64_t *value);
bool guard_code_touch(void *at);

/* guard_inline.h: one row for each instruction there, made by the assembler and joined by the linker. */
struct guard_row {
    int32_t instruction; /* its address, from here */
    int32_t fault;       /* where to go on, from here */
};
extern const struct guard_row __start_guard_table[] __attribute__((weak)); /* there may be no row */
extern const struct guard_row __stop_guard_table[] __attribute__((weak));

/* What guard_code_copy() may use; chosen by guard_install(), baseline x86-64 until then. */
extern bool guard_avx;
extern size_t guard_rep_min;

/* guard_kernel.c: the same by system calls, safe whatever the signal handlers are. */
bool guard_kernel_copy_to(void *to, const void *from, size_t length);
bool guard_kernel_copy_from(void *to, const void *from, size_t length);
bool guard_kernel_touch(void *at);

/**
 * Write to one byte of client memory without altering it, even while others write there.
 * @return false when it cannot be written
 */
bool guard_touch(void *at);

/** Goes up with every failed access, so that threads forget which ranges they have seen. */
extern atomic_uint guard_faults;

#pragma GCC visibility pop

#endif
