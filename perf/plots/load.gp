# SPDX-License-Identifier: BSD-3-Clause
#
# Latency of a spinning receive by load. `loads`: those that were measured, in percent of the capacity.

load here.'/common.gp'
load here.'/tail.gp'
set title 'WSPRecv, spinning, by load (dotted: the floor at the same pace)'
set linetype 11 linecolor '#aecbfa' linewidth 2
set linetype 12 linecolor '#669df6' linewidth 2
set linetype 13 linecolor '#1a73e8' linewidth 2
set linetype 14 linecolor '#174ea6' linewidth 2
plot file('latency-spinning-wirerx') using 1:2 with steps linetype 11 title 'at leisure', \
     for [i=1:words(loads)] file('load-spinning-'.word(loads, i).'-wirerx') using 1:2 with steps \
         linetype (11 + i) title word(loads, i).' %', \
     for [i=1:words(loads)] file('load-spinning-'.word(loads, i).'-floor') using 1:2 with steps \
         linetype (11 + i) dashtype (3,3) notitle
