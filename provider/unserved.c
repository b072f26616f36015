/* SPDX-License-Identifier: BSD-3-Clause */

/* Entries of WSPPROC_TABLE that are not served yet. Each fails with WSAEOPNOTSUPP, whatever its
 * arguments; the README lists them. */

#include "socket.h"
#include "spi.h"

/* One function for each shape: (return type, name, parameters, value on failure). */
#define UNSERVED(type, name, parameters, failure) \
    static type WSPAPI name parameters            \
    {                                             \
        spi_fail(error, WSAEOPNOTSUPP);           \
        return failure;                           \
    }

#pragma GCC diagnostic ignored "-Wunused-parameter"

UNSERVED(SOCKET, accept_unserved,
         (SOCKET s, struct sockaddr *name, LPINT length, LPCONDITIONPROC condition, DWORD_PTR data,
          LPINT error),
         INVALID_SOCKET)
UNSERVED(INT, address_to_string_unserved,
         (LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOW info, LPWSTR string,
          LPDWORD string_length, LPINT error),
         SOCKET_ERROR)
UNSERVED(int, async_select_unserved,
         (SOCKET s, HWND window, unsigned int message, LONG events, LPINT error), SOCKET_ERROR)
UNSERVED(int, connect_unserved,
         (SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller, LPWSABUF callee,
          LPQOS sqos, LPQOS gqos, LPINT error),
         SOCKET_ERROR)
UNSERVED(int, duplicate_socket_unserved,
         (SOCKET s, DWORD process, LPWSAPROTOCOL_INFOW info, LPINT error), SOCKET_ERROR)
UNSERVED(int, get_peer_name_unserved, (SOCKET s, struct sockaddr *name, LPINT length, LPINT error),
         SOCKET_ERROR)
UNSERVED(BOOL, get_qos_by_name_unserved, (SOCKET s, LPWSABUF name, LPQOS qos, LPINT error), FALSE)
UNSERVED(int, listen_unserved, (SOCKET s, int backlog, LPINT error), SOCKET_ERROR)
UNSERVED(int, recv_disconnect_unserved, (SOCKET s, LPWSABUF data, LPINT error), SOCKET_ERROR)
UNSERVED(int, send_unserved,
         (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
          LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
          LPWSATHREADID thread, LPINT error),
         SOCKET_ERROR)
UNSERVED(int, send_disconnect_unserved, (SOCKET s, LPWSABUF data, LPINT error), SOCKET_ERROR)
UNSERVED(int, send_to_unserved,
         (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
          const struct sockaddr *to, int length, LPWSAOVERLAPPED overlapped,
          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread, LPINT error),
         SOCKET_ERROR)
UNSERVED(int, shutdown_unserved, (SOCKET s, int how, LPINT error), SOCKET_ERROR)
UNSERVED(INT, string_to_address_unserved,
         (LPWSTR string, INT family, LPWSAPROTOCOL_INFOW info, LPSOCKADDR address, LPINT length,
          LPINT error),
         SOCKET_ERROR)

void spi_fill_unserved(LPWSPPROC_TABLE table)
{
    table->lpWSPAccept = accept_unserved;
    table->lpWSPAddressToString = address_to_string_unserved;
    table->lpWSPAsyncSelect = async_select_unserved;
    table->lpWSPConnect = connect_unserved;
    table->lpWSPDuplicateSocket = duplicate_socket_unserved;
    table->lpWSPGetPeerName = get_peer_name_unserved;
    table->lpWSPGetQOSByName = get_qos_by_name_unserved;
    table->lpWSPListen = listen_unserved;
    table->lpWSPRecvDisconnect = recv_disconnect_unserved;
    table->lpWSPSend = send_unserved;
    table->lpWSPSendDisconnect = send_disconnect_unserved;
    table->lpWSPSendTo = send_to_unserved;
    table->lpWSPShutdown = shutdown_unserved;
    table->lpWSPStringToAddress = string_to_address_unserved;
}
