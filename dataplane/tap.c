/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <poll.h>
#include <pthread.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "config_kernel.h"
#include "fence.h"
#include "log.h"
#include "port.h"
#include "ring.h"

/** Frames that are written, or read, before the other interfaces have their turn. */
#define TURN 32u

static struct {
    struct tap *taps[CONFIG_MAX_PORTS];
    unsigned count;
    pthread_t thread;
    bool started;
    int event; /* valid while there is an interface */
    _Atomic bool quit;
} all;

/* --- being woken -------------------------------------------------------------------------------- */

static void wake_thread(void)
{
    const uint64_t one = 1;

    /* It fails only when it was told more often than it can count: then it is awake. */
    while (write(all.event, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void run_errand(struct wake_errand *errand)
{
    struct tap *tap = (struct tap *)((char *)errand - offsetof(struct tap, errand));

    atomic_store_explicit(&tap->errand_is_out, false, memory_order_release);
    wake_thread();
}

void tap_tell(struct tap *tap, enum tap_want what)
{
    full_fence(); /* the ring's entries before this look: see tap.h */
    if ((atomic_load_explicit(&tap->wants, memory_order_relaxed) & what) == 0)
        return;
    atomic_store_explicit(&tap->wants, 0, memory_order_relaxed);
    if (wake_may_call())
        wake_thread();
    else if (!atomic_exchange_explicit(&tap->errand_is_out, true, memory_order_acquire))
        wake_hand_over(&tap->errand);
}

/* --- the thread --------------------------------------------------------------------------------- */

static void put_up(struct tap *tap, struct rte_mbuf *mbuf, enum tap_mark mark)
{
    tap_set_mark(mbuf, mark);
    rte_ring_sp_enqueue(tap->up, mbuf); /* never full */
}

static enum tap_mark write_frame(const struct tap *tap, const struct rte_mbuf *mbuf)
{
    struct iovec parts[CONFIG_KERNEL_BUFFERS];
    int count = 0;

    for (; mbuf != NULL && count < (int)CONFIG_KERNEL_BUFFERS; mbuf = mbuf->next)
        parts[count++] = (struct iovec){rte_pktmbuf_mtod(mbuf, void *), rte_pktmbuf_data_len(mbuf)};
    return writev(tap->fd, parts, count) >= 0 ? TAP_WRITTEN : TAP_REFUSED;
}

/* What has come down. @return true: there may be more */
static bool take_down(struct tap *tap)
{
    struct rte_mbuf *mbufs[TURN];
    unsigned count = rte_ring_sc_dequeue_burst(tap->down, (void **)mbufs, TURN, NULL);

    for (unsigned i = 0; i < count; i++) {
        if (tap_mark_of(mbufs[i]) == TAP_EMPTY)
            tap->empties[tap->empties_count++] = mbufs[i];
        else
            put_up(tap, mbufs[i], write_frame(tap, mbufs[i]));
    }
    return count == TURN;
}

/* Read one frame. @return its bytes; less than 1: there is none now */
static ssize_t read_into(const struct tap *tap, struct rte_mbuf *mbuf)
{
    struct iovec parts[CONFIG_KERNEL_BUFFERS];
    int count = 0;

    for (struct rte_mbuf *m = mbuf; m != NULL; m = m->next)
        parts[count++] = (struct iovec){rte_pktmbuf_mtod(m, void *), rte_pktmbuf_tailroom(m)};
    ssize_t bytes = readv(tap->fd, parts, count);
    if (bytes < 1)
        return bytes;
    size_t left = (size_t)bytes;
    mbuf->pkt_len = (uint32_t)left;
    for (int i = 0; i < count; i++, mbuf = mbuf->next) {
        mbuf->data_len = (uint16_t)RTE_MIN(left, parts[i].iov_len);
        left -= mbuf->data_len;
    }
    return bytes;
}

static void read_some(struct tap *tap)
{
    for (unsigned i = 0; i < TURN && tap->empties_count != 0; i++) {
        struct rte_mbuf *mbuf = tap->empties[tap->empties_count - 1];
        ssize_t bytes = read_into(tap, mbuf);

        if (bytes < 1)
            break;
        tap->empties_count--;
        put_up(tap, mbuf, (size_t)bytes > tap->frame_bytes ? TAP_TOO_LONG : TAP_READ);
    }
}

/* Say what a sleep would be ended for, and look once more. @return true: it may sleep */
static bool may_sleep(void)
{
    bool nothing = true;

    for (unsigned i = 0; i < all.count; i++) {
        struct tap *tap = all.taps[i];
        uint32_t wants =
            tap->empties_count == 0 ? TAP_WANTS_FRAMES | TAP_WANTS_EMPTIES : TAP_WANTS_FRAMES;

        atomic_store_explicit(&tap->wants, wants, memory_order_relaxed);
    }
    full_fence(); /* that before the looks: see tap.h */
    for (unsigned i = 0; i < all.count; i++)
        nothing &= !ring_has_any(all.taps[i]->down);
    return nothing;
}

static void note_events(struct tap *tap, short events)
{
    if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        tap->gone = true; /* or ppoll() would return at once, for ever */
        log_line(
            "the interface %s, by which a port reaches the kernel, is gone: somebody has removed it; "
            "start again to have it back",
            tap->name);
    } else if ((events & POLLIN) != 0) {
        read_some(tap);
    }
}

/* Wait for something to do, or only look. An interface without a buffer to read into is left alone. */
static void poll_all(bool wait)
{
    static const struct timespec at_once;
    struct pollfd polled[CONFIG_MAX_PORTS + 1];
    uint64_t times;

    for (unsigned i = 0; i < all.count; i++)
        polled[i] = (struct pollfd){
            .fd = all.taps[i]->gone ? -1 : all.taps[i]->fd,
            .events = all.taps[i]->empties_count != 0 ? POLLIN : 0,
        };
    polled[all.count] = (struct pollfd){.fd = all.event, .events = POLLIN};
    int ready = ppoll(polled, all.count + 1, wait ? NULL : &at_once, NULL);
    for (unsigned i = 0; i < all.count; i++)
        atomic_store_explicit(&all.taps[i]->wants, 0, memory_order_relaxed);
    if (ready < 1)
        return;
    if (polled[all.count].revents != 0 && read(all.event, &times, sizeof times) < 0)
        return; /* it was woken for no reason */
    for (unsigned i = 0; i < all.count; i++)
        note_events(all.taps[i], polled[i].revents);
}

static void *tap_main(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "wirerx-kernel");
    while (!atomic_load_explicit(&all.quit, memory_order_acquire)) {
        bool more = false;

        for (unsigned i = 0; i < all.count; i++)
            more |= take_down(all.taps[i]);
        poll_all(!more && may_sleep());
    }
    return NULL;
}

int tap_start(struct config_error *error)
{
    if (all.count == 0)
        return 0;
    atomic_store_explicit(&all.quit, false, memory_order_relaxed);
    int result = pthread_create(&all.thread, NULL, tap_main, NULL);
    if (result != 0) {
        snprintf(error->text, sizeof error->text,
                 "the thread that speaks to the kernel cannot be started: %s", strerror(result));
        return -1;
    }
    all.started = true;
    return 0;
}

void tap_stop(void)
{
    if (!all.started)
        return;
    atomic_store_explicit(&all.quit, true, memory_order_release);
    wake_thread();
    pthread_join(all.thread, NULL);
    all.started = false;
}

/* --- interfaces --------------------------------------------------------------------------------- */

/* An ioctl on the interface by name, of any socket. */
static int ask(unsigned long request, struct ifreq *argument)
{
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = any < 0 ? -1 : ioctl(any, request, argument);
    int saved = errno;

    if (any >= 0)
        close(any);
    errno = saved;
    return result;
}

/* A device of memory has no MAC; the interface then keeps the one that the kernel has made up. */
static int set_mac(const struct port *port, struct ifreq *request)
{
    if (!rte_is_valid_assigned_ether_addr(&port->mac))
        return 0;
    request->ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request->ifr_hwaddr.sa_data, port->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
    return ask(SIOCSIFHWADDR, request);
}

static int set_up(const struct port *port, int fd)
{
    struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL)};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", port->config->kernel);
    if (ioctl(fd, TUNSETIFF, &request) != 0 || set_mac(port, &request) != 0)
        return -1;
    request.ifr_mtu = (int)port->config->mtu;
    if (ask(SIOCSIFMTU, &request) != 0 || ask(SIOCGIFFLAGS, &request) != 0)
        return -1;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    return ask(SIOCSIFFLAGS, &request);
}

/* @return a descriptor, or -1 with errno */
static int make_interface(const struct port *port)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || set_up(port, fd) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_event(struct config_error *error)
{
    if (all.count != 0)
        return 0;
    all.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (all.event >= 0)
        return 0;
    snprintf(error->text, sizeof error->text, "no event descriptor: %s", strerror(errno));
    return -1;
}

static void destroy(struct tap *tap)
{
    if (tap->fd >= 0)
        close(tap->fd);
    rte_free(tap->down);
    rte_free(tap->up);
    rte_free(tap);
}

static struct tap *create(const struct port *port, struct config_error *error)
{
    unsigned slots = CONFIG_KERNEL_BUFFERS + CONFIG_KERNEL_EMPTIES;
    struct tap *tap = rte_zmalloc("tap", sizeof *tap, RTE_CACHE_LINE_SIZE);

    if (tap == NULL)
        goto no_memory;
    tap->fd = -1;
    tap->errand.run = run_errand;
    tap->frame_bytes = config_kernel_frame_bytes(port->config->mtu);
    snprintf(tap->name, sizeof tap->name, "%s", port->config->kernel);
    tap->down = ring_create(slots, sizeof(void *), port->numa_node);
    tap->up = ring_create(slots, sizeof(void *), port->numa_node);
    if (tap->down == NULL || tap->up == NULL)
        goto no_memory;
    tap->fd = make_interface(port);
    if (tap->fd >= 0)
        return tap;
    snprintf(error->text, sizeof error->text,
             "ports[%u].kernel: no TAP interface %s can be made: %s%s", port->index, tap->name,
             strerror(errno),
             errno == EBUSY ? "; there is an interface of this name"
                            : "; it takes /dev/net/tun and CAP_NET_ADMIN");
    destroy(tap);
    return NULL;
no_memory:
    snprintf(error->text, sizeof error->text,
             "memory: too little for the way to the kernel; raise memory.megabytes");
    if (tap != NULL)
        destroy(tap);
    return NULL;
}

int tap_open(struct port *port, struct config_error *error)
{
    if (port->config->kernel == NULL)
        return 0;
    if (!port->transmits) {
        snprintf(
            error->text, sizeof error->text,
            "ports[%u].kernel: the kernel would have its frames sent, and %s has no network to "
            "transmit to",
            port->index, port->config->device);
        return -1;
    }
    if (open_event(error) != 0)
        return -1;
    struct tap *tap = create(port, error);
    if (tap == NULL) {
        if (all.count == 0)
            close(all.event);
        return -1;
    }
    port->tap = tap;
    all.taps[all.count++] = tap;
    return 0;
}

void tap_close(struct port *port)
{
    if (port->tap == NULL)
        return;
    unsigned i = 0;
    while (all.taps[i] != port->tap)
        i++;
    all.taps[i] = all.taps[--all.count];
    if (all.count == 0)
        close(all.event);
    destroy(port->tap);
    port->tap = NULL;
}

void tap_forked(void)
{
    for (unsigned i = 0; i < all.count; i++)
        close(all.taps[i]->fd);
    if (all.count != 0)
        close(all.event);
    all.count = 0;
    all.started = false;
}
