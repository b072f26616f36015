/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "../guard.h"
#include "../host/catalogue.h"
#include "api.h"

/* --- addresses as text, in 16-bit characters --------------------------------------------------- */

/* The provider wants to know which protocol it is asked about; the client may leave that to us. */
static LPWSAPROTOCOL_INFOW entry_or_default(LPWSAPROTOCOL_INFOW entry, LPWSAPROTOCOL_INFOW room)
{
    if (entry)
        return entry;
    *room = catalogue[0];
    return room;
}

INT WSAAPI WSAAddressToStringW(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
                               LPWSAPROTOCOL_INFOW lpProtocolInfo, LPWSTR lpszAddressString,
                               LPDWORD lpdwAddressStringLength)
{
    WSAPROTOCOL_INFOW entry;
    int error = WSANOTINITIALISED;
    INT result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPAddressToString(
            lpsaAddress, dwAddressLength, entry_or_default(lpProtocolInfo, &entry),
            lpszAddressString, lpdwAddressStringLength, &error);
    return api_result(result, error);
}

INT WSAAPI WSAStringToAddressW(LPWSTR AddressString, INT AddressFamily,
                               LPWSAPROTOCOL_INFOW lpProtocolInfo, LPSOCKADDR lpAddress,
                               LPINT lpAddressLength)
{
    WSAPROTOCOL_INFOW entry;
    int error = WSANOTINITIALISED;
    INT result = SOCKET_ERROR;

    if (api_started())
        result = api_provider.lpWSPStringToAddress(AddressString, AddressFamily,
                                                   entry_or_default(lpProtocolInfo, &entry),
                                                   lpAddress, lpAddressLength, &error);
    return api_result(result, error);
}

/* --- the same in 8-bit characters -------------------------------------------------------------- */

/* Longer than any address. */
#define TEXT_MAX 256u

INT WSAAPI WSAAddressToStringA(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
                               LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSTR lpszAddressString,
                               LPDWORD lpdwAddressStringLength)
{
    WSAPROTOCOL_INFOW entry;
    WCHAR wide[TEXT_MAX] = {0};
    CHAR text[TEXT_MAX];
    DWORD room;
    DWORD length;

    if (!api_started())
        return api_result(SOCKET_ERROR, WSANOTINITIALISED);
    if ((lpProtocolInfo && !api_widen_entry(lpProtocolInfo, &entry)) || !lpdwAddressStringLength ||
        !guard_copy_from(&room, lpdwAddressStringLength, sizeof(room)))
        return api_result(SOCKET_ERROR, WSAEFAULT);
    room = length = room < TEXT_MAX ? room : TEXT_MAX;
    INT result = WSAAddressToStringW(lpsaAddress, dwAddressLength, lpProtocolInfo ? &entry : NULL,
                                     wide, &length);

    for (DWORD i = 0; result == 0 && i < length; i++)
        text[i] = wide[i] < 0x80 ? (CHAR)wide[i] : '?';
    if (result == 0 && !guard_copy_to(lpszAddressString, text, length))
        result = api_result(SOCKET_ERROR, WSAEFAULT);
    /* Of the failures, the one for want of room tells how much is needed. */
    if ((result == 0 || length != room) && !guard_store32(lpdwAddressStringLength, length))
        result = api_result(SOCKET_ERROR, WSAEFAULT);
    return result;
}

/* @return 0; WSAEFAULT; WSAEINVAL more characters than any address has */
static int widen_text(WCHAR wide[TEXT_MAX], LPCSTR text)
{
    uintptr_t at = (uintptr_t)text; /* any value at all */

    for (size_t i = 0; i < TEXT_MAX; i++, at++) {
        CHAR character;

        if (!guard_copy_from(&character, (const void *)at, 1))
            return WSAEFAULT;
        wide[i] = (UCHAR)character;
        if (character == 0)
            return 0;
    }
    return WSAEINVAL;
}

INT WSAAPI WSAStringToAddressA(LPSTR AddressString, INT AddressFamily,
                               LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSOCKADDR lpAddress,
                               LPINT lpAddressLength)
{
    WSAPROTOCOL_INFOW entry;
    WCHAR wide[TEXT_MAX];

    if (!api_started())
        return api_result(SOCKET_ERROR, WSANOTINITIALISED);
    if (lpProtocolInfo && !api_widen_entry(lpProtocolInfo, &entry))
        return api_result(SOCKET_ERROR, WSAEFAULT);
    int error = widen_text(wide, AddressString);

    if (error)
        return api_result(SOCKET_ERROR, error);
    return WSAStringToAddressW(wide, AddressFamily, lpProtocolInfo ? &entry : NULL, lpAddress,
                               lpAddressLength);
}

char *WSAAPI inet_ntoa(struct in_addr in)
{
    static _Thread_local char text[sizeof("255.255.255.255")];

    snprintf(text, sizeof(text), "%u.%u.%u.%u", in.S_un.S_un_b.s_b1, in.S_un.S_un_b.s_b2,
             in.S_un.S_un_b.s_b3, in.S_un.S_un_b.s_b4);
    return text;
}

/* --- byte order -------------------------------------------------------------------------------- */

/* Is the order of the socket's protocol the network's? @return 0 or the code */
static int order_of(SOCKET s, bool *big_endian)
{
    WSAPROTOCOL_INFOW entry;
    int error = WSANOTINITIALISED;
    int length = sizeof(entry);

    if (!api_started() || api_provider.lpWSPGetSockOpt(s, SOL_SOCKET, SO_PROTOCOL_INFOW,
                                                       (char *)&entry, &length, &error) != 0)
        return error;
    *big_endian = entry.iNetworkByteOrder == BIGENDIAN;
    return 0;
}

static int convert_long(SOCKET s, u_long number, u_long *converted)
{
    bool big_endian = true;
    int error = order_of(s, &big_endian);

    if (error == 0 &&
        (!converted || !guard_store32(converted, big_endian ? htonl(number) : number)))
        error = WSAEFAULT;
    return api_result(error ? SOCKET_ERROR : 0, error);
}

static int convert_short(SOCKET s, u_short number, u_short *converted)
{
    bool big_endian = true;
    int error = order_of(s, &big_endian);
    u_short result = error == 0 && big_endian ? htons(number) : number;

    if (error == 0 && (!converted || !guard_copy_to(converted, &result, sizeof(result))))
        error = WSAEFAULT;
    return api_result(error ? SOCKET_ERROR : 0, error);
}

int WSAAPI WSAHtonl(SOCKET s, u_long hostlong, u_long *lpnetlong)
{
    return convert_long(s, hostlong, lpnetlong);
}

int WSAAPI WSAHtons(SOCKET s, u_short hostshort, u_short *lpnetshort)
{
    return convert_short(s, hostshort, lpnetshort);
}

/* The way back is the same. */
int WSAAPI WSANtohl(SOCKET s, u_long netlong, u_long *lphostlong)
{
    return convert_long(s, netlong, lphostlong);
}

int WSAAPI WSANtohs(SOCKET s, u_short netshort, u_short *lphostshort)
{
    return convert_short(s, netshort, lphostshort);
}
