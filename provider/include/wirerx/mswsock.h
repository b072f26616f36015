/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_MSWSOCK_H
#define WIRERX_MSWSOCK_H

/**
 * @file
 * Microsoft's extensions: more options, control messages beside a datagram, and the functions that
 * a program asks a socket for with SIO_GET_EXTENSION_FUNCTION_POINTER instead of linking them.
 * No function is exported under a name of this header yet. The controls that Windows keeps in
 * mstcpip.h are at the end.
 */

#include "winsock2.h"

/** Options at SOL_SOCKET. */
#define SO_CONNDATA 0x7000
#define SO_CONNOPT 0x7001
#define SO_DISCDATA 0x7002
#define SO_DISCOPT 0x7003
#define SO_CONNDATALEN 0x7004
#define SO_CONNOPTLEN 0x7005
#define SO_DISCDATALEN 0x7006
#define SO_DISCOPTLEN 0x7007
#define SO_OPENTYPE 0x7008
#define SO_SYNCHRONOUS_ALERT 0x10
#define SO_SYNCHRONOUS_NONALERT 0x20
#define SO_MAXDG 0x7009
#define SO_MAXPATHDG 0x700A
#define SO_UPDATE_ACCEPT_CONTEXT 0x700B
#define SO_CONNECT_TIME 0x700C
#define SO_UPDATE_CONNECT_CONTEXT 0x7010

/** Option at IPPROTO_TCP. */
#define TCP_BSDURGENT 0x7000

/** BOOL, default TRUE: a port unreachable is reported as WSAECONNRESET (I12, L11). */
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
/** BOOL, default TRUE: an expired time to live is reported as WSAENETRESET (I15). */
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#define SIO_BSP_HANDLE _WSAIOR(IOC_WS2, 27)
#define SIO_BSP_HANDLE_SELECT _WSAIOR(IOC_WS2, 28)
#define SIO_BSP_HANDLE_POLL _WSAIOR(IOC_WS2, 29)
#define SIO_EXT_SELECT _WSAIORW(IOC_WS2, 30)
#define SIO_EXT_POLL _WSAIORW(IOC_WS2, 31)
#define SIO_EXT_SENDMSG _WSAIORW(IOC_WS2, 32)
#define SIO_BASE_HANDLE _WSAIOR(IOC_WS2, 34)

/** Flags of TransmitFile, TransmitPackets and DisconnectEx. */
#define TF_DISCONNECT 0x01
#define TF_REUSE_SOCKET 0x02
#define TF_WRITE_BEHIND 0x04
#define TF_USE_DEFAULT_WORKER 0x00
#define TF_USE_SYSTEM_THREAD 0x10
#define TF_USE_KERNEL_APC 0x20
#define TP_ELEMENT_MEMORY 1
#define TP_ELEMENT_FILE 2
#define TP_ELEMENT_EOP 4
#define TP_DISCONNECT TF_DISCONNECT
#define TP_REUSE_SOCKET TF_REUSE_SOCKET
#define TP_USE_DEFAULT_WORKER TF_USE_DEFAULT_WORKER
#define TP_USE_SYSTEM_THREAD TF_USE_SYSTEM_THREAD
#define TP_USE_KERNEL_APC TF_USE_KERNEL_APC
#define DE_REUSE_SOCKET TF_REUSE_SOCKET

/** WSAMSG.dwFlags after a receive. */
#define MSG_TRUNC 0x0100
#define MSG_CTRUNC 0x0200
#define MSG_BCAST 0x0400
#define MSG_MCAST 0x0800
#define MSG_ERRQUEUE 0x1000

/** What SIO_GET_EXTENSION_FUNCTION_POINTER is asked for: initialisers of a GUID. */
// clang-format off
#define WIRERX_GUID(data1, data2, data3, ...) {data1, data2, data3, {__VA_ARGS__}}
// clang-format on
#define WSAID_TRANSMITFILE \
    WIRERX_GUID(0xb5367df0, 0xcbac, 0x11cf, 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92)
#define WSAID_ACCEPTEX \
    WIRERX_GUID(0xb5367df1, 0xcbac, 0x11cf, 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92)
#define WSAID_GETACCEPTEXSOCKADDRS \
    WIRERX_GUID(0xb5367df2, 0xcbac, 0x11cf, 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92)
#define WSAID_TRANSMITPACKETS \
    WIRERX_GUID(0xd9689da0, 0x1f90, 0x11d3, 0x99, 0x71, 0x00, 0xc0, 0x4f, 0x68, 0xc8, 0x76)
#define WSAID_CONNECTEX \
    WIRERX_GUID(0x25a207b9, 0xddf3, 0x4660, 0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e)
#define WSAID_DISCONNECTEX \
    WIRERX_GUID(0x7fda2e11, 0x8630, 0x436f, 0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57)
#define WSAID_WSARECVMSG \
    WIRERX_GUID(0xf689d7c8, 0x6f1f, 0x436b, 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22)
#define WSAID_WSASENDMSG \
    WIRERX_GUID(0xa441e712, 0x754f, 0x43ca, 0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d)

#ifdef __cplusplus
extern "C" {
#endif

/** The head of a control message; its data follows at WSA_CMSG_DATA(). */
typedef struct _WSACMSGHDR {
    SIZE_T cmsg_len; /**< bytes, head included */
    INT cmsg_level;
    INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR;

#define WSA_CMSGHDR_ALIGN(length) \
    (((length) + TYPE_ALIGNMENT(WSACMSGHDR) - 1) & (~(TYPE_ALIGNMENT(WSACMSGHDR) - 1)))
#define WSA_CMSGDATA_ALIGN(length) \
    (((length) + MAX_NATURAL_ALIGNMENT - 1) & (~(MAX_NATURAL_ALIGNMENT - 1)))
#define WSA_CMSG_LEN(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)) + (length))
#define WSA_CMSG_SPACE(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR) + WSA_CMSGHDR_ALIGN(length)))
#define WSA_CMSG_DATA(cmsg) ((UCHAR *)(cmsg) + WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)))

/** The first and the next control message of a WSAMSG; NULL when there is none. */
#define WSA_CMSG_FIRSTHDR(msg)                                                          \
    ((msg)->Control.len >= sizeof(WSACMSGHDR) ? (LPWSACMSGHDR)(PVOID)(msg)->Control.buf \
                                              : (LPWSACMSGHDR)NULL)
#define WSA_CMSG_NXTHDR(msg, cmsg) wirerx_next_control((msg), (cmsg))

/** WSA_CMSG_NXTHDR(); a length that cannot be right ends the list. */
static inline LPWSACMSGHDR wirerx_next_control(const WSAMSG *msg, const WSACMSGHDR *cmsg)
{
    if (cmsg == NULL)
        return WSA_CMSG_FIRSTHDR(msg);
    const SIZE_T used = (SIZE_T)((const CHAR *)cmsg - msg->Control.buf);
    const SIZE_T left = msg->Control.len - used;
    if (cmsg->cmsg_len < sizeof(WSACMSGHDR) || cmsg->cmsg_len > left ||
        WSA_CMSGHDR_ALIGN(cmsg->cmsg_len) + sizeof(WSACMSGHDR) > left)
        return NULL;
    return (LPWSACMSGHDR)(PVOID)(msg->Control.buf + used + WSA_CMSGHDR_ALIGN(cmsg->cmsg_len));
}

/**
 * Asked for by WSAID_WSARECVMSG: WSARecvFrom with a WSAMSG for its arguments, and its results.
 * lpMsg->dwFlags takes WSARecvFrom's flags (MSG_TRUNC and the other three below need not be cleared) and
 * receives MSG_TRUNC with WSAEMSGSIZE, MSG_MCAST or MSG_BCAST by whom it was sent to, and MSG_CTRUNC: a
 * control message did not fit and is left out with those behind it, and the datagram is received all the
 * same. Control.len receives the bytes that are used of it. Overlapped, the WSAMSG, what it points to and
 * its flags are the operation's until it has ended. Errors: WSARecvFrom's; WSAEFAULT the WSAMSG or its
 * Control cannot be written; WSAEOPNOTSUPP the protocol is a byte stream.
 */
typedef INT(WINAPI *LPFN_WSARECVMSG)(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
                                     LPWSAOVERLAPPED lpOverlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/** Asked for by WSAID_WSASENDMSG. */
typedef INT(WSAAPI *LPFN_WSASENDMSG)(SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags,
                                     LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED lpOverlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/** Asked for by WSAID_ACCEPTEX. */
typedef BOOL(WINAPI *LPFN_ACCEPTEX)(SOCKET sListenSocket, SOCKET sAcceptSocket,
                                    PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
                                    DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
                                    LPDWORD lpdwBytesReceived, LPOVERLAPPED lpOverlapped);

/** Asked for by WSAID_GETACCEPTEXSOCKADDRS. */
typedef VOID(WINAPI *LPFN_GETACCEPTEXSOCKADDRS)(
    PVOID lpOutputBuffer, DWORD dwReceiveDataLength, DWORD dwLocalAddressLength,
    DWORD dwRemoteAddressLength, struct sockaddr **LocalSockaddr, LPINT LocalSockaddrLength,
    struct sockaddr **RemoteSockaddr, LPINT RemoteSockaddrLength);

/** Asked for by WSAID_CONNECTEX. */
typedef BOOL(WINAPI *LPFN_CONNECTEX)(SOCKET s, const struct sockaddr *name, int namelen,
                                     PVOID lpSendBuffer, DWORD dwSendDataLength,
                                     LPDWORD lpdwBytesSent, LPOVERLAPPED lpOverlapped);

/** Asked for by WSAID_DISCONNECTEX. */
typedef BOOL(WINAPI *LPFN_DISCONNECTEX)(SOCKET s, LPOVERLAPPED lpOverlapped, DWORD dwFlags,
                                        DWORD dwReserved);

#ifdef __cplusplus
}
#endif

/** From Windows' mstcpip.h. */
#define SIO_RCVALL _WSAIOW(IOC_VENDOR, 1)
#define SIO_RCVALL_MCAST _WSAIOW(IOC_VENDOR, 2)
#define SIO_RCVALL_IGMPMCAST _WSAIOW(IOC_VENDOR, 3)
#define SIO_KEEPALIVE_VALS _WSAIOW(IOC_VENDOR, 4) /**< struct tcp_keepalive */
#define SIO_ABSORB_RTRALERT _WSAIOW(IOC_VENDOR, 5)
#define SIO_UCAST_IF _WSAIOW(IOC_VENDOR, 6)
#define SIO_LIMIT_BROADCASTS _WSAIOW(IOC_VENDOR, 7)
#define SIO_INDEX_BIND _WSAIOW(IOC_VENDOR, 8)
#define SIO_INDEX_MCASTIF _WSAIOW(IOC_VENDOR, 9)
#define SIO_INDEX_ADD_MCAST _WSAIOW(IOC_VENDOR, 10)
#define SIO_INDEX_DEL_MCAST _WSAIOW(IOC_VENDOR, 11)
#define SIO_RCVALL_MCAST_IF _WSAIOW(IOC_VENDOR, 13)
#define SIO_RCVALL_IF _WSAIOW(IOC_VENDOR, 14)
#define SIO_LOOPBACK_FAST_PATH _WSAIOW(IOC_VENDOR, 16)
#define SIO_TCP_INITIAL_RTO _WSAIOW(IOC_VENDOR, 17)
#define SIO_APPLY_TRANSPORT_SETTING _WSAIOW(IOC_VENDOR, 19)
#define SIO_QUERY_TRANSPORT_SETTING _WSAIOW(IOC_VENDOR, 20)
#define SIO_CPU_AFFINITY _WSAIOW(IOC_VENDOR, 21) /**< USHORT */
#define SIO_TCP_SET_ICW _WSAIOW(IOC_VENDOR, 22)
#define SIO_TCP_SET_ACK_FREQUENCY _WSAIOW(IOC_VENDOR, 23)
#define SIO_SET_PRIORITY_HINT _WSAIOW(IOC_VENDOR, 24)
#define SIO_PRIORITY_HINT SIO_SET_PRIORITY_HINT
#define SIO_TCP_INFO _WSAIORW(IOC_VENDOR, 39)
#define SIO_ACQUIRE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 100)
#define SIO_RELEASE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 101)
#define SIO_ASSOCIATE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 102)
#define SIO_GET_TX_TIMESTAMP _WSAIOW(IOC_VENDOR, 234)
/**
 * TIMESTAMPING_CONFIG. With TIMESTAMPING_FLAG_RX each datagram that WSARecvMsg gives has a control message
 * of level SOL_SOCKET and type SO_TIMESTAMP, a UINT64: as Windows' software timestamps a counter's value,
 * here the CPU time-stamp counter's when the dataplane took the datagram off the device (its rate is
 * wirerx_tsc_hz(); wirerx_wall_time() converts it). Errors: WSAEFAULT; WSAEINVAL no such flag;
 * WSAEOPNOTSUPP sends are not timed, or the protocol is a byte stream.
 */
#define SIO_TIMESTAMPING _WSAIOW(IOC_VENDOR, 235)
#define TIMESTAMPING_FLAG_RX 0x1
#define TIMESTAMPING_FLAG_TX 0x2
#define SO_TIMESTAMP 0x300A
#define SO_TIMESTAMP_ID 0x300B

struct tcp_keepalive {
    ULONG onoff;
    ULONG keepalivetime;     /**< milliseconds */
    ULONG keepaliveinterval; /**< milliseconds */
};

typedef struct _TIMESTAMPING_CONFIG {
    ULONG Flags;
    USHORT TxTimestampsBuffered;
} TIMESTAMPING_CONFIG, *PTIMESTAMPING_CONFIG;

#endif
