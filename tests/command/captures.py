# SPDX-License-Identifier: BSD-3-Clause
"""Captures read and written without libpcap, DPDK or any code of wirerx: the independent side of
comparisons. Classic pcap only, Ethernet only."""

import socket
import struct

ETHERNET = 1


def frames(path):
    """Yield (captured bytes, whole?) of every record, also of a last one that the file cuts short."""
    with open(path, 'rb') as file:
        data = file.read()
    order = {0xa1b2c3d4: '<', 0xa1b23c4d: '<', 0xd4c3b2a1: '>', 0x4d3cb2a1: '>'}[
        struct.unpack('<I', data[:4])[0]]
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            yield b'', False
            return
        captured, length = struct.unpack(order + 'II', data[at + 8:at + 16])
        frame = data[at + 16:at + 16 + captured]
        yield frame, captured == length and len(frame) == captured
        at += 16 + captured


def times(path):
    """Recorded nanoseconds since 1970 of every record."""
    with open(path, 'rb') as file:
        data = file.read()
    order, unit = {0xa1b2c3d4: ('<', 1000), 0xa1b23c4d: ('<', 1), 0xd4c3b2a1: ('>', 1000),
                   0x4d3cb2a1: ('>', 1)}[struct.unpack('<I', data[:4])[0]]
    at, found = 24, []
    while at + 16 <= len(data):
        seconds, below, captured = struct.unpack(order + 'III', data[at:at + 12])
        found.append(seconds * 10**9 + below * unit)
        at += 16 + captured
    return found


def datagram(frame):
    """(group, port, payload, UDP checksum right or absent?) of an unfragmented UDP datagram."""
    at = 14
    ethertype = struct.unpack('>H', frame[12:14])[0]
    while ethertype in (0x8100, 0x88a8):
        ethertype = struct.unpack('>H', frame[at + 2:at + 4])[0]
        at += 4
    if ethertype != 0x0800:
        return None
    header = (frame[at] & 15) * 4
    total, = struct.unpack('>H', frame[at + 2:at + 4])
    fragment, = struct.unpack('>H', frame[at + 6:at + 8])
    if fragment & 0x3fff or frame[at + 9] != 17:
        return None
    group = socket.inet_ntoa(frame[at + 16:at + 20])
    udp = frame[at + header:at + total]
    port, length, checksum = struct.unpack('>HHH', udp[2:8])
    pseudo = frame[at + 12:at + 20] + struct.pack('>HH', 17, length)
    return group, port, udp[8:length], checksum == 0 or ones_sum(pseudo + udp[:length]) == 0xffff


def ones_sum(data):
    """RFC 1071's sum."""
    total = sum(struct.unpack('>%dH' % ((len(data) + 1) // 2), data + b'\0' * (len(data) % 2)))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def payloads(path, groups, verify=False):
    """Payloads of the whole frames to any of the (group, port)s, in the file's order."""
    for frame, whole in frames(path):
        found = datagram(frame) if whole else None
        if found and (found[0], found[1]) in groups and (found[3] or not verify):
            yield found[2]


def recorded(path, groups):
    """The same with their recorded times: (payload, nanoseconds)."""
    found = []
    for (frame, whole), time in zip(frames(path), times(path)):
        parsed = datagram(frame) if whole else None
        if parsed and (parsed[0], parsed[1]) in groups:
            found.append((parsed[2], time))
    return found


def from_times(text):
    """(nanoseconds since 1970, source, error or None) of each line of `wirerx recv --times`."""
    found = []
    for line in text.splitlines():
        time, source, error = line.split(' ')
        seconds, below = time.split('.')
        assert len(below) == 9, line
        found.append((int(seconds) * 10**9 + int(below), source,
                      None if error == 'unknown' else int(error)))
    return found


def as_output(datagrams):
    """What `wirerx recv --output` writes for these."""
    return b''.join(struct.pack('>I', len(d)) + d for d in datagrams)


def from_output(data):
    """The datagrams in what `wirerx recv --output` wrote."""
    at, found = 0, []
    while at < len(data):
        length, = struct.unpack('>I', data[at:at + 4])
        assert at + 4 + length <= len(data), 'the output is cut short'
        found.append(data[at + 4:at + 4 + length])
        at += 4 + length
    return found


def udp_frame(group, port, payload, checksum=None):
    """An Ethernet frame; a checksum of None is computed."""
    source = socket.inet_aton('10.0.0.1')
    destination = socket.inet_aton(group)
    length = len(payload) + 8
    udp = struct.pack('>HHHH', 4000, port, length, 0) + payload
    if checksum is None:
        pseudo = source + destination + struct.pack('>HH', 17, length)
        checksum = ~ones_sum(pseudo + udp) & 0xffff or 0xffff
    udp = udp[:6] + struct.pack('>H', checksum) + udp[8:]
    ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, length + 20, 0, 0, 16, 17, 0, source, destination)
    ip = ip[:10] + struct.pack('>H', ~ones_sum(ip) & 0xffff) + ip[12:]
    return b'\x01\0\x5e\0\0\1' + b'\x02\0\0\0\0\1' + b'\x08\0' + ip + udp


def write_nanoseconds(path, timed_frames):
    """A pcap of (frame, nanoseconds since 1970)."""
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 65535, ETHERNET))
        for frame, time in timed_frames:
            file.write(struct.pack('<IIII', time // 10**9, time % 10**9, len(frame), len(frame)) +
                       frame)


def write(path, some_frames, link_type=ETHERNET, gap_ms=1):
    """A pcap with the frames some milliseconds apart."""
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, link_type))
        for i, frame in enumerate(some_frames):
            file.write(struct.pack('<IIII', 1700000000 + i * gap_ms // 1000,
                                   i * gap_ms % 1000 * 1000, len(frame), len(frame)) + frame)
