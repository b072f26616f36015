#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Captures that a seeded mutator has damaged: `wirerx recv --replay` ends with status 0 and accounts for
every frame, or with a documented status and one line that names the file. No sanitizer reports.

WIRERX_HOSTILE_SEED chooses the captures, WIRERX_HOSTILE_FILES how many there are (for soaks). Those that
fail are kept where the message says."""

import os
import random
import shutil
import socket
import struct
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import captures
import command

SEED = int(os.environ.get('WIRERX_HOSTILE_SEED', '20261127'))
FILES = int(os.environ.get('WIRERX_HOSTILE_FILES', '16'))
RECORDS = 2000
GROUPS = ['239.1.1.%d' % i for i in range(1, 5)]
PORT = 5000
LONGEST = 9000
CUT = 77 # bytes of padding that a cut file may lack, at most: it shall end inside of its last records


def checksum(data):
    return ~captures.ones_sum(data) & 0xffff


def ipv4(rng, protocol, payload, destination, options=b'', fragment=0, identification=None):
    """An Ethernet frame with a right IPv4 header; the identification says who sends it."""
    if identification is None:
        identification = rng.randrange(65536)
    header = struct.pack('>BBHHHBBH4s4s', 0x45 + len(options) // 4, 0,
                         20 + len(options) + len(payload), identification, fragment, 16, protocol, 0,
                         socket.inet_aton('10.0.0.%d' % (1 + identification % 4)),
                         socket.inet_aton(destination)) + options
    header = header[:10] + struct.pack('>H', checksum(header)) + header[12:]
    return ethernet(rng, 0x0800, header + payload)


def ethernet(rng, ethertype, payload):
    tags = b''.join(struct.pack('>HH', rng.choice((0x8100, 0x88a8)), rng.randrange(65536))
                    for _ in range(rng.choice((0, 0, 0, 0, 1, 2, 3))))
    return b'\x01\0\x5e\1\1\1' + b'\x02\0\0\0\0\1' + tags + struct.pack('>H', ethertype) + payload


def udp(rng, length=None):
    payload = rng.randbytes(rng.randrange(200) if length is None else length)
    return struct.pack('>HHHH', 4000, PORT, 8 + len(payload), 0) + payload


def destination_of(rng):
    return rng.choice(GROUPS * 3 + ['10.0.0.9', '255.255.255.255', '127.0.0.1', '224.0.0.1'])


def options_of(rng):
    return rng.choice((b'\1\1\1\0', b'\x94\4\0\0', b'\x07\x07\4\0\0\0\0\0', b'\x44\0\1\1',
                       b'\x83\xff\4\0', rng.randbytes(40)))


def fragments(rng):
    """A datagram in pieces: in any order, perhaps with holes, overlaps, doubles and tiny ones."""
    whole, at, made = udp(rng, rng.randrange(4000)), 0, []
    destination, identification = destination_of(rng), rng.randrange(65536)
    while at < len(whole):
        size = 8 * rng.choice((1, 1, 2, 60, 180))
        start = max(0, at - 8 * rng.choice((0, 0, 0, 0, 0, 0, 1, 2)))
        more = 0x2000 if at + size < len(whole) else rng.choice((0, 0, 0, 0x2000))
        made.append(ipv4(rng, 17, whole[start:at + size], destination, b'',
                         start // 8 | more, identification))
        at += size
    if rng.randrange(3) == 0:
        rng.shuffle(made)
    if rng.randrange(4) == 0:
        del made[rng.randrange(len(made))]
    elif rng.randrange(4) == 0:
        made.insert(0, rng.choice(made))
    if rng.randrange(8) == 0: # behind the end of all datagrams
        made.append(ipv4(rng, 17, rng.randbytes(64), destination, b'', 0x1fff, identification))
    return made[:40]


def icmp(rng):
    quoted = ipv4(rng, 17, udp(rng, 20), '10.0.0.9')[-48:]
    message = struct.pack('>BBHI', rng.choice((0, 3, 3, 5, 8, 11, 13)), rng.randrange(6), 0,
                          rng.randrange(2**32)) + quoted[:rng.randrange(len(quoted) + 1)]
    message = message[:2] + struct.pack('>H', checksum(message)) + message[4:]
    return ipv4(rng, 1, message, '10.0.0.9')


def igmp(rng):
    message = struct.pack('>BBH4s', rng.choice((0x11, 0x12, 0x16, 0x17, 0x22)), rng.randrange(256), 0,
                          socket.inet_aton(rng.choice(GROUPS))) + rng.randbytes(rng.choice((0, 4, 40)))
    message = message[:2] + struct.pack('>H', checksum(message)) + message[4:]
    return ipv4(rng, 2, message, '224.0.0.1', b'\x94\4\0\0')


def arp(rng):
    return ethernet(rng, 0x0806, struct.pack('>HHBBH', 1, 0x0800, 6, 4, rng.randrange(4)) +
                    rng.randbytes(20))


def well_formed(rng):
    """One or several frames."""
    kind = rng.randrange(16)
    if kind == 0:
        return fragments(rng)
    if kind < 4:
        return [(icmp, igmp, arp)[kind - 1](rng)]
    if kind == 4:
        return [ipv4(rng, 17, udp(rng), destination_of(rng), options_of(rng))]
    if kind == 5:
        return [ipv4(rng, 17, udp(rng, rng.randrange(1400, LONGEST)), destination_of(rng))]
    if kind == 6:
        return [ipv4(rng, rng.randrange(256), udp(rng), destination_of(rng))]
    if kind == 7:
        return [ethernet(rng, rng.choice((0x86dd, 0x88cc, 0x88f7, 60, 0xffff)), rng.randbytes(60))]
    return [ipv4(rng, 17, udp(rng), destination_of(rng))]


def damaged(rng, frame):
    """The frame with something wrong, or as it is."""
    frame = bytearray(frame)
    kind = rng.randrange(9)
    if kind == 0:
        for _ in range(rng.randrange(1, 4)):
            frame[rng.randrange(min(len(frame), 64))] ^= 1 << rng.randrange(8)
    elif kind == 1: # a length field, as likely as not with a right header checksum behind it
        at = rng.choice((14, 16, 17, 20, 21, 38, 39))
        frame[at % len(frame)] = rng.choice((0, 1, 7, 8, 0x1f, 0x40, 0x4f, 0x45, 0x7f, 0x80, 0xff))
        if len(frame) > 34 and frame[12:14] == b'\x08\0':
            frame[24:26] = b'\0\0'
            header = frame[14:14 + max(20, (frame[14] & 15) * 4)]
            frame[24:26] = struct.pack('>H', checksum(bytes(header)))
    elif kind == 2:
        del frame[rng.randrange(len(frame)):]
    elif kind == 3:
        frame += rng.randbytes(rng.randrange(64))
    elif kind == 4:
        frame = bytearray(rng.randbytes(rng.randrange(100)))
    return bytes(frame)


def traffic(rng):
    made = []
    while len(made) < RECORDS:
        made += [damaged(rng, frame) for frame in well_formed(rng)]
    return made


class Classic:
    """A pcap file of any byte order and unit."""

    def __init__(self, rng):
        self.order = rng.choice('<>')
        self.magic = rng.choice((0xa1b2c3d4, 0xa1b23c4d))

    def header(self, version=(2, 4), snaplen=262144, link=captures.ETHERNET):
        return struct.pack(self.order + 'IHHiIII', self.magic, *version, 0, 0, snaplen & 0xffffffff,
                           link)

    def record(self, frame, time=(1700000000, 0), captured=None, length=None):
        captured = len(frame) if captured is None else captured
        length = len(frame) if length is None else length
        return struct.pack(self.order + 'IIII', *time, captured, length) + frame

    def records(self, rng, frames):
        """Times that go anywhere and lengths on the wire that are not what is there."""
        for frame in frames:
            time = rng.choice(((0, 0), (0xffffffff, 0xffffffff), (0x80000000, 999999999), (1, 1 << 31),
                               (1700000000, rng.randrange(10**9))))
            yield self.record(frame, time, None, rng.choice((None, None, None, 0, 1, 0xffffffff)))


class Pcapng:
    """The same, block by block."""

    def __init__(self, rng):
        self.order = rng.choice('<>')

    def block(self, kind, body):
        body += b'\0' * (-len(body) % 4)
        length = struct.pack(self.order + 'I', 12 + len(body))
        return struct.pack(self.order + 'I', kind) + length + body + length

    def header(self, link=captures.ETHERNET, resolution=6):
        options = struct.pack(self.order + 'HHB3xHH', 9, 1, resolution, 0, 0)
        return (self.block(0x0a0d0d0a, struct.pack(self.order + 'IHHq', 0x1a2b3c4d, 1, 0, -1)) +
                self.block(1, struct.pack(self.order + 'HHI', link, 0, 262144) + options))

    def record(self, frame, time=0, interface=0):
        return self.block(6, struct.pack(self.order + 'IIIII', interface, time >> 32,
                                         time & 0xffffffff, len(frame), len(frame)) + frame)

    def records(self, rng, frames):
        for frame in frames:
            if rng.randrange(100) == 0: # one that nobody knows
                yield self.block(rng.choice((4, 5, 0xbad, 0x80000001)), b'\0' * 40)
            yield self.record(frame, rng.choice((0, 1, 2**63, 2**64 - 1, 1700000000 * 10**6)))


def whole(rng, file, frames):
    return file.header() + b''.join(file.records(rng, frames))


# Each: (bytes of a file, how many frames have to be accounted for; None: it may be refused).

def hostile_frames(rng, frames):
    return whole(rng, Classic(rng), frames), len(frames)


def hostile_blocks(rng, frames):
    return whole(rng, Pcapng(rng), frames), len(frames)


def file_header(rng, frames):
    classic = Classic(rng)
    header = rng.choice((
        lambda: classic.header(version=rng.choice(((0, 0), (2, 3), (2, 5), (3, 0), (543, 0), (65535,) * 2))),
        lambda: classic.header(snaplen=rng.choice((0, 1, 60, 65535, 1 << 31, -1))),
        lambda: classic.header(link=rng.choice((0, 12, 101, 113, 0x10000001, 0xffffffff))),
        lambda: rng.randbytes(24),
        lambda: Pcapng(rng).header(link=rng.choice((0, 101, 0xffff))),
        lambda: Pcapng(rng).header(resolution=rng.choice((0, 9, 12, 60, 127, 0x80, 0x9f, 0xff)))))()
    return header + b''.join(classic.records(rng, frames[:200])), None


def record_header(rng, frames):
    """One is impossible, somewhere; libpcap goes on or not."""
    classic = Classic(rng)
    records = list(classic.records(rng, frames))
    at = rng.randrange(len(records))
    captured = rng.choice((0, 1, len(frames[at]) + 1, 65535, 65536, 262144, 262145, 1 << 31, (1 << 32) - 1))
    records[at] = classic.record(frames[at], captured=captured)
    return classic.header() + b''.join(records), None


def block_length(rng, frames):
    file = Pcapng(rng)
    records = list(file.records(rng, frames))
    at = rng.randrange(len(records))
    where = rng.choice((0, 4, 8, 20, 24, len(records[at]) - 4))
    wrong = rng.choice((0, 3, 12, 13, 0x7fffffff, 0xffffffff, rng.randrange(2**16)))
    records[at] = (records[at][:where] + struct.pack(file.order + 'I', wrong) + records[at][where + 4:])
    return file.header() + b''.join(records), None


def cut_frame(rng, frames):
    """Inside the bytes of the last frame: of that a part is there, and it counts."""
    classic = Classic(rng)
    data = classic.header() + b''.join(classic.records(rng, frames + [rng.randbytes(CUT + 1)]))
    return data[:len(data) - rng.randrange(1, CUT + 1)], len(frames) + 1


def cut_record(rng, frames):
    """Inside a record's header: of that frame there is nothing."""
    classic = Classic(rng)
    data = whole(rng, classic, frames)
    return data + classic.record(b'')[:rng.randrange(1, 16)], len(frames)


def cut_anywhere(rng, frames):
    data = whole(rng, rng.choice((Classic, Pcapng))(rng), frames[:100])
    return data[:rng.choice((0, 1, 4, 23, 24, 25, 40, rng.randrange(len(data))))], None


def jumbo_records(rng, frames):
    """Longer than any buffer, and than IPv4: many buffers each."""
    long = [rng.randbytes(rng.choice((9001, 40000, 65535, 65536, 262144))) for _ in range(5)]
    made = frames[:100] + long + frames[100:200]
    return whole(rng, Classic(rng), made), len(made)


def empty_records(rng, frames):
    made = [b''] * 200 + frames[:200] + [b''] * 200
    rng.shuffle(made)
    return whole(rng, rng.choice((Classic, Pcapng))(rng), made), len(made)


KINDS = (hostile_frames, hostile_blocks, file_header, record_header, block_length, cut_frame,
         cut_record, cut_anywhere, jumbo_records, empty_records)


class HostilePcap(command.Case):

    def setUp(self):
        super().setUp()
        print('WIRERX_HOSTILE_SEED=%d WIRERX_HOSTILE_FILES=%d' % (SEED, FILES), file=sys.stderr)

    def test_ends_with_0_or_a_clear_error(self):
        for number in range(FILES):
            kind = KINDS[number % len(KINDS)]
            rng = random.Random('%d %d' % (SEED, number))
            data, frames = kind(rng, traffic(rng))
            with self.subTest(kind=kind.__name__, number=number):
                self.feed(data, frames, rng.choice(command.MODES))

    def test_the_report_says_what_became_of_fragments(self):
        '''Frames that are neither delivered nor dropped have rows, in both reports.'''
        rng = random.Random(1)
        whole_datagram = udp(rng, 100)
        with open('fragments.pcap', 'wb') as file:
            file.write(whole(rng, Classic(rng),
                             [ipv4(rng, 17, whole_datagram[:64], GROUPS[0], b'', 0x2000, 7),
                              ipv4(rng, 17, whole_datagram[64:], GROUPS[0], b'', 8, 7)]))
        arguments = ['recv', '--replay', 'fragments.pcap', '--join=%s:%d' % (GROUPS[0], PORT)]
        report = self.status(0, command.wirerx(*arguments, '--json')).report
        self.balanced(report)
        self.assertEqual((2, 1, 1, 2), (report['frames'], report['reassembled'], report['delivered'],
                                        report['kept']['queued_reassembly']))
        text = self.status(0, command.wirerx(*arguments)).out
        self.assertRegex(text, r'frames +2 .*= delivered \+ kept \+ dropped')
        self.assertRegex(text, r'reassembled +1 ')
        self.assertRegex(text, r'kept +2\b')
        self.assertRegex(text, r'queued_reassembly +2 ')

    def feed(self, data, frames, mode):
        name = self.path('hostile.pcap')
        with open(name, 'wb') as file:
            file.write(data)
        try:
            self.listed(command.wirerx('recv', '--replay', name, '--json'), name, frames)
            self.received(command.wirerx('recv', '--replay', name, '--json', '--mode', mode,
                                         *['--join=%s:%d' % (group, PORT) for group in GROUPS]),
                          name, frames)
        except AssertionError as failure:
            kept = tempfile.mkdtemp(prefix='wirerx-hostile.')
            shutil.copy(name, kept)
            raise AssertionError('%s\nkept: %s' % (failure, os.path.join(kept, 'hostile.pcap')))

    def refused(self, result, name, frames):
        self.assertIsNone(frames, 'refused, but it can be replayed: %s' % result)
        self.assertIn(result.status, (1, 2), str(result))
        self.assertEqual(1, len(result.err.splitlines()), str(result))
        self.assertIn(name, result.err, str(result))

    def listed(self, result, name, frames):
        if result.status != 0:
            self.refused(result, name, frames)
            return
        report = result.report
        if frames is not None: # a last frame that the file cuts short is not among them
            self.assertIn(report['frames'], (frames, frames - 1), str(result))

    def received(self, result, name, frames):
        if result.status != 0:
            self.refused(result, name, frames)
            return
        report = result.report
        self.assertEqual('drained', report['end'], str(result))
        self.balanced(report)
        if frames is not None:
            self.assertEqual(frames, report['frames'], str(result))
            # A record that the file ends in the header of is an error, and no frame.
            self.assertEqual(report['drops']['device_errors'], report['device_lost'], str(result))
            self.assertLessEqual(report['device_lost'], 1, str(result))


if __name__ == '__main__':
    command.main()
