# SPDX-License-Identifier: BSD-3-Clause
"""A wire of its own for a test: the script runs itself again in a network namespace with a veth pair."""

import os
import shutil
import subprocess
import sys

SKIP = 77
SEND, RECEIVE = 'wtx0', 'wrx0'
INSIDE = 'WIRERX_INSIDE_VETH'


def _ip(*arguments):
    subprocess.run(['ip'] + list(arguments), check=True)


def _lay():
    # A namespace for mounts as well, so that /sys shows this one's interfaces.
    subprocess.run(['mount', '-t', 'sysfs', 'sysfs', '/sys'], check=True)
    for scope in ('all', 'default'):  # or the kernel sends frames of its own
        try:
            with open('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % scope, 'w',
                      encoding='ascii') as file:
                file.write('1')
        except OSError:
            pass
    _ip('link', 'add', SEND, 'type', 'veth', 'peer', 'name', RECEIVE)
    for name in (SEND, RECEIVE):
        _ip('link', 'set', name, 'up')


def probe():
    """End the script with 77 and the reason where there can be no such wire. @return unshare's flags"""
    if shutil.which('ip') is None or shutil.which('unshare') is None:
        print('ip and unshare are needed, packages iproute2 and util-linux')
        sys.exit(SKIP)
    flags = ['-n', '-m'] if os.geteuid() == 0 else ['-U', '-r', '-n', '-m']
    trial = subprocess.run(['unshare'] + flags + ['ip', 'link', 'add', SEND, 'type', 'veth', 'peer',
                                                  'name', RECEIVE], check=False,
                           capture_output=True, text=True)
    if trial.returncode != 0:
        print('no network namespace with a veth pair on this machine: '
              + ' '.join(trial.stderr.split()))
        sys.exit(SKIP)
    return flags


def need():
    """Return inside a namespace with the pair, or end the script with 77 and the reason."""
    if os.environ.get(INSIDE) == '1':
        _lay()
        return
    flags = probe()
    os.execvpe('unshare', ['unshare'] + flags + [sys.executable] + sys.argv,
               dict(os.environ, **{INSIDE: '1'}))


def statistic(interface, name):
    with open('/sys/class/net/%s/statistics/%s' % (interface, name), encoding='ascii') as file:
        return int(file.read())
