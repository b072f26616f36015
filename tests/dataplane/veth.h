/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_VETH_H
#define WIRERX_TESTS_VETH_H

/**
 * @file
 * A pair of virtual Ethernet interfaces, wtest0 and wtest1, in a network namespace of this process.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Both up and without IPv6. @return false: this machine gives no such thing */
bool veth_lay(void);

/** Run commands of a shell in the network namespace of the calling thread. @return did they succeed? */
bool veth_run(const char *commands);

/** The same, but wtest0 is in another namespace, as on another machine: wtest1 can have addresses of the kernel
 *  beside ours. */
bool veth_lay_apart(void);

/** The same, and that of wtest0; the test ends when they do not succeed. */
void veth_must_run(const char *commands);
void veth_must_run_at_peer(const char *commands);

/** After veth_lay_apart(): a nonblocking socket of the kernel's where wtest0 is. */
int veth_socket_at_peer(int domain, int type, int protocol);

/** After veth_lay_apart(): veth_make_host() there. */
void veth_make_peer(const char *address);

/** Have the kernel compute the checksums of what it sends by an interface, as a wire would need. Ends the test
 *  when it does not succeed. */
void veth_compute_checksums(const char *interface);

/** Give wtest0 an address such as "192.0.2.9/24", and veth_compute_checksums(). Ends the test when it does
 *  not succeed. */
void veth_make_host(const char *address);

#endif
