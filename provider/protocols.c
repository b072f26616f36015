/* SPDX-License-Identifier: BSD-3-Clause */
#include "protocols.h"

#include <stddef.h>
#include <string.h>

#include "host/catalogue.h"

static int chosen(int given, int from_info, int have_info)
{
    return given == FROM_PROTOCOL_INFO && have_info ? from_info : given;
}

const WSAPROTOCOL_INFOW *provider_further_protocols;
unsigned provider_further_count;

static const WSAPROTOCOL_INFOW *protocol_at(unsigned index)
{
    return index < CATALOGUE_ENTRIES ? &catalogue[index]
                                     : &provider_further_protocols[index - CATALOGUE_ENTRIES];
}

const WSAPROTOCOL_INFOW *provider_find_protocol(int af, int type, int protocol,
                                                const WSAPROTOCOL_INFOW *info, int *error)
{
    static const WSAPROTOCOL_INFOW nothing;
    const WSAPROTOCOL_INFOW *from = info != NULL ? info : &nothing;

    af = chosen(af, from->iAddressFamily, info != NULL);
    type = chosen(type, from->iSocketType, info != NULL);
    protocol = chosen(protocol, from->iProtocol, info != NULL);
    *error = WSAEAFNOSUPPORT;
    for (unsigned i = 0; i < CATALOGUE_ENTRIES + provider_further_count; i++) {
        const WSAPROTOCOL_INFOW *row = protocol_at(i);

        if (af != 0 && af != row->iAddressFamily)
            continue;
        *error = WSAESOCKTNOSUPPORT;
        if (type != 0 && type != row->iSocketType)
            continue;
        *error = WSAEPROTONOSUPPORT;
        if (protocol != 0 && protocol != row->iProtocol) {
            if (protocol == IPPROTO_TCP)
                *error = WSAEPROTOTYPE; /* a stream protocol for a datagram socket */
            continue;
        }
        return row;
    }
    return NULL;
}

bool provider_has_protocol(const WSAPROTOCOL_INFOW *info)
{
    for (unsigned i = 0; i < CATALOGUE_ENTRIES + provider_further_count; i++) {
        const WSAPROTOCOL_INFOW *row = protocol_at(i);

        if (info->dwCatalogEntryId == row->dwCatalogEntryId &&
            memcmp(&info->ProviderId, &row->ProviderId, sizeof row->ProviderId) == 0)
            return true;
    }
    return false;
}
