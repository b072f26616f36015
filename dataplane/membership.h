/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_MEMBERSHIP_H
#define WIRERX_MEMBERSHIP_H

/**
 * @file
 * Who has joined what: the groups of each binding, and of each group the bindings that are in it, so that
 * neither many groups nor many sockets make a join slow. Control lock held.
 */

#include <stdbool.h>
#include <stdint.h>

#include "source_filter.h"

struct binding;

/** All that bindings have of one group. */
struct group_members {
    uint32_t group; /**< network order */
    struct joined_group *parts;
};

/** A group that a binding has joined, on ports where it has the same filter: a part of what it has of the
 *  group. A port is in one part. */
struct joined_group {
    struct joined_group *next, **link;                 /**< of the binding's */
    struct joined_group *members_next, **members_link; /**< of the group's */
    struct binding *binding;
    struct group_members *members;
    uint32_t group;              /**< network order */
    uint32_t ports;              /**< a bit for each port it is joined on */
    struct source_filter filter; /**< whose datagrams it wants there */
};

/** @return NULL: nobody has it; made, when `make` says so, unless memory is short */
struct group_members *membership_of(uint32_t group, bool make);

/** Forget it, if nobody has anything of it any more. */
void membership_tidy(struct group_members *members);

void membership_link(struct joined_group *part, struct binding *binding,
                     struct group_members *members);
/** The part is the caller's then. */
void membership_unlink(struct joined_group *part);

/** The parts that one binding has of a group, in turn; NULL: there is none, or no other. */
struct joined_group *membership_first(const struct binding *binding, uint32_t group);
struct joined_group *membership_next(const struct joined_group *part);

#endif
