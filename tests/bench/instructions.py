#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""perf/instructions.py notices what it is there to notice.

    tests/bench/instructions.py [BUILD]    BUILD: a gcc build (build/ci/gcc)

Against a baseline of this very build a few instructions more in a function must turn it red in that
function's stage and in no other; and so must a gain, which is a baseline that was too high. That it passes
against the right baseline is what `perf/instructions.py --check` is for.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'perf/instructions.py'

# Stage, file, a function in it, and rounds of a loop at its beginning: more than 3 % of any stage.
PLANTS = (
    ('pass', 'dataplane/lcore.c', 'bool lcore_step', 100),
    ('call', 'provider/recv.c', 'int WSPAPI spi_recv', 10),
)


def mutants():
    spec = importlib.util.spec_from_file_location('check', ROOT / 'tests/mutants/check.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def count(build, *arguments):
    result = subprocess.run([SCRIPT, *map(str, arguments), str(build)], check=False, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout


def marked(output):
    """Modes and stages of the rows that are off."""
    return {tuple(line.split()[:2]) for line in output.splitlines() if line.endswith('<--')}


def plant(build, work):
    """wirerx-bench with every plant in it."""
    objects = []
    for folder in ('dataplane', 'provider'):
        shutil.copytree(ROOT / folder, work / 'tree' / folder)
    for _, file, function, rounds in PLANTS:
        path = work / 'tree' / file
        loop = f'for (volatile int planted = 0; planted < {rounds}; planted++)\n        continue;\n'
        text, found = re.subn(rf'(?m)(^{function}\([^;{{]*\)\n{{\n)', rf'\1    {loop}',
                              path.read_text())
        if found != 1:
            sys.exit(f'{file} has {found} times a function that begins like {function}')
        path.write_text(text)
        objects.append(work / (Path(file).name + '.o'))
        status, output = build.compile(work / 'tree', file, objects[-1])
        if status != 0:
            sys.exit(f'{file} does not compile: {output}')
    status, output = build.link('bin/wirerx-bench', objects, work / 'planted')
    if status != 0:
        sys.exit(f'it does not link: {output}')
    return work / 'planted'


def check_functions(build, figures):
    """What functions take adds up to what their stages take."""
    status, output = count(build, '--functions', 'now')
    stages = dict(re.findall(r'(?m)^(\w+): .*, ([0-9.]+)$', output))
    for stage, value in re.findall(r'(?m)^now\t(\w+)\t(.*)$', figures):
        if stage not in ('lcore', 'dataplane') and stages.get(stage) != value:
            print(output, f'\n{stage}: its functions take {stages.get(stage)}, it takes {value}', sep='')
            return 1
    print('more instructions are noticed, and fewer')
    return status


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / 'build/ci/gcc').resolve()
    with tempfile.TemporaryDirectory(prefix='wirerx-test.') as folder:
        work = Path(folder)
        baseline = work / 'baseline.tsv'
        status, output = count(directory, '--write', '--baseline', baseline)
        if status != 0:
            print(output)
            return status

        figures = baseline.read_text()
        baseline.write_text(re.sub(r'(?m)^(floor\tcall\t)(.*)$',
                                   lambda m: f'{m[1]}{float(m[2]) * 1.05:.1f}', figures))

        status, output = count(directory, '--check', '--baseline', baseline, '--program',
                               plant(mutants().Build(directory), work))
        print(output)
        planted = {stage for stage, _, _, _ in PLANTS}
        rows = marked(output)
        if status != 1 or not planted <= {stage for mode, stage in rows if mode == 'now'}:
            print('planted instructions are not noticed')
            return 1
        if ('floor', 'call') not in rows:
            print('a gain is not noticed')
            return 1
        if not {stage for _, stage in rows - {('floor', 'call')}} <= planted | {'lcore', 'dataplane'}:
            print('planted instructions are seen in other stages, too')
            return 1
        return check_functions(directory, figures)


if __name__ == '__main__':
    sys.exit(main())
