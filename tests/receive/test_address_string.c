/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPAddressToString and WSPStringToAddress. */

#include "support/suite.h"

#include "harness.h"

#include "address_text.h"

#if !UNDER_THREAD_SANITIZER

static WSAPROTOCOL_INFOW entry; /* of ours */
static char *gone;              /* a page that is not there */

static void open_strings(void)
{
    DWORD size = sizeof entry;

    open_winsock();
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, &entry, &size), 1);
    gone = map_pages(1);
    unmap_pages(gone, 1);
}

SUITE_FIXTURE(address_string, open_strings, close_winsock);

#define NONE UINT64_MAX

/* Of a text that must be read. NONE: it must be refused. */
struct reading {
    const char *text;
    uint64_t address; /* host order */
    uint16_t port;
};

static void widen(const char *text, WCHAR *wide)
{
    do
        *wide++ = (unsigned char)*text;
    while (*text++);
}

/* --- reading --------------------------------------------------------------------------------------- */

static void check_reading(const struct reading *row)
{
    struct sockaddr_in address, untouched;
    WCHAR wide[200];
    INT length = 40;
    int error = 0;

    memset(&untouched, CANARY, sizeof untouched);
    address = untouched;
    widen(row->text, wide);
    INT result =
        spi.lpWSPStringToAddress(wide, AF_INET, &entry, (LPSOCKADDR)&address, &length, &error);
    if (row->address == NONE) {
        CHECK_MSG(result == SOCKET_ERROR, "\"%s\" was taken for an address", row->text);
        CHECK_EQ_I64(error, WSAEINVAL);
        CHECK_EQ_I64(length, 40);
        CHECK_EQ_MEM(&address, &untouched, sizeof address);
        return;
    }
    struct sockaddr_in expected = address_of((uint32_t)row->address, row->port);

    CHECK_MSG(result == 0, "\"%s\" was refused with %d", row->text, error);
    CHECK_EQ_I64(length, sizeof address);
    CHECK_MSG(memcmp(&address, &expected, sizeof address) == 0, "\"%s\" is %#x:%u", row->text,
              ntohl(address.sin_addr.s_addr), ntohs(address.sin_port));
}

SUITE_TEST(address_string, text_is_read_as_on_windows)
{
    static const struct reading rows[] = {
        {"0.0.0.0", 0, 0},
        {"192.0.2.1", 0xc0000201, 0},
        {"255.255.255.255", 0xffffffff, 0},
        {"255.255.255.255:65535", 0xffffffff, 65535},
        {"192.0.2.1:1", 0xc0000201, 1},
        /* fewer numbers: the last one is what is left */
        {"1", 1, 0},
        {"1:1", 1, 1},
        {"1.2", 0x01000002, 0},
        {"1.2.3:9", 0x01020003, 9},
        {"127.1", 0x7f000001, 0},
        {"1.16777215", 0x01ffffff, 0},
        {"1.2.65535", 0x0102ffff, 0},
        {"4294967295", 0xffffffff, 0},
        /* octal and hexadecimal */
        {"1.1.1.010", 0x01010108, 0},
        {"1.1.1.00", 0x01010100, 0},
        {"0377.0xff.0XaA.0xAa", 0xffffaaaa, 0},
        {"017700000001", 0x7f000001, 0},
        {"0x7f000001:0x10", 0x7f000001, 16},
        {"1.1.1.1:010", 0x01010101, 8},
        {"1.1.1.1:0xAbCd", 0x01010101, 0xabcd},
        {"0x00000000000000000000000000000001", 1, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_reading(&rows[i]);
}

SUITE_TEST(address_string, text_that_is_no_address_is_refused)
{
    static const char *const rows[] = {"",
                                       " ",
                                       "a",
                                       ".",
                                       ":",
                                       ":1",
                                       "-1",
                                       "+1",
                                       "1.",
                                       "1..2",
                                       ".1",
                                       "1.2.3.",
                                       "1.2.3.4.",
                                       "1.2.3.4.5",
                                       "256.1.1.1",
                                       "1.256.1.1",
                                       "1.1.256.1",
                                       "1.1.1.256",
                                       "1.16777216",
                                       "1.2.65536",
                                       "4294967296",
                                       "99999999999999999999999",
                                       "1.1.1.08",
                                       "1.1.1.0a",
                                       "1.1.1.0x",
                                       "1.1.1.0xg",
                                       "1.1.1.0b1",
                                       "x1",
                                       "1.1.1.-1",
                                       " 1.1.1.1",
                                       "\t1.1.1.1",
                                       "1.1.1.1 ",
                                       "1. 1.1.1",
                                       "1.1.1.1:",
                                       "1.1.1.1:0",
                                       "1.1.1.1:00",
                                       "1.1.1.1:65536",
                                       "1.1.1.1:0x10000",
                                       "1.1.1.1:0x",
                                       "1.1.1.1:08",
                                       "1.1.1.1:1 ",
                                       "1.1.1.1: 1",
                                       "1.1.1.1::1",
                                       "1.1.1.1:1:1",
                                       "1.1.1.1:-1",
                                       "1.1.1.1:a",
                                       "[1.1.1.1]",
                                       "::1",
                                       "[::1]:80",
                                       "2001:db8::1",
                                       "localhost",
                                       "1.1.1.1\xb9",
                                       "\xb1.1.1.1"};
    struct reading row = {.address = NONE};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        row.text = rows[i];
        check_reading(&row);
    }
}

static int read_with(LPWSTR text, INT family, LPWSAPROTOCOL_INFOW info, void *address, INT *length)
{
    int error = 0;
    INT result = spi.lpWSPStringToAddress(text, family, info, address, length, &error);

    CHECK_EQ_I64(result, error == 0 ? 0 : SOCKET_ERROR);
    return error;
}

SUITE_TEST(address_string, digits_of_other_scripts_are_none)
{
    WCHAR text[] = u"1.1.1.1";
    struct sockaddr_in address;
    INT length = sizeof address;

    text[0] = 0x0661; /* an Arabic one */
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, &address, &length), WSAEINVAL);
    text[0] = 0x0131; /* '1' in its low byte */
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, &address, &length), WSAEINVAL);
    text[0] = '1';
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, &address, &length), 0);
    CHECK_EQ_I64(read_with(text, AF_UNSPEC, &entry, &address, &length), 0);
    CHECK_EQ_I64(read_with(text, AF_INET6, &entry, &address, &length), WSAEINVAL);
    CHECK_EQ_I64(read_with(text, 99, &entry, &address, &length), WSAEINVAL);
}

SUITE_TEST(address_string, room_for_an_address_is_told_when_missing)
{
    WCHAR text[] = u"1.1.1.1";
    struct sockaddr_in address, untouched;

    memset(&untouched, CANARY, sizeof untouched);
    for (INT room = -1; room < 16; room++) {
        INT length = room;

        address = untouched;
        CHECK_EQ_I64(read_with(text, AF_INET, &entry, &address, &length), WSAEFAULT);
        CHECK_EQ_I64(length, 16);
        CHECK_EQ_MEM(&address, &untouched, sizeof address);
    }
}

SUITE_TEST(address_string, reading_finds_out_what_is_not_there) // A09 A21
{
    WCHAR text[] = u"1.1.1.1", *end = (WCHAR *)(void *)(map_pages(2) + PAGE) - 4, endless[500];
    struct sockaddr_in address;
    WSAPROTOCOL_INFOW other = entry;
    INT length = sizeof address;

    unmap_pages(end + 4, 1);
    memcpy(end, u"1.1.", 4 * sizeof *end); /* the page ends before the text does */
    for (size_t i = 0; i < 500; i++)
        endless[i] = i % 2 ? '.' : '1';
    CHECK_EQ_I64(read_with(end, AF_INET, &entry, &address, &length), WSAEFAULT);
    CHECK_EQ_I64(read_with(NULL, AF_INET, &entry, &address, &length), WSAEFAULT);
    CHECK_EQ_I64(read_with((LPWSTR)(UINTPTR_MAX - 1), AF_INET, &entry, &address, &length),
                 WSAEFAULT);
    CHECK_EQ_I64(read_with((LPWSTR)(void *)gone, AF_INET, &entry, &address, &length), WSAEFAULT);
    CHECK_EQ_I64(read_with(endless, AF_INET, &entry, &address, &length), WSAEINVAL);
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, NULL, &length), WSAEFAULT);
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, gone, &length), WSAEFAULT);
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, &address, NULL), WSAEFAULT);
    CHECK_EQ_I64(read_with(text, AF_INET, &entry, &address, (INT *)(void *)gone), WSAEFAULT);
    CHECK_EQ_I64(read_with(text, AF_INET, (void *)gone, &address, &length), WSAEFAULT);
    CHECK_EQ_I64(read_with(text, AF_INET, NULL, &address, &length), WSAEINVAL);
    other.dwCatalogEntryId++;
    CHECK_EQ_I64(read_with(text, AF_INET, &other, &address, &length), WSAEINVAL);
    other = entry;
    other.ProviderId.Data1++;
    CHECK_EQ_I64(read_with(text, AF_INET, &other, &address, &length), WSAEINVAL);
    memset(&address, CANARY, sizeof address);
    CHECK_EQ_I64(
        spi.lpWSPStringToAddress(text, AF_INET, &entry, (LPSOCKADDR)&address, &length, NULL),
        SOCKET_ERROR);
    CHECK_EQ_U64(address.sin_port, CANARY << 8 | CANARY);
    CHECK_EQ_I64(spi.lpWSPStringToAddress(text, AF_INET, &entry, (LPSOCKADDR)&address, &length,
                                          (int *)(void *)gone),
                 0); /* a success need not write it (A02) */
}

/* --- writing --------------------------------------------------------------------------------------- */

static int write_with(void *address, DWORD length, LPWSAPROTOCOL_INFOW info, LPWSTR text,
                      DWORD *text_length)
{
    int error = 0;
    INT result = spi.lpWSPAddressToString(address, length, info, text, text_length, &error);

    CHECK_EQ_I64(result, error == 0 ? 0 : SOCKET_ERROR);
    return error;
}

SUITE_TEST(address_string, address_is_written_as_on_windows)
{
    static const struct reading rows[] = {
        {"0.0.0.0", 0, 0},
        {"192.0.2.1:5000", 0xc0000201, 5000},
        {"1.20.255.4:1", 0x0114ff04, 1},
        {"255.255.255.255:65535", 0xffffffff, 65535},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_in address = address_of((uint32_t)rows[i].address, rows[i].port);
        WCHAR expected[ADDRESS_TEXT_LENGTH], text[40];
        DWORD needed = (DWORD)strlen(rows[i].text) + 1;

        widen(rows[i].text, expected);
        for (DWORD room = 0; room < 40; room++) {
            DWORD length = room;

            memset(text, CANARY, sizeof text);
            CHECK_EQ_I64(write_with(&address, sizeof address, &entry, room ? text : NULL, &length),
                         room < needed ? WSAEFAULT : 0);
            CHECK_EQ_U64(length, needed); /* either way */
            if (room >= needed)
                CHECK_EQ_MEM(text, expected, needed * sizeof *text);
            CHECK_EQ_U64(text[room < needed ? 0 : needed], CANARY << 8 | CANARY);
        }
    }
}

SUITE_TEST(address_string, writing_finds_out_what_is_not_there) // A09 A21
{
    struct sockaddr_in address = address_of(HERE, PORT);
    struct sockaddr_storage larger;
    WSAPROTOCOL_INFOW other = entry;
    WCHAR text[40];
    DWORD length = 40;
    DWORD *no_length = (DWORD *)(void *)gone;

    CHECK_EQ_I64(write_with(&address, 15, &entry, text, &length), WSAEINVAL);
    CHECK_EQ_I64(write_with(&address, 0, &entry, text, &length), WSAEINVAL);
    CHECK_EQ_I64(write_with(NULL, 16, &entry, text, &length), WSAEFAULT);
    CHECK_EQ_I64(write_with(gone, 16, &entry, text, &length), WSAEFAULT);
    CHECK_EQ_U64(length, 40); /* none of these tells a length */
    CHECK_EQ_I64(write_with(&address, 16, &entry, NULL, &length), WSAEFAULT);
    CHECK_EQ_I64(write_with(&address, 16, &entry, (LPWSTR)(void *)gone, &length), WSAEFAULT);
    CHECK_EQ_I64(write_with(&address, 16, &entry, text, NULL), WSAEFAULT);
    CHECK_EQ_I64(write_with(&address, 16, &entry, text, no_length), WSAEFAULT);
    CHECK_EQ_I64(write_with(&address, 16, (void *)gone, text, &length), WSAEFAULT);
    CHECK_EQ_I64(write_with(&address, 16, NULL, text, &length), WSAEINVAL);
    other.ProviderId.Data4[7]++;
    CHECK_EQ_I64(write_with(&address, 16, &other, text, &length), WSAEINVAL);
    memset(text, CANARY, sizeof text);
    CHECK_EQ_I64(spi.lpWSPAddressToString((LPSOCKADDR)&address, 16, &entry, text, &length, NULL),
                 SOCKET_ERROR);
    CHECK_EQ_U64(text[0], CANARY << 8 | CANARY);
    memset(&larger, 0, sizeof larger);
    memcpy(&larger, &address, sizeof address);
    CHECK_EQ_I64(write_with(&larger, sizeof larger, &entry, text, &length), 0);
    larger.ss_family = AF_INET6;
    CHECK_EQ_I64(write_with(&larger, sizeof larger, &entry, text, &length), WSAEINVAL);
}

/* --- by the client's names ------------------------------------------------------------------------- */

SUITE_TEST(address_string, clients_need_no_entry)
{
    struct sockaddr_in address, expected = address_of(0xef010203, 5000);
    CHAR text[] = "239.1.2.3:5000", written[22];
    DWORD room = sizeof written;
    INT length = sizeof address;

    CHECK_EQ_I64(WSAStringToAddressA(text, AF_INET, NULL, (LPSOCKADDR)&address, &length), 0);
    CHECK_EQ_MEM(&address, &expected, sizeof address);
    CHECK_EQ_I64(WSAAddressToStringA((LPSOCKADDR)&address, sizeof address, NULL, written, &room),
                 0);
    CHECK_EQ_STR(written, text);
    CHECK_EQ_U64(room, sizeof text);
    text[0] = 'x';
    CHECK_EQ_I64(WSAStringToAddressA(text, AF_INET, NULL, (LPSOCKADDR)&address, &length), -1);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
}

#endif
