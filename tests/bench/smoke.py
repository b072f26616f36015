#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wirerx-bench runs, accounts for every datagram and buffer, and says what its figures mean. Whether
they are good is not a test's business: machines that run tests are no place to measure."""

import json
import os
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(os.environ.get('WIRERX_BIN', os.path.join(ROOT, 'build', 'bin')),
                     'wirerx-bench')
SHORT = ['--slices', '4', '--slice-ms', '50']
COMMANDS = ('throughput', 'latency', 'instructions')
MODES = ('now', 'posted', 'apc', 'batch', 'lend', 'told', 'floor')
OPTIONS = ('sockets', 'payload', 'mode', 'slices', 'slice-ms', 'posted', 'ring-slots', 'rate',
           'checksums', 'datagrams', 'load', 'wait', 'spin-us', 'core', 'client',
           'lcores', 'share-cpus', 'json')
QUANTILES = (('p50', 0.5), ('p90', 0.1), ('p99', 0.01), ('p99_9', 0.001), ('p99_99', 0.0001))
LABEL = 'software ceiling, no device'
VERDICTS = ('quiet enough', 'too noisy to conclude')
SHARED = 'CPUs are shared, no conclusion'
PATIENCE = 120 * (5 if os.environ.get('WIRERX_VARIANT') in ('asan', 'tsan') else 1)
TOO_FEW_CPUS = len(os.sched_getaffinity(0)) < 2 and 'wirerx-bench needs two CPUs'

# What is wrong, the arguments, a word of the line that says so
REFUSED = (
    ('no such command', ['speed'], 'speed'),
    ('no command', ['--json'], 'json'),
    ('no such option', ['throughput', '--colour', 'blue'], 'colour'),
    ('an abbreviation', ['throughput', '--sock', '1'], 'sock'),
    ('an operand', ['throughput', 'fast'], 'fast'),
    ('no value', ['throughput', '--sockets'], 'needs a value'),
    ('a value too many', ['throughput', '--json=yes'], 'no value'),
    ('twice', ['throughput', '--json', '--json'], 'twice'),
    ('no sockets', ['throughput', '--sockets', '0'], 'sockets'),
    ('too many sockets', ['throughput', '--sockets', '10001'], 'sockets'),
    ('no number', ['throughput', '--sockets', 'many'], 'sockets'),
    ('a negative number', ['throughput', '--slices', '-1'], 'slices'),
    ('a fraction', ['throughput', '--slice-ms', '1.5'], 'slice-ms'),
    ('a huge number', ['throughput', '--payload', '99999999999999999999'], 'payload'),
    ('no payload', ['throughput', '--payload', '0'], 'payload'),
    ('more than a buffer holds', ['throughput', '--payload', '8901'], 'payload'),
    ('control characters', ['throughput', '--payload', '1\n2'], 'payload'),
    ('no such mode', ['throughput', '--mode', 'fast'], 'fast'),
    ('no lcore', ['throughput', '--lcores', '0'], 'lcores'),
    ('too many lcores', ['throughput', '--lcores', '17'], 'lcores'),
    ('an lcore without a socket', ['throughput', '--lcores', '2'], 'one socket'),
    ('a mode of two lines', ['throughput', '--mode', 'a\nb'], 'a?b'),
    ('no such checksums', ['throughput', '--checksums', 'maybe'], 'maybe'),
    ('no power of two', ['throughput', '--ring-slots', '100'], 'power of two'),
    ('too many routines', ['throughput', '--mode', 'apc', '--sockets', '10000'], 'routines'),
    ('an option of the other command', ['latency', '--mode', 'now'], 'mode'),
    ('another command still', ['instructions', '--slices', '4'], 'slices'),
    ('less than a pass', ['instructions', '--datagrams', '31'], 'datagrams'),
    ('no such wait', ['latency', '--wait', 'long'], 'long'),
    ('two paces', ['latency', '--rate', '5', '--load', '5'], 'one of them'),
    ('more than all', ['latency', '--load', '101'], 'load'),
    ('no room for a time', ['latency', '--wait', 'apc', '--payload', '7'], '8 bytes'),
    ('too many routines to wait for', ['latency', '--wait', 'apc', '--sockets', '10000'],
     'routines'),
    ('a rate of nothing', ['latency', '--rate', '0'], 'rate'),
    ('no such core', ['throughput', '--core', '8000'], '8000'),
    ('no such client', ['throughput', '--client', '8000'], '8000'),
    ('one CPU for both', ['throughput', '--core', '0', '--client', '0'], 'CPU 0'),
)


def bench(*arguments, **options):
    return subprocess.run([BENCH] + list(arguments), stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True, timeout=PATIENCE, **options)


class Smoke(unittest.TestCase):
    """Each with a temporary folder of its own, in which nothing may stay."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='wirerx-test.')
        self.addCleanup(folder.cleanup)
        self.environment = dict(os.environ, TMPDIR=folder.name)
        self.addCleanup(lambda: self.assertEqual([], os.listdir(folder.name)))

    def run_bench(self, *arguments, **options):
        return bench(*arguments, env=self.environment, **options)

    def report(self, *arguments):
        result = self.run_bench(*arguments, '--json')
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        report = json.loads(result.stdout)
        self.assertEqual('ratio_to_floor', next(iter(report)))
        self.assertEqual(LABEL, report['label'])
        if '--share-cpus' in arguments:
            self.assertEqual(SHARED, report['verdict'])
        else:
            self.assertIn(report['verdict'], VERDICTS)
            self.assertEqual(report['verdict'] != VERDICTS[0],
                             report['noise']['floor_spread'] > report['noise']['bound'])
            self.assertNotEqual(report['machine']['lcore_cpu'], report['machine']['client_cpu'])
        self.assertEqual(0, report['buffers_missing'])
        self.assertIsNone(report['instructions_per_datagram'])
        self.assertTrue(report['instructions_reason'])
        return report

    def ordered(self, spread):
        values = [spread[name] for name in ('minimum', 'low', 'median', 'high', 'maximum')]
        self.assertEqual(sorted(values), values)

    def throughput(self, *arguments):
        report = self.report('throughput', *SHORT, *arguments)
        self.assertEqual(4, report['slice_pairs'])
        self.assertGreater(report['ratio_to_floor'], 0)
        self.assertLess(report['ratio_to_floor'], 1000)
        self.assertEqual(report['ratio_to_floor'], report['ratio_spread']['median'])
        self.ordered(report['ratio_spread'])
        for side in ('wirerx', 'floor'):
            figures = report[side]
            self.ordered(figures['spread'])
            self.assertEqual(4, len(figures['slices']))
            self.assertGreater(figures['datagrams_per_second'], 0)
            self.assertAlmostEqual(
                figures['datagrams_per_second'] * report['payload'] * 8 / 1e9,
                figures['payload_gigabits_per_second'],
                delta=figures['payload_gigabits_per_second'] * 1e-3)
            self.assertTrue(0 <= figures['drop_share'] < 1)
            for piece in figures['slices']:
                self.assertGreater(piece['seconds'], 0.04)
                self.assertGreaterEqual(piece['dropped'], 0)
        return report

    def test_throughput_in_every_mode(self):
        for mode in MODES:
            with self.subTest(mode):
                report = self.throughput('--mode', mode)
                self.assertNotIn('one_lcore', report)
                self.assertEqual((mode, 1, 64),
                                 (report['mode'], report['sockets'], report['payload']))

    def test_throughput_of_many_sockets(self):
        for mode in MODES[:3]:
            with self.subTest(mode):
                report = self.throughput('--mode', mode, '--sockets', '40', '--payload', '1400',
                                         '--posted', '8', '--checksums', 'verify')
                self.assertEqual((32, 32 * 40), (report['ring_slots'], report['floor_slots']))
                self.assertEqual('verify', report['checksums'])

    def test_the_smallest_and_the_largest_payload(self):
        for payload in ('1', '8900'):
            with self.subTest(payload):
                self.throughput('--payload=' + payload, '--sockets=3')

    def test_ten_thousand_sockets(self):
        report = self.throughput('--sockets=10000', '--mode=batch')
        self.assertEqual((8, 2048), (report['ring_slots'], report['floor_slots']))

    def test_several_lcores(self):
        """On shared CPUs: all is accounted for, though its figures say nothing."""
        for mode in ('now', 'apc'):
            with self.subTest(mode):
                report = self.throughput('--lcores=2', '--share-cpus', '--sockets=5', '--mode', mode)
                self.assertEqual(5, report['sockets'])
                self.assertEqual([3, 2], [lcore['sockets'] for lcore in report['lcores']])
                self.assertEqual(2, len({lcore['lcore_cpu'] for lcore in report['lcores']}))
                self.ordered(report['ratio_to_one_lcore_spread'])
                self.assertEqual(report['ratio_to_one_lcore'],
                                 report['ratio_to_one_lcore_spread']['median'])
                self.assertEqual(4, len(report['one_lcore']['slices']))

    def test_a_queue_of_one(self):
        report = self.throughput('--sockets=3', '--ring-slots=1')
        self.assertEqual((1, 3), (report['ring_slots'], report['floor_slots']))

    def quantiles(self, figures):
        """They are in order, and one is null where no sample lies beyond it."""
        values = []
        for name, beyond in QUANTILES:
            self.assertEqual(figures['samples'] * beyond >= 1 - 1e-9, figures[name] is not None, name)
            values += [figures[name]] * (figures[name] is not None)
        self.assertEqual(sorted(values), values)
        self.assertLessEqual(values[-1], figures['max'])
        return values

    def samples(self, figures):
        """The percentiles are the histogram's, to the width of its buckets."""
        self.assertGreater(self.quantiles(figures)[0], 0)
        bins = figures['histogram']
        self.assertEqual(figures['samples'], sum(samples for _, samples in bins))
        self.assertEqual(sorted(bins), bins)
        self.assertLessEqual(bins[-1][0], figures['max'])
        self.assertLess(figures['max'], bins[-1][0] * (1 + 1 / 64) + 2)
        for name, beyond in QUANTILES:
            if figures[name] is not None:
                rank, below = figures['samples'] * (1 - beyond), 0
                for low, samples in bins:
                    if below + samples >= rank - 1e-6:
                        break
                    below += samples
                self.assertLessEqual(low - 1, figures[name])
                self.assertLessEqual(figures[name], low * (1 + 1 / 64) + 2)

    def gaps(self, figures):
        """A moment falls in a gap as often as it is long, and waits for the rest of it."""
        self.quantiles(figures)
        total = sum(low * gaps for low, gaps in figures['gaps'])
        self.assertGreater(total, 4 * 50e6 * 0.9)  # of all slices
        for name, beyond in QUANTILES:
            if figures[name] is not None:
                waits = sum((low - figures[name]) * gaps for low, gaps in figures['gaps']
                            if low > figures[name])
                self.assertAlmostEqual(beyond, waits / total, delta=beyond * 0.02)

    def latency(self, *arguments):
        report = self.report('latency', *SHORT, *arguments)
        self.assertAlmostEqual(report['load'], report['rate'] / report['capacity'], places=4)
        if report['latency_ns'] is None:  # so slow a machine that this is more than a tenth
            self.assertIn('tenth', report['latency_reason'])
            self.assertIsNone(report['ratio_to_floor'])
            self.assertNotIn('--load', arguments)
            return report
        self.assertIsNone(report['latency_reason'])
        self.assertGreater(report['ratio_to_floor'], 0)
        self.samples(report['latency_ns']['wirerx'])
        self.samples(report['latency_ns']['floor'])
        self.gaps(report['latency_ns']['bare'])
        return report

    def test_latency_by_every_way_of_waiting(self):
        for wait, spin in (('spinning', 100000000), ('event', 50), ('apc', 50), ('sleeping', 0)):
            with self.subTest(wait):
                report = self.latency('--wait', wait, '--sockets', '3', '--rate', '1000')
                self.assertEqual((1000, False, wait, spin), tuple(
                    report[key] for key in ('rate', 'load_stated', 'wait', 'spin_us')))
                self.assertEqual(wait in ('event', 'apc'), report['posted'] is not None)

    def test_latency_at_a_stated_load(self):
        for wait in ('spinning', 'apc'):
            with self.subTest(wait):
                # What is verified covers the times that completions are measured by.
                report = self.latency('--wait', wait, '--load', '50', '--checksums', 'verify')
                self.assertTrue(report['load_stated'])
                self.assertAlmostEqual(0.5, report['load'], places=4)

    def test_a_wait_that_sleeps_at_once(self):
        report = self.latency('--wait=event', '--spin-us=0', '--posted=2', '--rate=1000')
        self.assertEqual((0, 2), (report['spin_us'], report['posted']))

    def test_no_latency_at_too_high_a_pace(self):
        report = self.report('latency', *SHORT, '--rate', '10000000')
        if report['latency_ns'] is None:
            self.assertIsNone(report['ratio_to_floor'])
            self.assertIn('tenth', report['latency_reason'])
        else:
            self.assertGreater(report['capacity'], 1e8)

    def test_every_mode_on_one_thread(self):
        result = self.run_bench('instructions', '--datagrams', '1000', '--json')
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        self.assertEqual(dict.fromkeys(MODES, 1024), json.loads(result.stdout))
        result = self.run_bench('instructions', '--payload', '1400', '--posted', '32')
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        self.assertIn('perf/instructions.py', result.stdout)

    def test_the_text_says_what_it_means(self):
        for arguments in (['throughput'], ['latency', '--rate', '1000']):
            with self.subTest(arguments[0]):
                result = self.run_bench(*arguments, *SHORT)
                self.assertEqual((0, ''), (result.returncode, result.stderr))
                self.assertIn(LABEL, result.stdout)
                self.assertRegex(result.stdout, r'Too noisy to conclude|Quiet enough')
                self.assertTrue(result.stdout.endswith('\n'))

    def help(self, *arguments):
        result = self.run_bench(*arguments)
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
        return result.stdout

    def test_help(self):
        for arguments in ([], ['--help'], ['-h']):
            text = self.help(*arguments)
            for word in ['--' + name for name in OPTIONS] + list(MODES) + list(COMMANDS):
                self.assertIn(word, text)

    def test_help_of_a_command_has_what_it_takes(self):
        for command in COMMANDS:
            text = self.help(command, '--help')
            self.assertIn('wirerx-bench %s [' % command, text)
            for name in OPTIONS:
                with self.subTest(command, option=name):
                    value = [] if name in ('json', 'share-cpus') else ['no such value']
                    result = self.run_bench(command, '--' + name, *value, '--no-such-option')
                    self.assertEqual('not an option of' not in result.stderr,
                                     '--%s ' % name in text)

    def refused(self, says, result):
        self.assertEqual((2, ''), (result.returncode, result.stdout), result.stderr)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.assertIn(says, result.stderr)

    def test_what_is_wrong_is_refused(self):
        for what, arguments, says in REFUSED:
            with self.subTest(what):
                self.refused(says, self.run_bench(*arguments))

    def test_one_cpu_is_not_enough(self):
        one = {min(os.sched_getaffinity(0))}
        self.refused('two CPUs', self.run_bench(
            'throughput', preexec_fn=lambda: os.sched_setaffinity(0, one)))

    def test_one_cpu_is_enough_to_try_it_out(self):
        one = {min(os.sched_getaffinity(0))}
        result = self.run_bench('throughput', '--share-cpus', *SHORT,
                                preexec_fn=lambda: os.sched_setaffinity(0, one))
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        self.assertIn(SHARED, result.stdout)

    def test_each_lcore_and_each_client_needs_a_cpu(self):
        two = set(sorted(os.sched_getaffinity(0))[:2])
        for arguments, says in ((['--lcores=2'], '4 CPUs'), (['--lcores=3', '--share-cpus'], 'may use 2')):
            self.refused(says, self.run_bench('throughput', '--sockets=3', *arguments,
                                              preexec_fn=lambda: os.sched_setaffinity(0, two)))

    def test_no_place_for_the_capture(self):
        self.refused('capture', bench('throughput', env=dict(os.environ, TMPDIR='/proc/no/such')))
        self.refused('capture', bench('throughput', env=dict(os.environ, TMPDIR='/tmp/a,b')))

    def test_nobody_listens(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            result = subprocess.run([BENCH, '--help'], stdout=full, stderr=subprocess.PIPE,
                                    check=False, text=True, timeout=PATIENCE)
        self.assertEqual(1, result.returncode)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)


if __name__ == '__main__':
    if not os.access(BENCH, os.X_OK):
        raise SystemExit('%s is not built' % BENCH)
    if TOO_FEW_CPUS:
        print(TOO_FEW_CPUS)
        raise SystemExit(77)
    unittest.main(verbosity=2)
