/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_REPORT_H
#define WIRERX_GEN_REPORT_H

#include "send.h"

void gen_report_text(const struct gen_run *run, const struct gen_devices *devices,
                     const struct gen_options *options);
void gen_report_json(const struct gen_run *run, const struct gen_devices *devices,
                     const struct gen_options *options);

#endif
