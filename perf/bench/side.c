/* SPDX-License-Identifier: BSD-3-Clause */
#include "side.h"

const struct side *const sides[] = {&side_now,  &side_posted, &side_apc,  &side_batch,
                                    &side_lend, &side_told,   &side_floor};
const size_t sides_count = sizeof sides / sizeof sides[0];
