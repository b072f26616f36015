/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalogue.h"

#include "wirerx/ws2tcpip.h"

/* {57495245-5258-4e49-9350-726f76696465} */
#define PROVIDER_ID                                        \
    {                                                      \
        0x57495245, 0x5258, 0x4e49,                        \
        {                                                  \
            0x93, 0x50, 0x72, 0x6f, 0x76, 0x69, 0x64, 0x65 \
        }                                                  \
    }

const WSAPROTOCOL_INFOW catalogue[CATALOGUE_ENTRIES] = {
    {
        /* Windows' flags for UDP, less XP1_IFS_HANDLES: our sockets are no files (O04). */
        .dwServiceFlags1 = XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST |
                           XP1_SUPPORT_MULTIPOINT,
        .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = PROVIDER_ID,
        .dwCatalogEntryId = 1001,
        .ProtocolChain = {.ChainLen = BASE_PROTOCOL},
        .iVersion = 2,
        .iAddressFamily = AF_INET,
        .iMaxSockAddr = sizeof(SOCKADDR_IN),
        .iMinSockAddr = sizeof(SOCKADDR_IN),
        .iSocketType = SOCK_DGRAM,
        .iProtocol = IPPROTO_UDP,
        .iNetworkByteOrder = BIGENDIAN,
        .iSecurityScheme = SECURITY_PROTOCOL_NONE,
        .dwMessageSize = 65507, /* 65,535 less the smallest IPv4 header and UDP's */
        .szProtocol = u"wirerx UDP/IP",
    },
};
