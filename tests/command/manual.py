#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""--help, --man and --version: complete, and made from one table."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import command


class Manual(command.Case):

    def say(self, *arguments):
        result = self.status(0, command.wirerx(*arguments))
        self.assertEqual('', result.err)
        return result.out

    def test_version(self):
        self.assertRegex(self.say('--version'), r'^wirerx \d+\.\d+\.\d+\n$')

    def test_overview_names_the_commands(self):
        text = self.say('--help')
        self.assertIn('recv', text)
        self.assertIn('check', text)

    def test_every_option_of_the_issue_is_there(self):
        text = self.say('recv', '--help')
        for option in ('join', 'config', 'replay', 'pace', 'checksums', 'mode', 'count',
                       'idle-exit', 'output', 'times', 'generated', 'json'):
            self.assertIn('--' + option, text)

    def test_lines_fit_a_terminal(self):
        for arguments in (['--help'], ['recv', '--help'], ['check', '--help']):
            for line in self.say(*arguments).splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_the_man_page_has_the_same_options(self):
        listed = set(re.findall(r'^  --([a-z-]+)', self.say('recv', '--help'), re.MULTILINE))
        page = self.say('--man').replace('\\-', '-')
        for option in listed - {'help'}:
            self.assertIn('\n.B --%s' % option, page)

    def test_the_man_page_renders_without_warnings(self):
        if shutil.which('man') is None:
            self.skipTest('man is not installed')
        with open('wirerx.1', 'w', encoding='utf-8') as file:
            file.write(self.say('--man'))
        shown = subprocess.run(['man', '--warnings=w', '-l', 'wirerx.1'], check=True,
                               capture_output=True, text=True,
                               env={**os.environ, 'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8'})
        self.assertEqual('', shown.stderr)
        self.assertIn('--idle-exit', shown.stdout)


if __name__ == '__main__':
    command.main()
