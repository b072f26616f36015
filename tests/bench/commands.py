#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wirerx-bench's smaller commands run, account for everything, and say what their figures mean. Whether
these are good is not a test's business."""

import json
import os
import unittest

import smoke

TINY = ['--slices', '2', '--slice-ms', '10']
COMMANDS = {  # and arguments that make it short
    'memory': ['--sockets', '1000', '--ring-slots', '1024'],
    'cost': TINY,
    'isolation': TINY + ['--sockets', '3'],
    'drain': TINY,
    'stall': TINY,
}

REFUSED = (
    ('no others', ['isolation', '--sockets', '1'], 'no others'),
    ('more than a burst', ['stall', '--posted', '257'], '256'),
    ('sockets of its own', ['stall', '--sockets', '3'], 'sockets'),
    ('nothing to pace', ['drain', '--rate', '5'], 'rate'),
    ('no slices', ['memory', '--slices', '2'], 'slices'),
    ('one thread', ['cost', '--client', '0'], 'client'),
    ('too many', ['memory', '--sockets', '10001'], 'sockets'),
)


class Commands(unittest.TestCase):
    def report(self, command, *arguments):
        result = smoke.bench(command, *COMMANDS[command], *arguments, '--json')
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        report = json.loads(result.stdout)
        self.assertEqual(command, report['command'])
        if command != 'memory':
            self.assertEqual(0, report['buffers_missing'])
            self.assertEqual(smoke.LABEL, report['label'])
            self.assertIn(report['verdict'], smoke.VERDICTS)
        return report

    def ordered(self, spread):
        values = [spread[name] for name in ('minimum', 'low', 'median', 'high', 'maximum')]
        self.assertEqual(sorted(values), values)

    def test_memory(self):
        report = self.report('memory')
        self.assertEqual([1, 100, 1000], [row['sockets'] for row in report['rows']])
        for row in report['rows']:
            parts = row['dpdk_bytes'] + row['libc_bytes'] + row['table_bytes']
            self.assertEqual(parts // row['sockets'], row['bytes_each'])
        before, last = report['rows'][-2:]
        more = sum(last[part] - before[part] for part in ('dpdk_bytes', 'libc_bytes', 'table_bytes'))
        self.assertEqual(more // 900, report['bytes_per_idle_socket'])
        self.assertEqual(4096, report['goal'])
        self.assertLessEqual(report['bytes_per_idle_socket'], report['goal'])
        self.assertGreater(report['shared']['ring_stock_bytes'], 0)
        self.assertGreater(report['limit']['ring_bytes'], 0)
        self.assertGreater(report['guaranteed']['buffers'], 0)
        self.assertGreater(report['shared']['table_bytes'], 0)
        # What is kept is what comes in chunks (four, of 256), and nothing of each socket.
        self.assertLess(report['bytes_kept_when_closed'], 5 * report['rows'][0]['dpdk_bytes'])

    def test_cost(self):
        report = self.report('cost')
        for way in ('polled', 'event', 'apc', 'floor'):
            figures = report[way]
            self.ordered(figures['spread'])
            self.ordered(figures['ratio_spread'])
            self.assertEqual(way != 'floor', figures['post'] > 0)
            for phase in ('pass', 'collect'):
                self.assertGreater(figures[phase], 0)
        self.assertEqual(1, report['floor']['ratio_to_floor'])
        self.assertEqual(report['ratio_to_floor'], report['polled']['ratio_to_floor'])

    def test_isolation(self):
        report = self.report('isolation')
        self.assertGreater(report['ratio_to_all_read'], 0)
        self.ordered(report['ratio_to_all_read_spread'])
        for series in ('all_read', 'one_is_not'):
            self.assertGreater(report[series]['datagrams_per_second'], 0)
            self.assertGreater(report[series]['paced_received'], 0)
        self.assertGreater(report['unread']['queued'], 0)

    def test_nobody_loses_by_a_socket_that_is_not_read(self):
        report = self.report('isolation', '--rate', '300000', '--ring-slots=64')
        self.assertEqual(64, report['unread']['queued'])
        self.assertGreater(report['unread']['lost'], 0)
        offered = 2 * 3000 * 2 // 3  # two slices, two sockets of three
        for series in ('all_read', 'one_is_not'):
            seen = report[series]['paced_received'] + report[series]['paced_lost']
            self.assertAlmostEqual(offered, seen, delta=4)

    def test_drain(self):
        report = self.report('drain', '--ring-slots', '128', '--payload', '200')
        self.assertGreater(report['ratio_to_kernel'], 0)
        self.ordered(report['ratio_to_kernel_spread'])
        for series in ('wirerx', 'floor', 'kernel'):
            self.assertGreater(report[series]['nanoseconds'], 0)
            self.ordered(report[series]['ticks'])
        self.assertEqual(128, report['wirerx']['queued'])

    def test_stall(self):
        report = self.report('stall', '--payload', '300', '--posted', '7')
        for series in ('posted', 'queued', 'alone'):
            figures = report['latency_ns'][series]
            values = [figures[name] for name in ('p50', 'p99', 'p99_9', 'max')]
            self.assertGreater(values[0], 0)
            self.assertEqual(sorted(values), values)
            self.assertEqual(20, figures['samples'])
        self.assertGreater(report['ratio_to_queued'], 0)

    def test_the_texts_say_what_they_mean(self):
        for command, arguments in COMMANDS.items():
            with self.subTest(command):
                result = smoke.bench(command, *arguments)
                self.assertEqual((0, ''), (result.returncode, result.stderr))
                self.assertTrue(result.stdout.startswith('wirerx-bench %s: ' % command))
                self.assertTrue(result.stdout.endswith('\n'))
                if command != 'memory':
                    self.assertRegex(result.stdout, r'Too noisy to conclude:|Quiet enough:')

    def test_what_is_wrong_is_refused(self):
        for what, arguments, says in REFUSED:
            with self.subTest(what):
                result = smoke.bench(*arguments)
                self.assertEqual((2, ''), (result.returncode, result.stdout), result.stderr)
                self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
                self.assertIn(says, result.stderr)


if __name__ == '__main__':
    if not os.access(smoke.BENCH, os.X_OK):
        raise SystemExit('%s is not built' % smoke.BENCH)
    if smoke.TOO_FEW_CPUS:
        print(smoke.TOO_FEW_CPUS)
        raise SystemExit(77)
    unittest.main(verbosity=2)
