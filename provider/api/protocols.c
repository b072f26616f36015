/* SPDX-License-Identifier: BSD-3-Clause */

/* The catalogue's entries, in 16-bit and 8-bit characters. */

#include <string.h>

#include "../guard.h"
#include "../host/catalogue.h"
#include "api.h"

_Static_assert(offsetof(WSAPROTOCOL_INFOA, szProtocol) == offsetof(WSAPROTOCOL_INFOW, szProtocol),
               "they differ in the name only");

bool api_widen_entry(const WSAPROTOCOL_INFOA *narrow, WSAPROTOCOL_INFOW *wide)
{
    WSAPROTOCOL_INFOA copy;

    if (!guard_copy_from(&copy, narrow, sizeof(copy)))
        return false;
    memcpy(wide, &copy, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    for (size_t i = 0; i <= WSAPROTOCOL_LEN; i++)
        wide->szProtocol[i] = (UCHAR)copy.szProtocol[i];
    return true;
}

void api_narrow_entry(const WSAPROTOCOL_INFOW *wide, WSAPROTOCOL_INFOA *narrow)
{
    memcpy(narrow, wide, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    for (size_t i = 0; i <= WSAPROTOCOL_LEN; i++)
        narrow->szProtocol[i] = wide->szProtocol[i] < 0x80 ? (CHAR)wide->szProtocol[i] : '?';
}

/* @return false: the list is not there */
static bool wanted(const WSAPROTOCOL_INFOW *entry, const INT *protocols, bool *is_wanted)
{
    INT protocol;

    for (*is_wanted = !protocols; !*is_wanted; protocols++) {
        if (!guard_copy_from(&protocol, protocols, sizeof(protocol)))
            return false;
        if (protocol == 0)
            break;
        *is_wanted = protocol == entry->iProtocol;
    }
    return true;
}

static int fail(int error)
{
    api_result(SOCKET_ERROR, error);
    return SOCKET_ERROR;
}

/* What the two calls share. @return the entries, or SOCKET_ERROR with the code left */
static int enumerate(const INT *protocols, LPDWORD length, size_t entry_size, bool has_buffer,
                     const WSAPROTOCOL_INFOW *entries[CATALOGUE_ENTRIES])
{
    int count = 0;
    DWORD room;

    if (!api_started())
        return fail(WSANOTINITIALISED);
    if (!length || !guard_copy_from(&room, length, sizeof(room)))
        return fail(WSAEFAULT);
    for (size_t i = 0; i < CATALOGUE_ENTRIES; i++) {
        bool is_wanted;

        if (!wanted(&catalogue[i], protocols, &is_wanted))
            return fail(WSAEFAULT);
        if (is_wanted)
            entries[count++] = &catalogue[i];
    }
    DWORD size = (DWORD)count * (DWORD)entry_size;

    if (!guard_store32(length, size))
        return fail(WSAEFAULT);
    if (room < size)
        return fail(WSAENOBUFS);
    if (!has_buffer && count > 0)
        return fail(WSAEFAULT);
    api_result(count, 0);
    return count;
}

int WSAAPI WSAEnumProtocolsW(LPINT lpiProtocols, LPWSAPROTOCOL_INFOW lpProtocolBuffer,
                             LPDWORD lpdwBufferLength)
{
    const WSAPROTOCOL_INFOW *entries[CATALOGUE_ENTRIES];
    int count = enumerate(lpiProtocols, lpdwBufferLength, sizeof(*lpProtocolBuffer),
                          lpProtocolBuffer != NULL, entries);

    for (int i = 0; i < count; i++)
        if (!guard_copy_to(&lpProtocolBuffer[i], entries[i], sizeof(*lpProtocolBuffer)))
            return fail(WSAEFAULT);
    return count;
}

int WSAAPI WSAEnumProtocolsA(LPINT lpiProtocols, LPWSAPROTOCOL_INFOA lpProtocolBuffer,
                             LPDWORD lpdwBufferLength)
{
    const WSAPROTOCOL_INFOW *entries[CATALOGUE_ENTRIES];
    int count = enumerate(lpiProtocols, lpdwBufferLength, sizeof(*lpProtocolBuffer),
                          lpProtocolBuffer != NULL, entries);

    for (int i = 0; i < count; i++) {
        WSAPROTOCOL_INFOA narrow;

        api_narrow_entry(entries[i], &narrow);
        if (!guard_copy_to(&lpProtocolBuffer[i], &narrow, sizeof(narrow)))
            return fail(WSAEFAULT);
    }
    return count;
}
