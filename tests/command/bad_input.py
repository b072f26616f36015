#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong is refused: one clear line, exit status 2, and nothing left behind."""

import gzip
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import captures
import command

GROUP = '239.1.1.1:5000'
REPLAY = ['recv', '--replay', 'good.pcap']
RECEIVE = REPLAY + ['--join', GROUP]

GOOD_YAML = '''cores: [0]
ports:
  - device: "vdev:net_pcap0,rx_pcap=good.pcap"
    pace: drained
'''


def write(name, data):
    with open(name, 'wb') as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def prepare():
    """The files that the rows below name, in the working directory."""
    frames = [captures.udp_frame('239.1.1.1', 5000, b'payload') for _ in range(20)]
    captures.write('good.pcap', frames)
    with open('good.pcap', 'rb') as file:
        good = file.read()
    captures.write('raw-ip.pcap', [frame[14:] for frame in frames], link_type=101)
    captures.write('no-frames.pcap', [])
    write('empty.pcap', b'')
    write('text.pcap', 'this is no capture\n' * 20)
    write('header-cut.pcap', good[:10])
    write('only-part.pcap', good[:24 + 16 + 30])
    second = 24 + 16 + len(frames[0])
    write('damaged.pcap', good[:second + 8] + struct.pack('<II', 0x7fffffff, 0x7fffffff) +
          good[second + 16:])
    write('packed.pcap', gzip.compress(good))
    os.mkdir('folder')
    write('good.yaml', GOOD_YAML)
    yaml = {
        'unknown-key': GOOD_YAML + 'colour: blue\n',
        'unknown-port-key': GOOD_YAML + '    colour: blue\n',
        'wrong-type': GOOD_YAML.replace('[0]', 'many'),
        'syntax': 'cores: [0\n',
        'no-ports': 'cores: [0]\n',
        'no-core': GOOD_YAML.replace('[0]', '[9999]'),
        'twice-core': GOOD_YAML.replace('[0]', '[0, 0]'),
        'zero-slots': GOOD_YAML + 'sockets:\n  ring_slots: 0\n',
        'odd-slots': GOOD_YAML + 'sockets:\n  ring_slots: 1000\n',
        'small-pool': GOOD_YAML + 'buffers: 16\n',
        'no-queues': GOOD_YAML + '    queues: 0\n',
        'absent-capture': GOOD_YAML.replace('good.pcap', 'absent.pcap'),
        'text-capture': GOOD_YAML.replace('good.pcap', 'text.pcap'),
        'no-driver': 'cores: [0]\nports:\n  - device: "vdev:net_nonsense0"\n',
        'one-socket': GOOD_YAML + 'sockets:\n  maximum: 1\n',
    }
    for name, text in yaml.items():
        write(name + '.yaml', text)


def config(name):
    return ['recv', '--config', name, '--join', GROUP]


# what, the arguments, what the line must say
ROWS = [
    ('no such capture', ['recv', '--replay', 'absent.pcap'], 'absent.pcap: No such file'),
    ('capture is a folder', ['recv', '--replay', 'folder'], 'folder: '),
    ('capture is empty', ['recv', '--replay', 'empty.pcap'], 'empty.pcap: '),
    ('capture is text', ['recv', '--replay', 'text.pcap'], 'text.pcap: '),
    ('capture with half a file header', ['recv', '--replay', 'header-cut.pcap'],
     'header-cut.pcap: '),
    ('capture with half a frame', ['recv', '--replay', 'only-part.pcap'], 'no whole frame'),
    ('capture without frames', ['recv', '--replay', 'no-frames.pcap'], 'no whole frame'),
    ('capture damaged inside', ['recv', '--replay', 'damaged.pcap'],
     'damaged.pcap: damaged after frame 1: '),
    ('capture damaged inside, joined', ['recv', '--replay', 'damaged.pcap', '--join', GROUP],
     'damaged.pcap: damaged after frame 1: '),
    ('capture that is compressed', ['recv', '--replay', 'packed.pcap'], 'gunzip'),
    ('capture that is not Ethernet', ['recv', '--replay', 'raw-ip.pcap'], 'RAW: only Ethernet'),
    ('capture in a device file', ['recv', '--replay', '/dev/null'], 'not a regular file'),

    ('group that is no multicast', REPLAY + ['--join', '10.1.1.1:5000'], 'not a multicast group'),
    ('group that is above', REPLAY + ['--join', '240.0.0.1:5000'], 'not a multicast group'),
    ('group that is no address', REPLAY + ['--join', 'feed:5000'], 'no IPv4 address'),
    ('group with too many numbers', REPLAY + ['--join', '239.1.1.1.1:5000'], 'no IPv4 address'),
    ('group without port', REPLAY + ['--join', '239.1.1.1'], 'GROUP:PORT'),
    ('port 0', REPLAY + ['--join', '239.1.1.1:0'], 'not a port'),
    ('port 65536', REPLAY + ['--join', '239.1.1.1:65536'], 'not a port'),
    ('port that is no number', REPLAY + ['--join', '239.1.1.1:http'], 'not a port'),
    ('port that is negative', REPLAY + ['--join', '239.1.1.1:-1'], 'not a port'),
    ('port with more behind', REPLAY + ['--join', '239.1.1.1:5000x'], 'not a port'),
    ('too many sockets', REPLAY + ['--join=239.1.1.1:%d' % port for port in range(1, 1100)],
     'too many sockets'),

    ('no source', ['recv', '--join', GROUP], '--replay .*--config'),
    ('two sources', RECEIVE + ['--config', 'good.yaml'], '--replay .*--config'),
    ('configuration without join', ['recv', '--config', 'good.yaml'], '--join'),
    ('pace of a configuration', config('good.yaml') + ['--pace', 'drained'], '--pace'),
    ('core of a configuration', config('good.yaml') + ['--core', '0'], '--core'),
    ('unknown option', RECEIVE + ['--fast'], '--fast'),
    ('unknown letter', RECEIVE + ['-x'], '-x'),
    ('option without value', RECEIVE + ['--count'], '--count needs a value'),
    ('switch with value', RECEIVE + ['--json=yes'], '--json'),
    ('option given twice', RECEIVE + ['--count', '1', '--count', '2'], 'twice'),
    ('operand', RECEIVE + ['feed.pcap'], 'feed.pcap'),
    ('mode', RECEIVE + ['--mode', 'quick'], '--mode quick'),
    ('pace 0', RECEIVE + ['--pace', '0'], '--pace 0'),
    ('pace that is negative', RECEIVE + ['--pace', '-5'], '--pace -5'),
    ('pace nan', RECEIVE + ['--pace', 'nan'], '--pace nan'),
    ('pace inf', RECEIVE + ['--pace', 'inf'], '--pace inf'),
    ('pace with more behind', RECEIVE + ['--pace', '50k'], '--pace 50k'),
    ('checksums', RECEIVE + ['--checksums', 'maybe'], '--checksums maybe'),
    ('count 0', RECEIVE + ['--count', '0'], '--count 0'),
    ('count beyond all', RECEIVE + ['--count', '99999999999999999999'], '--count'),
    ('generated with a replay', RECEIVE + ['--generated'], '--generated'),
    ('idle-exit 0', RECEIVE + ['--idle-exit', '0'], '--idle-exit 0'),
    ('core that does not exist', RECEIVE + ['--core', '9999'], '--core 9999'),
    ('core that is no number', RECEIVE + ['--core', 'last'], '--core last'),
    ('output in no folder', RECEIVE + ['--output', 'absent/file'], 'absent/file: No such file'),
    ('output is a folder', RECEIVE + ['--output', 'folder'], 'folder: Is a directory'),
    ('output over the capture', RECEIVE + ['--output', './good.pcap'], 'is the file to read'),
    ('output of nothing', REPLAY + ['--output', 'out'], '--join'),
    ('one socket, two ports', RECEIVE + ['--join', '239.1.1.2:5001', '--one-socket'], 'ports'),
    ('one socket, joined twice', RECEIVE + ['--join', GROUP, '--one-socket'], 'twice'),

    ('no command', [], 'name a command'),
    ('unknown command', ['receive'], 'receive'),
    ('check without file', ['check'], 'one configuration file'),
    ('check of two files', ['check', 'good.yaml', 'good.yaml'], 'one configuration file'),
    ('too many sockets for the configuration',
     config('one-socket.yaml') + ['--join', '239.1.1.2:5000'], 'too many sockets'),
]
for verb in (['check'], ['recv', '--join', GROUP, '--config']):
    ROWS += [('%s: %s' % (verb[0], what), verb + [name], says) for what, name, says in (
        ('no such configuration', 'absent.yaml', 'absent.yaml'),
        ('configuration is a folder', 'folder', 'folder'),
        ('unknown key', 'unknown-key.yaml', r'unknown-key\.yaml:5: .*colour'),
        ('unknown key of a port', 'unknown-port-key.yaml', r'unknown-port-key\.yaml:5: .*colour'),
        ('wrong type', 'wrong-type.yaml', r'wrong-type\.yaml:1: .*cores'),
        ('syntax', 'syntax.yaml', r'syntax\.yaml:\d+: '),
        ('no ports', 'no-ports.yaml', r'no-ports\.yaml.*ports'),
        ('core that does not exist', 'no-core.yaml', r'no-core\.yaml:1: .*9999'),
        ('core given twice', 'twice-core.yaml', r'twice-core\.yaml:1: .*cores'),
        ('ring of 0 slots', 'zero-slots.yaml', r'zero-slots\.yaml:6: .*ring_slots'),
        ('ring of 1000 slots', 'odd-slots.yaml', r'odd-slots\.yaml:6: .*ring_slots'),
        ('pool too small', 'small-pool.yaml', r'small-pool\.yaml:5: .*buffers'),
        ('no queues', 'no-queues.yaml', r'no-queues\.yaml:5: .*queues'),
    )]
ROWS += [
    ('configuration with an absent capture', config('absent-capture.yaml'), r'absent\.pcap'),
    ('configuration with no capture', config('text-capture.yaml'), r'text\.pcap'),
    ('configuration of an unknown driver', config('no-driver.yaml'), 'net_nonsense'),
]


class BadInput(unittest.TestCase):

    def test_refused(self):
        with tempfile.TemporaryDirectory(prefix='wirerx-test.') as folder:
            back = os.getcwd()
            os.chdir(folder)
            try:
                prepare()
                for what, arguments, says in ROWS:
                    with self.subTest(what):
                        self.refused(arguments, says)
            finally:
                os.chdir(back)

    def refused(self, arguments, says):
        here, elsewhere = sorted(os.listdir('.')), command.left_behind()
        result = command.wirerx(*arguments)
        self.assertEqual(2, result.status, str(result))
        self.assertEqual('', result.out)
        self.assertEqual(1, len(result.err.splitlines()), result.err)
        self.assertRegex(result.err, says)
        self.assertEqual(here, sorted(os.listdir('.')))
        self.assertEqual(set(), command.new_left_behind(elsewhere))

    def test_an_output_file_survives_a_refusal(self):
        with tempfile.TemporaryDirectory(prefix='wirerx-test.') as folder:
            kept = os.path.join(folder, 'kept')
            write(kept, 'precious')
            result = command.wirerx('recv', '--replay', os.path.join(folder, 'absent.pcap'),
                                    '--join', GROUP, '--output', kept)
            self.assertEqual(2, result.status, str(result))
            with open(kept, encoding='utf-8') as file:
                self.assertEqual('precious', file.read())


if __name__ == '__main__':
    command.main()
