/* SPDX-License-Identifier: BSD-3-Clause */
/* A program of somebody else's: knows only what wirerx installs. Writes a capture of one datagram,
   replays it and receives it. */
#include <winsock2.h>
#include <ws2tcpip.h>

#include <wirerx.h>

#include <stdio.h>
#include <string.h>

const char *other_spelling(void);

#define GROUP "239.1.2.3"
#define PORT 30001
#define TEXT "hello, wire"

/* One frame: Ethernet, IPv4, UDP without a checksum. */
static int write_capture(const char *path)
{
    /* clang-format off */
    static const unsigned char pcap[] = {
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0,
        0x01, 0x00, 0x5e, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 39, 0, 1, 0, 0, 16, 17, 0xaf, 0xc0, 10, 0, 0, 1, 239, 1, 2, 3,
        0x30, 0x39, 0x75, 0x31, 0, 19, 0, 0};
    /* clang-format on */
    char padded[60 - 14 - 20 - 8] = TEXT;
    FILE *file = fopen(path, "wb");
    int good = file && fwrite(pcap, sizeof(pcap), 1, file) == 1 &&
               fwrite(padded, sizeof(padded), 1, file) == 1;

    return file && fclose(file) == 0 && good ? 0 : -1;
}

static int die(const char *what)
{
    fprintf(stderr, "consumer: %s: error %d\n", what, WSAGetLastError());
    return 1;
}

int main(int argc, char **argv)
{
    struct wirerx_replay replay = {.path = argc > 1 ? argv[1] : "one.pcap", .core = -1};
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct ip_mreq group = {.imr_multiaddr.s_addr = inet_addr(GROUP)};
    struct wirerx_error error;
    char bytes[64];
    WSABUF buffer = {.len = sizeof(bytes), .buf = bytes};
    DWORD received = 0;
    DWORD flags = 0;
    WSADATA data;

    if (write_capture(replay.path) != 0)
        return die("the capture cannot be written");
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return die("WSAStartup");
    if (wirerx_start_replay(&replay, &error) != 0) {
        fprintf(stderr, "consumer: %s\n", error.text);
        return 1;
    }
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);

    if (s == INVALID_SOCKET)
        return die("WSASocketW");
    if (bind(s, (struct sockaddr *)&local, sizeof(local)) != 0)
        return die("bind");
    if (setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (const char *)&group, sizeof(group)) != 0)
        return die("IP_ADD_MEMBERSHIP");
    if (wirerx_replay_go() != 0)
        return die("wirerx_replay_go");
    if (WSARecv(s, &buffer, 1, &received, &flags, NULL, NULL) != 0)
        return die("WSARecv");
    if (received != strlen(TEXT) || memcmp(bytes, TEXT, received) != 0)
        return die("it is not what was sent");
    if (closesocket(s) != 0 || wirerx_stop() != 0 || WSACleanup() != 0)
        return die("the end");
    printf("wirerx %s delivered %u bytes to a program built with %s\n", wirerx_version(),
           (unsigned)received, other_spelling());
    return 0;
}
