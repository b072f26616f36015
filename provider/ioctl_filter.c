/* SPDX-License-Identifier: BSD-3-Clause */

/* Controls that take or give all sources of a group at once, beside the options that change one of them. */

#include <stddef.h>
#include <string.h>

#include "guard.h"
#include "ioctl.h"
#include "spi.h"
#include "wirerx/ws2tcpip.h"

/* What comes before the list. */
#define HEAD offsetof(IP_MSFILTER, imsf_slist)

static int read_head(const struct ioctl_call *call, IP_MSFILTER *head)
{
    if (call->in_bytes < HEAD || !guard_copy_from(head, call->in, HEAD))
        return WSAEFAULT;
    return spi_is_multicast(head->imsf_multiaddr.s_addr) ? 0 : WSAEADDRNOTAVAIL; /* O07 */
}

/* A source that is listed twice is one source. */
static int read_filter(const struct ioctl_call *call, const IP_MSFILTER *head,
                       struct source_filter *filter)
{
    IN_ADDR sources[SOURCE_FILTER_SOURCES];
    const char *list = (const char *)call->in + HEAD;
    ULONG count = head->imsf_numsrc;

    if ((call->in_bytes - HEAD) / sizeof sources[0] < count)
        return WSAEFAULT;
    if (head->imsf_fmode != MCAST_INCLUDE && head->imsf_fmode != MCAST_EXCLUDE)
        return WSAEINVAL;
    if (count > SOURCE_FILTER_SOURCES)
        return WSAENOBUFS;
    if (!guard_copy_from(sources, list, count * sizeof sources[0]))
        return WSAEFAULT;
    *filter = head->imsf_fmode == MCAST_EXCLUDE ? SOURCE_FILTER_ANY : SOURCE_FILTER_NONE;
    for (ULONG i = 0; i < count; i++) {
        if (!spi_is_source(sources[i].s_addr))
            return WSAEADDRNOTAVAIL;
        (void)source_filter_add(filter, sources[i].s_addr);
    }
    return 0;
}

static int set_filter(const struct socket_reference *reference, const struct ioctl_call *call,
                      const IP_MSFILTER *head)
{
    struct source_filter filter;
    int error = read_filter(call, head, &filter);

    return error != 0
               ? error
               : wsa_error_of(dataplane_set_filter(reference->endpoint, reference->generation,
                                                   head->imsf_multiaddr.s_addr,
                                                   head->imsf_interface.s_addr, &filter));
}

/* As many sources as the client says there is room for, and how many there are (RFC 3678, 8.1). */
static int give_filter(const struct socket_reference *reference, struct ioctl_call *call,
                       IP_MSFILTER *head)
{
    char answer[IP_MSFILTER_SIZE(SOURCE_FILTER_SOURCES)];
    struct source_filter filter;
    int error = wsa_error_of(dataplane_filter(reference->endpoint, reference->generation,
                                              head->imsf_multiaddr.s_addr,
                                              head->imsf_interface.s_addr, &filter));

    if (error != 0)
        return error;
    ULONG given = RTE_MIN(head->imsf_numsrc, (ULONG)filter.count);
    head->imsf_fmode = filter.exclude ? MCAST_EXCLUDE : MCAST_INCLUDE;
    head->imsf_numsrc = filter.count;
    memcpy(answer, head, HEAD);
    memcpy(answer + HEAD, filter.sources, given * sizeof filter.sources[0]);
    return ioctl_give(call, answer, (DWORD)IP_MSFILTER_SIZE(given));
}

bool ioctl_is_filter(DWORD code)
{
    return code == (DWORD)SIO_SET_MULTICAST_FILTER || code == (DWORD)SIO_GET_MULTICAST_FILTER;
}

int ioctl_filter(const struct socket_reference *reference, struct ioctl_call *call)
{
    IP_MSFILTER head;
    int error = read_head(call, &head);

    if (error != 0)
        return error;
    return call->code == (DWORD)SIO_SET_MULTICAST_FILTER ? set_filter(reference, call, &head)
                                                         : give_filter(reference, call, &head);
}
