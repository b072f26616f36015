#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`wirerx recv --replay` on a generated feed: modes, paces, ends, reports."""

import json
import os
import pty
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import captures
import command

DATAGRAMS = 20000
GROUPS = ['239.100.0.%d:26400' % i for i in range(1, 33)]
KEYS = {(name.split(':')[0], 26400) for name in GROUPS}


def joins(names=None):
    return ['--join=%s' % name for name in names or GROUPS]


class Replay(command.Case):

    def setUp(self):
        super().setUp()
        self.feed = self.path('feed.pcap')
        made = command.feed('--output', self.feed, '--datagrams', str(DATAGRAMS))
        self.assertEqual(0, made.returncode, made.stderr)

    def recv(self, *arguments, status=0, **options):
        result = command.wirerx('recv', '--replay', self.feed, '--json', *arguments, **options)
        self.status(status, result)
        self.balanced(result.report)
        return result

    def read(self, name):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def test_every_mode_receives_everything(self):
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.recv(*joins(), '--mode', mode, '--output', self.path('out')).report
                self.assertEqual(DATAGRAMS, report['datagrams'])
                self.assertEqual(DATAGRAMS, report['frames'])
                self.assertEqual(mode, report['mode'])
                self.assertEqual(32, len(report['sockets']))
                checked = command.feed('--verify', self.path('out'), '--datagrams', str(DATAGRAMS))
                self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)

    def test_the_verifier_notices(self):
        datagrams = list(captures.payloads(self.feed, KEYS))
        changed = bytearray(datagrams[700])
        changed[30] ^= 1
        for what, wrong in (
                ('lost 1 extra 0', datagrams[:700] + datagrams[701:]),
                ('lost 0 extra 1', datagrams[:700] + datagrams[699:]),
                ('lost 1 extra 1', datagrams[:700] + [bytes(changed)] + datagrams[701:])):
            with open(self.path('out'), 'wb') as file:
                file.write(captures.as_output(wrong))
            checked = command.feed('--verify', self.path('out'), '--datagrams', str(DATAGRAMS))
            self.assertEqual(1, checked.returncode)
            self.assertIn(what, checked.stdout)

    def test_one_socket_keeps_the_order_across_groups(self):
        for mode in command.MODES:
            with self.subTest(mode):
                self.recv(*joins(), '--one-socket', '--mode', mode, '--output', self.path('out'))
                expected = captures.as_output(captures.payloads(self.feed, KEYS))
                self.assertTrue(expected == self.read('out'), 'the bytes differ')

    def test_only_joined_groups_arrive(self):
        name = GROUPS[4]
        report = self.recv(*joins([name]), '--output', self.path('out')).report
        expected = list(captures.payloads(self.feed, {('239.100.0.5', 26400)}))
        self.assertEqual(len(expected), report['datagrams'])
        self.assertEqual(DATAGRAMS - len(expected), report['drops']['not_joined'])
        self.assertTrue(captures.as_output(expected) == self.read('out'), 'the bytes differ')

    def test_two_sockets_of_one_group_both_get_it(self):
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.recv(*joins([GROUPS[0], GROUPS[0]]), '--mode', mode).report
                expected = len(list(captures.payloads(self.feed, {('239.100.0.1', 26400)})))
                self.assertEqual([expected] * 2, [row['received'] for row in report['sockets']])
                self.assertEqual(2 * expected, report['datagrams'])

    def test_count(self):
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.recv(*joins(), '--mode', mode, '--count', '1234', '--output',
                                   self.path('out')).report
                self.assertEqual('count', report['end'])
                self.assertEqual(1234, report['datagrams'])
                self.assertEqual(1234, len(captures.from_output(self.read('out'))))

    def test_interrupt(self):
        """While every receive is blocked: the next frame is due in an hour."""
        captures.write(self.feed, [captures.udp_frame(name.split(':')[0], 26400, b'x')
                                   for name in GROUPS[:3]], gap_ms=3600 * 1000)
        for mode in command.MODES:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(mode=mode, signal=number):
                    process = command.start(['recv', '--replay', self.feed, *joins(GROUPS[:3]),
                                             '--pace', 'recorded', '--mode', mode, '--json'])
                    time.sleep(1.5 * command.SLOW)
                    process.send_signal(number)
                    before = time.monotonic()
                    result = self.status(0, command.finish(process))
                    self.assertLess(time.monotonic() - before, 30 * command.SLOW)
                    self.assertEqual('interrupted', result.report['end'])
                    self.assertEqual('', result.err)
                    self.balanced(result.report)

    def test_idle_exit(self):
        captures.write(self.feed, [captures.udp_frame('239.100.0.1', 26400, b'x')] * 2,
                       gap_ms=3600 * 1000)
        report = self.recv(*joins(GROUPS[:1]), '--pace', 'recorded', '--idle-exit', '300').report
        self.assertEqual('idle', report['end'])
        self.assertEqual(1, report['datagrams'])

    def test_a_drained_replay_waits_for_a_dead_reader_and_names_it(self):
        before = time.monotonic()
        result = self.recv('--stall', GROUPS[0], *joins(GROUPS[1:]), '--idle-exit', '2000', status=1)
        self.assertLess(time.monotonic() - before, 20 * command.SLOW)
        report = result.report
        self.assertEqual('stalled', report['end'])
        self.assertEqual(GROUPS[0], report['stalled_on'])
        self.assertEqual(1, len(result.err.splitlines()), result.err)
        self.assertIn(GROUPS[0], result.err)
        self.assertEqual(0, report['dropped'])
        self.assertGreater(report['unread'], 0)

    def test_a_dead_reader_costs_only_itself(self):
        """At a rate, nobody waits: the dead socket loses, the 31 others get all of theirs."""
        pace = str(40000 // command.SLOW)
        report = self.recv('--stall', GROUPS[0], *joins(GROUPS[1:]), '--pace', pace, '--mode',
                           'event').report
        self.assertEqual('drained', report['end'])
        dead, others = report['sockets'][0], report['sockets'][1:]
        self.assertFalse(dead['read'])
        sent = len(list(captures.payloads(self.feed, {('239.100.0.1', 26400)})))
        self.assertEqual(sent, dead['delivered'] + dead['drop_ring_full'] + dead['drop_pool_share'])
        self.assertLess(dead['delivered'], sent)
        self.assertEqual(DATAGRAMS - sent, sum(row['received'] for row in others))
        self.assertEqual(0, sum(row['drop_ring_full'] + row['drop_pool_share'] for row in others))
        self.assertEqual(dead['drop_ring_full'] + dead['drop_pool_share'], report['dropped'])

    def test_latency_only_from_a_paced_run(self):
        drained = self.recv(*joins()).report
        self.assertIsNone(drained['latency_ns'])
        self.assertIn('--pace', drained['latency_reason'])
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.recv(*joins(), '--mode', mode, '--pace', '5000', '--count',
                                   '5000').report
                if report['latency_ns'] is None: # a machine that others use can be too slow
                    self.assertRegex(report['latency_reason'], 'lost|reached only')
                    continue
                latency = report['latency_ns']
                self.assertGreater(latency['p50'], 0)
                self.assertLessEqual(latency['p50'], latency['p99'])
                self.assertLessEqual(latency['p99'], latency['p99_9'])
                self.assertLessEqual(latency['p99_9'], latency['max'])
                self.assertEqual(5000, latency['samples'])
                self.assertLess(latency['p50'], 1e9)

    def test_recorded_pace_takes_as_long_as_the_recording(self):
        frames = [captures.udp_frame('239.1.1.1', 5000, b'x' * 20) for _ in range(800)]
        captures.write(self.feed, frames) # a millisecond apart
        before = time.monotonic()
        report = self.recv('--join', '239.1.1.1:5000', '--pace', 'recorded').report
        self.assertEqual(800, report['datagrams'])
        self.assertGreater(report['seconds'], 0.75)
        self.assertLess(time.monotonic() - before, 30 * command.SLOW)

    def test_no_join_lists_the_groups(self):
        listed = json.loads(command.wirerx('recv', '--replay', self.feed, '--json').out)
        self.assertEqual(DATAGRAMS, listed['frames'])
        self.assertEqual(32, len(listed['groups']))
        for row in listed['groups']:
            own = list(captures.payloads(self.feed, {(row['group'], row['port'])}))
            self.assertEqual((len(own), sum(map(len, own)), 0),
                             (row['datagrams'], row['bytes'], row['bad_checksums']))
        text = self.status(0, command.wirerx('recv', '--replay', self.feed)).out
        for name in GROUPS:
            self.assertIn(name, text)

    def test_wrong_checksums(self):
        good = captures.udp_frame('239.1.1.1', 5000, b'good')
        absent = captures.udp_frame('239.1.1.1', 5000, b'none', checksum=0)
        bad = captures.udp_frame('239.1.1.1', 5000, b'evil', checksum=1)
        captures.write(self.feed, [good, absent, bad, bad, bad, bad])
        listed = json.loads(command.wirerx('recv', '--replay', self.feed, '--json').out)
        self.assertEqual(4, listed['groups'][0]['bad_checksums'])
        report = self.recv('--join', '239.1.1.1:5000', '--output', self.path('out')).report
        self.assertEqual([b'good', b'none'], captures.from_output(self.read('out')))
        self.assertEqual(4, report['drops']['bad_udp_checksum'])
        self.assertEqual('--checksums ignore', report['hint'])
        text = command.wirerx('recv', '--replay', self.feed, '--join', '239.1.1.1:5000').out
        self.assertIn('--checksums ignore', text)
        report = self.recv('--join', '239.1.1.1:5000', '--checksums', 'ignore').report
        self.assertEqual(6, report['datagrams'])
        self.assertIsNone(report['hint'])

    def test_payloads_of_every_size(self):
        sizes = [0, 1, 2, 3, 17, 18, 19, 64, 1471, 1472, 4000, 8972]
        frames = [captures.udp_frame('239.1.1.1', 5000, bytes([n % 256]) * n) for n in sizes]
        captures.write(self.feed, frames)
        expected = captures.as_output(bytes([n % 256]) * n for n in sizes)
        for mode in command.MODES:
            with self.subTest(mode):
                self.recv('--join', '239.1.1.1:5000', '--mode', mode, '--output', self.path('out'))
                self.assertEqual(expected, self.read('out'))

    def test_a_last_frame_that_is_cut_short(self):
        with open(self.feed, 'rb+') as file:
            file.truncate(os.path.getsize(self.feed) - 5)
        report = self.recv(*joins()).report
        self.assertEqual(DATAGRAMS, report['frames'])
        self.assertEqual(DATAGRAMS - 1, report['datagrams'])
        self.assertEqual(1, report['drops']['truncated'])

    def test_the_text_report(self):
        text = self.status(0, command.wirerx('recv', '--replay', self.feed, *joins())).out
        self.assertRegex(text, r'datagrams +20,000\n')
        self.assertIn('software ceiling, no device', text)
        self.assertRegex(text, r'latency +not reported: ')
        for name in GROUPS:
            self.assertIn(name, text)

    def test_a_join_that_the_file_lacks_is_warned_of(self):
        result = self.recv('--join', '239.9.9.9:9')
        self.assertEqual(0, result.report['datagrams'])
        self.assertIn('239.9.9.9:9', result.err)

    def test_output_that_cannot_be_written(self):
        result = self.recv(*joins(), '--output', '/dev/full', status=1)
        self.assertEqual('failed', result.report['end'])
        self.assertIn('/dev/full', result.err)
        self.assertEqual(1, len(result.err.splitlines()), result.err)

    def test_the_live_line_is_for_terminals(self):
        master, slave = pty.openpty()
        process = command.subprocess.Popen(
            [command.program('wirerx'), 'recv', '--replay', self.feed, *joins(), '--pace', '10000'],
            stdin=command.subprocess.DEVNULL, stdout=command.subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        shown = b''
        while True:
            try:
                more = os.read(master, 4096)
            except OSError: # Linux: the other side is closed
                break
            if not more:
                break
            shown += more
        os.close(master)
        self.assertEqual(0, process.wait(60 * command.SLOW))
        self.assertIn(b'datagrams/s', shown)
        self.assertIn(b'dropped', shown)
        self.assertNotIn(b'\n', shown)
        self.assertTrue(shown.endswith(b'\r\033[K'), shown[-80:])

    def exact(self, mode, *arguments, keys=None):
        """What is recorded comes back, each with its own datagram."""
        report = self.recv(*arguments, '--mode', mode, '--output', self.path('out'), '--times',
                           self.path('times')).report
        expected = captures.recorded(self.feed, keys or KEYS)
        self.assertEqual(len(expected), report['datagrams'])
        self.assertEqual({'datagrams': len(expected), 'error_ns': 0}, report['times']['recorded'])
        times = captures.from_times(self.read('times').decode())
        got = list(zip(captures.from_output(self.read('out')), times))
        self.assertEqual(sorted((p, (t, 'recorded', 0)) for p, t in expected), sorted(got))
        return expected, got

    def test_recorded_times_come_back_exactly(self):
        for mode in ('blocking', 'nonblocking'):
            with self.subTest(mode):
                self.exact(mode, *joins())
                expected, got = self.exact(mode, *joins(), '--one-socket')
                self.assertEqual([t for _, t in expected], [t for _, (t, _, _) in got])

    def test_nanoseconds_come_back_exactly(self):
        first = 1700000000 * 10**9
        captures.write_nanoseconds(
            self.feed, [(captures.udp_frame('239.1.1.1', 5000, b'%d' % i), first + i * 1234567)
                        for i in range(3000)])
        for mode in ('blocking', 'nonblocking'):
            with self.subTest(mode):
                self.exact(mode, '--join', '239.1.1.1:5000', keys={('239.1.1.1', 5000)})
        text = self.status(0, command.wirerx('recv', '--replay', self.feed, '--join',
                                             '239.1.1.1:5000', '--times',
                                             self.path('times'))).out
        self.assertRegex(text, r'recorded +3,000 .*off by at most 0 ns')

    def test_a_frame_that_is_cut_short_does_not_shift_times(self):
        with open(self.feed, 'rb+') as file:
            file.truncate(os.path.getsize(self.feed) - 5)
        self.exact('blocking', *joins())

    def test_times_that_cannot_be_written(self):
        result = self.recv(*joins(), '--times', '/dev/full', status=1)
        self.assertEqual('failed', result.report['end'])
        self.assertIn('/dev/full', result.err)
        self.assertEqual(1, len(result.err.splitlines()), result.err)

    def test_times_that_are_refused(self):
        for arguments, said in (
                (['--times', self.feed], 'that is the file to read'),
                (['--times', self.path('a'), '--output', self.path('a')], 'that is --output, too'),
                (['--times', self.path('a'), '--mode', 'apc'], 'blocking or nonblocking'),
                (['--times', self.path('a'), '--mode', 'event'], 'blocking or nonblocking'),
                (['--times', '/nowhere/a'], 'No such file')):
            result = command.wirerx('recv', '--replay', self.feed, *joins(), *arguments)
            self.status(2, result)
            self.assertIn(said, result.err)

    def test_nothing_on_stderr_without_a_terminal(self):
        self.assertEqual('', self.recv(*joins(), '--pace', '20000').err)

    def test_without_root(self):
        if os.geteuid() != 0:
            self.skipTest('this is no root')
        environment = {k: v for k, v in os.environ.items() if k != 'XDG_RUNTIME_DIR'}
        report = self.recv(*joins(), user=65534, group=65534, extra_groups=[],
                           env=environment).report
        self.assertEqual(DATAGRAMS, report['datagrams'])

    def test_nothing_is_left_behind(self):
        before = command.left_behind()
        self.recv(*joins())
        self.assertEqual(set(), command.new_left_behind(before))
        self.assertEqual(['feed.pcap'], os.listdir(self.folder))

    def test_two_at_once(self):
        """Two programs on one machine do not notice each other."""
        both = [command.start(['recv', '--replay', self.feed, *joins(), '--json'])
                for _ in range(2)]
        for process in both:
            result = self.status(0, command.finish(process))
            self.assertEqual(DATAGRAMS, result.report['datagrams'])


if __name__ == '__main__':
    command.main()
