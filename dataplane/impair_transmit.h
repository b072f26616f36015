/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IMPAIR_TRANSMIT_H
#define WIRERX_IMPAIR_TRANSMIT_H

/**
 * @file
 * What an impaired port does to the frames that it transmits. Those that it loses count as transmitted, as
 * those do that a network loses.
 */

#include <stdint.h>

#include "impair_dice.h"
#include "port.h"

/** Transmit by the row behind; only the port's keeper. @return as of port_operations.transmit */
uint16_t impair_transmit_by(const struct port_operations *behind,
                            const struct config_impair *settings, struct impair_dice *dice,
                            struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                            uint16_t frames);

#endif
