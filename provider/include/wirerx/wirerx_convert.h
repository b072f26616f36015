/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONVERT_H
#define WIRERX_CONVERT_H

/**
 * @file
 * Part of winsock2.h, which says what holds for every function: addresses as text, and numbers in a
 * protocol's byte order. htonl() and its relatives are in wirerx_address.h, inet_pton() in
 * ws2tcpip.h.
 *
 * Only AF_INET is read and written here, as only IPv4 sockets are made.
 */

#include "wirerx_socket.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write an address as text: "192.0.2.1:5000", without the port when it is 0.
 *
 * @param lpsaAddress              sockaddr_in
 * @param dwAddressLength          bytes, at least sizeof(struct sockaddr_in)
 * @param lpProtocolInfo           NULL, or an entry that WSAEnumProtocolsW() gave
 * @param lpszAddressString        receives the text
 * @param lpdwAddressStringLength  in: the room at lpszAddressString; out: the text's length; both in
 *                                 characters, the final 0 included
 * @return 0; WSAEFAULT a pointer, or the room is too small: *lpdwAddressStringLength says how much
 *         is needed; WSAEINVAL dwAddressLength too small, another family, or no such protocol here
 */
INT WSAAPI WSAAddressToStringW(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
                               LPWSAPROTOCOL_INFOW lpProtocolInfo, LPWSTR lpszAddressString,
                               LPDWORD lpdwAddressStringLength);

/** As WSAAddressToStringW(), in 8-bit characters. */
INT WSAAPI WSAAddressToStringA(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
                               LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSTR lpszAddressString,
                               LPDWORD lpdwAddressStringLength);

/**
 * Read an address from text: one to four numbers with dots between them, as inet_addr() reads them,
 * and after a colon the port, 1 to 65535. Numbers may be decimal, octal (010) or hexadecimal (0x8).
 *
 * @param AddressString    the whole text is the address, without blanks
 * @param AddressFamily    AF_INET, or AF_UNSPEC
 * @param lpProtocolInfo   NULL, or an entry that WSAEnumProtocolsW() gave
 * @param lpAddress        receives the address; left alone on failure
 * @param lpAddressLength  in: the room at lpAddress; out: the address's length; in bytes
 * @return 0; WSAEFAULT a pointer, or the room is too small: *lpAddressLength says how much is
 *         needed; WSAEINVAL not such an address, another family, or no such protocol here
 */
INT WSAAPI WSAStringToAddressW(LPWSTR AddressString, INT AddressFamily,
                               LPWSAPROTOCOL_INFOW lpProtocolInfo, LPSOCKADDR lpAddress,
                               LPINT lpAddressLength);

/** As WSAStringToAddressW(), in 8-bit characters. */
INT WSAAPI WSAStringToAddressA(LPSTR AddressString, INT AddressFamily,
                               LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSOCKADDR lpAddress,
                               LPINT lpAddressLength);

#ifdef UNICODE
#define WSAAddressToString WSAAddressToStringW
#define WSAStringToAddress WSAStringToAddressW
#else
#define WSAAddressToString WSAAddressToStringA
#define WSAStringToAddress WSAStringToAddressA
#endif

/**
 * Read an address in dotted notation. Any thread; does not block. Exported as wirerx_inet_addr.
 * @return the address in network order; INADDR_NONE when it is none (or is 255.255.255.255)
 */
u_long WSAAPI inet_addr(const char *cp) WIRERX_SYMBOL("wirerx_inet_addr");

/**
 * Write an address in dotted notation. Does not need WSAStartup(). Exported as wirerx_inet_ntoa.
 * @return the text, which is good until the calling thread's next inet_ntoa(); never NULL
 */
char *WSAAPI inet_ntoa(struct in_addr in) WIRERX_SYMBOL("wirerx_inet_ntoa");

/**
 * Host order to the byte order of a socket's protocol, and back. For UDP and TCP that is network
 * order, as with htonl() and its relatives, which need no socket.
 *
 * @param lpnetlong, lphostlong, lpnetshort, lphostshort  receives the number
 * @return 0; WSAENOTSOCK; WSAEFAULT
 */
int WSAAPI WSAHtonl(SOCKET s, u_long hostlong, u_long *lpnetlong);
int WSAAPI WSAHtons(SOCKET s, u_short hostshort, u_short *lpnetshort);
int WSAAPI WSANtohl(SOCKET s, u_long netlong, u_long *lphostlong);
int WSAAPI WSANtohs(SOCKET s, u_short netshort, u_short *lphostshort);

#ifdef __cplusplus
}
#endif

#endif
