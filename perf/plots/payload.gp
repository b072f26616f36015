# SPDX-License-Identifier: BSD-3-Clause
#
# Throughput over payload, one socket: datagrams a second, and the ratio to the floor with its quartiles.
# Columns: payload, datagrams/s, its quartiles, the floor's datagrams/s, the ratio, its quartiles.

load here.'/common.gp'
set multiplot layout 1,2
set logscale x 2
set xlabel 'payload, bytes'
set xrange [8:16384]
set yrange [0:*]

set title 'datagrams a second, in millions'
plot file('payload-now') using 1:($5/1e6) with linespoints linetype 4 title 'floor', \
     file('payload-now') using 1:($2/1e6):($3/1e6):($4/1e6) with yerrorlines linetype 1 title 'WSPRecv', \
     file('payload-batch') using 1:($2/1e6):($3/1e6):($4/1e6) with yerrorlines linetype 2 title 'batch'

set title 'of the floor (quartiles of the pairwise ratios)'
set yrange [0:*<1.6]
plot 1 with lines linetype 4 title 'floor', \
     file('payload-now') using 1:6:7:8 with yerrorlines linetype 1 title 'WSPRecv', \
     file('payload-batch') using 1:6:7:8 with yerrorlines linetype 2 title 'batch'
unset multiplot
