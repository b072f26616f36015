/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPAddressToString and WSPStringToAddress: between addresses and text in client memory. They need
 * no socket and no dataplane. Lengths of text are in characters, the final 0 included, as programs
 * use them; one page of Microsoft's says bytes. */

#include <stdint.h>

#include "address_text.h"
#include "guard.h"
#include "protocols.h"
#include "socket.h"
#include "spi.h"

/* More characters than any address needs; a text without an end is not followed further. */
#define TEXT_LIMIT 128u

/* @return 0; WSAEFAULT; WSAEINVAL none of ours */
static int check_protocol(LPWSAPROTOCOL_INFOW info)
{
    WSAPROTOCOL_INFOW copy;

    if (info == NULL)
        return WSAEINVAL; /* the page requires it */
    if (!guard_copy_from(&copy, info, sizeof copy))
        return WSAEFAULT;
    return provider_has_protocol(&copy) ? 0 : WSAEINVAL;
}

static int address_to_string(LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOW info,
                             LPWSTR string, LPDWORD string_length)
{
    struct sockaddr_in copy;
    WCHAR text[ADDRESS_TEXT_LENGTH];
    DWORD room;
    int error = check_protocol(info);

    if (error != 0)
        return error;
    if (length < sizeof copy)
        return WSAEINVAL;
    if (!guard_copy_from(&copy, address, sizeof copy) ||
        !guard_copy_from(&room, string_length, sizeof room))
        return WSAEFAULT;
    if (copy.sin_family != AF_INET)
        return WSAEINVAL;
    unsigned needed = address_text_write(&copy, text);
    if (room >= needed && !guard_copy_to(string, text, needed * sizeof *text))
        return WSAEFAULT;
    /* Also when there is no room: it says how much is needed. */
    if (!guard_store32(string_length, needed) || room < needed)
        return WSAEFAULT;
    return 0;
}

INT WSPAPI spi_address_to_string(LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOW info,
                                 LPWSTR string, LPDWORD string_length, LPINT error_pointer)
{
    if (error_pointer == NULL)
        return SOCKET_ERROR; /* A21: and nothing is written */
    return spi_result(error_pointer,
                      address_to_string(address, length, info, string, string_length));
}

/* @return 0; WSAEFAULT; WSAEINVAL too long */
static int read_text(WCHAR text[TEXT_LIMIT], LPWSTR string)
{
    uintptr_t at = (uintptr_t)string; /* any value at all */

    for (unsigned i = 0; i < TEXT_LIMIT; i++, at += sizeof *text) {
        if (!guard_copy_from(&text[i], (const void *)at, sizeof *text))
            return WSAEFAULT;
        if (text[i] == 0)
            return 0;
    }
    return WSAEINVAL;
}

static int string_to_address(LPWSTR string, INT family, LPWSAPROTOCOL_INFOW info,
                             LPSOCKADDR address, LPINT length)
{
    struct sockaddr_in found;
    WCHAR text[TEXT_LIMIT];
    INT room;
    int error = check_protocol(info);

    if (error != 0)
        return error;
    if (family != AF_INET && family != AF_UNSPEC)
        return WSAEINVAL;
    if (!guard_copy_from(&room, length, sizeof room))
        return WSAEFAULT;
    if (room < (INT)sizeof found) {
        guard_store32(length, sizeof found); /* how much is needed */
        return WSAEFAULT;
    }
    error = read_text(text, string);
    if (error != 0)
        return error;
    if (!address_text_read(text, &found))
        return WSAEINVAL;
    if (!guard_copy_to(address, &found, sizeof found) || !guard_store32(length, sizeof found))
        return WSAEFAULT;
    return 0;
}

INT WSPAPI spi_string_to_address(LPWSTR string, INT family, LPWSAPROTOCOL_INFOW info,
                                 LPSOCKADDR address, LPINT length, LPINT error_pointer)
{
    if (error_pointer == NULL)
        return SOCKET_ERROR; /* A21 */
    return spi_result(error_pointer, string_to_address(string, family, info, address, length));
}
