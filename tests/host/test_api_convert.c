/* SPDX-License-Identifier: BSD-3-Clause */

/* The client calls that convert: protocol entries, addresses as text, byte order. */

#include "support/suite.h"

#include "stub_provider.h"

#include "wirerx/ws2tcpip.h"

#include <string.h>
#include <sys/mman.h>

static void start(void)
{
    WSADATA data;

    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), 0);
}

static char *unmapped_page(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

/* --- protocols -------------------------------------------------------------------------------- */

SUITE_TEST(api, protocols_are_listed)
{
    WSAPROTOCOL_INFOW entries[4];
    int udp_only[] = {IPPROTO_UDP, 0};
    int none[] = {IPPROTO_ICMP, IPPROTO_PGM, 0};
    DWORD size = 0;

    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    start();
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAENOBUFS);
    CHECK(size > 0 && size % sizeof(entries[0]) == 0);
    size = sizeof(entries);
    int all = WSAEnumProtocolsW(NULL, entries, &size);

    CHECK(all >= 1);
    CHECK_EQ_U64(size, (unsigned)all * sizeof(entries[0]));
    size = sizeof(entries);
    CHECK_EQ_I64(WSAEnumProtocolsW(udp_only, entries, &size), 1);
    CHECK_EQ_I64(entries[0].iAddressFamily, AF_INET);
    CHECK_EQ_I64(entries[0].iSocketType, SOCK_DGRAM);
    CHECK_EQ_I64(entries[0].iProtocol, IPPROTO_UDP);
    CHECK_EQ_U64(entries[0].dwServiceFlags1 &
                     (XP1_MESSAGE_ORIENTED | XP1_PSEUDO_STREAM | XP1_PARTIAL_MESSAGE |
                      XP1_GUARANTEED_DELIVERY | XP1_IFS_HANDLES | XP1_SUPPORT_MULTIPOINT),
                 XP1_MESSAGE_ORIENTED | XP1_SUPPORT_MULTIPOINT); // Q04 O04 O07
    CHECK_EQ_I64(WSAEnumProtocolsW(none, entries, &size), 0);
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, entries, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    size = sizeof(entries);
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
}

SUITE_TEST(api, protocols_are_listed_in_8_bit_characters)
{
    WSAPROTOCOL_INFOW wide[4];
    WSAPROTOCOL_INFOA narrow[4];
    DWORD size = 0;

    start();
    CHECK_EQ_I64(WSAEnumProtocolsA(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAENOBUFS);
    CHECK(size > 0 && size % sizeof(narrow[0]) == 0);
    size = sizeof(wide);
    int count = WSAEnumProtocolsW(NULL, wide, &size);

    size = sizeof(narrow);
    memset(narrow, 0x5a, sizeof(narrow));
    CHECK_EQ_I64(WSAEnumProtocolsA(NULL, narrow, &size), count);
    CHECK_EQ_U64(size, (unsigned)count * sizeof(narrow[0]));
    for (int i = 0; i < count; i++) {
        CHECK_EQ_MEM(&narrow[i], &wide[i], offsetof(WSAPROTOCOL_INFOA, szProtocol));
        for (size_t k = 0; k <= WSAPROTOCOL_LEN; k++)
            CHECK_EQ_U64(narrow[i].szProtocol[k], wide[i].szProtocol[k]);
    }
}

SUITE_TEST(api, protocols_are_not_listed_into_memory_that_is_not_there) // A09
{
    char *gone = unmapped_page();
    DWORD size = 65536;
    DWORD *no_size = (DWORD *)(void *)gone;
    int *no_list = (int *)(void *)gone;

    start();
#define CHECK_FAULT(call)                           \
    do {                                            \
        CHECK_EQ_I64(call, SOCKET_ERROR);           \
        CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT); \
    } while (0)
    CHECK_FAULT(WSAEnumProtocolsW(NULL, (LPWSAPROTOCOL_INFOW)(void *)gone, &size));
    CHECK_FAULT(WSAEnumProtocolsA(NULL, (LPWSAPROTOCOL_INFOA)(void *)gone, &size));
    CHECK_FAULT(WSAEnumProtocolsW(NULL, NULL, no_size));
    CHECK_FAULT(WSAEnumProtocolsA(no_list, NULL, &size));
}

/* --- addresses -------------------------------------------------------------------------------- */

SUITE_TEST(api, addresses_are_read_and_written_with_windows_families)
{
    IN_ADDR four = {.s_addr = 0};
    IN6_ADDR six;
    char text[INET6_ADDRSTRLEN];

    CHECK_EQ_I64(inet_pton(AF_INET, "192.0.2.1", &four), 1);
    CHECK_EQ_U64(ntohl(four.s_addr), 0xc0000201);
    CHECK_EQ_STR(inet_ntop(AF_INET, &four, text, sizeof(text)), "192.0.2.1");
    CHECK_EQ_I64(inet_pton(AF_INET6, "2001:db8::1", &six), 1); // 23, not libc's 10
    CHECK_EQ_U64(six.s6_bytes[15], 1);
    CHECK_EQ_STR(inet_ntop(AF_INET6, &six, text, SIZE_MAX), "2001:db8::1");
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_I64(inet_pton(AF_INET, "192.0.2.256", &four), 0);
    CHECK_EQ_U64(ntohl(four.s_addr), 0xc0000201);
    CHECK_EQ_I64(inet_pton(10, "2001:db8::1", &six), -1);
    CHECK_EQ_I64(WSAGetLastError(), WSAEAFNOSUPPORT);
    CHECK_EQ_I64(inet_pton(AF_INET, NULL, &four), -1);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    CHECK_EQ_PTR(inet_ntop(AF_INET, &four, text, 9), NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_PARAMETER);
    CHECK_EQ_PTR(inet_ntop(AF_INET, &four, NULL, 99), NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_PARAMETER);
    CHECK_EQ_PTR(inet_ntop(AF_UNIX, &four, text, 99), NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSAEAFNOSUPPORT);
    CHECK_EQ_U64(inet_addr("239.1.2.3"), htonl(0xef010203));
    CHECK_EQ_U64(inet_addr("127.1"), htonl(INADDR_LOOPBACK));
    CHECK_EQ_U64(inet_addr("1.2.3.4.5"), INADDR_NONE);
    CHECK_EQ_U64(inet_addr(NULL), INADDR_NONE);
    four.s_addr = htonl(0xef010203);
    CHECK_EQ_STR(inet_ntoa(four), "239.1.2.3");
    four.s_addr = INADDR_BROADCAST;
    CHECK_EQ_STR(inet_ntoa(four), "255.255.255.255");
}

static struct sockaddr address;

SUITE_TEST(api, address_becomes_text_of_either_width)
{
    static const WCHAR text[] = u"192.0.2.1:5000";
    WSAPROTOCOL_INFOA entry = {.iProtocol = 4711, .szProtocol = "P"};
    DWORD length = 32;
    WCHAR wide[32];
    CHAR narrow[32];
    char *gone = unmapped_page();

    start();
    memcpy(stub.text, text, sizeof(text));
    CHECK_EQ_I64(WSAAddressToStringW(&address, 16, NULL, wide, &length), 0);
    CHECK_EQ_MEM(wide, text, sizeof(text));
    CHECK_EQ_U64(stub.arguments[0], (uintptr_t)&address);
    CHECK_EQ_U64(stub.arguments[1], 16);
    CHECK_EQ_I64(stub.entry.iProtocol, IPPROTO_UDP); /* the catalogue's, where none is given */
    length = 32;
    memset(narrow, 0x5a, sizeof(narrow));
    CHECK_EQ_I64(WSAAddressToStringA(&address, 16, &entry, narrow, &length), 0);
    CHECK_EQ_STR(narrow, "192.0.2.1:5000");
    CHECK_EQ_U64(length, 15);
    CHECK_EQ_U64(narrow[15], 0x5a);
    CHECK_EQ_I64(stub.entry.iProtocol, 4711);
    CHECK_EQ_U64(stub.entry.szProtocol[0], 'P');
    /* What is needed is told, and nothing else written. */
    memset(narrow, 0x5a, sizeof(narrow));
    for (length = 0; length < 15; length++) {
        DWORD room = length;

        CHECK_FAULT(WSAAddressToStringA(&address, 16, NULL, length ? narrow : NULL, &room));
        CHECK_EQ_U64(room, 15);
        CHECK_EQ_U64(narrow[0], 0x5a);
    }
    CHECK_EQ_I64(WSAAddressToStringA(&address, 16, NULL, narrow, &length), 0);
    length = 4000;
    stub.error = WSAEINVAL;
    CHECK_EQ_I64(WSAAddressToStringA(&address, 16, NULL, narrow, &length), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ_U64(length, 4000);
    stub.error = 0;
    CHECK_FAULT(WSAAddressToStringA(&address, 16, NULL, NULL, &length));
    CHECK_FAULT(WSAAddressToStringA(&address, 16, NULL, gone, &length));
    CHECK_FAULT(WSAAddressToStringA(&address, 16, NULL, narrow, NULL));
    CHECK_FAULT(WSAAddressToStringA(&address, 16, NULL, narrow, (DWORD *)(void *)gone));
    CHECK_FAULT(WSAAddressToStringA(&address, 16, (void *)gone, narrow, &length));
}

SUITE_TEST(api, text_of_either_width_becomes_an_address)
{
    static WCHAR wide[] = u"192.0.2.1";
    static CHAR narrow[] = "192.0.2.\xe9";
    WSAPROTOCOL_INFOA entry = {.iProtocol = 4711};
    CHAR endless[1000];
    char *gone = unmapped_page();
    INT length = 16;

    start();
    CHECK_EQ_I64(WSAStringToAddressW(wide, AF_INET, NULL, &address, &length), 0);
    CHECK_EQ_MEM(stub.text, wide, sizeof(wide));
    CHECK_EQ_I64(stub.entry.iProtocol, IPPROTO_UDP);
    CHECK_EQ_U64(stub.arguments[0], AF_INET);
    CHECK_EQ_U64(stub.arguments[1], (uintptr_t)&address);
    CHECK_EQ_U64(stub.arguments[2], (uintptr_t)&length);
    CHECK_EQ_I64(WSAStringToAddressA(narrow, AF_INET, &entry, &address, &length), 0);
    CHECK_EQ_U64(stub.text[7], '.');
    CHECK_EQ_U64(stub.text[8], 0xe9);
    CHECK_EQ_U64(stub.text[9], 0);
    CHECK_EQ_I64(stub.entry.iProtocol, 4711);
    memset(endless, '1', sizeof(endless));
    CHECK_EQ_I64(WSAStringToAddressA(endless, AF_INET, NULL, &address, &length), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_FAULT(WSAStringToAddressA(NULL, AF_INET, NULL, &address, &length));
    CHECK_FAULT(WSAStringToAddressA(gone, AF_INET, NULL, &address, &length));
    CHECK_FAULT(WSAStringToAddressA(narrow, AF_INET, (void *)gone, &address, &length));
}

/* --- byte order ------------------------------------------------------------------------------- */

SUITE_TEST(api, numbers_are_put_into_the_protocols_order)
{
    static const struct {
        int order;
        u_long converted;
        u_short converted_short;
    } rows[] = {{BIGENDIAN, 0x44332211, 0x2211}, {LITTLEENDIAN, 0x11223344, 0x1122}};
    char *gone = unmapped_page();

    start();
    for (size_t i = 0; i < 2; i++) {
        u_long number = 0;
        u_short number_short = 0;

        stub.entry.iNetworkByteOrder = rows[i].order;
        CHECK_EQ_I64(WSAHtonl(9, 0x11223344, &number), 0);
        CHECK_EQ_U64(number, rows[i].converted);
        CHECK_EQ_I64(WSAHtons(9, 0x1122, &number_short), 0);
        CHECK_EQ_U64(number_short, rows[i].converted_short);
        CHECK_EQ_I64(WSANtohl(9, rows[i].converted, &number), 0);
        CHECK_EQ_U64(number, 0x11223344);
        CHECK_EQ_I64(WSANtohs(9, rows[i].converted_short, &number_short), 0);
        CHECK_EQ_U64(number_short, 0x1122);
    }
    CHECK_FAULT(WSAHtonl(9, 1, NULL));
    CHECK_FAULT(WSAHtons(9, 1, NULL));
    CHECK_FAULT(WSANtohl(9, 1, (u_long *)(void *)gone));
    CHECK_FAULT(WSANtohs(9, 1, (u_short *)(void *)gone));
}

/* --- protocol entries ------------------------------------------------------------------------- */

SUITE_TEST(api, narrow_protocol_entry_is_widened)
{
    WSAPROTOCOL_INFOA narrow;

    memset(&narrow, 0x5a, sizeof(narrow));
    memset(narrow.szProtocol, 0, sizeof(narrow.szProtocol));
    strcpy(narrow.szProtocol, "UDP\xe9");
    narrow.dwProviderReserved = 77;
    start();
    WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &narrow, 0, 0);
    CHECK_EQ_MEM(&stub.entry, &narrow, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    CHECK_EQ_U64(stub.entry.szProtocol[2], 'P');
    CHECK_EQ_U64(stub.entry.szProtocol[3], 0xe9);
    CHECK_EQ_U64(stub.entry.szProtocol[4], 0);
    CHECK_EQ_U64(stub.entry.szProtocol[WSAPROTOCOL_LEN], 0);
}

SUITE_TEST(api, entry_that_is_not_there_is_found_out) // A09
{
    WSAPROTOCOL_INFOA *gone = (WSAPROTOCOL_INFOA *)(void *)unmapped_page();

    CHECK_EQ_U64(WSASocketA(0, 0, 0, gone, 0, 0), INVALID_SOCKET);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    start();
    CHECK_EQ_U64(WSASocketA(0, 0, 0, gone, 0, 0), INVALID_SOCKET);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    CHECK_FAULT(WSADuplicateSocketA(9, 1, gone));
    CHECK_EQ_U64(stub.arguments[1], 0); /* it is the provider that refuses */
}

SUITE_TEST(api, duplicates_entry_is_narrowed)
{
    WSAPROTOCOL_INFOA narrow;

    start();
    stub.entry.dwProviderReserved = 0x12345678;
    stub.entry.szProtocol[0] = 'U';
    stub.entry.szProtocol[1] = 0x20ac;
    CHECK_EQ_I64(WSADuplicateSocketA(9, 1, &narrow), 0);
    CHECK_EQ_MEM(&narrow, &stub.entry, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    CHECK_EQ_STR(narrow.szProtocol, "U?");
    stub.error = WSAEOPNOTSUPP;
    memset(&narrow, 0x5a, sizeof(narrow));
    CHECK_EQ_I64(WSADuplicateSocketA(9, 1, &narrow), SOCKET_ERROR);
    CHECK_EQ_U64(narrow.dwServiceFlags1, 0x5a5a5a5a);
}
