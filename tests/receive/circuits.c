/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "circuits.h"

#include "protocols.h"

#define CIRCUIT (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE)
#define ROW(number, flags)                                                                      \
    {                                                                                           \
        .dwServiceFlags1 = (flags), .dwCatalogEntryId = 2000 + (number),                        \
        .ProtocolChain = {.ChainLen = BASE_PROTOCOL}, .iVersion = 2, .iAddressFamily = AF_INET, \
        .iMaxSockAddr = sizeof(SOCKADDR_IN), .iMinSockAddr = sizeof(SOCKADDR_IN),               \
        .iSocketType = SOCK_SEQPACKET, .iProtocol = 250 + (number),                             \
    }

static const WSAPROTOCOL_INFOW rows[ALL_ROWS] = {
    [MESSAGES] = ROW(MESSAGES, CIRCUIT | XP1_MESSAGE_ORIENTED),
    [PARTS] = ROW(PARTS, CIRCUIT | XP1_MESSAGE_ORIENTED | XP1_PARTIAL_MESSAGE),
    [PSEUDO] = ROW(PSEUDO, CIRCUIT | XP1_MESSAGE_ORIENTED | XP1_PSEUDO_STREAM),
    [BYTES] = ROW(BYTES, CIRCUIT),
    [ONE_WAY] = ROW(ONE_WAY, XP1_MESSAGE_ORIENTED | XP1_CONNECTIONLESS | XP1_UNI_SEND),
};

void circuits_begin(void)
{
    provider_further_protocols = rows;
    provider_further_count = ALL_ROWS;
}

void circuits_end(void)
{
    provider_further_count = 0;
}

SOCKET circuit_open(enum circuit_row row, uint32_t address)
{
    struct sockaddr_in here = address_of(address, 0);
    int error = 0;
    SOCKET s = spi.lpWSPSocket(AF_INET, SOCK_SEQPACKET, 250 + (int)row, NULL, 0,
                               WSA_FLAG_OVERLAPPED, &error);

    CHECK(s != INVALID_SOCKET);
    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&here, sizeof here, &error), 0);
    set_nonblocking(s, true);
    return s;
}
