#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""perf/report.sh measures what it says, writes a report with plots, and names what it could not do."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

import smoke

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'perf/report.sh'
BUILD = Path(smoke.BENCH).parents[1]
TINY = ['--quick', '--slices', '2', '--slice-ms', '10', '--build', str(BUILD)]
SOME = '@(mode-*|payload-*-@(16|64)|sockets-*-@(1|16)|latency-@(spinning|apc)|load-spinning-*|cost)'
PNG = b'\x89PNG\r\n\x1a\n'


def report_sh(*arguments):
    return subprocess.run([SCRIPT, *map(str, arguments)], stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True, timeout=300)


# As wirerx-bench network prints it, where the wire itself is not to be had.
NETWORK = {
    'ratio_to_kernel': 1.12, 'latency_ratio_to_kernel': 0.466, 'floor_to_testpmd': None,
    'verdict': smoke.VERDICTS[0], 'label': 'veth: a wire of software', 'version': '0', 'payload': 64,
    'command': 'network', 'ways': {
        'wirerx_af_packet': {
            'what': 'WSPRecv', 'reason': None, 'note': None, 'datagrams_per_second': 335377.0,
            'spread': {'low': 331537.0, 'median': 335377.0, 'high': 338970.0},
            'ratio_to_kernel_spread': {'low': 1.09, 'median': 1.12, 'high': 1.13},
            'latency_ns': {'p50': 14428, 'p99': 51930, 'p99_9': None, 'p99_99': None, 'max': 171132},
            'sent': 1000, 'received': 990, 'lost': {'device': 8, 'socket': 2, 'unnamed': 0}},
        'af_xdp': {'what': 'AF_XDP', 'reason': 'this kernel has none'},
    }}


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix='wirerx-test.')
        cls.addClassCleanup(folder.cleanup)
        cls.output = Path(folder.name) / 'a report'
        cls.result = report_sh(*TINY, '--only', SOME, cls.output)

    def setUp(self):
        self.assertEqual((0, ''), (self.result.returncode, self.result.stderr), self.result.stdout)

    def text(self):
        return (self.output / 'report.md').read_text()

    def test_what_was_run_is_in_it(self):
        text = self.text()
        for section in ('Goals', 'Throughput', 'Latency', 'Posting and completing'):
            self.assertIn('\n## %s\n' % section, text)
        for word in ('processor', 'governor', 'DPDK', 'commit', smoke.LABEL[1:], '2 pairs of slices'):
            self.assertIn(word, text)
        for mode in smoke.MODES:
            self.assertEqual(mode != 'floor', (self.output / f'data/mode-{mode}.json').exists())

    def test_goals_say_what_was_measured_and_how_to_repeat_it(self):
        rows = [line.split('|') for line in self.text().splitlines() if '| >= ' in line or '| <= ' in line]
        self.assertGreater(len(rows), 8)
        for row in rows:
            if 'not measured: ' in row[4]:
                self.assertEqual('-', row[3].strip())
                continue
            self.assertRegex(row[4], '^ (not )?reached(, but .*)? $')
            self.assertRegex(row[5], '^ `(build/bin/wirerx-bench|perf/instructions.py) .*` $')
            value, (relation, bound) = float(row[3]), row[2].split()
            reached = value >= float(bound) if relation == '>=' else value <= float(bound)
            self.assertEqual(reached, row[4].strip().startswith('reached'), row)

    def test_latency_has_every_series_of_a_run(self):
        text = self.text()
        for name in ('spinning', 'apc'):
            self.assertIn(f'| {name} | ', text)
            for series in ('floor', 'bare thread') if self.has_latency(f'latency-{name}') else ():
                self.assertIn(f'| {series} | ', text)

    def has_latency(self, name):
        """A machine that has too much to do may have had none, and its report says so."""
        if json.loads((self.output / f'data/{name}.json').read_text())['latency_ns'] is not None:
            return True
        self.assertIn('| none: ', self.text())
        return False

    def test_plots_show_the_series(self):
        for name, series, of in (('payload', 'WSPRecv', ()), ('sockets', 'WSPRecv', ()),
                                 ('latency', 'spinning', ('latency-spinning',)),
                                 ('load', '50 %', ('latency-spinning', 'load-spinning-50'))):
            if not all(map(self.has_latency, of)):
                continue
            self.assertIn('](%s.svg)' % name, self.text())
            svg = (self.output / f'{name}.svg').read_text()
            xml.etree.ElementTree.fromstring(svg)
            self.assertIn('floor', svg)
            self.assertIn(series, svg)
            self.assertTrue((self.output / f'{name}.png').read_bytes().startswith(PNG))

    def test_the_rest_can_be_measured_later(self):
        before = (self.output / 'data/cost.json').read_text()
        result = report_sh(*TINY, '--only', 'drain', self.output)
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        self.assertEqual(before, (self.output / 'data/cost.json').read_text())
        for section in ('Posting and completing', 'Draining a full queue'):
            self.assertIn('\n## %s\n' % section, self.text())
        rendered = self.text()
        self.assertEqual(0, report_sh('--render', '--build', BUILD, self.output).returncode)
        self.assertEqual(rendered, self.text())

    def test_a_wire_of_which_one_way_is_missing(self):
        data = self.output / 'wire/data'
        data.mkdir(parents=True)
        (data / 'runs').write_text('network-64 network\n')
        (data / 'network-64.json').write_text(json.dumps(NETWORK))
        result = report_sh('--render', '--build', BUILD, data.parent)
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        text = (data.parent / 'report.md').read_text()
        for row in ('| WSPRecv | 335 | 1.12 (1.09 to 1.13) | 14.4 | 51.9 | 171.1 | 1.0% |',
                    '| AF_XDP | none: this kernel has none |',
                    '| p50 of latency over one veth, of a kernel socket | <= 0.70 | 0.47 | reached |'):
            self.assertIn(row, text)
        svg = (data.parent / 'network.svg').read_text()
        self.assertIn('wirerx, AF_PACKET', svg)
        self.assertNotIn('raw AF_XDP', svg)

    def test_what_cannot_be_done_is_named(self):
        other = self.output / 'another build'
        (other / 'bin').mkdir(parents=True)
        bench = other / 'bin/wirerx-bench'
        bench.write_text('#!/bin/sh\ncase "$*" in *cost*--json*) echo bench: no such thing >&2; exit 2 ;; esac\n'
                         f'exec {smoke.BENCH} "$@"\n')
        bench.chmod(0o755)
        result = report_sh(*TINY[:-1], other, '--only', '@(cost|drain)', self.output / 'b')
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        self.assertIn('\n- cost: bench: no such thing\n', (self.output / 'b/report.md').read_text())

    def test_nothing_measured_is_no_report(self):
        result = report_sh('--render', '--build', BUILD, self.output / 'nothing')
        self.assertEqual(1, result.returncode)
        self.assertIn('nothing that was measured', result.stderr)

    def test_what_is_wrong_is_refused(self):
        for arguments in (['--colour'], ['--slices'], ['--slices', 'x'], ['a', 'b'],
                          ['--build', '/no/such']):
            with self.subTest(arguments):
                self.assertEqual(2, report_sh(*arguments).returncode)


if __name__ == '__main__':
    if not os.access(smoke.BENCH, os.X_OK):
        raise SystemExit('%s is not built' % smoke.BENCH)
    if smoke.TOO_FEW_CPUS:
        print(smoke.TOO_FEW_CPUS)
        raise SystemExit(77)
    if shutil.which('gnuplot') is None:
        print('perf/report.sh draws with gnuplot, which is not installed')
        raise SystemExit(77)
    unittest.main(verbosity=2)
