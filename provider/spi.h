/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SPI_H
#define WIRERX_SPI_H

/**
 * @file
 * The entries of WSPPROC_TABLE that are served. Microsoft's pages of the LPWSP* callbacks say what
 * each does; what differs or is silent there is a clause marked "Here" in winsock-semantics. All but
 * WSPRecv, WSPRecvFrom, WSPSend and WSPSendTo are control: they may wait for lcores to answer.
 */

#include <stdint.h>

#include "socket.h"
#include "wirerx/ws2spi.h"

SOCKET WSPAPI spi_socket(int af, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP g,
                         DWORD flags, LPINT error);
int WSPAPI spi_close_socket(SOCKET s, LPINT error);
int WSPAPI spi_bind(SOCKET s, const struct sockaddr *name, int namelen, LPINT error);
int WSPAPI spi_connect(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF caller,
                       LPWSABUF callee, LPQOS sqos, LPQOS gqos, LPINT error);
int WSPAPI spi_get_peer_name(SOCKET s, struct sockaddr *name, LPINT namelen, LPINT error);
int WSPAPI spi_get_sock_name(SOCKET s, struct sockaddr *name, LPINT namelen, LPINT error);
int WSPAPI spi_shutdown(SOCKET s, int how, LPINT error);
SOCKET WSPAPI spi_join_leaf(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF caller,
                            LPWSABUF callee, LPQOS sqos, LPQOS gqos, DWORD flags, LPINT error);
int WSPAPI spi_set_sock_opt(SOCKET s, int level, int name, const char *value, int length,
                            LPINT error);
int WSPAPI spi_get_sock_opt(SOCKET s, int level, int name, char *value, LPINT length, LPINT error);
int WSPAPI spi_ioctl(SOCKET s, DWORD code, LPVOID in, DWORD in_bytes, LPVOID out, DWORD out_bytes,
                     LPDWORD returned, LPWSAOVERLAPPED overlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread, LPINT error);
int WSPAPI spi_recv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                    LPWSATHREADID thread, LPINT error);
int WSPAPI spi_recv_from(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags,
                         struct sockaddr *from, LPINT fromlen, LPWSAOVERLAPPED overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                         LPINT error);
int WSPAPI spi_send(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                    LPWSATHREADID thread, LPINT error);
int WSPAPI spi_send_to(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags,
                       const struct sockaddr *to, int tolen, LPWSAOVERLAPPED overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                       LPINT error);
BOOL WSPAPI spi_get_overlapped_result(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD transferred,
                                      BOOL wait, LPDWORD flags, LPINT error);
int WSPAPI spi_event_select(SOCKET s, WSAEVENT event, LONG events, LPINT error);
int WSPAPI spi_enum_network_events(SOCKET s, WSAEVENT event, LPWSANETWORKEVENTS events,
                                   LPINT error);
int WSPAPI spi_select(int n, fd_set *readable, fd_set *writable, fd_set *exceptional,
                      const PTIMEVAL timeout, LPINT error);
int WSPAPI spi_cancel_blocking_call(LPINT error);
INT WSPAPI spi_address_to_string(LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOW info,
                                 LPWSTR string, LPDWORD string_length, LPINT error);
INT WSPAPI spi_string_to_address(LPWSTR string, INT family, LPWSAPROTOCOL_INFOW info,
                                 LPSOCKADDR address, LPINT length, LPINT error);
int WSPAPI spi_send_disconnect(SOCKET s, LPWSABUF data, LPINT error);
int WSPAPI spi_recv_disconnect(SOCKET s, LPWSABUF data, LPINT error);
int WSPAPI spi_cleanup(LPINT error);

/** Served by a refusal: refused.c says why each. */
SOCKET WSPAPI spi_accept(SOCKET s, struct sockaddr *name, LPINT length, LPCONDITIONPROC condition,
                         DWORD_PTR data, LPINT error);
int WSPAPI spi_async_select(SOCKET s, HWND window, unsigned int message, LONG events, LPINT error);
int WSPAPI spi_duplicate_socket(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOW info, LPINT error);
BOOL WSPAPI spi_get_qos_by_name(SOCKET s, LPWSABUF name, LPQOS qos, LPINT error);
int WSPAPI spi_listen(SOCKET s, int backlog, LPINT error);

/** Close every socket (WSPCleanup). */
void spi_close_all(void);

/** Bind a socket that is not bound yet to any address and a free port (A18). Waits for lcores. Not under
 *  LOCK. @return 0, also when it was bound; WSA error */
int spi_bind_implicitly(const struct socket_reference *reference);

/** The name that a socket goes by: as bound; any address becomes, of one that is connected, the one that
 *  its datagrams come from. Network order; zeros: unbound. Under LOCK. */
void spi_own_name(const struct socket_reference *reference, uint32_t *address, uint16_t *port);

/** sockaddr_in from client memory. @return 0; WSAEFAULT; WSAEAFNOSUPPORT, and `address` is filled in */
int spi_read_address(const struct sockaddr *name, int namelen, struct sockaddr_in *address);

/** 224.0.0.0/4; network order. */
static inline bool spi_is_multicast(uint32_t address)
{
    return (address & htonl(0xf0000000)) == htonl(0xe0000000);
}

/** Can it be a source of a group's datagrams? Network order. */
static inline bool spi_is_source(uint32_t address)
{
    return address != 0 && !spi_is_multicast(address);
}

#endif
