#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""perf/pktgen: the Lua compiles, and calls Pktgen's interface in a sensible order (against a stub that
records the calls: no real Pktgen runs here); the runner drives the stub over a socket, and drives
wirerx-gen over a veth pair, briefly, through all of its tests."""

import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PKTGEN = os.path.join(ROOT, 'perf', 'pktgen')
STUB = os.path.join(HERE, 'pktgen_stub.lua')
sys.path.insert(0, PKTGEN)
import generators  # noqa: E402
import run  # noqa: E402
import veth  # noqa: E402

REFUSED = (
    ([], 'test'), (['speed'], 'speed'), (['bursts', '--rings', '100'], 'power of two'),
    (['bursts', '--rings', 'many'], '--rings'), (['throughput', '--frames', '63'], '--frames'),
    (['throughput', '--min-rate', '10', '--max-rate', '5'], '--min-rate'),
    (['feed', '--generator', 'pktgen'], '--receiver'), (['feed', '--device', 'x'], '--receiver'),
    (['feed', '--receiver', 'x'], '--device'), (['feed', '--pktgen', 'x'], '--pktgen'),
    (['feed', '--gen', 'pktgen'], '--gen'), (['latency', '--fractions', '2'], '--fractions'),
)


def lua(*arguments, **environment):
    return subprocess.run(['lua5.4', STUB] + list(arguments), stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, **environment))


def calls(text):
    return [line.split(' ', 2)[1:] for line in text.splitlines() if line.startswith('call ')]


class Scripts(unittest.TestCase):
    def test_they_compile(self):
        files = sorted(glob.glob(PKTGEN + '/*.lua') + [STUB])
        self.assertGreaterEqual(len(files), 5)
        for file in files:  # one at a time: luac 5.4.4 dies of several
            subprocess.run(['luac5.4', '-p', file], check=True, timeout=60)

    def script(self, text):
        with tempfile.NamedTemporaryFile('w', suffix='.lua') as file:
            file.write('wirerx = dofile(%s)\n%s' % (json.dumps(PKTGEN + '/wirerx.lua'), text))
            file.flush()
            result = lua(file.name)
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        return result.stdout

    def test_a_steady_rate(self):
        out = self.script('wirerx.setup()\n'
                          'wirerx.run("steady", { frame = 64, pps = 1488095, ms = 2000 })')
        self.assertIn('wirerx-sent A=2976190 B=0', out)
        made = [' '.join(call) for call in calls(out)]
        rate = [call for call in made if call.startswith('set 0 rate')][0]
        self.assertAlmostEqual(10, float(rate.split()[-1]), places=3)  # percent of 10 Gb/s
        for before, after in (('stop 0', 'set 0 size 64'), ('set 0 count 2976190', 'start 0'),
                              ('clr ', 'start 0'), ('start 0', 'portStats 0 port')):
            self.assertLess(made.index(before), made.index(after))
        self.assertIn('set_mac 0 dst 01:00:5e:48:00:01', made)  # 200 without its top bit
        self.assertIn('set_ipaddr 0 dst 239.200.0.1', made)

    def test_more_than_line_rate_is_refused(self):
        out = self.script('wirerx.setup()\nwirerx.run("steady", { frame = 64, pps = 2e7, ms = 1 })')
        self.assertIn('wirerx-failed', out)
        self.assertIn('line rate', out)
        self.assertNotIn('start', [call[0] for call in calls(out)])

    def test_groups_have_their_own_addresses(self):
        out = self.script('wirerx.setup({ group_count = 3 })\nwirerx.run("feed", '
                          '{ frame = 128, pps = 50000, ms = 100, burst = 8, skew_ms = 1 })')
        rows = [call[1] for call in calls(out) if call[0] == 'seqTable']
        self.assertEqual(6, len(rows))
        for index in range(3):
            self.assertIn('ip_dst_addr=239.201.0.%d,' % (1 + index), rows[3 + index])
            self.assertIn('eth_dst_addr=01:00:5e:49:00:%02x,' % (1 + index), rows[3 + index])
        self.assertIn('wirerx-sent A=5000 B=5000', out)
        names = [' '.join(call) for call in calls(out)]
        first = names.index('start 0')
        self.assertEqual(['start 0', 'delay 1', 'set 1 count'],
                         names[first:first + 2] + [names[first + 2].rsplit(' ', 1)[0]])

    def test_bursts(self):
        out = self.script('wirerx.setup()\nwirerx.run("bursts", '
                          '{ frame = 64, burst = 1000, bursts = 5, every_ms = 20 })')
        self.assertIn('wirerx-sent A=5000 B=0', out)
        self.assertEqual(5, sum(call[0] == 'start' for call in calls(out)))

    def test_what_is_run_by_hand(self):
        for name in ('steps.lua', 'feed.lua'):
            result = lua(os.path.join(PKTGEN, name))
            self.assertEqual((0, ''), (result.returncode, result.stderr))
            self.assertIn('wirerx-sent', result.stdout)
            self.assertNotIn('wirerx-failed', result.stdout)

    def test_a_link_that_is_down_is_said(self):
        result = lua(os.path.join(PKTGEN, 'steps.lua'), STUB_LINK='<--Down-->')
        self.assertNotEqual(0, result.returncode)
        self.assertIn('not up', result.stderr)


class Stub:
    """Pktgen's socket, with the stub behind it."""

    def __init__(self):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.server.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        connection, _ = self.server.accept()
        with connection, connection.makefile('rb') as lines:
            process = subprocess.Popen(['lua5.4', STUB], stdin=subprocess.PIPE,
                                       stdout=connection.fileno())
            for line in lines:
                process.stdin.write(line)
                process.stdin.flush()
            process.stdin.close()
            process.wait()
        self.server.close()


class Sockets(unittest.TestCase):
    def test_the_runner_drives_it(self):
        stub = Stub()
        pktgen = generators.Pktgen(stub.address)
        self.addCleanup(pktgen.socket.close)
        steady = {'kind': 'steady', 'frame': 64, 'pps': 1000, 'ms': 500}
        self.assertEqual({'A': 500, 'B': 0}, pktgen.send(steady)['sent'])
        feed = {'kind': 'feed', 'frame': 64, 'pps': 1000, 'ms': 500, 'burst': 4, 'lines': 2,
                'skew_ms': 1}
        self.assertEqual({'A': 500, 'B': 500}, pktgen.send(feed, groups=16)['sent'])
        bursts = {'kind': 'bursts', 'frame': 64, 'burst': 100, 'bursts': 3, 'every_ms': 1}
        self.assertEqual({'A': 300, 'B': 0}, pktgen.send(bursts)['sent'])
        with self.assertRaisesRegex(generators.Failed, 'line rate'):
            pktgen.send(dict(steady, pps=10**9))

    def test_no_pktgen(self):
        with self.assertRaisesRegex(generators.Failed, 'Debian 12 has no package'):
            generators.Pktgen('127.0.0.1:1', ['/nonexistent/pktgen'])
        with self.assertRaisesRegex(generators.Failed, 'ended with status 0'):
            generators.Pktgen('127.0.0.1:1', ['true'])
        with self.assertRaisesRegex(generators.Failed, 'nobody listens'):
            generators.Pktgen('127.0.0.1:1')


class Runner(unittest.TestCase):
    def test_the_search(self):
        for limit in (1, 7, 99, 1000, 5000):
            found = run.search(lambda rate, limit=limit: rate <= limit, 1, 1000, 0.01)
            self.assertTrue(min(limit, 1000) * 0.98 - 1 <= found <= limit, (limit, found))
        self.assertEqual(0, run.search(lambda rate: False, 1, 1000, 0.01))

    def test_what_is_wrong_is_refused(self):
        for arguments, says in REFUSED:
            with self.subTest(arguments):
                result = subprocess.run([os.path.join(PKTGEN, 'run.py')] + arguments, check=False,
                                        capture_output=True, text=True, timeout=60)
                self.assertEqual((2, ''), (result.returncode, result.stdout))
                self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
                self.assertIn(says, result.stderr)

    def test_every_test_over_a_wire(self):
        veth_here = subprocess.run([sys.executable, '-c', 'import veth; veth.probe()'], check=False,
                                   cwd=PKTGEN, capture_output=True, text=True)
        if veth_here.returncode == veth.SKIP:
            self.skipTest(veth_here.stdout.strip())
        result = subprocess.run(
            [os.path.join(PKTGEN, 'run.py'), 'all', '--frames', '64', '--duration', '100',
             '--min-rate', '1000', '--max-rate', '2000', '--fractions', '0.5', '--groups', '3',
             '--feed-rate', '3000', '--rings', '64', '--largest-burst', '10', '--repeat', '2',
             '--every-ms', '20', '--settle', '0.5'],
            stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True, timeout=300)
        self.assertEqual(0, result.returncode, result.stderr)
        report = json.loads(result.stdout)
        self.assertIn('veth', report['label'])
        results = report['results']
        self.assertEqual(set(run.TESTS), set(results))
        trials = results['throughput'][0]['trials'] + [results['feed']]
        for trial in trials:
            sent = sum(trial['sent'].values())
            self.assertEqual(sent, trial['received'] + trial['lost'])
            self.assertEqual(trial['lost'],
                             trial['lost_before_the_port'] + sum(trial['drops'].values()))
            self.assertEqual(0, trial['numbering']['strangers'])
        self.assertEqual(results['feed']['sent']['A'], results['feed']['sent']['B'])
        self.assertTrue(100 <= results['feed']['sent']['A'] <= 600)  # 300 on average
        row = results['latency'][0]
        if results['throughput'][0]['zero_loss_pps']:
            self.assertGreater(row['latency_ns']['p50'], 0)
        else:
            self.assertTrue(row['reason'])
        burst = results['bursts'][0]
        self.assertEqual(64, burst['ring_slots'])
        self.assertEqual(burst['largest_without_loss'] is None, burst['reason'] is not None)
        for trial in burst['trials']:
            self.assertEqual(2 * trial['burst'], trial['sent']['A'])
            self.assertEqual(trial['lost'],
                             trial['lost_before_the_port'] + sum(trial['drops'].values()))


if __name__ == '__main__':
    if shutil.which('lua5.4') is None or shutil.which('luac5.4') is None:
        print('lua5.4 and luac5.4 are needed, package lua5.4')
        raise SystemExit(veth.SKIP)
    unittest.main(verbosity=1)
