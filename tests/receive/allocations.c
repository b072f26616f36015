/* SPDX-License-Identifier: BSD-3-Clause */

/* In front of libc's heap; under a sanitizer, which has a heap of its own, through its hooks. */

#include "allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static _Thread_local _Atomic uint64_t allocations __attribute__((tls_model("initial-exec")));

const _Atomic uint64_t *allocations_of_this_thread(void)
{
    return &allocations;
}

static void count_one(void)
{
    uint64_t before = atomic_load_explicit(&allocations, memory_order_relaxed);

    atomic_store_explicit(&allocations, before + 1, memory_order_relaxed);
}

#ifdef WIRERX_SANITIZED

#include <sanitizer/allocator_interface.h>

static void on_malloc(const volatile void *at, size_t size)
{
    (void)at;
    (void)size;
    count_one();
}

static void on_free(const volatile void *at)
{
    (void)at;
    count_one();
}

__attribute__((constructor)) static void install(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

#else

/* glibc's names for its own functions. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *at);

void *malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
    count_one();
    return __libc_realloc(at, size);
}

void *memalign(size_t alignment, size_t size)
{
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **at, size_t alignment, size_t size)
{
    count_one();
    *at = __libc_memalign(alignment, size);
    return *at != NULL ? 0 : ENOMEM;
}

void free(void *at)
{
    count_one();
    __libc_free(at);
}

#endif
