# SPDX-License-Identifier: BSD-3-Clause
#
# Throughput over the number of sockets, 64 bytes each. Columns as payload.gp's, sockets first.

load here.'/common.gp'
set multiplot layout 1,2
set logscale x 10
set xlabel 'sockets'
set xrange [0.7:15000]
set yrange [0:*]

set title 'datagrams a second, in millions'
plot file('sockets-now') using 1:($5/1e6) with linespoints linetype 4 title 'floor', \
     file('sockets-now') using 1:($2/1e6):($3/1e6):($4/1e6) with yerrorlines linetype 1 title 'WSPRecv', \
     file('sockets-posted') using 1:($2/1e6):($3/1e6):($4/1e6) with yerrorlines linetype 3 title 'posted ahead'

set title 'of the floor (quartiles of the pairwise ratios)'
set yrange [0:*<1.6]
plot 1 with lines linetype 4 title 'floor', \
     file('sockets-now') using 1:6:7:8 with yerrorlines linetype 1 title 'WSPRecv', \
     file('sockets-posted') using 1:6:7:8 with yerrorlines linetype 3 title 'posted ahead'
unset multiplot
