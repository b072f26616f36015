/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_KERNEL_END_H
#define WIRERX_TESTS_KERNEL_END_H

/**
 * @file
 * A port with an interface of the kernel's, wtap0, and the test at the kernel's end of it. The port is one of
 * network.h, by hand. Everything here ends the test when it does not succeed within KERNEL_END_PATIENCE_NS.
 */

#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "network.h"

#define KERNEL_END_LLDP 0x88cc
#define KERNEL_END_PATIENCE_NS UINT64_C(20000000000)

/** A network namespace for this process, and a configuration with such a port. Skips the test where this
 *  machine gives no such thing. */
struct config kernel_end_config(void);

/** network_start(), and the kernel's end; of the configuration above. */
void kernel_end_start_with(struct config config);
void kernel_end_start(void);

/** The kernel's end alone. */
void kernel_end_open(void);

/** A packet socket on the interface, which does not block. */
int kernel_end_socket(void);

/** The next frame that the kernel was given. @return its length; 0: there is none now */
size_t kernel_end_look(uint8_t *bytes, size_t size);
/** ... stepping until there is one. */
size_t kernel_end_await(uint8_t *bytes, size_t size);

/** Step until a counter is what it shall be. */
void kernel_end_await_counter(const char *counter, uint64_t wanted);

/** Step until a frame has left, other than ARP, which the port says itself. @return as network_take() */
const struct network_frame *kernel_end_await_sent(void);

/** Put a frame of 60 bytes to LLDP's group on the wire, and step. Its 15th byte is 42. */
void kernel_end_send_ethertype(unsigned ethertype);

/** wire_stop(), and all sums are right, and the interface is gone. */
void kernel_end_stop(void);

#endif
