/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_FD_SET_H
#define WIRERX_FD_SET_H

/**
 * @file
 * Windows' fd_set, an array with a count, beside libc's, a bit mask.
 *
 * The type is `struct wirerx_fd_set`. The names fd_set, FD_SET, FD_CLR, FD_ZERO, FD_ISSET and
 * FD_SETSIZE are macros that take libc's place in a file that includes this header; libc's headers
 * may come before or after (wirerx_types.h says how). libc's select() can therefore not be called
 * from such a file.
 *
 * `struct timeval` stays libc's, because gettimeofday() and others need it. Windows' type, two
 * 32-bit LONGs, has the name TIMEVAL here; select() takes either.
 */

#include "wirerx_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A socket handle. Unsigned, and not a file descriptor. */
typedef UINT_PTR SOCKET;

#define INVALID_SOCKET ((SOCKET) ~(SOCKET)0)
#define SOCKET_ERROR (-1)

/** Capacity of an fd_set. Windows' programs redefine FD_SETSIZE; here they define this one. */
#ifndef WIRERX_FD_SETSIZE
#define WIRERX_FD_SETSIZE 64
#endif
#undef FD_SETSIZE
#define FD_SETSIZE WIRERX_FD_SETSIZE

typedef struct wirerx_fd_set {
    u_int fd_count;              /**< how many of fd_array are in use */
    SOCKET fd_array[FD_SETSIZE]; /**< a function that takes a set believes fd_count only */
} wirerx_fd_set, FD_SET, *PFD_SET, *LPFD_SET;

typedef struct wirerx_timeval {
    LONG tv_sec;
    LONG tv_usec;
} TIMEVAL, *PTIMEVAL, *LPTIMEVAL;

/** Put a socket into a set. One that is there already, or finds the set full, changes nothing. */
static inline void wirerx_fd_set_add(SOCKET s, wirerx_fd_set *set)
{
    for (u_int i = 0; i < set->fd_count; i++)
        if (set->fd_array[i] == s)
            return;
    if (set->fd_count < FD_SETSIZE)
        set->fd_array[set->fd_count++] = s;
}

/** Take a socket out of a set; the others keep their order. */
static inline void wirerx_fd_set_remove(SOCKET s, wirerx_fd_set *set)
{
    u_int kept = 0;
    for (u_int i = 0; i < set->fd_count; i++)
        if (set->fd_array[i] != s)
            set->fd_array[kept++] = set->fd_array[i];
    set->fd_count = kept;
}

/** @return non-zero when the socket is in the set */
static inline int wirerx_fd_set_has(SOCKET s, const wirerx_fd_set *set)
{
    for (u_int i = 0; i < set->fd_count; i++)
        if (set->fd_array[i] == s)
            return 1;
    return 0;
}

#ifdef __cplusplus
}
#endif

#undef fd_set
#undef FD_SET
#undef FD_CLR
#undef FD_ZERO
#undef FD_ISSET
#define fd_set wirerx_fd_set
#define FD_SET(fd, set) wirerx_fd_set_add((SOCKET)(fd), (set))
#define FD_CLR(fd, set) wirerx_fd_set_remove((SOCKET)(fd), (set))
#define FD_ZERO(set) ((void)((set)->fd_count = 0))
#define FD_ISSET(fd, set) wirerx_fd_set_has((SOCKET)(fd), (set))

#endif
