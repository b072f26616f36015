# SPDX-License-Identifier: BSD-3-Clause
"""For perf/summary.py: from what the runs have printed to tables that gnuplot reads, and to plots."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

PLOTS = Path(__file__).resolve().parent


def throughput_rows(data, prefix):
    for number, run in data.series(prefix):
        rate, ratio = run['wirerx']['spread'], run['ratio_spread'] or {}
        yield [number, rate['median'], rate['low'], rate['high'],
               run['floor']['datagrams_per_second'],
               *(ratio.get(key, 'NaN') for key in ('median', 'low', 'high'))]


def tail_rows(bins):
    """(nanoseconds, part of the samples that took at least as long) of a histogram's [from, samples]"""
    total = left = sum(samples for _, samples in bins)
    for nanoseconds, samples in bins:
        yield [nanoseconds, left / total]
        left -= samples


def gap_rows(bins):
    """(nanoseconds, part of the time in which who came would have waited longer): of the lengths of gaps
    that follow each other without end, as the bare spin thread has them."""
    total = sum(gap * samples for gap, samples in bins)
    if total:
        yield [bins[0][0] / 2, 1]
    for wait, _ in bins:
        longer = sum((gap - wait) * samples for gap, samples in bins if gap > wait)
        if longer:
            yield [wait, longer / total]


def thinned(rows):
    """Without those that no eye can tell from the one before."""
    kept = []
    for row in rows:
        if not kept or row[0] > 1.05 * kept[-1][0] or row[1] < 0.98 * kept[-1][1]:
            kept.append(row)
    return kept


def latency_tables(data):
    """{name of a table: its rows}: of the runs at leisure, and of each load."""
    tables = {}
    for name, run in data.runs.items():
        figures = run.get('latency_ns') if name.startswith(('latency-', 'load-')) else None
        for series, of_series in (figures or {}).items():
            rows = gap_rows(of_series['gaps']) if series == 'bare' else tail_rows(of_series['histogram'])
            tables[f'{name}-{series}'] = thinned(rows)
    return {name: rows for name, rows in tables.items() if rows}


def network_tables(data):
    """Of each way to receive from the wire that could be measured: rates by payload, and the tail of its
    latency at 64 bytes."""
    tables = {}
    for payload, run in data.series('network'):
        for way, figures in run['ways'].items():
            if figures['reason'] is not None:
                continue
            rate = figures['spread']
            tables.setdefault(f'network-{way}', []).append(
                [payload, rate['median'], rate['low'], rate['high']])
            if payload == 64:
                tables[f'wire-{way}'] = list(quantile_rows(figures['latency_ns'] or {}))
    return tables


def quantile_rows(figures):
    """(nanoseconds, part of the samples that took longer) where there are quantiles only"""
    for name, value in figures.items():
        if re.fullmatch(r'p\d+(_\d+)?', name) and value is not None:
            yield [value, 1 - float(name[1:].replace('_', '.')) / 100]


def write_tables(data):
    """The .dat files that the plots read. {plot that has something to show: gnuplot's variables for it}"""
    tables = {prefix: list(throughput_rows(data, prefix))
              for prefix in ('payload-now', 'payload-batch', 'sockets-now', 'sockets-posted', 'lcores')}
    tables.update(latency_tables(data))
    tables.update(network_tables(data))
    for path in data.folder.glob('*.dat'):
        path.unlink()
    for name, rows in tables.items():
        if rows:
            path = data.folder / f'{name}.dat'
            path.write_text(''.join(' '.join(map(str, row)) + '\n' for row in rows))
    ways = [name[8:-7] for name in tables if re.fullmatch('latency-.*-wirerx', name)]
    loads = [name[14:-7] for name in tables if re.fullmatch(r'load-spinning-\d+-wirerx', name) and
             name.replace('wirerx', 'floor') in tables]
    at_leisure = all(f'latency-spinning-{name}' in tables for name in ('wirerx', 'floor', 'bare'))
    receivers = [name[8:] for name in tables if name.startswith('network-')]
    plots = {
        'payload': tables['payload-now'] and tables['payload-batch'] and {},
        'sockets': tables['sockets-now'] and tables['sockets-posted'] and {},
        'lcores': {} if len(tables['lcores']) > 1 else None,
        'latency': {'ways': ' '.join(ways)} if at_leisure else None,
        'network': {'ways': ' '.join(receivers)} if receivers else None,
        'load': {'loads': ' '.join(loads)} if at_leisure and loads else None,
    }
    return {name: variables for name, variables in plots.items() if isinstance(variables, dict)}


def draw(output, data):
    """All plots that there is something for. {name: file beside the report}, and why some are not there"""
    drawn = {}
    wanted = write_tables(data)
    if shutil.which('gnuplot') is None:
        return drawn, 'gnuplot is not installed, so there are no plots'
    for name, variables in wanted.items():
        for form in ('svg', 'png'):
            variables.update(here=PLOTS, data=data.folder, out=output / name, format=form)
            settings = '; '.join(f"{key}='{value}'" for key, value in variables.items())
            result = subprocess.run(['gnuplot', '-e', settings, PLOTS / f'{name}.gp'], check=False,
                                    text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if result.returncode != 0 or result.stdout.strip():
                sys.exit(f'perf/plots/{name}.gp: gnuplot says: {result.stdout.strip()}')
        drawn[name] = f'{name}.svg'
    return drawn, None
