/* SPDX-License-Identifier: BSD-3-Clause */
#include "membership.h"

#include <search.h>
#include <stdlib.h>

#include "state.h"

static void *groups; /* a tree of struct group_members */

static int compare(const void *a, const void *b)
{
    uint32_t one = ((const struct group_members *)a)->group;
    uint32_t other = ((const struct group_members *)b)->group;

    return (one > other) - (one < other);
}

struct group_members *membership_of(uint32_t group, bool make)
{
    struct group_members wanted = {.group = group};
    struct group_members **found = tfind(&wanted, &groups, compare);

    if (found != NULL || !make)
        return found != NULL ? *found : NULL;
    struct group_members *made = malloc(sizeof *made);
    if (made == NULL)
        return NULL;
    *made = wanted;
    if (tsearch(made, &groups, compare) == NULL) {
        free(made);
        return NULL;
    }
    return made;
}

void membership_tidy(struct group_members *members)
{
    if (members->parts != NULL)
        return;
    tdelete(members, &groups, compare);
    free(members);
}

void membership_link(struct joined_group *part, struct binding *binding,
                     struct group_members *members)
{
    part->binding = binding;
    part->members = members;
    part->next = binding->groups;
    part->link = &binding->groups;
    if (part->next != NULL)
        part->next->link = &part->next;
    binding->groups = part;
    part->members_next = members->parts;
    part->members_link = &members->parts;
    if (part->members_next != NULL)
        part->members_next->members_link = &part->members_next;
    members->parts = part;
}

void membership_unlink(struct joined_group *part)
{
    *part->link = part->next;
    if (part->next != NULL)
        part->next->link = part->link;
    *part->members_link = part->members_next;
    if (part->members_next != NULL)
        part->members_next->members_link = part->members_link;
}

/* From this part of a group's on. */
static struct joined_group *of_binding(struct joined_group *part, const struct binding *binding)
{
    while (part != NULL && part->binding != binding)
        part = part->members_next;
    return part;
}

struct joined_group *membership_first(const struct binding *binding, uint32_t group)
{
    const struct group_members *members = membership_of(group, false);

    return members != NULL ? of_binding(members->parts, binding) : NULL;
}

struct joined_group *membership_next(const struct joined_group *part)
{
    return of_binding(part->members_next, part->binding);
}
