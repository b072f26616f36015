#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Exact instructions per datagram, by stage and by the way of receiving, beside the committed baseline.

    perf/instructions.py [BUILD]          measure and print; BUILD: the build folder (build)
    perf/instructions.py --check [BUILD]  ... and fail where a stage is off its baseline, either way
    perf/instructions.py --write [BUILD]  ... and make what was measured the baseline
    perf/instructions.py --json  [BUILD]  print the figures as JSON
    perf/instructions.py --functions MODE [BUILD]  what each function takes, inlined or not, by stage

`wirerx-bench instructions` alternates passes of the lcore with receives on one thread; valgrind's
callgrind counts every instruction of the counted passes by its address. An address belongs to the stage
of the innermost function below that it was compiled from, inlined or not; what a function calls belongs
to the stage of the call, unless it has a stage of its own. So stages may be inlined as the compiler
likes, but a function that is renamed has to be renamed here.

A gain must be written down as well: otherwise the next loss would hide in it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / 'perf/instructions.tsv'

TOLERANCE = 0.03
LEAST = 0.5  # instructions; of a small stage 3 % is less than one
SKIPPED = 77

# Stage, what it is, its functions; FILE:FUNCTION where the name alone says too little.
LCORE_STAGES = (
    ('burst', "the driver's burst", ('eth_burst',)),
    ('classify', 'from a frame to a datagram',
     ('flow_continues', 'classify_plain', 'flow_template_set', 'fate_of_uncommon')),
    ('deliver', 'demultiplexing, the ring, publication and wake-up',
     ('take_run', 'fate_of', 'lcore_deliver', 'lcore_deliver_to', 'lcore_notify',
      'lcore_serve_ready')),
    ('complete', 'completing posted receives', ('serve_on_lcore',)),
    ('home', 'buffers back into the pool',
     ('way_home_look', 'sweep_ways_home', 'take_home', 'floor_take_home')),
    ('pass', 'the rest of the pass', ('lcore_step', 'floor_step')),
)
CLIENT_STAGES = (
    ('call', "the client's: WSPRecv; of the floor the ring and the copy",
     ('spi_recv', 'wirerx_receive_batch', 'wirerx_lend', 'wirerx_return', 'floor.c:take_burst',
      'floor.c:take', 'floor.c:take_told_burst', 'floor.c:flush')),
    ('routines', 'SleepEx, without what completion routines call', ('SleepEx',)),
)
STAGES = LCORE_STAGES + CLIENT_STAGES
OF_FUNCTION = {name: stage for stage, _, names in STAGES for name in names}
TOTALS = (
    ('lcore', 'lcore_step in all', [s[0] for s in LCORE_STAGES]),
    ('dataplane', "lcore_step without the driver's burst", [s[0] for s in LCORE_STAGES[1:]]),
)


def die(text, status=1):
    print(f'instructions.py: {text}', file=sys.stderr)
    sys.exit(status)


class Function:
    """One function of a profile: what it executed itself, and its calls, by address."""

    def __init__(self, name):
        self.name = name
        self.own = defaultdict(int)
        self.calls = []  # (address, object and address that is called, instructions in there)
        self.shares = None

    def total(self):
        return sum(self.own.values()) + sum(cost for _, _, cost in self.calls)


def parse(path):
    """All functions by (object, address)."""
    functions, at = {}, {}
    thing = obj = file = callee = None
    called = None
    for line in path.read_text().splitlines():
        if line.startswith('ob='):
            obj = line[3:]
        elif line.startswith('fl='):
            file = line[3:]
        elif line.startswith('fn='):
            thing = functions.setdefault((obj, file, line[3:]), Function(line[3:]))
        elif line.startswith('cob='):
            callee = line[4:]
        elif line.startswith('calls='):
            called = (callee or obj, int(line.split()[1], 16))
            callee = None
        elif line.startswith('0x'):
            address, cost = line.split()
            address = int(address, 16)
            if called is not None:
                thing.calls.append(((obj, address), called, int(cost)))
                called = None
            else:
                thing.own[(obj, address)] += int(cost)
                at[(obj, address)] = thing
    return at


def stage_of_chain(chain):
    """The stage of the innermost function that has one; a chain is (function, file), innermost first."""
    for function, file in chain:
        name = function.split('.')[0]  # without .constprop.0 and the like
        stage = OF_FUNCTION.get(name) or OF_FUNCTION.get(f'{file}:{name}')
        if stage is not None:
            return stage
    return None


def places_of(program, profiles):
    """(stage or None, innermost function) of every address of the program in the profiles."""
    addresses = sorted({key for at in profiles for function in set(at.values())
                        for key in [*function.own, *(c[0] for c in function.calls)]
                        if os.path.realpath(key[0]) == program})
    output = subprocess.run(['addr2line', '-e', program, '-a', '-i', '-f'], check=True, text=True,
                            input=''.join(f'{a:#x}\n' for _, a in addresses),
                            capture_output=True).stdout.splitlines()
    chains, chain = [], []
    lines = iter(output)
    for line in lines:
        if line.startswith('0x'):
            chain = []
            chains.append(chain)
        else:
            chain.append((line, os.path.basename(next(lines).rsplit(':', 1)[0])))
    assert len(chains) == len(addresses)
    return {key: (stage_of_chain(chain), chain[0][0]) for key, chain in zip(addresses, chains)}


def print_functions(at, places, datagrams):
    """Walk down from instructions_counted(): a function that is called from several stages is in each."""
    costs = defaultdict(float)

    def walk(function, scale, context, above):
        for key, cost in function.own.items():
            stage, name = places.get(key, (None, function.name))
            costs[(stage or context, name)] += cost * scale
        for key, called, cost in function.calls:
            callee = at.get(called)
            stage = places.get(key, (None,))[0] or context
            if callee is None or callee in above:
                costs[(stage, function.name)] += cost * scale
            else:
                walk(callee, scale * cost / callee.total(), stage, above | {callee})

    root = root_of(at)
    walk(root, 1 / datagrams, None, {root})
    for stage, what, _ in STAGES:
        rows = sorted(((cost, name) for (of, name), cost in costs.items() if of == stage), reverse=True)
        if rows:
            print(f'{stage}: {what}, {sum(cost for cost, _ in rows):.1f}')
        for cost, name in rows:
            if cost >= LEAST:
                print(f'{cost:9.1f}  {name}')


def shares_of(function, at, stages):
    """{stage: part of all that it and its callees execute}; None: whatever the caller's stage is."""
    if function.shares is not None:
        return function.shares
    function.shares = {None: 1.0}  # of a call to itself
    costs = defaultdict(float)
    for key, cost in function.own.items():
        costs[stages.get(key)] += cost
    for key, called, cost in function.calls:
        callee = at.get(called)
        shares = shares_of(callee, at, stages) if callee is not None else {None: 1.0}
        for stage, share in shares.items():
            costs[stage if stage is not None else stages.get(key)] += cost * share
    total = sum(costs.values())
    function.shares = {stage: cost / total for stage, cost in costs.items()} if total else {None: 1.0}
    return function.shares


def root_of(at):
    return next(f for f in at.values() if f.name == 'instructions_counted')


def evaluate(at, stages, datagrams):
    """{stage: instructions per datagram} below instructions_counted()."""
    root = root_of(at)
    figures = {stage: share * root.total() / datagrams
               for stage, share in shares_of(root, at, stages).items() if stage is not None}
    for name, _, parts in TOTALS:
        figures[name] = sum(figures.get(part, 0) for part in parts)
    order = [s[0] for s in LCORE_STAGES] + [t[0] for t in TOTALS] + [s[0] for s in CLIENT_STAGES]
    return {stage: figures[stage] for stage in order if figures.get(stage)}


def run(program):
    """{mode: (datagrams, functions by address)}"""
    with tempfile.TemporaryDirectory(prefix='wirerx-instructions.') as folder:
        command = ['valgrind', '--tool=callgrind', f'--callgrind-out-file={folder}/profile',
                   '--collect-atstart=no', '--toggle-collect=instructions_counted',
                   '--dump-after=instructions_counted', '--dump-instr=yes', '--dump-line=no',
                   '--compress-pos=no', '--compress-strings=no', program, 'instructions', '--json']
        try:
            result = subprocess.run(command, text=True, capture_output=True, check=False,
                                    timeout=300, env=dict(os.environ, TMPDIR=folder))
        except FileNotFoundError:
            die('valgrind is not installed, and it does the counting', SKIPPED)
        if result.returncode != 0:
            die(f'{" ".join(command)} failed:\n{result.stdout}{result.stderr}')
        modes = json.loads(result.stdout)
        return {mode: (datagrams, parse(Path(folder, f'profile.{i + 1}')))
                for i, (mode, datagrams) in enumerate(modes.items())}


def measure(runs, places):
    """{mode: {stage: instructions per datagram}}"""
    stages = {key: stage for key, (stage, _) in places.items()}
    figures = {mode: evaluate(at, stages, datagrams) for mode, (datagrams, at) in runs.items()}
    for stage, _, names in STAGES:
        if not any(stage in of_mode for of_mode in figures.values()):
            die(f'stage {stage}: none of its functions ({", ".join(names)}) is executed in any '
                'mode; have they been renamed?')
    for mode, of_mode in figures.items():
        if 'call' not in of_mode:
            die(f'mode {mode}: no function of stage call is executed; which does its client call?')
    return figures


def compiler_of(build):
    """What the figures depend on beside the sources, in one line."""
    cache = dict(re.findall(r'^(\w+):\w+=(.*)$', (build / 'CMakeCache.txt').read_text(), re.M))
    version = subprocess.run([cache['CMAKE_C_COMPILER'], '--version'], check=True, text=True,
                             capture_output=True).stdout.splitlines()[0].split(None, 1)[1]
    return f"{version}, {cache['CMAKE_BUILD_TYPE'] or 'RelWithDebInfo'}{cache['CMAKE_C_FLAGS']}"


def read_baseline(path):
    """The compiler, and {mode: {stage: instructions}}."""
    compiler, figures = None, defaultdict(dict)
    for line in path.read_text().splitlines():
        if line.startswith('# compiler: '):
            compiler = line[len('# compiler: '):]
        elif not line.startswith('#'):
            mode, stage, value = line.split('\t')
            figures[mode][stage] = float(value)
    return compiler, figures


def write_baseline(path, compiler, figures):
    lines = ['# Instructions per datagram of 64 bytes, one socket; what the stages are: '
             'perf/instructions.py.',
             '# Measured and written by perf/instructions.py --write.',
             f'# compiler: {compiler}']
    lines += [f'{mode}\t{stage}\t{value:.1f}' for mode, of_mode in figures.items()
              for stage, value in of_mode.items()]
    path.write_text('\n'.join(lines) + '\n')


def is_off(value, base):
    return abs(value - base) > max(TOLERANCE * base, LEAST)


def compare(figures, baseline):
    """Print the table. Rows that are off, or on one side only."""
    off = []
    print(f'{"mode":10} {"stage":10} {"measured":>9} {"baseline":>9}')
    for mode in dict.fromkeys([*figures, *baseline]):
        ours, theirs = figures.get(mode, {}), baseline.get(mode, {})
        for stage in dict.fromkeys([*ours, *theirs]):
            value, base = ours.get(stage, 0.0), theirs.get(stage)
            difference = ('new' if base is None
                          else f'{(value - base) / base:+.1%}' if base else '')
            bad = base is None or is_off(value, base)
            print(f'{mode:10} {stage:10} {value:9.1f} {"-" if base is None else f"{base:.1f}":>9} '
                  f'{difference:>7}{"  <--" if bad else ""}')
            if bad:
                off.append((mode, stage))
    return off


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group()
    action.add_argument('--check', action='store_true')
    action.add_argument('--write', action='store_true')
    action.add_argument('--json', action='store_true')
    action.add_argument('--functions', metavar='MODE')
    parser.add_argument('--baseline', type=Path, default=BASELINE, help=argparse.SUPPRESS)
    parser.add_argument('--program', type=Path, help=argparse.SUPPRESS)
    parser.add_argument('build', nargs='?', type=Path, default=ROOT / 'build')
    options = parser.parse_args()

    program = options.program or options.build / 'bin/wirerx-bench'
    if not os.access(program, os.X_OK) or not (options.build / 'CMakeCache.txt').exists():
        die(f'{options.build} is no build folder with bin/wirerx-bench in it', 2)
    compiler = compiler_of(options.build)
    recorded, baseline = (read_baseline(options.baseline) if options.baseline.exists()
                          else (None, {}))
    if options.check and recorded != compiler:
        print(f'the baseline is of {recorded}; this build is of {compiler}: not comparable')
        return SKIPPED
    program = os.path.realpath(program)
    runs = run(program)
    places = places_of(program, [at for _, at in runs.values()])
    if options.functions:
        if options.functions not in runs:
            die(f'--functions {options.functions}: no such mode; there are {", ".join(runs)}', 2)
        datagrams, at = runs[options.functions]
        print_functions(at, places, datagrams)
        return 0
    figures = measure(runs, places)
    if options.json:
        print(json.dumps({'compiler': compiler, 'instructions_per_datagram': figures}, indent=2))
        return 0
    off = compare(figures, baseline)
    for name, what, _ in (*LCORE_STAGES, *TOTALS, *CLIENT_STAGES):
        print(f'  {name:10} {what}')
    if options.write:
        write_baseline(options.baseline, compiler, figures)
    elif off and options.check:
        print(f'off the baseline by more than {TOLERANCE:.0%}: '
              + ', '.join(f'{mode} {stage}' for mode, stage in off)
              + '. If that is meant: perf/instructions.py --write')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
