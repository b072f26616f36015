# SPDX-License-Identifier: BSD-3-Clause
#
# The distribution of latency with its tail: how many samples took longer. Columns: nanoseconds, and the
# part of the samples that took at least as long.

load here.'/common.gp'
set logscale xy 10
set xlabel 'burst to return'
set xtics ('10 ns' 10, '100 ns' 100, '1 µs' 1000, '10 µs' 10000, '100 µs' 100000, '1 ms' 1e6, '10 ms' 1e7)
set yrange [1e-6:1]
set ytics ('all' 1, '50 %%' 0.5, 'p90' 0.1, 'p99' 0.01, 'p99.9' 1e-3, 'p99.99' 1e-4, 'p99.999' 1e-5)
set ylabel 'samples that take longer'
set title 'one datagram at a time, at a pace that leaves both threads idle'
plot file('latency-floor') using 1:2 with steps linetype 4 title 'floor', \
     file('latency-wirerx') using 1:2 with steps linetype 1 title 'WSPRecv, spinning'
