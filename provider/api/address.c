/* SPDX-License-Identifier: BSD-3-Clause */
#include "wirerx/ws2tcpip.h"

#include <errno.h>

/*
 * libc's own, which do the work. Its headers cannot be included beside winsock2.h, and the plain
 * names stand for our functions here.
 */
extern int libc_inet_aton(const char *text, void *address) WIRERX_SYMBOL("inet_aton");
extern int libc_inet_pton(int family, const char *text, void *address) WIRERX_SYMBOL("inet_pton");
extern const char *libc_inet_ntop(int family, const void *address, char *text, unsigned size)
    WIRERX_SYMBOL("inet_ntop");

#define LIBC_AF_INET 2
#define LIBC_AF_INET6 10

/* @return libc's number for a family; -1: not one that has addresses as text */
static int libc_family(INT family)
{
    return family == AF_INET ? LIBC_AF_INET : family == AF_INET6 ? LIBC_AF_INET6 : -1;
}

u_long WSAAPI inet_addr(const char *cp)
{
    ULONG address;

    return cp && libc_inet_aton(cp, &address) ? address : INADDR_NONE;
}

INT WSAAPI inet_pton(INT Family, PCSTR pszAddrString, PVOID pAddrBuf)
{
    int family = libc_family(Family);
    int error = family < 0 ? WSAEAFNOSUPPORT : !pszAddrString || !pAddrBuf ? WSAEFAULT : 0;

    WSASetLastError(error);
    return error ? -1 : libc_inet_pton(family, pszAddrString, pAddrBuf);
}

PCSTR WSAAPI inet_ntop(INT Family, LPCVOID pAddr, PSTR pStringBuf, size_t StringBufSize)
{
    int family = libc_family(Family);
    unsigned size = StringBufSize < INET6_ADDRSTRLEN ? (unsigned)StringBufSize : INET6_ADDRSTRLEN;
    int saved = errno;
    PCSTR text = NULL;

    if (family >= 0 && pAddr && pStringBuf)
        text = libc_inet_ntop(family, pAddr, pStringBuf, size);
    errno = saved;
    WSASetLastError(family < 0 ? WSAEAFNOSUPPORT : text ? 0 : WSA_INVALID_PARAMETER);
    return text;
}
