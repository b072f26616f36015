/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_EVENT_DESCRIPTOR_H
#define WIRERX_HOST_EVENT_DESCRIPTOR_H

/**
 * @file
 * An event as a file descriptor (wirerx_event_descriptor()): an eventfd that is readable while the
 * event is signalled. The word is the truth, the eventfd follows it. The word's mirror bits say how:
 *
 *     63     52 51   50     49
 *     +--------+----+------+--------+
 *     | USERS  |OWED|QUEUED|MIRRORED|
 *     +--------+----+------+--------+
 *
 *   MIRRORED  there is a descriptor; from the first asking to the close. An event that nobody asked
 *             for one has none of the bits, and a change of it costs what it always did.
 *   USERS     how many threads have the descriptor: are between a change of the word and the end of
 *             their system call. Until they have left it is not closed, nor the slot freed.
 *   QUEUED    one of them is the event's errand, which waits for the service thread.
 *   OWED      there was no room in USERS: one of those inside has to look for the one outside.
 *
 * The rules (tests/model/descriptor.pml checks them, and that it takes each of them):
 *   M1 Whoever changes SIGNALLED of a MIRRORED event becomes one of the USERS in the same step; or,
 *      where they are full, sets OWED in it and is done.
 *   M2 A user clears OWED and looks at SIGNALLED; then makes one system call, a write if it is set,
 *      a read if it is clear; then leaves in a step that fails if SIGNALLED is not what it has
 *      shown, or OWED is set. Then it begins again. No user waits for another.
 *   M3 It writes also where the eventfd is readable already. The write is the edge that a user of
 *      EPOLLET waits for, who may have looked between two signals.
 *   M4 A close leaves the USERS in the slot's word. The last one, or the closer if there are none,
 *      buries the event: closes the descriptor and frees the slot. So no system call ever reaches a
 *      number that is somebody else's file by now.
 *   M5 Asking the first time makes one the only user of an event that is not MIRRORED, which no
 *      other becomes. It makes the descriptor, sets MIRRORED, and goes on as in M2.
 *   M6 An lcore takes each system call off its pass's budget of wake-ups. Beyond it, and to bury,
 *      it sets QUEUED and its place is the errand's; or leaves, if QUEUED is set. The errand, on
 *      the service thread, clears QUEUED before it looks.
 *   M7 Whoever looks for a signal and finds none, but USERS, becomes one of them too. One of their
 *      writes may have come late and woken it for nothing; this read sees to it that it is not
 *      woken by the same one again, and again, for as long as the late thread is off its core.
 *
 * Why the descriptor is right when there are no USERS. Take the last change of SIGNALLED. Its
 * thread, or for it a user who has cleared OWED after it, or the errand, has made a system call
 * after it. Take the very last system call, and the thread that made it: it left in a step that
 * comes after that call, and so after the last change, and found in the word what it had shown.
 * (The kernel's lock of the eventfd orders the calls, and each thread's steps with its own.)
 *
 * Why no wait is missed. Take a signal. Whoever looked for it, as above, wrote after it was set,
 * which ends a wait, level or edge; or saw it gone, because somebody had taken or reset it.
 *
 * While there are USERS the descriptor may be behind. It is a hint to look; only event_take() and
 * the waits tell.
 *
 * fork(): the child has a copy of every event, but the eventfd is one for both. So the child
 * forgets the descriptors, from a handler of pthread_atfork(), and leaves the numbers alone.
 */

#include "wirerx/wirerx_types.h"

/**
 * The event's descriptor, made if it has none. Client threads; one waits for another to make it.
 *
 * @param descriptor  receives it
 * @return 0; WSA_INVALID_HANDLE stale; WSAEMFILE the process or the system may have no more files;
 *         WSAENOBUFS no memory
 */
int event_descriptor(HANDLE handle, int *descriptor);

#endif
