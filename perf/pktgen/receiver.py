# SPDX-License-Identifier: BSD-3-Clause
"""wirerx's side of a trial: `wirerx recv` on a device, and the counters that it reports."""

import json
import os
import subprocess
import tempfile
import time

from generators import Failed


class Receiver:
    """Starts `wirerx recv` for one trial and reads its report."""

    def __init__(self, binary, device, core, memory, settle, rest=0.25):
        self.binary, self.device, self.core, self.memory = binary, device, core, memory
        self.settle, self.rest = settle, rest
        self.process = self.folder = None

    def _configuration(self, ring_slots, sockets):
        return ('cores: [%d]\nmemory: {pages: %s}\nports:\n  - device: "%s"\n'
                '    addresses: [198.18.0.2/15]\n'
                'sockets: {maximum: %d, ring-slots: %d, ring-bytes: 67108864, min-buffers: 64}\n'
                % (self.core, self.memory, self.device, max(sockets, 4), ring_slots))

    def start(self, joins, ring_slots, generated):
        self.folder = tempfile.TemporaryDirectory(prefix='wirerx-pktgen.')
        path = os.path.join(self.folder.name, 'wirerx.yaml')
        with open(path, 'w', encoding='ascii') as file:
            file.write(self._configuration(ring_slots, len(joins)))
        command = [self.binary, 'recv', '--config', path, '--json']
        command += ['--generated'] if generated else []
        for join in joins:
            command += ['--join', join]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(self.settle)
        if self.process.poll() is not None:
            raise Failed(self._reason())

    def _reason(self):
        lines = self.process.communicate()[1].splitlines()
        self.folder.cleanup()
        return next((line for line in lines if line.startswith('wirerx')),
                    lines[-1] if lines else 'wirerx recv failed')

    def finish(self):
        """The report, after a rest in which the last frames come."""
        time.sleep(self.rest)
        self.process.terminate()
        out, err = self.process.communicate()
        self.folder.cleanup()
        if self.process.returncode != 0:
            raise Failed(' '.join(err.split()) or 'wirerx recv failed')
        return json.loads(out)

    def cancel(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.communicate()
            self.folder.cleanup()
