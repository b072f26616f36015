/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_LOG_H
#define WIRERX_LOG_H

/**
 * One line on standard error, "wirerx: ...": what, where, what to do. Never on an lcore.
 */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
