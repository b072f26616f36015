/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over addresses as text: what is read is what libc reads, and survives being written. The
 * text is an allocation of exactly its length, for AddressSanitizer to watch. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_read(const struct sockaddr_in *address, const char *narrow)
{
    struct sockaddr_in again;
    WCHAR text[ADDRESS_TEXT_LENGTH];
    unsigned length = address_text_write(address, text);

    must(length <= ADDRESS_TEXT_LENGTH && text[length - 1] == 0);
    must(address_text_read(text, &again));
    must(memcmp(&again, address, sizeof again) == 0);
    if (address->sin_port == 0)
        must(inet_addr(narrow) == address->sin_addr.s_addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_in address, untouched;
    WCHAR *text = malloc((size + 1) * sizeof *text);
    char *narrow = malloc(size + 1);

    if (text == NULL || narrow == NULL)
        abort();
    for (size_t i = 0; i < size; i++) {
        narrow[i] = (char)data[i];
        text[i] = (WCHAR)(data[i] < 0x80 ? data[i] : data[i] << 8 | (data[i] & 0x7f));
    }
    narrow[size] = 0;
    text[size] = 0;
    memset(&address, 0xc5, sizeof address);
    untouched = address;
    if (address_text_read(text, &address))
        check_read(&address, narrow);
    else
        must(memcmp(&address, &untouched, sizeof address) == 0);
    free(narrow);
    free(text);
    return 0;
}
