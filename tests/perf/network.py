#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wirerx-bench network runs every comparison or says why not, and accounts for every datagram."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "perf", "pktgen"))
import veth  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(os.environ.get('WIRERX_BIN', os.path.join(ROOT, 'build', 'bin')),
                     'wirerx-bench')
WAYS = ('wirerx_af_xdp', 'recv', 'recvmmsg', 'af_xdp', 'busy_poll', 'io_uring', 'wirerx_af_packet')
RATE, SLICE_MS = 2000, 60

REFUSED = (
    ('--payload', '17'), ('--payload', '1473'), ('--rate', '0'), ('--slice-ms', '1'),
    ('--core', '8000'), ('--mode', 'now'), ('--sockets', '1'), ('--client', '0'), ('--spin-us', '-1'),
    ('--sender', '8000'),
)


def bench(*arguments, **options):
    return subprocess.run([BENCH, 'network'] + list(arguments), stdin=subprocess.DEVNULL,
                          check=False, capture_output=True, text=True, timeout=120, **options)


class Network(unittest.TestCase):
    def check(self, report):
        self.assertEqual('ratio_to_kernel', next(iter(report)))
        self.assertEqual(set(WAYS), set(report['ways']))
        self.assertEqual(report['floor_to_testpmd'] is None, report['testpmd_reason'] is not None)
        self.assertEqual(report['ratio_to_kernel'] is None, report['ratio_reason'] is not None)
        self.assertIn('veth', report['label'])

    def test_every_way_or_its_reason(self):
        result = bench('--slices', '1', '--slice-ms', str(SLICE_MS), '--rate', str(RATE), '--json')
        self.assertEqual(0, result.returncode, result.stderr)
        report = json.loads(result.stdout)
        self.check(report)
        self.assertEqual('too noisy to conclude', report['verdict'])  # one slice
        for name, way in report['ways'].items():
            with self.subTest(name):
                if way['reason'] is not None:
                    self.assertIsNone(way['datagrams_per_second'])
                    self.assertIsNone(way['sent'])
                    print('%s: %s' % (name, way['reason']))
                    continue
                self.assertGreater(way['datagrams_per_second'], 0)
                lost = way['lost']
                self.assertGreater(way['received'], 0)
                self.assertEqual(way['sent'], way['received'] + sum(lost.values()))
                self.assertGreaterEqual(lost['unnamed'], 0)
                paced = RATE * SLICE_MS // 1000
                self.assertLessEqual(way['latency_ns']['samples'], paced)
                self.assertGreater(way['latency_ns']['samples'], 0)
                self.assertGreater(way['latency_ns']['p50'], 0)
        kernel = report['ways']['recv']
        self.assertIsNone(kernel['reason'])  # where there is a veth pair there is this
        self.assertEqual(1, kernel['ratio_to_kernel'])
        self.assertIsNotNone(report['ratio_to_kernel'])

    def test_what_is_wrong_is_refused(self):
        for arguments in REFUSED:
            with self.subTest(arguments):
                result = bench(*arguments)
                self.assertEqual((2, ''), (result.returncode, result.stdout), result.stderr)
                self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
                self.assertIn(arguments[0], result.stderr)

    def test_without_a_namespace_nothing_is_missing_in_silence(self):
        # User namespaces that may hold no others, and so no network of their own either.
        result = subprocess.run(
            ['unshare', '-U', '-r', 'sh', '-c',
             'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"', 'sh', BENCH, 'network',
             '--slices', '1', '--slice-ms', str(SLICE_MS), '--json'],
            stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True, timeout=120,
            env=dict(os.environ, PATH=os.environ['PATH']))
        if result.returncode != 0 and 'max_net_namespaces' in result.stderr:
            self.skipTest(result.stderr.splitlines()[0])
        self.assertEqual(0, result.returncode, result.stderr)
        report = json.loads(result.stdout)
        self.check(report)
        self.assertIsNone(report['ratio_to_kernel'])
        for way in report['ways'].values():
            self.assertIn('namespace', way['reason'])


if __name__ == '__main__':
    if len(os.sched_getaffinity(0)) < 2:
        print('wirerx-bench needs two CPUs')
        raise SystemExit(veth.SKIP)
    veth.probe()
    unittest.main(verbosity=1)
