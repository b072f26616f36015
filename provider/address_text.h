/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ADDRESS_TEXT_H
#define WIRERX_ADDRESS_TEXT_H

/**
 * @file
 * IPv4 addresses with ports as text, the way Windows reads and writes them. In our own memory.
 *
 *     address = number ["." number ["." number ["." number]]] [":" number]
 *     number  = decimal, or octal after "0", or hexadecimal after "0x" or "0X"
 *
 * As with inet_addr() the last number before the colon stands for all the bytes that are left:
 * "127.1" is 127.0.0.1. A port, if there is one, is 1 to 65535. Nothing may stand before or behind.
 */

#include <stdbool.h>
#include <stdint.h>

#include "wirerx/ws2spi.h"

/** Characters of the longest text that is written, "255.255.255.255:65535", and the final 0. */
#define ADDRESS_TEXT_LENGTH 22u

/**
 * Read an address.
 *
 * @param text     ends with 0
 * @param address  receives family, address and port, everything in it set; left alone on failure
 * @return false: it is none, or a number does not fit
 */
bool address_text_read(const WCHAR *text, struct sockaddr_in *address);

/** Write an address, without the port when that is 0. @return characters, the final 0 included */
unsigned address_text_write(const struct sockaddr_in *address, WCHAR text[ADDRESS_TEXT_LENGTH]);

#endif
