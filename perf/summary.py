#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""perf/report.sh's second half: from OUTPUT/data/*.json to plots and OUTPUT/report.md.

    perf/summary.py OUTPUT BUILD

Says only what the runs say: a figure that was not measured is missing, with the reason, and one from a
run that the bench called too noisy says so.
"""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'perf/plots'))
from draw import draw  # noqa: E402

QUIET = 'quiet enough'
QUANTILES = ('p50', 'p90', 'p99', 'p99_9', 'p99_99', 'max')


class Data:
    """What the runs have printed, and why some have not."""

    def __init__(self, folder):
        self.folder = folder
        order = [line.split()[0] for line in self.text('runs').splitlines()]
        self.runs = {name: json.loads((folder / f'{name}.json').read_text())
                     for name in order if (folder / f'{name}.json').exists()}
        self.missing = {name: self.text(f'{name}.missing') for name in order
                        if (folder / f'{name}.missing').exists()}

    def get(self, name, *keys):
        """A value of a run, or None."""
        value = self.runs.get(name)
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def series(self, prefix):
        """[(number, run)] of the runs PREFIX-NUMBER."""
        found = [(int(name[len(prefix) + 1:]), run) for name, run in self.runs.items()
                 if re.fullmatch(re.escape(prefix) + r'-\d+', name)]
        return sorted(found, key=lambda pair: pair[0])

    def text(self, name):
        path = self.folder / name
        return path.read_text().strip() if path.exists() else ''


# --- the machine -------------------------------------------------------------------------------------

def read(path, otherwise='not there'):
    try:
        return Path(path).read_text().strip() or 'none'
    except OSError:
        return otherwise


def said_by(*command):
    try:
        result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return 'unknown'
    return result.stdout.strip().splitlines()[0] if result.stdout.strip() else 'unknown'


def processor():
    info = read('/proc/cpuinfo', '')
    name = re.search(r'^model name\s*: (.*)$', info, re.M)
    virtual = ', a virtual machine' if re.search(r'^flags.*\bhypervisor\b', info, re.M) else ''
    return f'{name[1] if name else "unknown"}, {os.cpu_count()} CPUs{virtual}'


def machine_rows(data, build):
    cpu = '/sys/devices/system/cpu'
    cache = read(build / 'CMakeCache.txt', '')
    compiler = re.search(r'^CMAKE_C_COMPILER:\w+=(.*)$', cache, re.M)
    command_line = read('/proc/cmdline', '')
    kept = re.findall(r'(?:isolcpus|nohz_full|rcu_nocbs|mitigations|idle|intel_idle\S*)=\S+',
                      command_line)
    memory = re.search(r'MemTotal:\s+(\d+)', read('/proc/meminfo', ''))
    huge = re.search(r'HugePages_Total:\s+(\d+)', read('/proc/meminfo', ''))
    any_run = next((run for name, run in data.runs.items() if name.startswith('mode-')), {})
    yield 'processor', processor()
    yield 'SMT siblings in use', {'0': 'no', '1': 'yes'}.get(read(f'{cpu}/smt/active'), 'unknown')
    yield 'CPUs of lcore and client', ', '.join(
        str(any_run['machine'][key]) for key in ('lcore_cpu', 'client_cpu')) if any_run else '-'
    yield 'isolated CPUs', read(f'{cpu}/isolated')
    yield 'frequency governor', read(f'{cpu}/cpu0/cpufreq/scaling_governor')
    yield 'kernel options that matter', ' '.join(kept) or 'none'
    yield 'memory', f'{int(memory[1]) // 1024} MiB, {huge[1] if huge else 0} huge pages'
    yield 'kernel', f'{platform.system()} {platform.release()}'
    yield 'DPDK', said_by('pkg-config', '--modversion', 'libdpdk')
    yield 'compiler', said_by(compiler[1], '--version') if compiler else 'unknown'
    version = next((run['version'] for run in data.runs.values() if 'version' in run), '?')
    yield 'wirerx', f"{version}, commit {said_by('git', 'describe', '--always', '--dirty')}"
    yield 'runs', data.text('settings')
    yield 'at the beginning', data.text('load.begin')
    yield 'at the end', data.text('load.end')


# --- tables ------------------------------------------------------------------------------------------

def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    lines += ['| ' + ' | '.join(map(str, row)) + ' |' for row in rows]
    return lines + ['']


def spread_text(spread, digits=2):
    if not spread:
        return '-'
    return (f"{spread['median']:.{digits}f} ({spread['low']:.{digits}f} to "
            f"{spread['high']:.{digits}f})")


def sentence(text):
    return text[:1].upper() + text[1:]


def noise_text(run):
    return {QUIET: 'quiet', 'too noisy to conclude': 'too noisy'}.get(run['verdict'], run['verdict'])


def throughput_table(first, rows):
    return table([first, 'wirerx, M/s', 'Gb/s of payload', 'floor, M/s', 'of the floor (quartiles)',
                  'lost', 'machine'],
                 [[name, f"{run['wirerx']['datagrams_per_second'] / 1e6:.2f}",
                   f"{run['wirerx']['payload_gigabits_per_second']:.2f}",
                   f"{run['floor']['datagrams_per_second'] / 1e6:.2f}",
                   spread_text(run['ratio_spread']), f"{run['wirerx']['drop_share']:.0%}",
                   noise_text(run)] for name, run in rows])


# Goal, its text, the value in the data, how to print it, the run, what repeats it.
GOALS = (
    ('>= 0.95', 'one datagram per WSPRecv, of the floor', ('mode-now', 'ratio_to_floor')),
    ('>= 0.90', 'overlapped, posted ahead, of the floor', ('mode-posted', 'ratio_to_floor')),
    ('>= 1.00', 'the batch call, of the floor', ('mode-batch', 'ratio_to_floor')),
    ('<= 1.25', 'latency p50, spinning, of the floor', ('latency-spinning', 'ratio_to_floor')),
    ('<= 0.20', 'a call on a full queue, of a kernel socket', ('drain', 'ratio_to_kernel')),
    ('>= 0.80', '1,000 sockets, of one', None),
    ('>= 1.80', 'two lcores, of one', ('lcores-2', 'ratio_to_one_lcore')),
    ('>= 0.50', 'the floor itself, of testpmd rxonly', ('network-64', 'floor_to_testpmd')),
    ('>= 1.00', 'datagrams over one veth, of a kernel socket', ('network-64', 'ratio_to_kernel')),
    ('<= 0.70', 'p50 of latency over one veth, of a kernel socket',
     ('network-64', 'latency_ratio_to_kernel')),
    ('<= 150', 'instructions of the dataplane without the burst',
     ('instructions', 'instructions_per_datagram', 'now', 'dataplane')),
    ('<= 120', 'instructions of WSPRecv',
     ('instructions', 'instructions_per_datagram', 'now', 'call')),
    ('<= 4096', 'bytes of an idle socket', ('memory', 'bytes_per_idle_socket')),
)


def thousand_sockets(data):
    """Rates are of different runs; the floor of each tells how fast the machine was then."""
    one, many = (data.get(f'sockets-now-{n}', 'ratio_to_floor') for n in (1, 1000))
    return many / one if one and many else None


def goal_row(data, goal, text, keys):
    run = keys[0] if keys else 'sockets-now-1000'
    value = data.get(*keys) if keys else thousand_sockets(data)
    command = data.text(f'{run}.command')
    if value is None:
        otherwise = ('four CPUs are needed' if run.startswith('lcores-') and os.cpu_count() < 4 else
                     'it has not been run')
        return [text, goal, '-', f'not measured: {data.missing.get(run, otherwise)}', command]
    relation, bound = goal.split()
    reached = value >= float(bound) if relation == '>=' else value <= float(bound)
    verdict = 'reached' if reached else 'not reached'
    if data.get(run, 'verdict') not in (QUIET, None):
        verdict += ', but ' + data.get(run, 'verdict')
    printed = f'{value:.2f}' if value < 50 else f'{value:.0f}'
    return [text, goal, printed, verdict, f'`{command}`']


# --- sections ----------------------------------------------------------------------------------------

def plot(drawn, name, text):
    return [f'![{text}]({drawn[name]})', ''] if name in drawn else []


def throughput_section(data, drawn):
    modes = [(name[5:], run) for name, run in data.runs.items() if name.startswith('mode-')]
    if not modes and not data.series('payload-now') and not data.series('sockets-now'):
        return []
    labels = {run['label'] for _, run in modes + data.series('payload-now') + data.series('sockets-now')}
    lines = ['## Throughput', '', f'{sentence(", ".join(labels))}: the frames come from memory.', '']
    if modes:
        lines += ['One socket, 64 bytes, by the way of receiving:', '',
                  *throughput_table('mode', modes)]
    for title, first, prefix, picture in (
            ('By payload, one socket, WSPRecv:', 'bytes', 'payload-now', 'payload'),
            ('... and by the batch call:', 'bytes', 'payload-batch', None),
            ('By sockets, 64 bytes, WSPRecv:', 'sockets', 'sockets-now', 'sockets'),
            ('... and by receives posted ahead, 8 on each:', 'sockets', 'sockets-posted', None),
            ('By lcores, 16 sockets:', 'lcores', 'lcores', 'lcores')):
        rows = data.series(prefix)
        if rows:
            lines += [title, '', *throughput_table(first, rows), *plot(drawn, picture, title)]
    return lines


def latency_rows(data):
    """Of each run: how it waits, at what load, and the quantiles of each series."""
    for name, run in data.runs.items():
        if not name.startswith(('latency-', 'load-')):
            continue
        load = f"{run['load']:.0%}" if run['load'] >= 0.01 else f"{run['load']:.1%}"
        if run['latency_ns'] is None:
            yield [run['wait'], load, 'none: ' + run['latency_reason'], *[''] * 9]
            continue
        for series, figures in run['latency_ns'].items():
            own = series == 'wirerx'
            values = ('-' if figures[key] is None else f'{figures[key]:.0f}' for key in QUANTILES)
            yield [run['wait'] if own else '', load if own else '',
                   series if series != 'bare' else 'bare thread', *values, figures['samples'],
                   spread_text(run['ratio_spread']) if own else '', noise_text(run) if own else '']


def latency_section(data, drawn):
    rows = list(latency_rows(data))
    if not rows:
        return []
    return ['## Latency', '',
            'Burst to return, nanoseconds; the load is of what this machine can receive that way. The bare '
            'thread is one that only spins on the client\'s CPU in slices between: how long who came at any '
            'moment would have waited for it.', '',
            *table(['waits', 'load', '', *(q.replace('_', '.') for q in QUANTILES), 'samples',
                    "p50, of the floor's", 'machine'], rows),
            *plot(drawn, 'latency', 'distribution of latency with its tail, by the way of waiting'),
            *plot(drawn, 'load', 'distribution of latency with its tail, by load')]


def instructions_section(data):
    figures = data.get('instructions', 'instructions_per_datagram')
    if figures is None:
        return []
    stages = list(dict.fromkeys(stage for of_mode in figures.values() for stage in of_mode))
    return ['## Instructions per datagram', '',
            'Exact, on one thread, 64 bytes; perf/instructions.py says what the stages are.', '',
            *table(['mode', *stages],
                   [[mode, *(f'{of_mode[s]:.0f}' if s in of_mode else '-' for s in stages)]
                    for mode, of_mode in figures.items()])]


def memory_section(data):
    run = data.runs.get('memory')
    if run is None:
        return []
    keys = ('sockets', 'dpdk_bytes', 'libc_bytes', 'table_bytes', 'resident_bytes', 'bytes_each')
    return ['## Memory', '',
            f"An idle socket takes {run['bytes_per_idle_socket']} bytes beyond the "
            f"{run['guaranteed']['buffers']} packet buffers of {run['guaranteed']['buffer_bytes']} "
            f"bytes that it is guaranteed. Shared by all: {run['shared']['buffers']} buffers, "
            f"{run['shared']['table_bytes']} bytes of static tables, and what DPDK's heap has without "
            f"sockets, {run['shared']['dpdk_bytes']} bytes with the pool.", '',
            *table(['sockets', "DPDK's heap", 'C library', 'static tables', 'resident', 'each'],
                   [[row[key] for key in keys] for row in run['rows']])]


def cost_section(data):
    run = data.runs.get('cost')
    if run is None:
        return []
    return ['## Posting and completing', '',
            f'Ticks of the time-stamp counter for each datagram, on one thread; {noise_text(run)}.', '',
            *table(['', 'post', 'pass', 'collect', 'ticks', 'ns', "of the floor's (quartiles)"],
                   [[name, *(f'{run[name][key]:.0f}' for key in
                             ('post', 'pass', 'collect', 'ticks', 'nanoseconds')),
                     spread_text(run[name]['ratio_spread'])]
                    for name in ('polled', 'event', 'apc', 'floor')])]


def drain_section(data):
    run = data.runs.get('drain')
    if run is None:
        return []
    return ['## Draining a full queue', '',
            f"A call takes {spread_text(run['ratio_to_kernel_spread'])} of a kernel UDP socket's "
            f'`recv()` over loopback; {noise_text(run)}.', '',
            *table(['', 'queued', 'ns a call'],
                   [[name, run[name]['queued'], f"{run[name]['nanoseconds']:.0f}"]
                    for name in ('wirerx', 'floor', 'kernel')])]


def isolation_section(data):
    run = data.runs.get('isolation')
    if run is None:
        return []
    return ['## A socket that nobody reads', '',
            f"{run['sockets']} sockets. The others' rate at saturation is "
            f"{spread_text(run['ratio_to_all_read_spread'])} of what it is when all are read; "
            f"{noise_text(run)}. Paced at {run['rate']:.0f} datagrams a second:", '',
            *table(['the others', 'received', 'lost'],
                   [[title, run[key]['paced_received'], run[key]['paced_lost']] for title, key in
                    (('all are read', 'all_read'), ('one is not read', 'one_is_not'))])]


def stall_section(data):
    run = data.runs.get('stall')
    if run is None:
        return []
    names = ('p50', 'p99', 'p99_9', 'max')
    return ['## Behind 64 KB of posted receives', '',
            f"{run['posted']} datagrams of {run['payload']} bytes for one socket, then one for another: "
            f"nanoseconds from the first frame to the other's return; {noise_text(run)}.", '',
            *table(["the first socket's are", *names],
                   [[title, *(f"{run['latency_ns'][key][name]:.0f}" for name in names)]
                    for title, key in (('completed into posted receives', 'posted'),
                                       ('put in its ring', 'queued'), ('not there', 'alone'))])]


def network_rows(run):
    for way in run['ways'].values():
        title = way['what']
        if way['reason'] is not None:
            yield [title, f"none: {way['reason']}", *[''] * 5]
            continue
        latency = way['latency_ns'] or {}
        lost = sum(way['lost'].values()) / way['sent'] if way['sent'] else 0
        yield [title + (f" ({way['note']})" if way['note'] else ''),
               f"{way['datagrams_per_second'] / 1e3:.0f}", spread_text(way['ratio_to_kernel_spread']),
               *(f'{latency[key] / 1e3:.1f}' if latency.get(key) is not None else '-'
                 for key in ('p50', 'p99', 'max')), f'{lost:.1%}']


def network_section(data, drawn):
    runs = data.series('network')
    if not runs:
        return []
    lines = ['## Over a wire, beside kernel sockets', '',
             f"{sentence(runs[0][1]['label'])}.", '']
    for payload, run in runs:
        lines += [f'{payload} bytes; {noise_text(run)}:', '',
                  *table(['', 'thousands/s', "of recv's (quartiles)", 'p50 us', 'p99 us', 'max us',
                          'lost'], network_rows(run))]
    return lines + plot(drawn, 'network', 'the same sender over the same veth pair')


def missing_section(data, no_plots):
    lines = [f'- {name}: {reason}' for name, reason in data.missing.items()]
    if no_plots:
        lines.append(f'- {no_plots}')
    return ['## Not measured here', '', *lines, ''] if lines else []


def report(data, build, drawn, no_plots):
    lines = ['# wirerx, measured', '',
             'Written by `perf/report.sh`; how to read and repeat it: perf/MEASURING.md. Ratios are medians '
             'of pairs of alternating slices of one run, with quartiles.', '']
    lines += table(['', ''], machine_rows(data, build))
    lines += ['## Goals', '',
              *table(['', 'goal', 'measured', '', 'repeat'],
                     [goal_row(data, *goal) for goal in GOALS]),
              'Heap allocations and system calls of ours on the receive path while it spins: none, which is a '
              "matter of tests and not of measuring (tests/receive/test_cost.c).", '']
    lines += throughput_section(data, drawn)
    lines += latency_section(data, drawn)
    lines += network_section(data, drawn)
    for section in (instructions_section, memory_section, cost_section, drain_section,
                    isolation_section, stall_section):
        lines += section(data)
    return lines + missing_section(data, no_plots)


def main():
    if len(sys.argv) != 3:
        sys.exit('usage: perf/summary.py OUTPUT BUILD')
    output, build = Path(sys.argv[1]), Path(sys.argv[2])
    data = Data(output / 'data')
    if not data.runs:
        sys.exit(f'{data.folder} has nothing that was measured')
    drawn, no_plots = draw(output, data)
    if no_plots:
        print(no_plots)
    path = output / 'report.md'
    path.write_text('\n'.join(report(data, build, drawn, no_plots)).rstrip() + '\n')
    print(f'{path}: {len(data.runs)} runs, {len(drawn)} plots, {len(data.missing)} runs missing')


if __name__ == '__main__':
    main()
