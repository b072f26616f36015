/* SPDX-License-Identifier: BSD-3-Clause */
/* The headers by their other names: both must work. */
#include <wirerx/mswsock.h>
#include <wirerx/winsock2.h>
#include <wirerx/wirerx.h>
#include <wirerx/ws2spi.h>
#include <wirerx/ws2tcpip.h>

const char *other_spelling(void);

const char *other_spelling(void)
{
    return sizeof(WSABUF) == 16 ? BUILT_WITH : "another WSABUF";
}
