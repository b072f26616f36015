#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`wirerx recv` from a port that is impaired on purpose."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import command

DATAGRAMS = 5000
CONFIG = """
cores: [%d]
ports:
  - device: "vdev:net_pcap0,rx_pcap=%s"
    pace: drained
    impair: [seed 42, loss 1%%, missed 1%%, duplicate 1%%, corrupt 1%%, reorder 2%%]
"""


class Impair(command.Case):

    def test_what_is_left_of_a_replay_adds_up(self):
        feed, config = self.path('feed.pcap'), self.path('impaired.yaml')
        made = command.feed('--output', feed, '--datagrams', str(DATAGRAMS))
        self.assertEqual(0, made.returncode, made.stderr)
        with open(config, 'w', encoding='ascii') as file:
            file.write(CONFIG % (max(os.sched_getaffinity(0)), feed))
        joins = ['--join=239.100.0.%d:26400' % i for i in range(1, 33)]
        result = command.wirerx('recv', '--config', config, '--json', '--idle-exit', '1500', *joins)
        self.status(0, result)
        self.assertIn('IS IMPAIRED', result.err)
        self.assertIn('seed 42', result.err)
        report = result.report
        drops = report['drops']
        missed = drops.pop('device_missed')
        self.assertGreater(missed, 0)
        self.assertEqual(report['frames'], report['delivered'] + sum(drops.values()))
        self.assertGreater(drops['bad_udp_checksum'], 0)
        self.assertLess(abs(DATAGRAMS - report['frames'] - missed), DATAGRAMS // 20)


if __name__ == '__main__':
    command.main()
