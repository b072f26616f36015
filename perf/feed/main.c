/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "frame.h"
#include "verify.h"

#define NS_PER_S 1000000000ull
#define SNAP_LENGTH 65535
/** Midnight of the recorded day: 2024-01-02, a Tuesday, UTC. */
#define DAY_S 1704153600ll
#define SOURCE_ADDRESS 0x0a640001u /* 10.100.0.1 */
#define SOURCE_PORT 40000u

struct arguments {
    struct feed_options feed;
    const char *output;
    const char *verify;
    bool list;
};

static const char usage[] =
    "usage: wirerx-feed --output FILE.pcap [OPTION]...\n"
    "       wirerx-feed --verify FILE [OPTION]...\n"
    "       wirerx-feed --list [--groups N]\n"
    "\n"
    "Writes a deterministic market-data feed as a capture: MoldUDP64 datagrams with ITCH 5.0\n"
    "messages in bursts, on multicast groups of which some are much busier than others.\n"
    "\n"
    "  --output FILE    the capture to write\n"
    "  --verify FILE    compare what `wirerx recv --output FILE` wrote with the feed that the\n"
    "                   same options make; exit status 1 if anything is lost, doubled,\n"
    "                   reordered or altered\n"
    "  --list           print GROUP:PORT of every group, one a line\n"
    "  --datagrams N    in all, heartbeats and ends of session included (500000)\n"
    "  --groups N       multicast groups (32)\n"
    "  --seed N         another feed of the same kind (1)\n"
    "  --rate N         recorded datagrams a second on average (100000)\n";

enum {
    OUTPUT = 256,
    VERIFY,
    LIST,
    DATAGRAMS,
    GROUPS,
    SEED,
    RATE
};

static const struct option options[] = {
    {"output", required_argument, NULL, OUTPUT},
    {"verify", required_argument, NULL, VERIFY},
    {"list", no_argument, NULL, LIST},
    {"datagrams", required_argument, NULL, DATAGRAMS},
    {"groups", required_argument, NULL, GROUPS},
    {"seed", required_argument, NULL, SEED},
    {"rate", required_argument, NULL, RATE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/** A number from 1 (0 for the seed) to `maximum`; exits with a line when it is none. */
static uint64_t number(const char *what, const char *text, uint64_t minimum, uint64_t maximum)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < minimum ||
        value > maximum) {
        fprintf(stderr, "wirerx-feed: --%s %s: not a number from %llu to %llu\n", what, text,
                (unsigned long long)minimum, (unsigned long long)maximum);
        exit(2);
    }
    return value;
}

static void parse(int argc, char **argv, struct arguments *arguments)
{
    int got;

    while ((got = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (got) {
        case OUTPUT:
            arguments->output = optarg;
            break;
        case VERIFY:
            arguments->verify = optarg;
            break;
        case LIST:
            arguments->list = true;
            break;
        case DATAGRAMS:
            arguments->feed.datagrams = number("datagrams", optarg, 1, UINT32_MAX);
            break;
        case GROUPS:
            arguments->feed.groups = (unsigned)number("groups", optarg, 1, FEED_MAX_GROUPS);
            break;
        case SEED:
            arguments->feed.seed = number("seed", optarg, 0, UINT64_MAX);
            break;
        case RATE:
            arguments->feed.rate = (double)number("rate", optarg, 1, 100000000);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            exit(2); /* getopt_long() has said why */
        }
    }
    if (optind < argc ||
        arguments->list + (arguments->output != NULL) + (arguments->verify != NULL) != 1) {
        fputs("wirerx-feed: give one of --output, --verify and --list (--help says more)\n",
              stderr);
        exit(2);
    }
    if (arguments->feed.datagrams < arguments->feed.groups) {
        fputs("wirerx-feed: --datagrams must not be less than --groups\n", stderr);
        exit(2);
    }
}

static void list(unsigned groups)
{
    for (unsigned i = 0; i < groups; i++) {
        uint32_t address = feed_group_address(i);
        printf("%u.%u.%u.%u:%u\n", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff,
               address & 0xff, FEED_PORT);
    }
}

static int write_frames(struct feed *feed, pcap_dumper_t *dumper)
{
    static uint8_t frame[FRAME_HEADER_BYTES + MOLD_MAX_BYTES];
    static struct feed_datagram datagram;
    uint64_t made = 0;

    while (feed_next(feed, &datagram)) {
        struct frame_flow flow = {
            .source = SOURCE_ADDRESS,
            .group = feed_group_address(datagram.group),
            .source_port = SOURCE_PORT,
            .port = FEED_PORT,
        };
        memcpy(frame + FRAME_HEADER_BYTES, datagram.payload, datagram.length);
        size_t length = frame_finish(frame, datagram.length, &flow, (uint16_t)made++);
        struct pcap_pkthdr header = {
            /* In this capture's time stamps the microseconds are nanoseconds. */
            .ts = {.tv_sec = (time_t)(DAY_S + (long long)(datagram.time_ns / NS_PER_S)),
                   .tv_usec = (suseconds_t)(datagram.time_ns % NS_PER_S)},
            .caplen = (bpf_u_int32)length,
            .len = (bpf_u_int32)length,
        };
        pcap_dump((u_char *)dumper, &header, frame);
    }
    return ferror(pcap_dump_file(dumper)) || pcap_dump_flush(dumper) != 0 ? -1 : 0;
}

static int write_capture(const char *path, const struct feed_options *wanted)
{
    struct feed feed;
    pcap_t *format = NULL;
    pcap_dumper_t *dumper = NULL;
    int status = 1;

    if (feed_begin(&feed, wanted) != 0) {
        fputs("wirerx-feed: out of memory\n", stderr);
        goto end;
    }
    format =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAP_LENGTH, PCAP_TSTAMP_PRECISION_NANO);
    dumper = format != NULL ? pcap_dump_open(format, path) : NULL;
    if (dumper == NULL) {
        fprintf(stderr, "wirerx-feed: %s\n", format != NULL ? pcap_geterr(format) : "libpcap");
        goto end;
    }
    if (write_frames(&feed, dumper) != 0) {
        fprintf(stderr, "wirerx-feed: %s: %s\n", path, strerror(errno));
        unlink(path); /* half a feed helps nobody */
        goto end;
    }
    status = 0;
end:
    if (dumper != NULL)
        pcap_dump_close(dumper);
    if (format != NULL)
        pcap_close(format);
    feed_end(&feed);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .feed = {.datagrams = 500000, .groups = 32, .seed = 1, .rate = 100000},
    };

    parse(argc, argv, &arguments);
    if (arguments.list) {
        list(arguments.feed.groups);
        return 0;
    }
    if (arguments.verify != NULL)
        return verify(arguments.verify, &arguments.feed);
    return write_capture(arguments.output, &arguments.feed);
}
