/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONNECT_H
#define WIRERX_CONNECT_H

/**
 * @file
 * Part of winsock2.h, which says what holds for every function: a socket's peer, and the ends of a
 * conversation with it. Addresses and ports are in network order, lengths in bytes.
 */

#include "wirerx_socket.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Set the peer. On a datagram socket this is a filter and a default: only the peer's datagrams are
 * received from now on, also of those that are queued already (I04, I05), and send() goes to it; an
 * unbound socket is bound (A18). It may be repeated, and an address of all zeroes takes the peer
 * away. A stream is connected. Waits for the dataplane's answer; a stream that is not nonblocking,
 * for the peer's. Exported as wirerx_connect.
 *
 * @param name     sockaddr_in
 * @param namelen  bytes, at least sizeof(struct sockaddr_in)
 * @return 0; WSAEADDRNOTAVAIL no port, or not an address that can be a peer; WSAEAFNOSUPPORT;
 *         WSAEFAULT namelen too small. On streams also WSAEISCONN, WSAEALREADY, WSAEWOULDBLOCK a
 *         nonblocking one is on its way, WSAEINVAL it listens, WSAECONNREFUSED, WSAETIMEDOUT,
 *         WSAEINTR (N01), WSAEINPROGRESS (A20)
 */
int WSAAPI connect(SOCKET s, const struct sockaddr *name, int namelen)
    WIRERX_SYMBOL("wirerx_connect");

/**
 * connect() with user data and flow specifications, of which neither UDP nor TCP has any.
 *
 * @param lpCallerData    NULL or empty
 * @param lpCalleeData    NULL, or its len receives 0
 * @param lpSQOS, lpGQOS  NULL, or what needs no reservation (SERVICETYPE_BESTEFFORT)
 * @return as connect(); WSAEFAULT also when there are caller's data; WSAEOPNOTSUPP a quality that
 *         would have to be reserved
 */
int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *name, int namelen, LPWSABUF lpCallerData,
                      LPWSABUF lpCalleeData, LPQOS lpSQOS, LPQOS lpGQOS);

/**
 * The peer's address. Exported as wirerx_getpeername.
 *
 * @param namelen  in: the room at name; out: the address's length
 * @return 0; WSAENOTCONN there is no peer; WSAEFAULT *namelen too small
 */
int WSAAPI getpeername(SOCKET s, struct sockaddr *name, int *namelen)
    WIRERX_SYMBOL("wirerx_getpeername");

/**
 * Accept connections from now on. Exported as wirerx_listen.
 *
 * @param backlog  how many may wait to be taken; SOMAXCONN: as many as there is room for
 * @return 0; WSAEOPNOTSUPP a datagram socket; WSAEINVAL not bound; WSAEISCONN connected already;
 *         WSAEMFILE, WSAENOBUFS
 */
int WSAAPI listen(SOCKET s, int backlog) WIRERX_SYMBOL("wirerx_listen");

/**
 * Take a connection from a listening socket. Blocks until there is one, unless the socket is
 * nonblocking; the new socket inherits the network events of s (M16). Exported as wirerx_accept.
 *
 * @param addr     NULL, or receives the peer's address
 * @param addrlen  in: the room at addr; out: the address's length; NULL when addr is
 * @return the connection; INVALID_SOCKET: WSAEOPNOTSUPP a datagram socket; WSAEINVAL it does not
 *         listen; WSAEWOULDBLOCK nonblocking, and none waits; WSAEFAULT *addrlen too small;
 *         WSAEINTR (N01), WSAEINPROGRESS (A20), WSAEMFILE, WSAENOBUFS
 */
SOCKET WSAAPI accept(SOCKET s, struct sockaddr *addr, int *addrlen) WIRERX_SYMBOL("wirerx_accept");

/**
 * accept() with a say in it.
 *
 * @param lpfnCondition   NULL, or called on this thread for the connection; CF_ACCEPT takes it,
 *                        CF_REJECT refuses it, CF_DEFER leaves it for a later call
 * @param dwCallbackData  handed to it, as wide as a pointer (F18)
 * @return as accept(); also WSAECONNREFUSED it was refused, WSATRY_AGAIN it was left,
 *         WSAECONNRESET the peer has given up meanwhile
 */
SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *addr, LPINT addrlen,
                        LPCONDITIONPROC lpfnCondition, DWORD_PTR dwCallbackData);

/**
 * End receiving, sending or both. The socket stays open; receives that are posted already stay too
 * (J12). Repeating it succeeds. Exported as wirerx_shutdown.
 *
 * @param how  SD_RECEIVE: receives fail with WSAESHUTDOWN, arriving datagrams are taken silently
 *             (I16, J11); SD_SEND: sends fail with it, and a stream tells its peer (J16); SD_BOTH
 * @return 0; WSAEINVAL how; WSAENOTCONN a stream without a peer (J14, J14h, J14r)
 */
int WSAAPI shutdown(SOCKET s, int how) WIRERX_SYMBOL("wirerx_shutdown");

/**
 * End sending, with data for the peer. Neither UDP nor TCP can carry any.
 *
 * @param lpOutboundDisconnectData  NULL: as shutdown(SD_SEND)
 * @return 0; WSAENOPROTOOPT there are data, and the protocol has no room for them; WSAENOTCONN a
 *         socket of a connected protocol has no peer; WSAEFAULT
 */
int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData);

/**
 * End receiving, and take the data that the peer's WSASendDisconnect() gave.
 *
 * @param lpInboundDisconnectData  NULL: as shutdown(SD_RECEIVE); or the room for them
 * @return 0; WSAENOPROTOOPT the protocol has no such data; WSAENOTCONN a socket of a connected
 *         protocol has no peer; WSAEFAULT, also when the room is too small
 */
int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData);

#ifdef __cplusplus
}
#endif

#endif
