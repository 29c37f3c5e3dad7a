#!/usr/bin/env python3
"""A drill of a folder beside a plain restore of the same snapshot, and what its capsule costs.

usage: drill.py WORK TREE [--rounds N]

Each round restores the snapshot of TREE into a fresh folder, and holds a drill of it (L0 to L6,
every file read again and compared); before that an unchanged backup is made with a capsule
(`--job`) and without. The program comes from PATH or from LIFEBOAT. Prints medians of wall
seconds, their ratio, and the largest resident memory. Nothing is removed between steps but by the
drill itself.
"""

import argparse
import os
import resource
import statistics
import subprocess
import time

LIFEBOAT = os.environ.get("LIFEBOAT", "lifeboat")
CONFIG = """\
version = 1
[keys]
passphrase = {{ file = "{work}/password" }}
[storage.main]
kind = "folder"
path = "{work}/repository"
[[backup]]
name = "tree"
storage = "main"
source = {{ kind = "files", paths = ["{tree}"] }}
schedule = {{ cron = "@daily" }}
[[drill]]
name = "drill"
class = "D2"
storage = "main"
schedule = {{ cron = "@monthly" }}
sandbox = {{ path = "{work}/drills" }}
"""


def timed(work, *argv, codes=(0,)):
    """Wall seconds and peak MiB of one command."""
    os.sync()
    environment = {**os.environ, "LIFEBOAT_CONFIG": f"{work}/lifeboat.toml"}
    begin = time.perf_counter()
    child = subprocess.Popen([LIFEBOAT, *argv], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    code = os.waitstatus_to_exitcode(status)
    if code not in codes:
        raise SystemExit(f"{argv}: exit code {code}")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("tree")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    work, tree = os.path.abspath(args.work), os.path.abspath(args.tree)
    os.makedirs(work)
    with open(f"{work}/password", "w", encoding="ascii") as file:
        file.write("drilled\n")
    os.chmod(f"{work}/password", 0o600)
    with open(f"{work}/lifeboat.toml", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(work=work, tree=tree))
    base = ("-q", "-r", "main", "--cache-dir", f"{work}/cache")
    timed(work, "init", *base)
    timed(work, "backup", "--job", "tree", *base, codes=(0, 3))
    timed(work, "backup", tree, *base, codes=(0, 3))
    steps = {"unchanged backup": [], "the same with capsule": [], "restore": [], "drill": []}
    for number in range(args.rounds):
        into = f"{work}/restored-{number}"
        plain = ("restore", "latest", "--tag", "tree", "--target", into)
        for name, argv, codes in (
            ("unchanged backup", ("backup", tree), (0, 3)),
            ("the same with capsule", ("backup", "--job", "tree"), (0, 3)),
            ("restore", plain, (0,)),
            ("drill", ("drill", "run", "drill"), (0, 3)),
        ):
            steps[name].append(timed(work, *argv, *base, codes=codes))
    for name, found in steps.items():
        seconds = statistics.median(it[0] for it in found)
        print(f"{name:24} {seconds:8.2f} s {max(it[1] for it in found):6.0f} MiB  "
              + " ".join(f"{it[0]:.2f}" for it in found))
    ratio = statistics.median(it[0] for it in steps["drill"])
    ratio /= statistics.median(it[0] for it in steps["restore"])
    print(f"drill / restore          {ratio:8.2f}")
    print(f"processor of all children {resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime:.1f} s")


if __name__ == "__main__":
    main()
