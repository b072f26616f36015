/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only instructions of the provider that touch client memory.
 *
 * Everything between guard_code_begin and guard_code_end may fault. What must hold for every
 * instruction there, because the signal handler repairs a fault by setting RIP to guard_code_fault
 * and nothing else:
 *   - RSP is what it was at the call (a leaf, no push), so that `ret` returns to the caller;
 *   - no callee-saved register and no direction flag has been changed.
 *
 * Each function returns true in al, or false by way of guard_code_fault.
 */

#ifdef __CET__
#include <cet.h>
#else
#define _CET_ENDBR
#endif

.macro FUNCTION name
    .globl  \name
    .hidden \name
    .type   \name, @function
    .p2align 6
\name:
    .cfi_startproc
    _CET_ENDBR
.endm

.macro END name
    .cfi_endproc
    .size   \name, . - \name
.endm

.macro LABEL name
    .globl  \name
    .hidden \name
\name:
.endm

.macro RETURN_TRUE
    movl    $1, %eax
    ret
.endm

    .text
    .p2align 6
LABEL guard_code_begin

/*
 * bool guard_code_copy(void *to, const void *from, size_t length)
 *
 * Short lengths are two or more overlapping moves, all loads before the first store. Above 128
 * bytes: one move to reach an aligned destination, whole rounds, and a last round that overlaps;
 * with 32-byte registers where guard_avx says that the processor and the kernel have them. From
 * guard_rep_min bytes on `rep movsb`, where the processor is good at it.
 */
FUNCTION guard_code_copy
    cmpq    $16, %rdx
    jb      .Lbelow_16
    cmpq    $32, %rdx
    ja      .Labove_32
    movups  (%rsi), %xmm0
    movups  -16(%rsi,%rdx), %xmm1
    movups  %xmm0, (%rdi)
    movups  %xmm1, -16(%rdi,%rdx)
    RETURN_TRUE

    .p2align 4
.Labove_32:
    cmpq    $64, %rdx
    ja      .Labove_64
    movups  (%rsi), %xmm0
    movups  16(%rsi), %xmm1
    movups  -32(%rsi,%rdx), %xmm2
    movups  -16(%rsi,%rdx), %xmm3
    movups  %xmm0, (%rdi)
    movups  %xmm1, 16(%rdi)
    movups  %xmm2, -32(%rdi,%rdx)
    movups  %xmm3, -16(%rdi,%rdx)
    RETURN_TRUE

    .p2align 4
.Labove_64:
    cmpq    $128, %rdx
    ja      .Labove_128
    movups  (%rsi), %xmm0
    movups  16(%rsi), %xmm1
    movups  32(%rsi), %xmm2
    movups  48(%rsi), %xmm3
    movups  -64(%rsi,%rdx), %xmm4
    movups  -48(%rsi,%rdx), %xmm5
    movups  -32(%rsi,%rdx), %xmm6
    movups  -16(%rsi,%rdx), %xmm7
    movups  %xmm0, (%rdi)
    movups  %xmm1, 16(%rdi)
    movups  %xmm2, 32(%rdi)
    movups  %xmm3, 48(%rdi)
    movups  %xmm4, -64(%rdi,%rdx)
    movups  %xmm5, -48(%rdi,%rdx)
    movups  %xmm6, -32(%rdi,%rdx)
    movups  %xmm7, -16(%rdi,%rdx)
    RETURN_TRUE

    .p2align 4
.Labove_128:
    /* A range that wraps around is refused before a byte moves: the ends below would lie. */
    movq    %rdi, %r8
    addq    %rdx, %r8
    jc      guard_code_fault
    movq    %rsi, %r9
    addq    %rdx, %r9
    jc      guard_code_fault
    cmpq    guard_rep_min(%rip), %rdx
    jae     .Lrep
    cmpb    $0, guard_avx(%rip)
    jne     .Lavx
    movups  (%rsi), %xmm0
    movups  %xmm0, (%rdi)
    leaq    16(%rdi), %rax
    andq    $-16, %rax
    subq    %rdi, %rsi
    addq    %rax, %rsi
    subq    $64, %r8
    .p2align 4
1:
    movups  (%rsi), %xmm0
    movups  16(%rsi), %xmm1
    movups  32(%rsi), %xmm2
    movups  48(%rsi), %xmm3
    movaps  %xmm0, (%rax)
    movaps  %xmm1, 16(%rax)
    movaps  %xmm2, 32(%rax)
    movaps  %xmm3, 48(%rax)
    addq    $64, %rsi
    addq    $64, %rax
    cmpq    %r8, %rax
    jb      1b
    movups  -64(%r9), %xmm0
    movups  -48(%r9), %xmm1
    movups  -32(%r9), %xmm2
    movups  -16(%r9), %xmm3
    movups  %xmm0, (%r8)
    movups  %xmm1, 16(%r8)
    movups  %xmm2, 32(%r8)
    movups  %xmm3, 48(%r8)
    RETURN_TRUE

    .p2align 4
.Lavx:
    vmovups (%rsi), %ymm0
    vmovups %ymm0, (%rdi)
    leaq    32(%rdi), %rax
    andq    $-32, %rax
    subq    %rdi, %rsi
    addq    %rax, %rsi
    subq    $128, %r8
    cmpq    %r8, %rax
    jae     2f
    .p2align 4
1:
    vmovups (%rsi), %ymm0
    vmovups 32(%rsi), %ymm1
    vmovups 64(%rsi), %ymm2
    vmovups 96(%rsi), %ymm3
    vmovaps %ymm0, (%rax)
    vmovaps %ymm1, 32(%rax)
    vmovaps %ymm2, 64(%rax)
    vmovaps %ymm3, 96(%rax)
    subq    $-128, %rsi
    subq    $-128, %rax
    cmpq    %r8, %rax
    jb      1b
2:
    vmovups -128(%r9), %ymm0
    vmovups -96(%r9), %ymm1
    vmovups -64(%r9), %ymm2
    vmovups -32(%r9), %ymm3
    vmovups %ymm0, (%r8)
    vmovups %ymm1, 32(%r8)
    vmovups %ymm2, 64(%r8)
    vmovups %ymm3, 96(%r8)
    vzeroupper
    RETURN_TRUE

.Lrep:
    movq    %rdx, %rcx
    rep movsb
    RETURN_TRUE

    .p2align 4
.Lbelow_16:
    cmpl    $8, %edx
    jb      .Lbelow_8
    movq    (%rsi), %rax
    movq    -8(%rsi,%rdx), %rcx
    movq    %rax, (%rdi)
    movq    %rcx, -8(%rdi,%rdx)
    RETURN_TRUE

.Lbelow_8:
    cmpl    $4, %edx
    jb      .Lbelow_4
    movl    (%rsi), %eax
    movl    -4(%rsi,%rdx), %ecx
    movl    %eax, (%rdi)
    movl    %ecx, -4(%rdi,%rdx)
    RETURN_TRUE

.Lbelow_4:
    cmpl    $2, %edx
    jb      .Lbelow_2
    movzwl  (%rsi), %eax
    movzbl  -1(%rsi,%rdx), %ecx
    movw    %ax, (%rdi)
    movb    %cl, -1(%rdi,%rdx)
    RETURN_TRUE

.Lbelow_2:
    testl   %edx, %edx
    jz      .Lnothing
    movzbl  (%rsi), %eax
    movb    %al, (%rdi)
.Lnothing:
    RETURN_TRUE
END guard_code_copy

/* bool guard_code_store32(void *to, uint32_t value) */
FUNCTION guard_code_store32
    movl    %esi, (%rdi)
    RETURN_TRUE
END guard_code_store32

/* bool guard_code_store64(void *to, uint64_t value): on x86 every store is a release. */
FUNCTION guard_code_store64
    movq    %rsi, (%rdi)
    RETURN_TRUE
END guard_code_store64

/* bool guard_code_load64(const void *from, uint64_t *value): on x86 every load is an acquire. */
FUNCTION guard_code_load64
    movq    (%rdi), %rax
    movq    %rax, (%rsi)
    RETURN_TRUE
END guard_code_load64

/* bool guard_code_touch(void *at): a write that changes nothing, whoever else writes there. */
FUNCTION guard_code_touch
    lock orb $0, (%rdi)
    RETURN_TRUE
END guard_code_touch

LABEL guard_code_end

/*
 * Where the handler sends a fault. The fault may have come between a 32-byte load and vzeroupper;
 * SSE code of the caller would pay for the upper halves that are still set.
 */
FUNCTION guard_code_fault
    cmpb    $0, guard_avx(%rip)
    je      1f
    vzeroupper
1:
    xorl    %eax, %eax
    ret
END guard_code_fault

/*
 * guard_code_copy() for callers in line (guard_inline.h), with its arguments on the stack, the first on top:
 * every register but rax and the vector registers is afterwards what it was. It touches no client memory
 * itself.
 */
FUNCTION guard_code_copy_kept
    .irp    register, rcx, rdx, rsi, rdi, r8, r9
    pushq   %\register
    .cfi_adjust_cfa_offset 8
    .endr
    movq    56(%rsp), %rdi
    movq    64(%rsp), %rsi
    movq    72(%rsp), %rdx
    call    guard_code_copy
    .irp    register, r9, r8, rdi, rsi, rdx, rcx
    popq    %\register
    .cfi_adjust_cfa_offset -8
    .endr
    ret
END guard_code_copy_kept

    .section .note.GNU-stack, "", @progbits
