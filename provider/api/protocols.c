/* SPDX-License-Identifier: BSD-3-Clause */
#include "../host/catalogue.h"

#include <string.h>

#include "api.h"

static bool wanted(const WSAPROTOCOL_INFOW *entry, const INT *protocols)
{
    if (!protocols)
        return true;
    for (; *protocols != 0; protocols++)
        if (*protocols == entry->iProtocol)
            return true;
    return false;
}

int WSAAPI WSAEnumProtocolsW(LPINT lpiProtocols, LPWSAPROTOCOL_INFOW lpProtocolBuffer,
                             LPDWORD lpdwBufferLength)
{
    const WSAPROTOCOL_INFOW *entries[CATALOGUE_ENTRIES];
    int count = 0;

    if (!api_started())
        return api_result(SOCKET_ERROR, WSANOTINITIALISED);
    if (!lpdwBufferLength)
        return api_result(SOCKET_ERROR, WSAEFAULT);
    for (size_t i = 0; i < CATALOGUE_ENTRIES; i++)
        if (wanted(&catalogue[i], lpiProtocols))
            entries[count++] = &catalogue[i];
    DWORD room = *lpdwBufferLength;
    DWORD size = (DWORD)count * (DWORD)sizeof(**entries);

    *lpdwBufferLength = size;
    if (room < size)
        return api_result(SOCKET_ERROR, WSAENOBUFS);
    if (!lpProtocolBuffer && count > 0)
        return api_result(SOCKET_ERROR, WSAEFAULT);
    for (int i = 0; i < count; i++)
        memcpy(&lpProtocolBuffer[i], entries[i], sizeof(**entries));
    return api_result(count, 0);
}
