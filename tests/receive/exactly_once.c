/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "exactly_once.h"
#include "guard_sanitize.h" /* GUARD_ASAN, and ASan's interface where there is one */

uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Of what the operation may write to, all but the event's handle, which tests still use. */
static void set_poison(struct slot *slot, bool poisoned)
{
#if GUARD_ASAN
    struct operation *o = &slot->operation;
    const size_t result = offsetof(WSAOVERLAPPED, Offset); /* Internal and InternalHigh */

    if (poisoned) {
        ASAN_POISON_MEMORY_REGION(o->data, sizeof o->data);
        ASAN_POISON_MEMORY_REGION(&o->overlapped, result);
    } else {
        ASAN_UNPOISON_MEMORY_REGION(o->data, sizeof o->data);
        ASAN_UNPOISON_MEMORY_REGION(&o->overlapped, result);
    }
#else
    (void)slot;
    (void)poisoned;
#endif
}

void hold_slot(struct slot *slot)
{
    memcpy(&slot->copy, &slot->operation, sizeof slot->copy);
    slot->held = true;
    set_poison(slot, true);
}

void release_slot(struct slot *slot)
{
    if (!slot->held)
        return;
    set_poison(slot, false);
    CHECK_EQ_MEM(&slot->operation, &slot->copy, sizeof slot->copy);
    slot->held = false;
}

void check_filling(struct filling *filling, uint64_t number, uint64_t datagram)
{
    uint64_t before = (number + FILLING_HISTORY - 1) % FILLING_HISTORY;
    uint64_t after = (number + 1) % FILLING_HISTORY;

    filling->filled[number % FILLING_HISTORY] = datagram + 1;
    filling->numbers[number % FILLING_HISTORY] = number + 1;
    if (number > 0 && filling->numbers[before] == number)
        CHECK(filling->filled[before] < datagram + 1);
    if (filling->numbers[after] == number + 2)
        CHECK(filling->filled[after] > datagram + 1);
}
