#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wirerx-gen: its plans, its frames in a capture, its frames over a veth pair, and what it refuses."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "perf", "pktgen"))
import veth  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get('WIRERX_BIN', os.path.join(ROOT, 'build', 'bin'))
GEN = os.path.join(BIN, 'wirerx-gen')
PATIENCE = 60

REFUSED = (
    ('no device', [], '--device'),
    ('no such option', ['--colour', 'blue'], 'colour'),
    ('an abbreviation', ['--dev', 'x'], '--dev'),
    ('an operand', ['fast'], 'fast'),
    ('no value', ['--rate'], 'needs a value'),
    ('a value too many', ['--json=yes'], 'no value'),
    ('twice', ['--spin', '--spin'], 'twice'),
    ('no device text', ['--device', 'vdev:'], 'names no driver'),
    ('no driver', ['--device', 'vdev:net_nosuch0'], 'probe'),
    ('no interface', ['--device', 'vdev:net_af_packet0,iface=nosuch'], 'probe'),
    ('PCI on plain pages', ['--device', '0000:01:00.0'], '--memory'),
    ('no pattern', ['--pattern', 'wild'], 'wild'),
    ('no rate', ['--rate', 'fast'], 'fast'),
    ('a negative rate', ['--rate', '-1'], '-1'),
    ('an empty step', ['--rate', '1,,2'], '1,,2'),
    ('infinite', ['--rate', '1e999'], '1e999'),
    ('rate for bursts', ['--plan', '--pattern', 'burst', '--rate', '5'], '--rate'),
    ('bursts for a rate', ['--plan', '--burst', '5'], '--burst'),
    ('a feed without a pace', ['--plan', '--pattern', 'feed', '--rate', '0'], '--rate 0'),
    ('a plan without a pace', ['--plan', '--rate', '0'], '--plan'),
    ('a skew without a pace', ['--lines', '2', '--skew', '5', '--rate', '0'], '--skew'),
    ('a skew of one line', ['--plan', '--skew', '5'], '--lines 2'),
    ('three lines', ['--lines', '3'], '--lines'),
    ('too small', ['--frame', '63'], '64'),
    ('too large', ['--payload', '8973'], '8972'),
    ('both sizes', ['--frame', '64', '--payload', '64'], 'exclude'),
    ('no weight', ['--payload', '64:0'], 'WEIGHT'),
    ('no port', ['--to', '239.1.1.1'], 'ADDRESS:PORT'),
    ('no address', ['--to', '239.1.1:5'], 'IPv4'),
    ('unicast without MAC', ['--plan', '--to', '192.0.2.1:5'], '--mac'),
    ('no MAC', ['--mac', '1:2'], 'MAC'),
    ('groups beyond', ['--plan', '--to', '239.255.255.255:5', '--streams', '2'], '--streams'),
    ('ports beyond', ['--plan', '--to', '192.0.2.1:65535', '--mac', '02:00:00:00:00:01',
                      '--streams', '2'], '--streams'),
    ('no such core', ['--core', '1000'], '1000'),
    ('no such memory', ['--memory', 'more'], 'more'),
    ('control characters', ['--rate', '1\n2'], '--rate'),
)


def gen(*arguments):
    return subprocess.run([GEN] + list(arguments), stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True, timeout=PATIENCE)


def plan(*arguments):
    result = gen('--plan', *arguments)
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    return [(int(due), line, int(stream), int(sequence), int(payload), int(step))
            for due, line, stream, sequence, payload, step in rows]


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def capture(path):
    """Payloads with their group, port and line, after a look at every header."""
    with open(path, 'rb') as file:
        data = file.read()
    at = 24
    while at < len(data):
        length = struct.unpack('<I', data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        ip, udp = frame[14:34], frame[34:]
        assert checksum(ip) == 0xffff, 'IPv4 checksum'
        pseudo = ip[12:20] + struct.pack('>HH', 17, len(udp))
        assert checksum(pseudo + udp) == 0xffff, 'UDP checksum'
        assert struct.unpack('>H', ip[2:4])[0] == length - 14
        assert frame[:3] == b'\x01\x00\x5e' and frame[4:6] == ip[18:20]
        yield ip[16:20], struct.unpack('>H', udp[2:4])[0], udp[8:]


class Plans(unittest.TestCase):
    def test_a_steady_rate(self):
        rows = plan('--rate', '1000', '--duration', '100', '--streams', '3')
        self.assertEqual([i * 1000000 for i in range(100)], [row[0] for row in rows])
        self.assertEqual([i % 3 for i in range(100)], [row[2] for row in rows])

    def test_steps(self):
        rows = plan('--rate', '100,1000', '--duration', '100')
        self.assertEqual({0: 10, 1: 100}, Counter(row[5] for row in rows))
        self.assertEqual(100000000, min(row[0] for row in rows if row[5] == 1))

    def test_bursts(self):
        rows = plan('--pattern', 'burst', '--burst', '10', '--every', '2000', '--count', '35')
        self.assertEqual([i // 10 * 2000000 for i in range(35)], [row[0] for row in rows])

    def test_a_feed(self):
        arguments = ('--pattern', 'feed', '--streams', '5', '--rate', '50000', '--count', '20000',
                     '--payload', '40,400:3', '--lines', '2', '--skew', '70')
        rows = plan(*arguments)
        self.assertEqual(rows, plan(*arguments))
        self.assertNotEqual(rows, plan(*arguments, '--seed', '2'))
        self.assertEqual(sorted(row[0] for row in rows), [row[0] for row in rows])
        lines = [[row for row in rows if row[1] == line] for line in 'AB']
        self.assertEqual([(row[0] + 70000,) + row[2:] for row in lines[0]],
                         [(row[0],) + row[2:] for row in lines[1]])
        first = lines[0]
        self.assertAlmostEqual(20000 / 50000, first[-1][0] / 1e9, delta=0.05)
        sizes = Counter(row[4] for row in first)
        self.assertAlmostEqual(3, sizes[400] / sizes[40], delta=0.5)
        streams = Counter(row[2] for row in first)
        self.assertGreater(streams[0], streams[4])
        for stream, count in streams.items():
            self.assertEqual(list(range(count)), [row[3] for row in first if row[2] == stream])
        self.assertGreater(max(Counter(row[0] for row in first).values()), 100)  # news


class Captures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='wirerx-test.')
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'out.pcap')

    def send(self, *arguments):
        result = gen('--device', 'vdev:net_pcap0,tx_pcap=' + self.path, *arguments)
        self.assertEqual((0, ''), (result.returncode, result.stderr))
        return result.stdout

    def test_every_frame_is_as_planned(self):
        pattern = ('--pattern', 'feed', '--streams', '4', '--lines', '2', '--skew', '50', '--rate',
                   '100000', '--count', '2000', '--payload', '18,33,34,63,1400')
        before = time.time_ns()
        report = json.loads(self.send(*pattern, '--json'))
        rows = plan(*pattern)
        self.assertEqual((4000, 'count'), (report['sent'], report['ended']))
        self.assertEqual(4000, report['devices'][0]['sent'])
        self.assertEqual(4000, sum(stream['sent'] for stream in report['streams']))
        frames = list(capture(self.path))
        self.assertEqual(len(rows), len(frames))
        last = 0
        for (_, line, stream, sequence, payload, _), (group, port, data) in zip(rows, frames):
            self.assertEqual(payload, len(data))
            self.assertEqual((bytes([239, 200 if line == 'A' else 201, 0, 1 + stream]), 5000),
                             (group, port))
            magic, b_line, tsc = data[0], data[1], int.from_bytes(data[10:18], 'big')
            self.assertEqual((0x57, line == 'B', stream, sequence),
                             (magic, b_line, int.from_bytes(data[2:4], 'big'),
                              int.from_bytes(data[4:10], 'big')))
            self.assertGreater(tsc, last)
            last = tsc
            if payload >= 34:
                self.assertTrue(before < int.from_bytes(data[18:26], 'big') < time.time_ns())
                self.assertEqual(report['run'], int.from_bytes(data[26:34], 'big'))

    def test_the_smallest_and_the_largest_frame(self):
        for size, payload in (('64', 18), ('9018', 8972)):
            with self.subTest(size):
                self.send('--frame', size, '--count', '5', '--rate', '0')
                self.assertEqual([payload] * 5, [len(data) for _, _, data in capture(self.path)])

    def test_the_text(self):
        text = self.send('--rate', '2000,4000', '--duration', '50')
        self.assertIn('300 frames', text)
        self.assertIn('late', text)

    def test_a_signal_ends_it_with_a_report(self):
        process = subprocess.Popen([GEN, '--device', 'vdev:net_pcap0,tx_pcap=' + self.path,
                                    '--rate', '1000', '--duration', '60000', '--json'],
                                   stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        process.terminate()
        report = json.loads(process.communicate(timeout=PATIENCE)[0])
        self.assertEqual((0, 'interrupted'), (process.returncode, report['ended']))
        self.assertEqual(report['sent'], len(list(capture(self.path))))

    def test_nothing_stays_behind(self):
        self.send('--count', '1')
        places = ('/var/run/dpdk', os.path.join(os.environ.get('XDG_RUNTIME_DIR', '/tmp'), 'dpdk'))
        for place in places:
            left = os.listdir(place) if os.path.isdir(place) else []
            gone = [name for name in left if name.startswith('wirerx-gen-') and
                    not os.path.exists('/proc/' + name.rsplit('-', 1)[1])]
            self.assertEqual([], gone)


class Wires(unittest.TestCase):
    """Every frame that was sent is received, or dropped under a name, or counted by the kernel."""

    def receive(self, driver, *arguments):
        with tempfile.NamedTemporaryFile('w', suffix='.yaml', prefix='wirerx-test.') as file:
            file.write('cores: [%d]\nports:\n  - device: "vdev:net_%s0,iface=%s"\n'
                       '    addresses: [198.18.0.2/15]\nsockets: {maximum: 8, ring-slots: 16384}\n'
                       % (max(os.sched_getaffinity(0)), driver, veth.RECEIVE))
            file.flush()
            process = subprocess.Popen(
                [os.path.join(BIN, 'wirerx'), 'recv', '--config', file.name, '--json',
                 '--generated', '--join', '239.200.0.1:5000', '--join', '239.200.0.2:5000'],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.7)  # to have joined
            sent = veth.statistic(veth.SEND, 'tx_packets')
            missed = veth.statistic(veth.RECEIVE, 'rx_dropped')
            result = gen('--device', 'vdev:net_af_packet0,iface=' + veth.SEND, '--streams', '3',
                         '--json', *arguments)
            self.assertEqual((0, ''), (result.returncode, result.stderr))
            time.sleep(0.2)
            process.terminate()
            out, err = process.communicate(timeout=PATIENCE)
        if process.returncode == 2:
            self.skipTest('net_%s: %s' % (driver, err.splitlines()[-1]))
        report, received = json.loads(result.stdout), json.loads(out)
        self.assertEqual(0, process.returncode, err)
        self.assertEqual(report['sent'], veth.statistic(veth.SEND, 'tx_packets') - sent)
        missed = veth.statistic(veth.RECEIVE, 'rx_dropped') - missed
        return report, received, missed

    def account(self, driver):
        report, received, missed = self.receive(driver, '--rate', '5000', '--duration', '500')
        device = received['drops']['device_missed']
        self.assertEqual(2500, report['sent'])
        self.assertEqual(2500, received['frames'] + max(missed, device))
        self.assertEqual(received['frames'],
                         received['delivered'] + received['dropped'] - device)
        if missed == device == 0:
            self.assertEqual(833, received['drops']['not_joined'])  # the third stream
            self.assertEqual(1667, received['datagrams'])
            self.assertEqual({'missing': 0, 'late': 0, 'strangers': 0}, received['generated'])
            self.assertEqual(1667, received['latency_ns']['samples'])

    def test_af_packet(self):
        self.account('af_packet')

    def test_af_xdp(self):
        self.account('af_xdp')

    def test_af_xdp_goes_on_after_it_was_flooded(self):
        _, received, _ = self.receive('af_xdp', '--rate', '0,2000', '--duration', '400')
        per_stream = received['datagrams']
        self.assertGreater(per_stream, 500)  # the second step's alone are 533


class Words(unittest.TestCase):
    def test_what_is_wrong_is_refused(self):
        for what, arguments, says in REFUSED:
            with self.subTest(what):
                result = gen(*arguments)
                self.assertEqual((2, ''), (result.returncode, result.stdout), result.stderr)
                own = [line for line in result.stderr.splitlines() if 'wirerx-gen: ' in line]
                self.assertEqual(1, len(own), result.stderr)
                self.assertIn(says, own[0])

    def test_help_and_manual(self):
        for flag in ('--help', '-h', '--man', '--version'):
            result = gen(flag)
            self.assertEqual((0, ''), (result.returncode, result.stderr))
            self.assertTrue(result.stdout)
        self.assertIn('--skew', gen('--help').stdout)
        self.assertLessEqual(max(map(len, gen('--help').stdout.split('Exit status')[0].splitlines())),
                             80)
        page = subprocess.run(['man', '--warnings', '-l', '-'], input=gen('--man').stdout,
                              check=False, capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, MANWIDTH='90', LC_ALL='C.UTF-8'))
        self.assertEqual((0, ''), (page.returncode, page.stderr))

    def test_nobody_listens(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            result = subprocess.run([GEN, '--help'], stdout=full, stderr=subprocess.PIPE,
                                    check=False, text=True, timeout=PATIENCE)
        self.assertEqual(1, result.returncode)


if __name__ == '__main__':
    veth.need()
    unittest.main(verbosity=1)
