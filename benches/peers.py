#!/usr/bin/env python3
"""Backup programs side by side: time, processor, memory, size.

Every program does the same steps on the same trees, in one run on one machine, round after round in
turn, so that a slow minute of the machine falls on all of them:

  first      backup into a new repository
  same       backup again, nothing changed
  next       backup of the tree's next version, under the same path
  check      structure only
  read       every byte verified
  restore    the newest snapshot into an empty folder, compared with the tree afterwards

`tar` (tar | zstd -3 -T2) and `cp` (cp -a) are yardsticks: they do `first` and `restore` only.
`stat` walks the tree with two processes and reads every inode: the yardstick of `same`.

usage: peers.py WORK NAME=TREE[,NEXT] ... [--tools a,b] [--rounds N] [--json FILE]

NAME is `source`, `documents`, `database` or anything else; targets exist for these three. WORK must
be on the same file system as the trees: a tree is moved to WORK/live while it is backed up, so that
both versions have one path. Programs come from PATH or from RESTIC, BORG, RUSTIC, LIFEBOAT. One that
is missing is named as not run. Ends with 1 if a restore differs, with 0 whatever the times are.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ZSTD = "zstd -q -3 -T2"
MIB = 1024 * 1024


def measure(argv, env, cwd):
    """Runs a program; wall seconds, processor seconds, peak MiB of its largest process."""
    os.sync()
    with tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        child = subprocess.Popen(
            argv, env={**os.environ, **env}, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-1500:]
            raise SystemExit(f"{' '.join(argv)}: exit {child.returncode}\n{tail}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size_mib(folder):
    """Bytes of all files below a folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)
    return total / MIB


def program(name):
    """Where a program is, or None."""
    return shutil.which(os.environ.get(name.upper(), name))


class Tool:
    """One program with one fresh repository. Commands are lists, run in the tree's folder."""

    needs = ()
    backs_up_again = True

    def __init__(self, home):
        self.home = home
        self.repository = os.path.join(home, "repository")
        self.env = {"HOME": home}
        self.count = 0

    def init(self):
        return None

    def check(self):
        return None

    def read(self):
        return None

    def measured(self, argv, cwd):
        return measure(argv, self.env, cwd)


class Restic(Tool):
    needs = ("restic",)

    def __init__(self, home):
        super().__init__(home)
        self.program = program("restic")
        self.env |= {"RESTIC_REPOSITORY": self.repository, "RESTIC_PASSWORD": "benchmark",
                     "RESTIC_CACHE_DIR": os.path.join(home, "cache")}

    def init(self):
        return [self.program, "init", "-q"]

    def backup(self):
        return [self.program, "backup", "-q", "."]

    def check(self):
        return [self.program, "check", "-q"]

    def read(self):
        return [self.program, "check", "-q", "--read-data"]

    def restore(self, target):
        return [self.program, "restore", "-q", "latest", "--target", target]


class Rustic(Tool):
    needs = ("rustic",)

    def __init__(self, home):
        super().__init__(home)
        self.program = program("rustic")
        self.env |= {"RUSTIC_REPOSITORY": self.repository, "RUSTIC_PASSWORD": "benchmark",
                     "RUSTIC_CACHE_DIR": os.path.join(home, "cache"),
                     "RUSTIC_NO_PROGRESS": "true", "RUSTIC_LOG_LEVEL": "error"}

    def init(self):
        return [self.program, "init"]

    def backup(self):
        return [self.program, "backup", "."]

    def check(self):
        return [self.program, "check"]

    def read(self):
        return [self.program, "check", "--read-data"]

    def restore(self, target):
        return [self.program, "restore", "latest", target]


class Borg(Tool):
    needs = ("borg",)

    def __init__(self, home):
        super().__init__(home)
        self.program = program("borg")
        self.env |= {"BORG_REPO": self.repository, "BORG_PASSPHRASE": "benchmark",
                     "BORG_BASE_DIR": home, "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}

    def init(self):
        return [self.program, "init", "-e", "repokey-blake2"]

    def backup(self):
        self.count += 1
        return [self.program, "create", "-C", "zstd,3", f"::{self.count}", "."]

    def check(self):
        return [self.program, "check"]

    def read(self):
        return [self.program, "check", "--verify-data"]

    def restore(self, target):
        script = 'cd "$1" && exec "$2" extract "::$3"'
        return ["sh", "-c", script, "sh", target, self.program, str(self.count)]


class Lifeboat(Tool):
    needs = ("lifeboat",)

    def __init__(self, home):
        super().__init__(home)
        self.program = program("lifeboat")
        self.env |= {"LIFEBOAT_REPOSITORY": self.repository, "LIFEBOAT_PASSWORD": "benchmark",
                     "LIFEBOAT_CACHE_DIR": os.path.join(home, "cache")}

    def init(self):
        return [self.program, "init"]

    def backup(self):
        return [self.program, "backup", "--quiet", "."]

    def check(self):
        return [self.program, "check", "--quiet"]

    def read(self):
        return [self.program, "check", "--quiet", "--read-data"]

    def restore(self, target):
        return [self.program, "restore", "--quiet", "latest", "--target", target]


class Tar(Tool):
    needs = ("tar", "zstd")
    backs_up_again = False

    def backup(self):
        os.makedirs(self.repository, exist_ok=True)
        script = f'tar cf - . | {ZSTD} > "$1/tree.tar.zst"'
        return ["bash", "-o", "pipefail", "-c", script, "bash", self.repository]

    def restore(self, target):
        script = 'zstd -q -d -c "$1/tree.tar.zst" | tar xf - -C "$2"'
        return ["bash", "-o", "pipefail", "-c", script, "bash", self.repository, target]


class Cp(Tool):
    needs = ("cp",)
    backs_up_again = False

    def backup(self):
        os.makedirs(self.repository, exist_ok=True)
        return ["cp", "-a", ".", os.path.join(self.repository, "tree")]

    def restore(self, target):
        return ["cp", "-a", os.path.join(self.repository, "tree") + "/.", target]


class Stat(Tool):
    needs = ("find", "xargs")
    backs_up_again = False

    def backup(self):
        script = ("find . -mindepth 1 -maxdepth 2 -print0 | "
                  "xargs -0 -P2 -n16 sh -c 'find \"$@\" -printf %s%T@ > /dev/null' sh")
        return ["bash", "-o", "pipefail", "-c", script]

    def restore(self, target):
        return None


TOOLS = {"tar": Tar, "cp": Cp, "stat": Stat, "restic": Restic, "borg": Borg, "rustic": Rustic,
         "lifeboat": Lifeboat}


class Live:
    """The path under which a tree is backed up; gives the tree back whatever happens."""

    def __init__(self, work):
        self.path = os.path.join(work, "live")
        self.home = None
        if os.path.lexists(self.path):
            raise SystemExit(f"{self.path} exists: a run was cut off; move it back first")

    def show(self, tree):
        if self.home == tree:
            return
        self.hide()
        os.rename(tree, self.path)
        self.home = tree

    def hide(self):
        if self.home:
            os.rename(self.path, self.home)
            self.home = None


def differing(tree, target):
    """What `diff` says of two trees; a restore may stand deeper than the target."""
    wanted = sorted(os.listdir(tree))
    while sorted(os.listdir(target)) != wanted and len(os.listdir(target)) == 1:
        target = os.path.join(target, os.listdir(target)[0])
    command = ["diff", "-rq", "--no-dereference", tree, target]
    found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return found.stdout.decode(errors="replace")[:400]


def one_round(name, corpus, first, following, live, work, keep):
    """All steps of one program on one corpus. Nothing is deleted: a file system that frees inodes
    is slow for a while, and whoever comes next would pay."""
    home = tempfile.mkdtemp(prefix=f"{name}-", dir=work)
    tool = TOOLS[name](home)
    live.show(first)
    if command := tool.init():
        tool.measured(command, live.path)

    def step(what, command):
        if command is None:
            return
        figures = tool.measured(command, live.path)
        stored = size_mib(tool.repository) if os.path.isdir(tool.repository) else 0.0
        keep(corpus, name, what, (*figures, stored))

    step("first", tool.backup())
    if tool.backs_up_again:
        step("same", tool.backup())
        if following:
            live.show(following)
            step("next", tool.backup())
    step("check", tool.check())
    step("read", tool.read())
    target = os.path.join(home, "restored")
    os.makedirs(target)
    command = tool.restore(target)
    step("restore", command)
    return differing(live.path, target) if command else ""


def targets(median):
    """The bounds of the project: text, our figure, the bound."""
    def value(corpus, tool, step, column=0):
        return median.get((corpus, tool, step), (None,) * 4)[column]

    def times(factor, *place):
        found = value(*place)
        return None if found is None else factor * found

    def least(factor, corpus, step, tools, column=0):
        found = [value(corpus, tool, step, column) for tool in tools]
        found = [number for number in found if number is not None]
        return factor * min(found) if found else None

    peers = ("restic", "rustic", "borg")
    ours = lambda corpus, step, column=0: value(corpus, "lifeboat", step, column)
    rows = [
        ("source: first <= 1.1 x tar and zstd", ours("source", "first"),
         times(1.1, "source", "tar", "first"), "s"),
        ("source: first <= 0.32 x restic", ours("source", "first"),
         times(0.32, "source", "restic", "first"), "s"),
        ("source: unchanged <= 0.12 x restic", ours("source", "same"),
         times(0.12, "source", "restic", "same"), "s"),
        ("source: unchanged <= 2 x stat walk", ours("source", "same"),
         times(2, "source", "stat", "first"), "s"),
        ("source: next version <= 0.35 x restic", ours("source", "next"),
         times(0.35, "source", "restic", "next"), "s"),
        ("source: restore <= 1.2 x cp -a", ours("source", "restore"),
         times(1.2, "source", "cp", "restore"), "s"),
        ("source: restore <= 0.35 x restic", ours("source", "restore"),
         times(0.35, "source", "restic", "restore"), "s"),
        ("source: every byte <= 0.4 x restic", ours("source", "read"),
         times(0.4, "source", "restic", "read"), "s"),
        ("source: size <= 1.10 x tar and zstd", ours("source", "first", 3),
         times(1.10, "source", "tar", "first", 3), "MiB"),
        ("source: size after next < every peer", ours("source", "next", 3),
         least(1, "source", "next", peers, 3), "MiB"),
    ]
    rows += [(f"documents: first <= 0.5 x {peer}", ours("documents", "first"),
              times(0.5, "documents", peer, "first"), "s") for peer in peers]
    rows += [(f"database: {step} <= 0.6 x the fastest", ours("database", step),
              least(0.6, "database", step, peers), "s") for step in ("first", "next")]
    added = {tool: value("database", tool, "next", 3) - value("database", tool, "same", 3)
             for tool in (*peers, "lifeboat")
             if value("database", tool, "next", 3) is not None}
    rows.append(("database: second adds no more than theirs", added.pop("lifeboat", None),
                 min(added.values()) if added else None, "MiB"))
    peaks = [figures[2] for (_, tool, _), figures in median.items() if tool == "lifeboat"]
    rows.append(("peak memory of any step <= 120 MiB", max(peaks) if peaks else None, 120.0,
                 "MiB"))
    return rows


def report(results, tools):
    median = {place: tuple(statistics.median(column) for column in zip(*rounds))
              for place, rounds in results.items()}
    print("\n| corpus | step | " + " | ".join(tools) + " |")
    print("|---|---|" + "---|" * len(tools))
    places = dict.fromkeys((corpus, step) for corpus, _, step in median)
    for corpus, step in places:
        cells = []
        for tool in tools:
            found = median.get((corpus, tool, step))
            cells.append("" if found is None else
                         f"{found[0]:.2f} s, cpu {found[1]:.2f}, {found[2]:.0f} MiB, "
                         f"repo {found[3]:.1f}")
        print(f"| {corpus} | {step} | " + " | ".join(cells) + " |")
    print("\n| target | ours | bound | |\n|---|---|---|---|")
    for text, ours, bound, unit in targets(median):
        if ours is None or bound is None:
            print(f"| {text} | | | not run |")
        else:
            verdict = "PASS" if ours <= bound else "MISS"
            print(f"| {text} | {ours:.2f} {unit} | {bound:.2f} {unit} | {verdict} |")
    return median


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("corpora", nargs="+", metavar="NAME=TREE[,NEXT]")
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    given = parser.parse_args()
    os.makedirs(given.work, exist_ok=True)
    tools, missing = [], []
    for name in given.tools.split(","):
        there = all(program(need) for need in TOOLS[name].needs)
        (tools if there else missing).append(name)
    results, differences = {}, 0

    def keep(corpus, tool, step, figures):
        results.setdefault((corpus, tool, step), []).append(figures)
        wall, cpu, peak, stored = figures
        print(f"{corpus:10} {tool:9} {step:8} {wall:8.2f} s  cpu {cpu:8.2f} s  "
              f"peak {peak:6.0f} MiB  repository {stored:9.1f} MiB", flush=True)

    for corpus in given.corpora:
        name, _, trees = corpus.partition("=")
        first, _, following = trees.partition(",")
        for _ in range(given.rounds):
            for tool in tools:
                live = Live(given.work)
                try:
                    found = one_round(tool, name, os.path.abspath(first),
                                      os.path.abspath(following) if following else None,
                                      live, os.path.abspath(given.work), keep)
                finally:
                    live.hide()
                if found:
                    differences += 1
                    print(f"!! {name}: {tool}: the restore differs:\n{found}")
    print(f"\nmedians of {given.rounds} rounds; not run: {', '.join(missing) or 'nothing'}; "
          f"restores that differ: {differences}")
    median = report(results, tools)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as out:
            json.dump({"/".join(place): figures for place, figures in median.items()}, out,
                      indent=1)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
