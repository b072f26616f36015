/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WS2TCPIP_H
#define WIRERX_WS2TCPIP_H

/**
 * @file
 * What belongs to TCP/IP: options at IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP and IPPROTO_UDP, joining
 * groups with source filters, and addresses as text.
 *
 * Structures that name an interface want its IPv4 address (imr_interface) or its index
 * (gr_interface); INADDR_ANY and 0 mean the dataplane's first port. Addresses are in network order.
 */

#include "winsock2.h"

/** Options at IPPROTO_IP. DWORD unless said otherwise. */
#define IP_OPTIONS 1
#define IP_HDRINCL 2
#define IP_TOS 3
#define IP_TTL 4
#define IP_MULTICAST_IF 9 /**< IN_ADDR */
#define IP_MULTICAST_TTL 10
#define IP_MULTICAST_LOOP 11
#define IP_ADD_MEMBERSHIP 12  /**< IP_MREQ */
#define IP_DROP_MEMBERSHIP 13 /**< IP_MREQ */
/** TRUE: datagrams are not fragmented, here or by routers; one that exceeds the path's MTU fails with
 *  WSAEMSGSIZE. It counts while IP_MTU_DISCOVER is IP_PMTUDISC_NOT_SET. */
#define IP_DONTFRAGMENT 14
#define IP_ADD_SOURCE_MEMBERSHIP 15  /**< IP_MREQ_SOURCE */
#define IP_DROP_SOURCE_MEMBERSHIP 16 /**< IP_MREQ_SOURCE */
#define IP_BLOCK_SOURCE 17           /**< IP_MREQ_SOURCE */
#define IP_UNBLOCK_SOURCE 18         /**< IP_MREQ_SOURCE */
#define IP_PKTINFO 19
#define IP_HOPLIMIT 21
#define IP_RECVTTL 21
#define IP_RECEIVE_BROADCAST 22
#define IP_RECVIF 24
#define IP_RECVDSTADDR 25
#define IP_IFLIST 28
#define IP_ADD_IFLIST 29
#define IP_DEL_IFLIST 30
#define IP_UNICAST_IF 31
#define IP_RTHDR 32
#define IP_GET_IFLIST 33
#define IP_RECVRTHDR 38
#define IP_TCLASS 39
#define IP_RECVTCLASS 40
#define IP_RECVTOS 40
#define IP_ORIGINAL_ARRIVAL_IF 47
#define IP_ECN 50
#define IP_PKTINFO_EX 51
#define IP_WFP_REDIRECT_RECORDS 60
#define IP_WFP_REDIRECT_CONTEXT 70
#define IP_MTU_DISCOVER 71 /**< PMTUD_STATE */
#define IP_MTU 73 /**< read only: bytes of the longest packet to the peer; else WSAENOTCONN */
#define IP_NRT_INTERFACE 74
#define IP_RECVERR 75
#define IP_USER_MTU 76
#define IP_UNSPECIFIED_TYPE_OF_SERVICE (-1)
#define IP_UNSPECIFIED_HOP_LIMIT (-1)
#define IP_UNSPECIFIED_USER_MTU MAXULONG

/** Options at IPPROTO_IPV6. */
#define IPV6_HOPOPTS 1
#define IPV6_HDRINCL 2
#define IPV6_UNICAST_HOPS 4
#define IPV6_MULTICAST_IF 9
#define IPV6_MULTICAST_HOPS 10
#define IPV6_MULTICAST_LOOP 11
#define IPV6_ADD_MEMBERSHIP 12 /**< IPV6_MREQ */
#define IPV6_JOIN_GROUP IPV6_ADD_MEMBERSHIP
#define IPV6_DROP_MEMBERSHIP 13 /**< IPV6_MREQ */
#define IPV6_LEAVE_GROUP IPV6_DROP_MEMBERSHIP
#define IPV6_DONTFRAG 14
#define IPV6_PKTINFO 19
#define IPV6_HOPLIMIT 21
#define IPV6_PROTECTION_LEVEL 23
#define IPV6_RECVIF 24
#define IPV6_RECVDSTADDR 25
#define IPV6_CHECKSUM 26
#define IPV6_V6ONLY 27
#define IPV6_IFLIST 28
#define IPV6_ADD_IFLIST 29
#define IPV6_DEL_IFLIST 30
#define IPV6_UNICAST_IF 31
#define IPV6_RTHDR 32
#define IPV6_GET_IFLIST 33
#define IPV6_RECVRTHDR 38
#define IPV6_TCLASS 39
#define IPV6_RECVTCLASS 40
#define IPV6_ECN 50
#define IPV6_PKTINFO_EX 51
#define IPV6_WFP_REDIRECT_RECORDS 60
#define IPV6_WFP_REDIRECT_CONTEXT 70
#define IPV6_MTU_DISCOVER 71
#define IPV6_MTU 72
#define IPV6_NRT_INTERFACE 74
#define IPV6_RECVERR 75
#define IPV6_USER_MTU 76

#define IP_PROTECTION_LEVEL IPV6_PROTECTION_LEVEL
#define PROTECTION_LEVEL_UNRESTRICTED 10
#define PROTECTION_LEVEL_EDGERESTRICTED 20
#define PROTECTION_LEVEL_RESTRICTED 30
#define PROTECTION_LEVEL_DEFAULT ((UINT)-1)

/** Joining whatever the address family, at IPPROTO_IP and IPPROTO_IPV6 (RFC 3678). */
#define MCAST_JOIN_GROUP 41         /**< GROUP_REQ */
#define MCAST_LEAVE_GROUP 42        /**< GROUP_REQ */
#define MCAST_BLOCK_SOURCE 43       /**< GROUP_SOURCE_REQ */
#define MCAST_UNBLOCK_SOURCE 44     /**< GROUP_SOURCE_REQ */
#define MCAST_JOIN_SOURCE_GROUP 45  /**< GROUP_SOURCE_REQ */
#define MCAST_LEAVE_SOURCE_GROUP 46 /**< GROUP_SOURCE_REQ */

/** Options at IPPROTO_UDP and IPPROTO_TCP (TCP_NODELAY is in wirerx_socket.h). */
#define UDP_NOCHECKSUM 1
#define UDP_CHECKSUM_COVERAGE 20
#define TCP_EXPEDITED_1122 0x0002

#define SIO_GET_INTERFACE_LIST WIRERX_IOR_ULONG('t', 127)
#define SIO_GET_INTERFACE_LIST_EX WIRERX_IOR_ULONG('t', 126)
#define SIO_SET_MULTICAST_FILTER WIRERX_IOW_ULONG('t', 125)
#define SIO_GET_MULTICAST_FILTER WIRERX_IOW_ULONG('t', 124 | IOC_IN)

// clang-format off
#define IN6ADDR_ANY_INIT {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}}
#define IN6ADDR_LOOPBACK_INIT {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}}
// clang-format on

/** Bytes that an address takes as text, the final 0 and (on Windows) port and scope included. */
#define INET_ADDRSTRLEN 22
#define INET6_ADDRSTRLEN 65

#ifdef __cplusplus
extern "C" {
#endif

/** Join a group on an interface, whoever sends. */
typedef struct ip_mreq {
    IN_ADDR imr_multiaddr;
    IN_ADDR imr_interface;
} IP_MREQ, *PIP_MREQ;

/** One source of one group. On Linux the last two members are the other way round. */
typedef struct ip_mreq_source {
    IN_ADDR imr_multiaddr;
    IN_ADDR imr_sourceaddr;
    IN_ADDR imr_interface;
} IP_MREQ_SOURCE, *PIP_MREQ_SOURCE;

typedef enum _MULTICAST_MODE_TYPE {
    MCAST_INCLUDE = 0,
    MCAST_EXCLUDE
} MULTICAST_MODE_TYPE;

/** All sources of one group at once. */
typedef struct ip_msfilter {
    IN_ADDR imsf_multiaddr;
    IN_ADDR imsf_interface;
    MULTICAST_MODE_TYPE imsf_fmode;
    ULONG imsf_numsrc;
    IN_ADDR imsf_slist[1]; /**< imsf_numsrc of them */
} IP_MSFILTER, *PIP_MSFILTER;

#define IP_MSFILTER_SIZE(NumSources) \
    (sizeof(IP_MSFILTER) - sizeof(IN_ADDR) + (NumSources) * sizeof(IN_ADDR))

typedef struct ipv6_mreq {
    IN6_ADDR ipv6mr_multiaddr;
    unsigned int ipv6mr_interface;
} IPV6_MREQ;

typedef struct group_req {
    ULONG gr_interface;
    SOCKADDR_STORAGE gr_group;
} GROUP_REQ, *PGROUP_REQ;

typedef struct group_source_req {
    ULONG gsr_interface;
    SOCKADDR_STORAGE gsr_group;
    SOCKADDR_STORAGE gsr_source;
} GROUP_SOURCE_REQ, *PGROUP_SOURCE_REQ;

typedef struct group_filter {
    ULONG gf_interface;
    SOCKADDR_STORAGE gf_group;
    MULTICAST_MODE_TYPE gf_fmode;
    ULONG gf_numsrc;
    SOCKADDR_STORAGE gf_slist[1]; /**< gf_numsrc of them */
} GROUP_FILTER, *PGROUP_FILTER;

/** Where a datagram came in: the control message that IP_PKTINFO asks for. */
typedef struct in_pktinfo {
    IN_ADDR ipi_addr;
    UINT ipi_ifindex;
} IN_PKTINFO;

typedef struct in6_pktinfo {
    IN6_ADDR ipi6_addr;
    UINT ipi6_ifindex;
} IN6_PKTINFO;

/** How datagrams are sent that are longer than a path's MTU. */
typedef enum _PMTUD_STATE {
    IP_PMTUDISC_NOT_SET, /**< in fragments of it; but see IP_DONTFRAGMENT */
    IP_PMTUDISC_DO,      /**< not at all (WSAEMSGSIZE) */
    IP_PMTUDISC_DONT,    /**< in fragments of the link's MTU, which routers may cut */
    IP_PMTUDISC_PROBE,   /**< whole and not to be cut, up to the link's MTU; then WSAEMSGSIZE */
    IP_PMTUDISC_MAX
} PMTUD_STATE, *PPMTUD_STATE;

/** An address of either family, by its first member. */
typedef union _SOCKADDR_INET {
    SOCKADDR_IN Ipv4;
    SOCKADDR_IN6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

/**
 * Read an address from text. Any thread; does not block; does not need WSAStartup(). Exported as
 * wirerx_inet_pton.
 *
 * @param Family         AF_INET ("192.0.2.1") or AF_INET6 ("2001:db8::1")
 * @param pszAddrString  the whole text is the address
 * @param pAddrBuf       receives IN_ADDR or IN6_ADDR, in network order
 * @return 1; 0: not such an address, pAddrBuf untouched; -1: WSAEAFNOSUPPORT, WSAEFAULT a pointer
 *         is NULL
 */
INT WSAAPI inet_pton(INT Family, PCSTR pszAddrString, PVOID pAddrBuf)
    WIRERX_SYMBOL("wirerx_inet_pton");
#define InetPtonA inet_pton

/**
 * Write an address as text. Any thread; does not block; does not need WSAStartup(). Exported as
 * wirerx_inet_ntop.
 *
 * @param pAddr          IN_ADDR or IN6_ADDR, in network order
 * @param pStringBuf     receives the text and a 0
 * @param StringBufSize  bytes; INET_ADDRSTRLEN and INET6_ADDRSTRLEN always suffice
 * @return pStringBuf; NULL: WSAEAFNOSUPPORT, WSA_INVALID_PARAMETER too small or NULL
 */
PCSTR WSAAPI inet_ntop(INT Family, LPCVOID pAddr, PSTR pStringBuf, size_t StringBufSize)
    WIRERX_SYMBOL("wirerx_inet_ntop");
#define InetNtopA inet_ntop

#ifdef __cplusplus
}
#endif

#endif
