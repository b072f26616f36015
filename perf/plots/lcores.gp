# SPDX-License-Identifier: BSD-3-Clause
#
# Scaling over dataplane lcores. Columns as payload.gp's, lcores first.

load here.'/common.gp'
set xlabel 'lcores'
set xtics 1
set xrange [0.5:*]
set yrange [0:*]
set title 'datagrams a second, in millions, 16 sockets of 64 bytes'
stats file('lcores') using 1:2 every ::0::0 nooutput
one = STATS_max_y / STATS_max_x
plot one*x/1e6 with lines linetype 4 dashtype 3 title 'as many times what one lcore does', \
     file('lcores') using 1:($5/1e6) with linespoints linetype 4 title 'floor', \
     file('lcores') using 1:($2/1e6):($3/1e6):($4/1e6) with yerrorlines linetype 1 title 'WSPRecv'
