# SPDX-License-Identifier: BSD-3-Clause
"""Running the programs as a user would, and looking at what they leave behind."""

import glob
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get('WIRERX_BIN', os.path.join(ROOT, 'build', 'bin'))
FEEDS = os.environ.get('WIRERX_FEEDS', os.path.join(os.path.dirname(ROOT), 'shared', 'feeds'))
SANITIZED = os.environ.get('WIRERX_VARIANT', '') in ('asan', 'tsan')
MODES = ('blocking', 'nonblocking', 'event', 'apc')
SLOW = 5 if SANITIZED else 1
SKIP = 77


def program(name):
    return os.path.join(BIN, name)


class Result:
    """What a finished run said."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def report(self):
        return json.loads(self.out)

    def __str__(self):
        return 'exit status %s\n-- stdout\n%s\n-- stderr\n%s' % (self.status, self.out, self.err)


def start(arguments, **options):
    return subprocess.Popen([program('wirerx')] + list(arguments), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def finish(process, timeout=60):
    try:
        out, err = process.communicate(timeout=timeout * SLOW)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError('it hangs\n%s' % Result(None, out.decode(), err.decode())) from None
    return Result(process.returncode, out.decode(), err.decode())


def wirerx(*arguments, **options):
    return finish(start(arguments, **options))


def feed(*arguments):
    return subprocess.run([program('wirerx-feed')] + list(arguments), check=False,
                          capture_output=True, text=True, timeout=60 * SLOW)


def left_behind():
    """Files and folders that a DPDK program may leave on this machine."""
    places = ['/var/run/dpdk', '/tmp/dpdk', '/dev/shm', '/dev/hugepages']
    if 'XDG_RUNTIME_DIR' in os.environ:
        places.append(os.path.join(os.environ['XDG_RUNTIME_DIR'], 'dpdk'))
    return {path for place in places for path in glob.glob(place + '/**', recursive=True)}


def new_left_behind(before):
    """What has come since and stays: other programs on this machine come and go meanwhile."""
    patience = time.monotonic() + 5
    new = left_behind() - before
    while new and time.monotonic() < patience:
        time.sleep(0.1)
        new &= left_behind()
    return new


class Case(unittest.TestCase):
    """A test with a folder of its own, which is also the working directory."""

    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='wirerx-test.')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def status(self, wanted, result):
        self.assertEqual(wanted, result.status, str(result))
        return result

    def balanced(self, report):
        """One packet, one fate."""
        self.assertEqual(sum(report[row] for row in ('frames', 'device_lost', 'reassembled', 'looped',
                                                    'handed_in')),
                         report['delivered'] + sum(report['kept'].values()) +
                         sum(report['drops'].values()))
        self.assertEqual(report['dropped'], sum(report['drops'].values()))
        for row in report['sockets']:
            self.assertEqual(row['delivered'], row['received'] + row['unread'], row)
        self.assertEqual(report['datagrams'] + report['after_end'],
                         sum(row['received'] for row in report['sockets']))


def main(skip=None):
    """Run the tests of the calling file; `skip` says why they cannot be."""
    if not skip and not os.access(program('wirerx'), os.X_OK):
        print('%s is not built' % program('wirerx'))
        sys.exit(1)
    if skip:
        print(skip)
        sys.exit(SKIP)
    unittest.main(module='__main__', verbosity=2)
