#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every fence, mark and wake-up that the locks and receives rest on is needed, and something says so.

    tests/mutants/check.py [BUILD]     all of them; BUILD is a gcc build (build/ci/gcc)
    tests/mutants/check.py BUILD NAME  one

A mutant takes one line of the product away. Where a program that runs finds that out at once, it has to:
the line is changed in a copy of the tree, what depends on it is compiled and linked anew, and the test
that is named must fail (and pass without the change). What only an unlucky moment would show is the
model's: a fence that is missing is seen on x86 once in a blue moon, and beside a locked instruction
never. Such a row names the mutant of tests/model/check.sh that takes the same line away there, and the
model must catch it. Either way the line must be in the product, once: when it moves on, the row has to
follow. And each full_fence() of the product must be in a row.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10  # for a test that takes less than one; a mutant may hang

# Code: `line` in `file` becomes `change`; `units` are compiled anew (default: the file); `test` of the
# suite in build/tests must fail. Model: `model` is the mutant and scenario that must be caught.
Mutant = namedtuple("Mutant", "name file line change units test model", defaults=[None] * 4)


def code(name, file, line, change, test, units=None):
    return Mutant(name, file, line, change, units or [file], test, None)


def model(name, file, line, mutant):
    return Mutant(name, file, line, model=mutant)


MUTANTS = [
    # --- AGAIN, the ready list and LOCK (R1 to R3 of dataplane/lock_word.h)
    code("lcore leaves no AGAIN", "dataplane/lock_word.h",
         "atomic_fetch_or_explicit(word, LOCK_WORD_LOCK | LOCK_WORD_AGAIN, memory_order_acq_rel)",
         "atomic_fetch_or_explicit(word, LOCK_WORD_LOCK, memory_order_acq_rel)",
         "dataplane notify/a_holder_is_left_the_service_and_owes_it", ["dataplane/notify.c"]),
    code("release ignores AGAIN", "dataplane/lock_word.c",
         "if (seen & LOCK_WORD_AGAIN) {", "if (0) {",
         "dataplane notify/a_holder_is_left_the_service_and_owes_it"),
    code("hand back without AGAIN", "dataplane/lock_word.c",
         "handed = (seen & LOCK_WORD_GENERATION_MASK) | LOCK_WORD_AGAIN;",
         "handed = seen & LOCK_WORD_GENERATION_MASK;",
         "dataplane notify/what_a_holder_hands_back_the_lcore_serves"),
    code("lcore never leaves AGAIN", "dataplane/lock_word.c",
         "LOCK_WORD_GENERATION_MASK | (more ? LOCK_WORD_AGAIN : 0)", "LOCK_WORD_GENERATION_MASK",
         "dataplane notify/what_a_service_leaves_is_done_in_later_passes"),
    code("lcore forgets what it owes", "dataplane/notify.c",
         "    if (attempt(lcore, e))\n        add_ready(lcore, e);", "    attempt(lcore, e);",
         "dataplane notify/a_holder_is_left_the_service_and_owes_it"),
    code("ready list drops what is held", "dataplane/notify.c",
         "owed = true; /* the holder serves, or leaves AGAIN */", "owed = false;",
         "dataplane notify/what_a_holder_hands_back_the_lcore_serves"),
    code("holder does not serve for AGAIN", "provider/pending_receive.c",
         "    while (!lock_word_release(&endpoint->word)) {\n",
         "    while (!lock_word_release(&endpoint->word)) {\n        continue;\n",
         "receive overlapped/what_comes_while_lock_is_held_is_served_by_the_holder"),
    model("AGAIN is cleared before the look", "dataplane/lock_word.c",
          "atomic_fetch_and_explicit(word, ~LOCK_WORD_AGAIN, memory_order_acq_rel);",
          "CLEAR_AGAIN_AFTER_SERVE POSTING"),

    # --- the generation
    code("no generation check", "dataplane/lock_word.c",
         "if (lock_word_generation(seen) != generation) {", "if (0) {",
         "dataplane lock_word/another_generation_is_stale"),
    model("sleeper looks at the generation", "provider/receive_wait.c",
          "lock_word_generation(atomic_load_explicit(&e->word, memory_order_relaxed)) !=",
          "NO_GENERATION_LOOK CLOSING"),

    # --- what the quick receive has seen in front of LOCK
    code("the tail is not looked at again", "provider/receive_quick.h",
         "if (unlikely(head != seen) && head == endpoint_known_tail(e)) {",
         "if (0 && unlikely(head != seen)) {",
         "receive blocking/emptied_ring_that_has_gone_round_gives_nothing_twice",
         ["provider/recv.c", "provider/receive_now.c"]),

    # --- the way home (H1 to H3 of dataplane/way_home.h), and stores that are left (G3)
    code("lent buffers go into the pool", "dataplane/way_home.c",
         "if (unlikely(all == 0 || lent != 0))", "if (unlikely(all == 0))",
         "dataplane way_home/what_is_lent_is_not_in_the_pool_until_it_comes_back"),
    code("what came back stays", "dataplane/way_home.c",
         "        passed += take_what_came_back(e);", "        passed += 1;",
         "dataplane way_home/what_is_lent_is_not_in_the_pool_until_it_comes_back"),
    code("no look is due", "dataplane/way_home.h",
         "return (int32_t)(endpoint_staged(e) - e->lcore.look_at) >= 0;", "return false;",
         "dataplane way_home/a_busy_sockets_buffers_come_home_without_a_sweep",
         ["dataplane/lcore.c"]),
    model("H1", "dataplane/endpoint.h",
          "    single_writer_add64(&e->bytes_consumed, bytes);\n"
          "    /* Release: the lcore may use elements and buffers for others once it sees the new head (H1). */",
          "HEAD_BEFORE_READ GROWING"),
    model("H2, the lcore's", "dataplane/way_home.c",
          "uint32_t lent = atomic_load_explicit(&e->lent, memory_order_acquire); /* H2 */",
          "LENT_BEFORE_HEAD GROWING"),
    model("H2, the lender's", "dataplane/endpoint_lend.c",
          "    single_writer_add32(&e->lent, buffers);\n    endpoint_consume_many(e, count);",
          "LENDS_AFTER_HEAD GROWING"),
    model("H2, who gives back", "dataplane/endpoint_lend.c",
          "/* Release: the references have been dropped (H2). */", "COUNTS_BEFORE_IT_DROPS GROWING"),
    model("G3", "dataplane/grow.c", "    endpoint_move(e, store);", "LEAVES_WITHOUT_MOVING GROWING"),
    model("G3, under LOCK", "dataplane/grow.c",
          "if ((!quiet && e->lcore.left == NULL) || !try_lock(e))", "TIDIES_UNLOCKED GROWING"),

    # --- lengths of the wire, which the plain reference judges as well
    code("padding is taken for payload", "dataplane/classify.c",
         "udp_length > total - header)", "udp_length > length - at - header)",
         "dataplane reference_classifier/every_frame_ends_as_the_reference_says"),

    # --- wake-ups of those who wait for LOCK
    code("release wakes nobody", "dataplane/lock_word.c",
         "            break;\n    }\n    if (seen & LOCK_WORD_WAITERS)\n",
         "            break;\n    }\n    if (0)\n",
         "dataplane lock_word/release_wakes_every_sleeper_in_the_end"),
    code("retiring wakes nobody", "dataplane/lock_word.c",
         "wake(low_half(word), INT_MAX);", "",
         "dataplane lock_word/retiring_wakes_every_sleeper_as_stale"),
    code("lcore's release wakes nobody", "dataplane/lock_word.c",
         "if (before & LOCK_WORD_WAITERS)", "if (0)",
         "dataplane lock_word/lcores_release_wakes_a_sleeper"),
    code("handing back wakes nobody", "dataplane/lock_word.c",
         "                                                  memory_order_relaxed));\n"
         "    if (seen & LOCK_WORD_WAITERS)",
         "                                                  memory_order_relaxed));\n    if (0)",
         "dataplane lock_word/handing_back_wakes_a_sleeper"),

    # --- wake-ups of receivers
    model("the baton", "provider/pending_receive.c",
          "if (unlikely(atomic_load_explicit(&endpoint->sleepers, memory_order_relaxed) != 0) &&",
          "NO_BATON SLEEPING"),
    model("the baton of who leaves", "provider/receive_wait.c",
          "if (leaves && endpoint_queued(e) != 0)", "NO_LEAVE_BATON LEAVING"),
    model("service thread begins anew", "dataplane/service.c",
          "atomic_exchange_explicit(&endpoint->serve_queued, false, memory_order_acq_rel);",
          "SERVICE_CLEARS_LATE FOREIGN"),

    # --- the fences. Of sends: the same protocol with the queue's head in the tail's place
    model("F1", "dataplane/notify.c",
          "full_fence(); /* F1: the tails above before `posted` and `sleepers` below */",
          "NO_F1 POSTING"),
    model("F1 for sleepers", "dataplane/notify.c",
          "full_fence(); /* F1: the tails above before `posted` and `sleepers` below */",
          "NO_F1 SLEEPING"),
    model("F2", "provider/receive_post.c",
          "full_fence(); /* F2: `posted` above before the tail below */", "NO_F2 POSTING"),
    model("F2 of the quick post", "provider/receive_post_quick.h",
          "full_fence(); /* F2: `posted` above before the tail below */", "NO_F2 POSTING"),
    model("F2 of a selection", "provider/network_events.c",
          "full_fence(); /* F2: WATCHED above before the tail below */", "NO_WATCH_F2 WATCHING"),
    model("F2 of a select", "provider/select.c",
          "full_fence(); /* F2: WATCHED above before the tail below */", "NO_WATCH_F2 SELECTING"),
    model("F2 of a shutdown", "provider/shutdown.c",
          "full_fence(); /* F2: watched, above, before the tail that is looked at next */",
          "NO_WATCH_F2 WATCHING"),
    model("F3", "provider/receive_wait.c",
          "full_fence(); /* F3: `sleepers` above before the tail below */", "NO_F3 SLEEPING"),
    model("F4", "dataplane/send.c",
          "full_fence(); /* F4: the head before `posted` and `sleepers` below */", "NO_F1 POSTING"),
    model("F5", "provider/send_post.c",
          "full_fence(); /* F5: `posted` above before the head below */", "NO_F2 POSTING"),
    model("F5 of a selection", "provider/send_now.c",
          "full_fence(); /* F5: watched before the head below */", "NO_WATCH_F2 WATCHING"),
    model("F6", "provider/send_wait.c",
          "full_fence(); /* F6: `sleepers` above before the head below */", "NO_F3 SLEEPING"),
    model("F6, the waker's", "dataplane/endpoint.c",
          "full_fence(); /* the sequence above before `sleepers` below: who sleeps later sees it (F6) */",
          "NO_F1 SLEEPING"),

    # --- the thread of the ways to the kernel: it sleeps as a receiver does, `wants` its announcement
    model("the kernel's thread is told", "dataplane/tap.c",
          "full_fence(); /* the ring's entries before this look: see tap.h */", "NO_F1 SLEEPING"),
    model("the kernel's thread looks again", "dataplane/tap.c",
          "full_fence(); /* that before the looks: see tap.h */", "NO_F3 SLEEPING"),
]


def check_lines():
    """Problems with the list itself."""
    problems = []
    for m in MUTANTS:
        found = (ROOT / m.file).read_text().count(m.line)
        if found != 1:
            problems.append(f"{m.name}: its line is {found} times in {m.file}")
    for folder in ("dataplane", "provider", "shim"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            for line in path.read_text().splitlines():
                if "full_fence();" in line and not any(
                        m.file == str(path.relative_to(ROOT)) and m.line == line.strip()
                        for m in MUTANTS):
                    problems.append(f"{path.relative_to(ROOT)}: no row for: {line.strip()}")
    return problems


def run(command, seconds=120, **options):
    """Exit status and output; 124 when it took too long, and then all that it started has ended."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, start_new_session=True,
                          **options) as process:
        try:
            output = process.communicate(timeout=seconds)[0]
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return 124, f"more than {seconds} seconds"


def run_model(mutant):
    status, output = run([ROOT / "tests/model/check.sh", "mutant", *mutant.model.split()])
    if status == 77:
        return None, output.strip()
    return status == 0, output.strip()


class Build:
    """A gcc build, of which a mutant needs all but the objects that the changed line is in."""

    def __init__(self, directory):
        self.directory = directory
        self.commands = {c["file"]: c for c in json.loads(
            (directory / "compile_commands.json").read_text()) if "/tests/" not in c["file"]}

    def compile(self, tree, unit, output):
        command = self.commands[str(ROOT / unit)]
        words = [w.replace(str(ROOT), str(tree)) for w in shlex.split(command["command"])]
        del words[words.index("-o"):words.index("-o") + 2]
        for option in ("-MF", "-MT"):
            if option in words:
                del words[words.index(option):words.index(option) + 2]
        words = [w for w in words if w not in ("-MD", "-Werror")]
        return run([*words, "-o", str(output)], cwd=command["directory"])

    def link(self, target, objects, output):
        status, commands = run(["ninja", "-t", "commands", target], cwd=self.directory)
        line = commands.splitlines()[-1]
        archive = re.search(r" lib/lib\w+\.a", line)
        if status != 0 or archive is None or f"-o {target} " not in line:
            return 1, commands[-1000:]
        # What is defined there is not looked for in the archives.
        line = line[:archive.start()] + " " + " ".join(map(str, objects)) + line[archive.start():]
        return run(line.replace(f"-o {target} ", f"-o {output} "), shell=True, cwd=self.directory)

    def make(self, tree, work, units, suites):
        """Compile the units of a tree, and link the suites with them. What went wrong, or None."""
        objects = []
        for unit in units:
            objects.append(work / (unit.replace("/", "-") + ".o"))
            status, output = self.compile(tree, unit, objects[-1])
            if status != 0:
                return f"{unit} does not compile: {output}"
        for suite in suites:
            status, output = self.link(f"tests/{suite}", objects, work / suite)
            if status != 0:
                return f"{suite} does not link: {output}"
        return None

    def run_code(self, mutant, work):
        """Did the test fail? And what it said."""
        suite, test = mutant.test.split()
        for folder in ("dataplane", "provider"):
            shutil.copytree(ROOT / folder, work / "tree" / folder)
        path = work / "tree" / mutant.file
        path.write_text(path.read_text().replace(mutant.line, mutant.change))
        problem = self.make(work / "tree", work, mutant.units, [suite])
        if problem is not None:
            return None, problem
        status, output = run([work / suite, "--filter", test, "-j1"], SECONDS)
        said = re.findall(r"Assertion.*|.*does not hold.*|.*wanted.*|.*CRASH.*|more than.*", output)
        return status != 0, said[-1].strip("[]- ") if said else output

    def baseline(self, mutants, work):
        """Tests that do not pass in programs that were made in the same way without a change."""
        units = sorted({u for m in mutants if m.test for u in m.units})
        tests = sorted({tuple(m.test.split()) for m in mutants if m.test})
        problem = self.make(ROOT, work, units, sorted({suite for suite, _ in tests}))
        if problem is not None:
            return [problem]
        bad = []
        for suite, test in tests:
            status, output = run([work / suite, "--filter", test, "-j1"], 60)
            if status != 0 or "Tested: 1 " not in output:
                bad.append(f"{suite} {test}: does not pass without a change: {output}")
        return bad


def say(mutant, caught, output):
    by = mutant.test or f"model {mutant.model}"
    verdict = "FAILED" if caught is None else "caught" if caught else "SURVIVES"
    print(f"{verdict}  {mutant.name}, by {by}: {' '.join(output.split())}")
    sys.stdout.flush()


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/ci/gcc").resolve()
    chosen = [m for m in MUTANTS if len(sys.argv) < 3 or m.name == sys.argv[2]]
    problems = check_lines()
    if not chosen:
        problems.append(f"there is no mutant {sys.argv[2]}")
    if problems:
        print("\n".join(problems))
        return 1

    good = failed = 0
    skipped = set()
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(2) as pool:
        build = Build(directory)
        problems = build.baseline(chosen, Path(work))
        if problems:
            print("\n".join(problems))
            return 1

        def one(m):
            if m.model:
                return run_model(m)
            mine = Path(tempfile.mkdtemp(dir=work))
            result = build.run_code(m, mine)
            shutil.rmtree(mine)
            return result

        for m, (caught, output) in zip(chosen, pool.map(one, chosen)):
            if m.model and caught is None:
                skipped.add(output)
                continue
            say(m, caught, output)
            good += caught is True
            failed += caught is not True
    for reason in skipped:
        print(reason)
    print(f"{good} of {len(chosen)} mutants caught")
    if failed:
        return 1
    return 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
