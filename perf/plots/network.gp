# SPDX-License-Identifier: BSD-3-Clause
#
# The same sender over the same veth pair, received by `ways`. Rates: payload, datagrams/s, its quartiles.
# Latency, 64 bytes: as in tail.gp.

load here.'/common.gp'
set linetype 11 linecolor '#1a73e8' linewidth 3 pointtype 7 pointsize 0.8
set linetype 12 linecolor '#e8710a' linewidth 2 pointtype 13 pointsize 0.9
set linetype 13 linecolor '#fa7b17' linewidth 1 pointtype 4 pointsize 0.7
set linetype 14 linecolor '#80868b' linewidth 2 pointtype 6 pointsize 0.7 dashtype (3,3)
set linetype 15 linecolor '#fcc934' linewidth 2 pointtype 12 pointsize 0.8
set linetype 16 linecolor '#d93025' linewidth 1 pointtype 2 pointsize 0.8
set linetype 17 linecolor '#669df6' linewidth 2 pointtype 5 pointsize 0.7
title_of(way) = way eq 'wirerx_af_xdp' ? 'wirerx, AF\_XDP' : way eq 'wirerx_af_packet' ? 'wirerx, AF\_PACKET' : \
                way eq 'af_xdp' ? 'raw AF\_XDP' : way eq 'busy_poll' ? 'SO\_BUSY\_POLL' : \
                way eq 'io_uring' ? 'io\_uring' : way

set multiplot layout 1,2
set title 'thousands of datagrams a second'
set logscale x 2
set xrange [12:2048]
set yrange [0:*]
set xlabel 'payload, bytes'
set key inside bottom left vertical maxrows 4
plot for [i=1:words(ways)] file('network-'.word(ways, i)) using 1:($2/1e3):($3/1e3):($4/1e3) \
    with yerrorlines linetype (10 + i) title title_of(word(ways, i))

unset logscale x
set xrange [*:*]
load here.'/tail.gp'
set bmargin 5
set key off
set yrange [5e-5:1]
set title 'latency at 5,000 a second'
set xlabel 'sent to received'
plot for [i=1:words(ways)] file('wire-'.word(ways, i)) using 1:2 with linespoints \
    linetype (10 + i) title title_of(word(ways, i))
unset multiplot
