# SPDX-License-Identifier: BSD-3-Clause
"""The two that can send: wirerx-gen, a process for each trial, and Pktgen, driven over its Lua socket.

A trial is a dictionary: kind (steady, bursts, feed), frame (bytes, RFC 2544), pps, ms, burst, bursts,
every_ms, lines, skew_ms, seed. Both answer with the frames that were sent on each line."""

import json
import os
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GROUPS = {'A': '239.200.0.1', 'B': '239.201.0.1'}
PORT = 5000
MOST_GROUPS = {'wirerx-gen': 1024, 'pktgen': 16}


class Failed(Exception):
    """A trial could not be sent; the text is one line."""


def group(line, index):
    parts = [int(part) for part in GROUPS[line].split('.')]
    value = (parts[2] << 8) + parts[3] + index
    return '%d.%d.%d.%d' % (parts[0], parts[1], value >> 8, value & 255)


class WirerxGen:
    """build/bin/wirerx-gen; the receiver reads its numbers and time stamps."""

    name = 'wirerx-gen'
    stamps = True

    def __init__(self, binary, device, device_b=None, extra=()):
        self.command = [binary, '--device', device, '--json'] + list(extra)
        self.device_b = device_b

    @staticmethod
    def _pattern(trial):
        if trial['kind'] == 'bursts':
            return ['--pattern', 'burst', '--burst', str(trial['burst']), '--every',
                    str(int(trial['every_ms'] * 1000)), '--count',
                    str(trial['burst'] * trial['bursts'])]
        words = ['--rate', str(trial['pps']), '--duration', str(trial['ms'])]
        if trial['kind'] == 'feed':
            words += ['--pattern', 'feed', '--burst', str(trial['burst']), '--seed',
                      str(trial.get('seed', 1))]
        return words

    def send(self, trial, groups=1):
        words = self.command + self._pattern(trial) + ['--frame', str(trial['frame']), '--streams',
                                                       str(groups)]
        if trial.get('lines', 1) == 2:
            words += ['--lines', '2', '--skew', str(int(trial.get('skew_ms', 0) * 1000))]
            words += ['--device-b', self.device_b] if self.device_b else []
        result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                check=False)
        if result.returncode != 0:
            raise Failed(' '.join(result.stderr.split()) or 'wirerx-gen failed')
        report = json.loads(result.stdout)
        sent = {'A': 0, 'B': 0}
        for stream in report['streams']:
            sent[stream['line']] += stream['sent']
        return {'sent': sent, 'pps': report['steps'][0]['frames_per_second'],
                'late_ns': report['steps'][0]['late_ns']}

    def close(self):
        pass


class Pktgen:
    """An installed Pktgen-DPDK. Either `start` is its command line, which gets `-g HOST:PORT`, or it
    runs already and listens there. One line of Lua is sent at a time, and a line that begins with
    wirerx- is waited for."""

    name = 'pktgen'
    stamps = False

    def __init__(self, address, start=None, patience=60.0, scripts=HERE):
        self.process = None
        self.patience = patience
        self.rest = b''
        host, port = address.rsplit(':', 1)
        if start:
            try:
                self.process = subprocess.Popen(start + ['-g', address], stdin=subprocess.DEVNULL,
                                                stdout=subprocess.DEVNULL,
                                                stderr=subprocess.DEVNULL)
            except OSError as error:
                raise Failed('%s: %s (Debian 12 has no package of Pktgen-DPDK; build it from its '
                             'source)' % (start[0], error.strerror)) from None
        self.socket = self._connect(host, int(port))
        self._say('wirerx = dofile(%s)' % json.dumps(os.path.join(scripts, 'wirerx.lua')))

    def _connect(self, host, port):
        end = time.monotonic() + self.patience
        while True:
            try:
                connection = socket.create_connection((host, port), timeout=5)
                connection.settimeout(1)
                return connection
            except OSError as error:
                if self.process is not None and self.process.poll() is not None:
                    raise Failed('Pktgen ended with status %d before it listened'
                                 % self.process.returncode) from None
                if self.process is None or time.monotonic() > end:
                    self.close()
                    raise Failed('nobody listens on %s:%d: %s' % (host, port, error)) from None
                time.sleep(0.2)

    def _say(self, line):
        self.socket.sendall(line.encode() + b'\n')

    def _answer(self, patience):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            *lines, self.rest = self.rest.split(b'\n')
            for number, line in enumerate(lines):
                at = line.find(b'wirerx-')  # a prompt may stand before it
                if at >= 0:
                    self.rest = b'\n'.join(lines[number + 1:] + [self.rest])
                    return line[at:].decode(errors='replace').strip()
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                continue
            if not data:
                raise Failed('Pktgen has closed its socket')
            self.rest += data
        raise Failed('Pktgen did not answer in %d s' % patience)

    @staticmethod
    def _lua(trial):
        return '{ %s }' % ', '.join('%s = %s' % (name, value) for name, value in
                                    sorted(trial.items()) if name != 'kind')

    def send(self, trial, groups=1):
        kind = trial['kind']
        self._say('wirerx.setup({ group_count = %d })' % groups)
        self._say('wirerx.run("%s", %s)' % (kind, self._lua(trial)))
        lasts = trial.get('ms', 0) + trial.get('bursts', 0) * trial.get('every_ms', 0)
        answer = self._answer(self.patience + lasts / 1000)
        if not answer.startswith('wirerx-sent '):
            raise Failed('Pktgen: ' + answer)
        sent = dict(word.split('=') for word in answer.split()[1:])
        sent = {line: int(count) for line, count in sent.items()}
        # Its rate is Pktgen's own affair: a port that cannot keep it takes longer for its count.
        return {'sent': sent, 'pps': trial.get('pps'), 'late_ns': None}

    def close(self):
        if self.process is None:
            return
        try:
            self._say('pktgen.quit()')
            self.process.wait(10)
        except (OSError, AttributeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
