#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Published exchange captures through every mode: datagrams, boundaries, order and bytes are those
that an independent reader finds, and the rest is counted under the right reason."""

import gzip
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import captures
import command

NYSE = os.path.join(command.FEEDS, 'nyse-imbalances.pcap')
IEX = os.path.join(command.FEEDS, 'iex-deep.pcap.gz')


class RealCaptures(command.Case):

    def receive(self, capture, group, mode, checksums):
        output = self.path('received')
        result = command.wirerx('recv', '--replay', capture, '--join', '%s:%d' % group,
                                '--mode', mode, '--checksums', checksums, '--output', output,
                                '--json')
        self.status(0, result)
        self.balanced(result.report)
        self.assertEqual('drained', result.report['end'])
        with open(output, 'rb') as file:
            return result.report, file.read()

    def same(self, capture, group, mode, checksums):
        """Receive and compare. @return the report"""
        expected = list(captures.payloads(capture, {group}, checksums == 'verify'))
        report, received = self.receive(capture, group, mode, checksums)
        self.assertEqual(len(expected), report['datagrams'])
        self.assertEqual(sum(map(len, expected)), report['bytes'])
        self.assertTrue(captures.as_output(expected) == received, 'the bytes differ')
        return report

    def test_nyse_ignoring_checksums(self):
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.same(NYSE, ('233.125.89.36', 11106), mode, 'ignore')
                self.assertEqual(11819, report['datagrams'])
                self.assertEqual(0, report['dropped'])

    def check_times(self, capture, group):
        """Those that are recorded, exactly and in order."""
        result = command.wirerx('recv', '--replay', capture, '--join', '%s:%d' % group,
                                '--checksums', 'ignore', '--times', self.path('times'), '--json')
        self.status(0, result)
        with open(self.path('times'), encoding='ascii') as file:
            got = captures.from_times(file.read())
        expected = [(time, 'recorded', 0) for _, time in captures.recorded(capture, {group})]
        self.assertTrue(expected == got, 'the times differ')
        self.assertEqual(len(got), result.report['times']['recorded']['datagrams'])

    def test_nyse_times(self):
        self.check_times(NYSE, ('233.125.89.36', 11106))

    def test_nyse_verifying_checksums(self):
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.same(NYSE, ('233.125.89.36', 11106), mode, 'verify')
                self.assertEqual(0, report['datagrams'])
                self.assertEqual(11819, report['drops']['bad_udp_checksum'])
                self.assertEqual('--checksums ignore', report['hint'])

    def test_iex(self):
        capture = self.path('iex-deep.pcap')
        with gzip.open(IEX, 'rb') as packed, open(capture, 'wb') as file:
            shutil.copyfileobj(packed, file)
        for mode in command.MODES:
            with self.subTest(mode):
                report = self.same(capture, ('224.2.3.10', 16648), mode, 'ignore')
                self.assertEqual(121314, report['datagrams'])
                self.assertEqual(121315, report['frames'])
                self.assertEqual(1, report['drops']['truncated'])
                self.assertEqual(1, report['dropped'])
        self.check_times(capture, ('224.2.3.10', 16648))
        report = self.same(capture, ('224.2.3.10', 16648), 'blocking', 'verify')
        self.assertEqual(3, report['datagrams'])
        self.assertEqual(1, report['drops']['truncated'])
        self.assertEqual(121311, report['drops']['bad_udp_checksum'])


if __name__ == '__main__':
    absent = [path for path in (NYSE, IEX) if not os.path.exists(path)]
    command.main('no real captures: %s is absent' % absent[0] if absent else None)
