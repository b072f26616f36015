#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measure wirerx with a generator on the other end of a wire.

  perf/pktgen/run.py throughput   the highest rate without loss, for each frame size (RFC 2544, 26.1)
  perf/pktgen/run.py latency      sending to return, at fractions of that rate (26.2)
  perf/pktgen/run.py feed         a multicast feed in bursts, on lines A and B
  perf/pktgen/run.py bursts       the largest microburst without loss, for each ring size
  perf/pktgen/run.py all

The generator is an installed Pktgen-DPDK (--generator pktgen) or wirerx-gen, which sends the same
patterns. Without --receiver both ends are a veth pair in a network namespace. One JSON report."""

import argparse
import json
import os
import platform
import shlex
import sys

import veth
from generators import Failed, GROUPS, MOST_GROUPS, PORT, Pktgen, WirerxGen, group
from receiver import Receiver

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = ('throughput', 'latency', 'feed', 'bursts')
BURSTS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
SMALLEST, LARGEST = 64, 1518
# A generator that sends less than this part of what was asked has not offered the load.
KEPT = 0.95
NO_STAMPS = 'Pktgen stamps no datagram with a time that wirerx could read; wirerx-gen does'


class Bed:
    """A generator and a receiver, and one trial at a time."""

    def __init__(self, options, generator, receiver):
        self.options, self.generator, self.receiver = options, generator, receiver
        self.trials = 0

    def trial(self, trial, ring_slots=None, groups=1):
        lines = 'AB'[:trial.get('lines', 1)]
        joins = ['%s:%d' % (group(line, i), PORT) for line in lines for i in range(groups)]
        self.trials += 1
        self.receiver.start(joins, ring_slots or self.options.ring_slots, self.generator.stamps)
        try:
            sent = self.generator.send(trial, groups)
        except Failed:
            self.receiver.cancel()
            raise
        report = self.receiver.finish()
        total = sum(sent['sent'].values())
        drops = {name: count for name, count in report['drops'].items() if count}
        # What the device missed is no frame of the port's; all other drops are.
        missed = drops.get('device_missed', 0)
        result = {
            'sent': sent['sent'], 'received': report['datagrams'],
            'lost': total - report['datagrams'], 'drops': drops,
            'lost_before_the_port': total - report['frames'] - missed,
            'pps': sent['pps'], 'late_ns': sent['late_ns'],
            'latency_ns': report['latency_ns'],
            'latency_reason': report['latency_reason'] if self.generator.stamps else NO_STAMPS,
            'numbering': report['generated'],
            'offered': not sent['pps'] or sent['pps'] >= KEPT * trial.get('pps', 0),
        }
        print('%s: %d sent, %d received' % (trial, total, report['datagrams']), file=sys.stderr)
        return result


def search(holds, low, high, precision):
    """The highest rate that holds() between the two, to within a part; 0: not even the lowest."""
    if holds(high):
        return high
    if not holds(low):
        return 0
    while high > low * (1 + precision):
        middle = int((low + high) / 2)
        if middle in (low, high):
            break
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def throughput(bed, frame):
    options, tried = bed.options, []

    def holds(pps):
        result = bed.trial({'kind': 'steady', 'frame': frame, 'pps': pps, 'ms': options.duration})
        tried.append(dict(result, asked_pps=pps))
        return result['lost'] == 0 and result['offered']

    rate = search(holds, options.min_rate, options.max_rate, options.precision)
    limited = any(not trial['offered'] for trial in tried)
    return {'frame': frame, 'zero_loss_pps': rate or None,
            'reason': None if rate else 'loss at the lowest rate, %d' % options.min_rate,
            'gigabits_per_second': rate * frame * 8 / 1e9 if rate else None,
            'generator_limited': limited, 'trials': tried}


def test_throughput(bed):
    return [throughput(bed, frame) for frame in bed.options.frames]


def test_latency(bed, found=None):
    found = found or test_throughput(bed)
    rows = []
    for size in found:
        for fraction in bed.options.fractions:
            row = {'frame': size['frame'], 'fraction': fraction}
            if size['zero_loss_pps'] is None:
                row.update(latency_ns=None, reason=size['reason'])
            else:
                pps = max(1, int(size['zero_loss_pps'] * fraction))
                result = bed.trial({'kind': 'steady', 'frame': size['frame'], 'pps': pps,
                                    'ms': bed.options.duration})
                row.update(pps=pps, sent=result['sent'], received=result['received'],
                           lost=result['lost'], latency_ns=result['latency_ns'],
                           reason=result['latency_reason'])
            rows.append(row)
    return rows


def test_feed(bed):
    options = bed.options
    groups = min(options.groups, MOST_GROUPS[bed.generator.name])
    result = bed.trial({'kind': 'feed', 'frame': options.frames[0], 'pps': options.feed_rate,
                        'ms': options.duration, 'burst': 8, 'lines': 2, 'skew_ms': options.skew_ms},
                       groups=groups)
    return dict(result, groups=groups, lines=2, skew_ms=options.skew_ms)


def test_bursts(bed):
    options, rows = bed.options, []
    for ring_slots in options.rings:
        row = {'ring_slots': ring_slots, 'largest_without_loss': None, 'trials': []}
        for burst in [size for size in BURSTS if size <= options.largest_burst]:
            result = bed.trial({'kind': 'bursts', 'frame': options.frames[0], 'burst': burst,
                                'bursts': options.repeat, 'every_ms': options.every_ms},
                               ring_slots=ring_slots)
            row['trials'].append({'burst': burst, 'sent': result['sent'], 'lost': result['lost'],
                                  'drops': result['drops'],
                                  'lost_before_the_port': result['lost_before_the_port']})
            if result['lost'] != 0:
                break
            row['largest_without_loss'] = burst
        row['reason'] = None if row['largest_without_loss'] else 'the smallest burst lost datagrams'
        rows.append(row)
    return rows


def run(options, bed):
    names = TESTS if options.test == 'all' else (options.test,)
    results = {}
    for name in names:
        if name == 'throughput':
            results[name] = test_throughput(bed)
        elif name == 'latency':
            results[name] = test_latency(bed, results.get('throughput'))
        elif name == 'feed':
            results[name] = test_feed(bed)
        else:
            results[name] = test_bursts(bed)
    return results


# --- the command line ----------------------------------------------------------------------------------

def numbers(minimum, maximum, kind=int):
    def parse(text):
        try:
            values = [kind(word) for word in text.split(',')]
        except ValueError:
            values = []
        if not values or not all(minimum <= value <= maximum for value in values):
            raise argparse.ArgumentTypeError('%s: not numbers from %s to %s with commas between them'
                                             % (text, minimum, maximum))
        return values
    return parse


def number(minimum, maximum, kind=int):
    def parse(text):
        values = numbers(minimum, maximum, kind)(text)
        if len(values) != 1:
            raise argparse.ArgumentTypeError('%s: one number is wanted' % text)
        return values[0]
    return parse


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print('run.py: %s (--help says more)' % ' '.join(message.split()), file=sys.stderr)
        sys.exit(2)


def parse(arguments):
    parser = Parser(prog='run.py', allow_abbrev=False, description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('test', choices=TESTS + ('all',))
    add('--generator', choices=('wirerx-gen', 'pktgen'), default='wirerx-gen')
    add('--receiver', metavar='DEVICE', help="wirerx's device; without it a veth pair is made")
    add('--driver', choices=('af_packet', 'af_xdp'), default='af_packet',
        help="wirerx's driver on the veth pair (af_packet)")
    add('--device', help="wirerx-gen's device, for --receiver")
    add('--device-b', help='and of line B')
    add('--pktgen', metavar='COMMAND',
        help="Pktgen's command line up to its own options, such as "
             "'pktgen -l 2-4 -a 0000:01:00.0 -- -P -m 3.0'; -g is added")
    add('--pktgen-socket', metavar='HOST:PORT', default='127.0.0.1:22022',
        help='where Pktgen listens (127.0.0.1:22022); without --pktgen it runs there already')
    add('--pktgen-scripts', metavar='FOLDER', default=os.path.dirname(os.path.abspath(__file__)),
        help='this folder, on the machine of Pktgen')
    add('--core', type=number(0, 8191), default=max(os.sched_getaffinity(0)),
        help="wirerx's CPU (the last one)")
    add('--memory', choices=('no-huge', 'in-memory', 'huge'), default='no-huge',
        help='for both ends; a NIC needs one of the latter')
    add('--frames', type=numbers(SMALLEST, LARGEST), default=[64, 128, 256, 512, 1024, 1280, 1518],
        help='frame sizes as RFC 2544 counts them (its seven)')
    add('--duration', type=number(10, 3600000), default=10000, help='of a trial, in ms (10000)')
    add('--min-rate', type=number(1, 10**9), default=1000, help='frames a second (1000)')
    add('--max-rate', type=number(1, 10**9), default=1000000, help='(1000000)')
    add('--precision', type=number(0.001, 10, float), default=0.02, help='of the search (0.02)')
    add('--fractions', type=numbers(0.001, 1, float), default=[0.1, 0.5, 0.9],
        help='of the rate without loss (0.1,0.5,0.9)')
    add('--groups', type=number(1, 1000), default=16, help='of the feed (16)')
    add('--feed-rate', type=number(1, 10**8), default=50000, help='frames a second a line (50000)')
    add('--skew-ms', type=number(0, 1000, float), default=1, help='of line B (1)')
    add('--rings', type=numbers(64, 65536), default=[256, 1024, 4096, 16384],
        help='ring sizes of the bursts (256,1024,4096,16384)')
    add('--ring-slots', type=number(64, 65536), default=4096, help='of the other tests (4096)')
    add('--largest-burst', type=number(10, 10000), default=10000, help='(10000)')
    add('--repeat', type=number(1, 1000), default=10, help='bursts of a trial (10)')
    add('--every-ms', type=number(1, 10000), default=100, help='from burst to burst (100)')
    add('--settle', type=number(0.1, 60, float), default=1.0,
        help='seconds for wirerx to start and join (1)')
    add('--output', metavar='FILE', help='the report (standard output)')
    options = parser.parse_args(arguments)
    check(parser, options)
    return options


def check(parser, options):
    if options.min_rate > options.max_rate:
        parser.error('--min-rate is above --max-rate')
    for slots in options.rings + [options.ring_slots]:
        if slots & (slots - 1):
            parser.error('--rings and --ring-slots: %d is not a power of two' % slots)
    if options.generator == 'pktgen' and not options.receiver:
        parser.error('--generator pktgen needs --receiver: Pktgen wants a NIC, not a veth pair')
    if options.generator == 'wirerx-gen' and options.receiver and not options.device:
        parser.error('--receiver needs --device, where wirerx-gen sends')
    if options.device and not options.receiver:
        parser.error('--device needs --receiver')
    if options.generator == 'wirerx-gen' and options.pktgen:
        parser.error('--pktgen is for --generator pktgen')


def generator_of(options, binaries):
    if options.generator == 'pktgen':
        command = shlex.split(options.pktgen) if options.pktgen else None
        return Pktgen(options.pktgen_socket, command, scripts=options.pktgen_scripts)
    device = options.device or 'vdev:net_af_packet0,iface=' + veth.SEND
    extra = ['--memory', options.memory]
    return WirerxGen(os.path.join(binaries, 'wirerx-gen'), device, options.device_b, extra)


def main(arguments):
    options = parse(arguments)
    binaries = os.environ.get('WIRERX_BIN', os.path.join(ROOT, 'build', 'bin'))
    if not options.receiver:
        veth.need()
    device = options.receiver or 'vdev:net_%s0,iface=%s' % (options.driver, veth.RECEIVE)
    receiver = Receiver(os.path.join(binaries, 'wirerx'), device, options.core, options.memory,
                        options.settle)
    generator = None
    report = {'label': 'a wire and a device of the machine\'s own' if options.receiver else
                       'veth: a wire of software in one machine, whose sender shares its CPUs',
              'generator': options.generator, 'test': options.test, 'receiver': device,
              'groups': GROUPS, 'machine': {'system': platform.platform(),
                                            'cpus': len(os.sched_getaffinity(0))},
              'settings': {name: value for name, value in vars(options).items() if value is not None}}
    try:
        generator = generator_of(options, binaries)
        report['results'] = run(options, Bed(options, generator, receiver))
    except Failed as error:
        print('run.py: %s' % error, file=sys.stderr)
        return 1
    finally:
        receiver.cancel()
        if generator is not None:
            generator.close()
    text = json.dumps(report, indent=2) + '\n'
    if options.output:
        with open(options.output, 'w', encoding='utf-8') as file:
            file.write(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
