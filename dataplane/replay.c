/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <limits.h>
#include <pcap/pcap.h>
#include <rte_cycles.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impair.h"
#include "lcore.h"
#include "pool.h"

#define NS_PER_US 1000

/* Where a frame's bytes begin in a record: classic pcap, and pcapng's enhanced packet block. */
#define PCAP_RECORD_HEADER 16
#define PCAPNG_RECORD_HEADER 28
#define PCAPNG_MAGIC 0x0a0d0d0au

/** A program's sockets are taken to be complete when it has bound and joined nothing for so long. */
#define QUIET_MS 100u

/** Bursts in a row without a frame that mean the end of the file. */
#define EMPTY_BURSTS_BEFORE_END 64u

/** One queue: one file, polled by one lcore. */
struct replay_queue {
    uint64_t total;
    uint8_t *cut_frame; /**< what the file has of a last frame that it ends in; NULL: none */
    uint32_t cut_length;
    uint32_t longest; /**< bytes of the longest frame */
    /** Of each frame the nanoseconds beyond the whole microseconds that net_pcap gives; NULL: all of them are 0. */
    int16_t *below_us;
    uint64_t below_us_room;
    _Atomic uint64_t released;
    _Atomic uint64_t lost; /**< frames of the file that the device could not read */
    _Atomic bool drained;
    _Atomic int64_t stalled_slot;
    _Atomic uint64_t stalled_since;

    /* The lcore's own. */
    struct rte_mbuf *staged[PORT_BURST];
    unsigned first, count;
    uint64_t read; /**< frames that the device has given */
    bool lossy;    /**< it has lost one, so that the next one's number is not known */
    unsigned empty_bursts;
    uint64_t losses_seen; /**< the device's own count when the bursts before that were empty */
    bool begun;
    uint64_t begun_at;      /**< time-stamp counter of the first frame's release */
    uint64_t first_time;    /**< its recorded time, in units of the field */
    struct lcore_room room; /**< what may still be released without asking again, */
    uint32_t room_for;      /**< as long as the lcore has no more endpoints than then */
};

struct replay {
    _Atomic bool going;
    bool held;                    /* goes only when told */
    _Atomic uint64_t quiet_since; /* time-stamp counter of the last bind or join; 0: none yet */
    uint64_t quiet_ticks;
    enum config_pace pace;
    double ticks_per_frame;
    double ticks_per_unit; /**< of the recorded time */
    bool nanoseconds;      /**< that is the unit, else microseconds */
    int timestamp_offset; /**< of the recorded time in the mbuf; negative: the device records none */
    struct port_clock *clock;
    unsigned queues_count;
    struct replay_queue queues[CONFIG_MAX_QUEUES];
};

static const char rx_pcap_key[] = "rx_pcap=";

bool replay_is_capture(const char *device)
{
    return strstr(device, "net_pcap") != NULL && strstr(device, rx_pcap_key) != NULL &&
           strstr(device, "infinite_rx=1") == NULL;
}

static int refuse(struct config_error *error, const char *path, const char *reason)
{
    snprintf(error->text, sizeof error->text, "%.300s: %.200s", path, reason);
    return -1;
}

/* A capture that was cut off ends in the middle of a record. What there is of that frame is replayed
 * like any other, so that it is counted; libpcap does not give it out. */
static int read_cut_frame(const char *path, long record, struct replay_queue *queue)
{
    FILE *file = fopen(path, "rb");
    uint32_t magic = 0;
    int result = -1;

    if (file == NULL || fread(&magic, sizeof magic, 1, file) != 1)
        goto out;
    long header = magic == PCAPNG_MAGIC ? PCAPNG_RECORD_HEADER : PCAP_RECORD_HEADER;
    if (fseek(file, 0, SEEK_END) != 0)
        goto out;
    long left = ftell(file) - (record + header);
    result = 0;
    if (left <= 0)
        goto out; /* not a byte of the frame is there */
    queue->cut_length = (uint32_t)RTE_MIN(left, (long)RTE_MBUF_DEFAULT_DATAROOM);
    queue->cut_frame = malloc(queue->cut_length);
    if (queue->cut_frame == NULL || fseek(file, record + header, SEEK_SET) != 0 ||
        fread(queue->cut_frame, 1, queue->cut_length, file) != queue->cut_length)
        result = -1;
    else
        queue->total++;
out:
    if (file != NULL)
        fclose(file);
    return result;
}

/* net_pcap opens captures for microseconds. What is below is kept here, of captures that have any. */
static int keep_below_us(struct replay_queue *queue, int64_t nanoseconds)
{
    uint64_t index = queue->total - 1;
    int16_t below = (int16_t)(nanoseconds % NS_PER_US);

    if (queue->below_us == NULL && below == 0)
        return 0; /* nor had any before */
    if (index >= queue->below_us_room) {
        uint64_t room = 2 * (index + 1);
        int16_t *grown = realloc(queue->below_us, room * sizeof *grown);

        if (grown == NULL)
            return -1;
        if (queue->below_us == NULL)
            memset(grown, 0, index * sizeof *grown);
        queue->below_us = grown;
        queue->below_us_room = room;
    }
    queue->below_us[index] = below;
    return 0;
}

/* Frames in a file; -1 with a reason when it is no Ethernet capture. */
static int count_frames(const char *path, struct replay_queue *queue, struct config_error *error)
{
    char reason[PCAP_ERRBUF_SIZE + 64];
    char pcap_reason[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *header;
    const u_char *bytes;
    pcap_t *pcap =
        pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, pcap_reason);
    int got, result = -1;
    long record;

    if (pcap == NULL) /* libpcap names the file in some of its messages only */
        return strncmp(pcap_reason, path, strlen(path)) == 0
                   ? refuse(error, path, pcap_reason + strlen(path) + 2)
                   : refuse(error, path, pcap_reason);
    if (pcap_datalink(pcap) != DLT_EN10MB) {
        snprintf(reason, sizeof reason,
                 "the capture's link type is %s; only Ethernet can be replayed",
                 pcap_datalink_val_to_name(pcap_datalink(pcap)));
        refuse(error, path, reason);
        goto out;
    }
    queue->total = 0;
    for (;;) {
        record = ftell(pcap_file(pcap));
        got = pcap_next_ex(pcap, &header, &bytes);
        if (got != 1)
            break;
        queue->total++;
        queue->longest = RTE_MAX(queue->longest, header->caplen);
        if (keep_below_us(queue, header->ts.tv_usec) != 0) {
            refuse(error, path, "out of memory for its recorded times");
            goto out;
        }
    }
    bool cut = got != PCAP_ERROR_BREAK && queue->total != 0 &&
               strstr(pcap_geterr(pcap), "truncated") != NULL;
    if (got != PCAP_ERROR_BREAK && (!cut || read_cut_frame(path, record, queue) != 0)) {
        snprintf(reason, sizeof reason, "malformed after frame %llu: %s",
                 (unsigned long long)queue->total, pcap_geterr(pcap));
        refuse(error, path, reason);
        goto out;
    }
    result = 0;
out:
    pcap_close(pcap);
    return result;
}

static int count_all(struct replay *replay, const char *device, struct config_error *error)
{
    const char *at = device;

    while ((at = strstr(at, rx_pcap_key)) != NULL) {
        char path[PATH_MAX];
        size_t length;

        at += strlen(rx_pcap_key);
        length = strcspn(at, ",");
        if (length == 0 || length >= sizeof path)
            return refuse(error, device, "rx_pcap names no file");
        if (replay->queues_count == CONFIG_MAX_QUEUES)
            return refuse(error, device, "too many rx_pcap files");
        snprintf(path, sizeof path, "%.*s", (int)length, at);
        if (count_frames(path, &replay->queues[replay->queues_count], error) != 0)
            return -1;
        replay->queues_count++;
    }
    return 0;
}

struct replay *replay_create(const struct port *port, struct config_error *error)
{
    struct replay *replay = calloc(1, sizeof *replay);

    if (replay == NULL) {
        refuse(error, port->config->device, "out of memory");
        return NULL;
    }
    replay->pace = port->config->pace;
    replay->timestamp_offset = -1;
    if (port->config->pace_rate > 0)
        replay->ticks_per_frame = (double)rte_get_tsc_hz() / port->config->pace_rate;
    if (count_all(replay, port->config->device, error) != 0) {
        replay_destroy(replay);
        return NULL;
    }
    for (unsigned i = 0; i < replay->queues_count; i++) {
        atomic_store(&replay->queues[i].stalled_slot, -1);
        replay->nanoseconds |= replay->queues[i].below_us != NULL;
    }
    replay->ticks_per_unit = (double)rte_get_tsc_hz() / (replay->nanoseconds ? 1e9 : 1e6);
    replay->held = port->config->held;
    replay->quiet_ticks = rte_get_tsc_hz() / 1000 * QUIET_MS;
    return replay;
}

void replay_destroy(struct replay *replay)
{
    if (replay == NULL)
        return;
    for (unsigned i = 0; i < replay->queues_count; i++) {
        struct replay_queue *queue = &replay->queues[i];

        rte_pktmbuf_free_bulk(queue->staged + queue->first, queue->count);
        free(queue->cut_frame);
        free(queue->below_us);
    }
    free(replay);
}

int64_t replay_unit_ns(const struct replay *replay)
{
    return replay->nanoseconds ? 1 : NS_PER_US;
}

void replay_port_started(struct replay *replay, struct port_clock *clock)
{
    replay->clock = clock;
    replay->timestamp_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL);
}

void replay_go(struct replay *replay)
{
    atomic_store_explicit(&replay->going, true, memory_order_release);
}

void replay_note_socket(struct replay *replay)
{
    atomic_store_explicit(&replay->quiet_since, rte_rdtsc(), memory_order_release);
}

/* Has it begun, or should it now? */
static bool is_going(struct replay *replay, uint64_t now)
{
    if (likely(atomic_load_explicit(&replay->going, memory_order_acquire)))
        return true;
    uint64_t since = atomic_load_explicit(&replay->quiet_since, memory_order_acquire);
    if (replay->held || since == 0 || now < since || now - since < replay->quiet_ticks)
        return false;
    replay_go(replay);
    return true;
}

struct replay_progress replay_progress(const struct replay *replay)
{
    struct replay_progress sum = {.drained = true, .stalled_slot = -1};

    for (unsigned i = 0; i < replay->queues_count; i++) {
        const struct replay_queue *queue = &replay->queues[i];
        int64_t slot = atomic_load_explicit(&queue->stalled_slot, memory_order_acquire);

        sum.total += queue->total;
        sum.released += atomic_load_explicit(&queue->released, memory_order_relaxed);
        sum.drained &= atomic_load_explicit(&queue->drained, memory_order_acquire);
        if (slot >= 0) {
            sum.stalled_slot = slot;
            sum.stalled_since = atomic_load_explicit(&queue->stalled_since, memory_order_relaxed);
        }
    }
    return sum;
}

/* The frames released before have gone through a whole pass here; those for other lcores are with
 * them when they are in no ring any more. */
static void note_end(const struct port *port, uint16_t number, struct replay_queue *queue,
                     const struct lcore *lcore)
{
    if (impair_holds(port, number))
        return;
    for (unsigned to = 0; to < lcore->peers_count; to++)
        if (to != lcore->index && !rte_ring_empty(lcore->peers[to].handover[lcore->index]))
            return;
    atomic_store_explicit(&queue->drained, true, memory_order_release);
}

/* Which endpoint holds the source back, and since when. */
static void note_stalled(struct replay_queue *queue, const struct endpoint *endpoint, uint64_t now)
{
    int64_t slot = endpoint == NULL ? -1 : (int64_t)endpoint->slot;

    if (atomic_load_explicit(&queue->stalled_slot, memory_order_relaxed) == slot)
        return;
    atomic_store_explicit(&queue->stalled_since, now, memory_order_relaxed);
    atomic_store_explicit(&queue->stalled_slot, slot, memory_order_release);
}

static void stage_cut_frame(const struct port *port, struct replay_queue *queue)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(port->pool);

    if (mbuf == NULL)
        return; /* tried again in the next pass */
    memcpy(rte_pktmbuf_append(mbuf, (uint16_t)queue->cut_length), queue->cut_frame,
           queue->cut_length);
    queue->first = 0;
    queue->count = 1;
    queue->staged[0] = mbuf;
}

/* Frames to take off the device now. It loses a frame, without a way to get it back, when the pool
 * runs dry under it: `drained` waits for enough buffers, and the other paces wait for nothing. */
static uint16_t frames_to_stage(const struct port *port, const struct replay_queue *queue,
                                struct lcore *lcore)
{
    const struct replay *replay = port->replay;
    uint32_t room =
        rte_pktmbuf_data_room_size(port->pool); /* net_pcap uses a further one's headroom */
    uint32_t first = room - RTE_PKTMBUF_HEADROOM;
    uint32_t segments = 1;

    if (queue->longest > first)
        segments += (queue->longest - first + room - 1) / room;
    uint32_t frames = pool_free_count(lcore->id) / segments;
    if (frames >= PORT_BURST)
        return PORT_BURST;
    if (replay->pace == CONFIG_PACE_DRAINED)
        return 0;
    return (uint16_t)RTE_MAX(frames, 1u);
}

/* Frames that the device can read. */
static uint64_t readable_frames(const struct replay_queue *queue)
{
    return queue->total - (queue->cut_frame != NULL ? 1 : 0);
}

/* A file is never empty for a while: after many empty bursts, without a loss that the device counted
 * meanwhile, what it still owes is what the device lost, or could not read. */
static void look_for_end(const struct port *port, struct replay_queue *queue, uint64_t released)
{
    struct rte_eth_stats stats;

    if (++queue->empty_bursts < EMPTY_BURSTS_BEFORE_END || rte_eth_stats_get(port->id, &stats) != 0)
        return;
    queue->empty_bursts = 0;
    if (stats.rx_nombuf + stats.ierrors != queue->losses_seen) {
        queue->losses_seen = stats.rx_nombuf + stats.ierrors;
        return;
    }
    atomic_store_explicit(&queue->lost, readable_frames(queue) - released, memory_order_relaxed);
}

static rte_mbuf_timestamp_t *recorded_time(const struct replay *replay, struct rte_mbuf *mbuf)
{
    return RTE_MBUF_DYNFIELD(mbuf, (size_t)replay->timestamp_offset, rte_mbuf_timestamp_t *);
}

/*
 * The recorded times of what has been staged, in nanoseconds. A frame is known by its number in the file;
 * one that the device has lost, which ends its burst before the file's end, has one, too. Then times are
 * what the device gives, and the port's clock says so.
 */
static void complete_times(const struct replay *replay, struct replay_queue *queue, unsigned wanted)
{
    for (unsigned i = 0; i < queue->count; i++) {
        rte_mbuf_timestamp_t *time = recorded_time(replay, queue->staged[i]);

        *time *= NS_PER_US;
        if (queue->below_us != NULL && !queue->lossy && queue->read < queue->total)
            *time += (rte_mbuf_timestamp_t)(int64_t)queue->below_us[queue->read];
        queue->read++;
    }
    if (queue->count == wanted || queue->read >= readable_frames(queue))
        return;
    queue->lossy = true;
    atomic_store_explicit(&replay->clock->error_ns, NS_PER_US - 1, memory_order_relaxed);
}

static void fill_stage(struct port *port, uint16_t number, struct replay_queue *queue,
                       struct lcore *lcore, uint64_t now)
{
    uint64_t released = atomic_load_explicit(&queue->released, memory_order_relaxed);
    uint64_t lost = atomic_load_explicit(&queue->lost, memory_order_relaxed);

    if (released + lost >= queue->total) {
        note_end(port, number, queue, lcore);
        return;
    }
    if (queue->cut_frame != NULL && released + lost == queue->total - 1) {
        stage_cut_frame(port, queue);
        return;
    }
    uint16_t frames = frames_to_stage(port, queue, lcore);
    if (frames == 0) {
        note_stalled(queue, lcore_room(lcore).tightest, now);
        return;
    }
    queue->first = 0;
    queue->count = rte_eth_rx_burst(port->id, number, queue->staged, frames);
    if (port->replay->nanoseconds && port->replay->timestamp_offset >= 0)
        complete_times(port->replay, queue, frames);
    if (queue->count == 0) {
        look_for_end(port, queue, released);
        return;
    }
    queue->empty_bursts = 0;
    /* lcore_room() allows for a burst of one buffer each; these are as many more as there are. */
    for (unsigned i = 0; i < queue->count; i++)
        queue->room.frames -= RTE_MIN(queue->room.frames, queue->staged[i]->nb_segs - 1u);
}

static bool is_due(const struct replay *replay, struct replay_queue *queue, struct rte_mbuf *mbuf,
                   uint64_t index, uint64_t now)
{
    uint64_t time = replay->timestamp_offset < 0 ? 0 : *recorded_time(replay, mbuf);

    if (!queue->begun) {
        queue->begun = true;
        queue->begun_at = now;
        queue->first_time = time;
    }
    double elapsed = (double)(now - queue->begun_at);
    if (replay->pace == CONFIG_PACE_RATE)
        return elapsed >= (double)index * replay->ticks_per_frame;
    if (time < queue->first_time)
        return true; /* a capture that goes back in time is not waited for */
    return elapsed >= (double)(time - queue->first_time) * replay->ticks_per_unit;
}

/* Drained: is there room for this frame in every ring that could want it? Looked up anew only for the
 * first frame of a burst: those before it in the same burst are in no ring yet. */
static bool has_room(struct replay_queue *queue, struct lcore *lcore, const struct rte_mbuf *mbuf,
                     bool first, uint64_t now)
{
    uint32_t length = rte_pktmbuf_pkt_len(mbuf);

    if (queue->room.frames < mbuf->nb_segs || queue->room.bytes < length ||
        queue->room_for != lcore->attached_ever) {
        if (!first)
            return false;
        queue->room = lcore_room(lcore);
        queue->room_for = lcore->attached_ever;
        if (queue->room.frames < mbuf->nb_segs || queue->room.bytes < length) {
            /* Perhaps this one still goes: an empty ring takes any one datagram (deliver.c), and
             * waiting for more room there would be waiting for ever. */
            const struct endpoint *blocker = lcore_blocked_by(lcore, mbuf);
            if (blocker != NULL) {
                note_stalled(queue, blocker, now);
                return false;
            }
        }
    }
    queue->room.frames -= RTE_MIN(queue->room.frames, mbuf->nb_segs);
    queue->room.bytes -= RTE_MIN(queue->room.bytes, length);
    note_stalled(queue, NULL, now);
    return true;
}

static uint16_t replay_burst(struct port *port, uint16_t number, struct rte_mbuf **mbufs,
                             uint16_t max, struct lcore *lcore, uint64_t now)
{
    struct replay *replay = port->replay;
    struct replay_queue *queue = &replay->queues[number];
    uint64_t released = atomic_load_explicit(&queue->released, memory_order_relaxed);
    uint16_t taken = 0;

    if (!is_going(replay, now))
        return 0;
    if (queue->count == 0)
        fill_stage(port, number, queue, lcore, now);
    while (taken < max && queue->count != 0) {
        struct rte_mbuf *mbuf = queue->staged[queue->first];
        bool release = replay->pace == CONFIG_PACE_DRAINED
                           ? has_room(queue, lcore, mbuf, taken == 0, now)
                           : is_due(replay, queue, mbuf, released + taken, now);

        if (!release)
            break;
        mbufs[taken++] = mbuf;
        queue->first++;
        queue->count--;
    }
    atomic_store_explicit(&queue->released, released + taken, memory_order_relaxed);
    return taken;
}

/* The device's own count runs ahead by what is staged, and it counts a frame that is cut short as an
 * error, which is replayed instead. */
static int replay_statistics(struct port *port, struct port_statistics *statistics)
{
    const struct replay *replay = port->replay;
    int result = port_rte_eth.statistics(port, statistics);

    statistics->frames = 0;
    for (unsigned i = 0; i < replay->queues_count; i++) {
        const struct replay_queue *queue = &replay->queues[i];

        statistics->frames += atomic_load_explicit(&queue->released, memory_order_relaxed);
        if (queue->cut_frame != NULL && statistics->errors != 0)
            statistics->errors--;
    }
    return result;
}

/* Of a past day's network nobody listens. */
static uint16_t replay_transmit(struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                                uint16_t count)
{
    (void)port;
    (void)queue;
    rte_pktmbuf_free_bulk(mbufs, count);
    return count;
}

static int replay_link(struct port *port, struct port_link *link)
{
    return port_rte_eth.link(port, link);
}

static int replay_multicast(struct port *port, struct rte_ether_addr *list, uint32_t count)
{
    return port_rte_eth.multicast(port, list, count);
}

static int replay_all_multicast(struct port *port, bool on)
{
    return port_rte_eth.all_multicast(port, on);
}

static int replay_clock(struct port *port, uint64_t *ticks)
{
    return port_rte_eth.clock(port, ticks);
}

const struct port_operations port_replay = {
    .name = "replay",
    .burst = replay_burst,
    .statistics = replay_statistics,
    .transmit = replay_transmit,
    .link = replay_link,
    .multicast = replay_multicast,
    .all_multicast = replay_all_multicast,
    .clock = replay_clock,
};
