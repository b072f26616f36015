/* SPDX-License-Identifier: BSD-3-Clause */
#include "address_text.h"

#include <stdio.h>
#include <string.h>

#define PARTS 4u

/* @return its value; -1: no digit of any base */
static int digit(WCHAR character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/* @return behind the number; NULL: there is none, or it is more than maximum */
static const WCHAR *read_number(const WCHAR *text, uint32_t maximum, uint32_t *number)
{
    uint64_t value = 0;
    int base = 10;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    } else if (text[0] == '0') {
        base = 8; /* the 0 is a digit of it */
    }
    const WCHAR *first = text;
    for (int d; (d = digit(*text)) >= 0; text++) {
        if (d >= base)
            return NULL;
        value = value * (unsigned)base + (unsigned)d;
        if (value > maximum)
            return NULL;
    }
    *number = (uint32_t)value;
    return text != first ? text : NULL;
}

/* @return behind the address; NULL: there is none. In host order */
static const WCHAR *read_parts(const WCHAR *text, uint32_t *address)
{
    uint32_t parts[PARTS];
    unsigned last = 0;

    for (;; last++, text++) {
        if (last == PARTS)
            return NULL;
        text = read_number(text, UINT32_MAX, &parts[last]);
        if (text == NULL)
            return NULL;
        if (*text != '.')
            break;
    }
    *address = 0;
    for (unsigned i = 0; i < last; i++) {
        if (parts[i] > UINT8_MAX)
            return NULL;
        *address |= parts[i] << (24 - 8 * i);
    }
    if (parts[last] > UINT32_MAX >> 8 * last)
        return NULL;
    *address |= parts[last];
    return text;
}

bool address_text_read(const WCHAR *text, struct sockaddr_in *address)
{
    uint32_t number, port = 0;

    text = read_parts(text, &number);
    if (text != NULL && *text == ':') {
        text = read_number(text + 1, UINT16_MAX, &port);
        if (port == 0)
            return false;
    }
    if (text == NULL || *text != 0)
        return false;
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(number);
    address->sin_port = htons((uint16_t)port);
    return true;
}

unsigned address_text_write(const struct sockaddr_in *address, WCHAR text[ADDRESS_TEXT_LENGTH])
{
    uint32_t number = ntohl(address->sin_addr.s_addr);
    char narrow[ADDRESS_TEXT_LENGTH];
    int length = snprintf(narrow, sizeof narrow, "%u.%u.%u.%u", number >> 24, number >> 16 & 0xff,
                          number >> 8 & 0xff, number & 0xff);

    if (address->sin_port != 0)
        length += snprintf(narrow + length, sizeof narrow - (size_t)length, ":%u",
                           ntohs(address->sin_port));
    for (int i = 0; i <= length; i++)
        text[i] = (unsigned char)narrow[i];
    return (unsigned)length + 1;
}
