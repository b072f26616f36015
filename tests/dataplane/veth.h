/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_VETH_H
#define WIRERX_TESTS_VETH_H

/**
 * @file
 * A pair of virtual Ethernet interfaces, wtest0 and wtest1, in a network namespace of this process.
 */

#include <stdbool.h>

/** Both up and without IPv6. @return false: this machine gives no such thing */
bool veth_lay(void);

/** Run commands of a shell in the network namespace of the calling thread. @return did they succeed? */
bool veth_run(const char *commands);

/** Give wtest0 an address such as "192.0.2.9/24" and have the kernel compute the checksums of what it sends
 *  there, as a wire would need. Ends the test when it does not succeed. */
void veth_make_host(const char *address);

#endif
