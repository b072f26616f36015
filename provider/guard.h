/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GUARD_H
#define WIRERX_GUARD_H

/**
 * @file
 * Touching client memory that may not be there (clauses A09, A23, A24).
 *
 * Every access of the provider to client memory goes through these. The instructions that touch it
 * are known by address; a SIGSEGV/SIGBUS handler redirects faults at exactly those instructions to
 * an error return and chains everything else to the handler that was there before. If the client
 * replaces the handler (guard_lost()), the same functions go through the kernel instead
 * (process_vm_writev/readv on ourselves, or a pipe where that is refused), which is slow and just
 * as safe. So they do before guard_install() and after the last guard_remove().
 *
 * The accesses: any thread, also from a signal handler; no allocation, no lock, nothing blocks
 * (unless the client has put its memory under userfaultfd). SIGSEGV and SIGBUS must not be blocked
 * in the calling thread: the kernel ends a process that faults with them blocked. The other side of
 * a copy is ours and has to be valid; a fault there is answered like one of the client's.
 *
 * guard_install(), guard_remove() and guard_check() take a lock for a few system calls; a
 * signal handler that has interrupted one of them finds that nothing happens (guard_install(): -1). The code has to stay loaded once the handlers were installed (-z nodelete): a
 * handler that the client installed later may go on calling ours.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Install the handlers. Idempotent, counted; @return 0 or -1 with errno of sigaction(). */
int guard_install(void);

/** Balance guard_install(); the last one puts back the previous handlers if ours are in place. */
void guard_remove(void);

/**
 * Look whether our handlers are still in place and remember the answer. Called now and then by the
 * service thread (it costs two syscalls). The first loss is logged once. A handler that calls ours
 * in turn counts as a loss too, because nobody can know that it does. A fault between the loss and
 * the next look is the new handler's.
 * @return true when they are gone; the functions below use the kernel from then on
 */
bool guard_check(void);

/** The remembered answer of guard_check(), true when not installed: one relaxed load. */
bool guard_lost(void);

/** Copy to client memory. @return true; false when a byte of [to, to+length) cannot be written, in
 *  which case a prefix may have been. length 0 is true whatever the pointer. */
bool guard_copy_to(void *to, const void *from, size_t length);

/** Copy from client memory. @return false when a byte of [from, from+length) cannot be read. */
bool guard_copy_from(void *to, const void *from, size_t length);

/** Store 32 or 64 bits in client memory; one naturally atomic store when `to` is aligned (through
 *  the kernel: as far as its copy of 8 bytes is, which was never seen torn). */
bool guard_store32(void *to, uint32_t value);
bool guard_store64(void *to, uint64_t value);

/** As guard_store64(), ordered after every earlier store (release). */
bool guard_store64_release(void *to, uint64_t value);

/** Load 64 bits from client memory with acquire order. */
bool guard_load64_acquire(const void *from, uint64_t *value);

/**
 * Before a receive is posted: make sure that [start, start+length) is mapped, writable and present,
 * so that the lcore does not fault in the common case. One MADV_POPULATE_WRITE for a range with a
 * page that no thread has asked about lately (guard_pages.h; of more than 1 MiB: for a range that
 * this thread has not), and no system call for others. What is remembered is a hint (memory may be
 * unmapped later), the guarded copy is the guarantee; any access that fails makes all threads
 * forget. Alters no byte, whoever writes there meanwhile. Of more than 16 MiB only the first 16 MiB
 * and the last page are made present and found writable, the rest is found mapped.
 * @return true when the range was writable, or was when it was looked at
 */
bool guard_prefault(const void *start, size_t length);

#endif
