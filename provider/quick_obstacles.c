/* SPDX-License-Identifier: BSD-3-Clause */
#include "quick_obstacles.h"

/* Until the guard is installed and a host has come. */
atomic_uint quick_obstacles = OBSTACLE_GUARD_LOST | OBSTACLE_FOREIGN_HOST;
