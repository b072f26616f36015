/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp_answer.h"

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_ip.h>
#include <string.h>

#include "bytes.h"
#include "ipv4.h"

#define TYPE_ECHO_REPLY 0u
#define TYPE_ECHO_REQUEST 8u

/** What RFC 1700 and every host begin with. */
#define TIME_TO_LIVE 64u

#define IP_BYTES 20u
#define ICMP_BYTES 8u

/* Where things are in an IPv4 header. */
enum {
    AT_TOTAL = 2,
    AT_FRAGMENT = 6,
    AT_TTL = 8,
    AT_PROTOCOL = 9,
    AT_CHECKSUM = 10,
    AT_SOURCE = 12,
    AT_DESTINATION = 16,
};

void icmp_answer_begin(struct icmp_answer *answer, uint64_t hz)
{
    answer->echoes = rate_of(hz, ICMP_ECHO_RATE, ICMP_ECHO_AT_ONCE);
    answer->errors = rate_of(hz, ICMP_ERROR_RATE, ICMP_ERROR_AT_ONCE);
}

static uint32_t load_address(const uint8_t *at)
{
    return rte_be_to_cpu_32(bytes_load_raw32(at));
}

/* Stored as it is summed: a checksum has the order of the bytes that it is of (RFC 1071, 1). */
static void store_checksum(uint8_t *at, const uint8_t *bytes, size_t length)
{
    memset(at, 0, sizeof(uint16_t));
    uint16_t sum = (uint16_t)~rte_raw_cksum(bytes, length);
    memcpy(at, &sum, sizeof sum);
}

/* One host, which an answer can go to. */
static bool is_one_host(uint32_t address)
{
    return address >> 24 != 0 && !ipv4_is_group_or_reserved(address) && !ipv4_is_loopback(address);
}

/* The message's type goes from 8 to 0 and nothing else changes (RFC 1624, eqn. 3). */
static void turn_message(uint8_t *icmp)
{
    unsigned checksum = (unsigned)icmp[2] << 8 | icmp[3];
    unsigned sum = (~checksum & 0xffff) + (~(TYPE_ECHO_REQUEST << 8) & 0xffff);

    sum = (sum & 0xffff) + (sum >> 16);
    icmp[0] = TYPE_ECHO_REPLY;
    /* Two values stand for zero, and only all ones is right of a message that is all zeros, too. */
    bytes_store_be16(icmp + 2, sum == 0xffff ? sum : ~sum & 0xffff);
}

enum icmp_answered icmp_answer_echo(struct icmp_answer *answer, uint8_t *ip, uint64_t now)
{
    uint8_t *icmp = ip + IP_BYTES, asked[sizeof(uint32_t)];

    if (ip[0] != RTE_IPV4_VHL_DEF || icmp[0] != TYPE_ECHO_REQUEST || icmp[1] != 0 ||
        !is_one_host(load_address(ip + AT_SOURCE)) ||
        !is_one_host(load_address(ip + AT_DESTINATION)))
        return ICMP_NOT_ANSWERED;
    if (!rate_allows(&answer->echoes, now))
        return ICMP_OVER_RATE;
    memcpy(asked, ip + AT_SOURCE, sizeof asked);
    memcpy(ip + AT_SOURCE, ip + AT_DESTINATION, sizeof asked);
    memcpy(ip + AT_DESTINATION, asked, sizeof asked);
    ip[AT_TTL] = TIME_TO_LIVE;
    store_checksum(ip + AT_CHECKSUM, ip, IP_BYTES);
    turn_message(icmp);
    return ICMP_ANSWERED;
}

static bool deserves_error(const uint8_t *ip, size_t length)
{
    return length >= IP_BYTES && ip[AT_PROTOCOL] != IPPROTO_ICMP &&
           (((unsigned)ip[AT_FRAGMENT] << 8 | ip[AT_FRAGMENT + 1]) & RTE_IPV4_HDR_OFFSET_MASK) ==
               0 &&
           is_one_host(load_address(ip + AT_SOURCE)) &&
           is_one_host(load_address(ip + AT_DESTINATION));
}

enum icmp_answered icmp_answer_error(struct icmp_answer *answer, enum icmp_error what,
                                     const uint8_t *ip, size_t length, uint8_t *error,
                                     size_t *bytes, uint64_t now)
{
    uint8_t *icmp = error + IP_BYTES;

    if (!deserves_error(ip, length))
        return ICMP_NOT_ANSWERED;
    if (!rate_allows(&answer->errors, now))
        return ICMP_OVER_RATE;
    size_t quoted = RTE_MIN((size_t)ip[AT_TOTAL] << 8 | ip[AT_TOTAL + 1], length);
    quoted = RTE_MIN(quoted, (size_t)ICMP_ERROR_BYTES - IP_BYTES - ICMP_BYTES);
    *bytes = IP_BYTES + ICMP_BYTES + quoted;
    memset(error, 0, IP_BYTES + ICMP_BYTES);
    error[0] = RTE_IPV4_VHL_DEF;
    error[1] = ip[1]; /* RFC 1812, 4.3.2.5: with the precedence of what it is about */
    bytes_store_be16(error + AT_TOTAL, (unsigned)*bytes);
    error[AT_TTL] = TIME_TO_LIVE;
    error[AT_PROTOCOL] = IPPROTO_ICMP;
    memcpy(error + AT_SOURCE, ip + AT_DESTINATION, sizeof(uint32_t));
    memcpy(error + AT_DESTINATION, ip + AT_SOURCE, sizeof(uint32_t));
    store_checksum(error + AT_CHECKSUM, error, IP_BYTES);
    bytes_store_be16(icmp, what);
    memcpy(icmp + ICMP_BYTES, ip, quoted);
    store_checksum(icmp + 2, icmp, ICMP_BYTES + quoted);
    return ICMP_ANSWERED;
}
