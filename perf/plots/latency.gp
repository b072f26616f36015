# SPDX-License-Identifier: BSD-3-Clause
#
# Latency by the way of waiting, at a pace that leaves both threads idle most of the time. `ways`: the ways
# that were measured.

load here.'/common.gp'
load here.'/tail.gp'
set title 'one datagram at a time, at leisure'
set linetype 11 linecolor '#bdc1c6' linewidth 2   # the machine itself
set linetype 12 linecolor '#1a73e8' linewidth 2
set linetype 13 linecolor '#0b8043' linewidth 2
set linetype 14 linecolor '#a142f4' linewidth 2
set linetype 15 linecolor '#e8710a' linewidth 2
plot file('latency-spinning-bare') using 1:2 with steps linetype 11 title 'bare spin thread', \
     file('latency-spinning-floor') using 1:2 with steps linetype 4 title 'floor', \
     for [i=1:words(ways)] file('latency-'.word(ways, i).'-wirerx') using 1:2 with steps \
         linetype (11 + i) title word(ways, i)
