# SPDX-License-Identifier: BSD-3-Clause
#
# What plots of a distribution with its tail have in common. Columns: nanoseconds, and the part of the
# samples that took longer.

set key inside top right vertical
set bmargin 4.2
set logscale xy 10
set xlabel 'burst to return'
set xtics ('10 ns' 10, '100 ns' 100, '1 µs' 1000, '10 µs' 10000, '100 µs' 100000, '1 ms' 1e6, \
           '10 ms' 1e7, '100 ms' 1e8)
set yrange [1e-6:1]
set ytics ('all' 1, 'p50' 0.5, 'p90' 0.1, 'p99' 0.01, 'p99.9' 1e-3, 'p99.99' 1e-4, 'p99.999' 1e-5)
set ylabel 'samples that take longer'
