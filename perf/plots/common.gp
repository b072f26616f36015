# SPDX-License-Identifier: BSD-3-Clause
#
# What every plot begins with. perf/summary.py calls gnuplot with `here` (this folder), `data` (the folder
# of the .dat files), `out` (the file to write, without its ending) and `format` (svg or png).

if (format eq 'svg') {
    set terminal svg size 960,440 font 'Helvetica,13' background '#ffffff'
} else {
    set terminal pngcairo size 1920,880 font 'DejaVu Sans,18' background '#ffffff' linewidth 2
}
set output sprintf('%s.%s', out, format)

set border 3 linecolor '#5f6368'
set tics nomirror out textcolor '#3c4043'
set grid ytics linecolor '#dadce0' linewidth 1 dashtype 1
set rmargin 6
set key below horizontal reverse Left samplen 2 width 2
set bmargin 5

# One colour for one thing, in every plot.
set linetype 1 linecolor '#1a73e8' linewidth 2 pointtype 7 pointsize 0.7   # now
set linetype 2 linecolor '#0b8043' linewidth 2 pointtype 5 pointsize 0.7   # batch
set linetype 3 linecolor '#a142f4' linewidth 2 pointtype 9 pointsize 0.8   # posted
set linetype 4 linecolor '#80868b' linewidth 2 pointtype 6 pointsize 0.7 dashtype (3,3)   # floor
set linetype 5 linecolor '#e8710a' linewidth 2 pointtype 13 pointsize 0.8  # kernel

file(name) = sprintf('%s/%s.dat', data, name)
