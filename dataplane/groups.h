/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GROUPS_H
#define WIRERX_GROUPS_H

/**
 * @file
 * The groups of a binding, seen from its beginning and its end. Control lock held; waits for the lcores.
 */

#include <stdbool.h>

struct endpoint;

/** Tell the network of the groups that were joined before the endpoint was bound. @return 0; -ENOBUFS */
int groups_bound(struct endpoint *e);

/** Forget all groups of an endpoint whose keys are gone; `tell` the network that it has left them. */
void groups_forget(struct endpoint *e, bool tell);

#endif
