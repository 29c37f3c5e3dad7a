#!/usr/bin/env python3
"""The daemon at rest and at work: start, memory, wake-ups, and a backup under it beside one by hand.

usage: daemon.py WORK TREE [--datasets N] [--idle SECONDS] [--rounds N]

At rest: a daemon with N backups in its configuration, of which none is due. Prints the median of
milliseconds from its start until it says that it is ready, its resident memory, and how often its
threads woke up within `--idle` seconds. At work: a first backup of TREE into a new repository, in
turn by `lifeboat run` and by `lifeboat backup --job`, and the ratio of their medians. Aims: 100 ms,
25 MiB, 1.05. The program comes from PATH or from LIFEBOAT; nothing outside of WORK is written.
"""

import argparse
import glob
import os
import shutil
import signal
import statistics
import subprocess
import time

LIFEBOAT = os.environ.get("LIFEBOAT", "lifeboat")
START_MS, MEMORY_MIB, RATIO = 100, 25, 1.05


def private(path, flags):
    """Others may not read it."""
    return os.open(path, flags, 0o600)


class Office:
    """A folder with a configuration and a new repository."""

    def __init__(self, work, tree, datasets):
        self.work = work
        os.makedirs(work)
        self.env = {**os.environ, "LIFEBOAT_CONFIG": f"{work}/lifeboat.toml",
                    "LIFEBOAT_CACHE_DIR": f"{work}/cache"}
        with open(f"{work}/password", "w", encoding="ascii", opener=private) as file:
            file.write("daemon\n")
        text = f'version = 1\nstate_dir = "{work}/state"\n'
        text += f'[keys]\npassphrase = {{ file = "{work}/password" }}\n'
        text += f'[storage.main]\nkind = "folder"\npath = "{work}/repository"\n'
        for number in range(datasets):
            text += f'[[backup]]\nname = "set-{number}"\nstorage = "main"\n'
            text += f'source = {{ kind = "files", paths = ["{tree}"] }}\n'
            text += 'schedule = { cron = "0 3 29 2 *" }\n'
        with open(f"{work}/lifeboat.toml", "w", encoding="utf-8") as file:
            file.write(text)
        self.call("init", "-r", f"{work}/repository")

    def call(self, *args):
        """Wall seconds of a command that has to end well."""
        password = {"LIFEBOAT_PASSWORD": "daemon"} if args[0] == "init" else {}
        begin = time.perf_counter()
        done = subprocess.run([LIFEBOAT, *args, "-q"], env={**self.env, **password}, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wall = time.perf_counter() - begin
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(args)}: exit {done.returncode}\n{done.stderr.decode()}")
        return wall


class Daemon:
    """One that has said that it is ready; `start_ms` is how long that took."""

    def __init__(self, office):
        begin = time.perf_counter()
        self.process = subprocess.Popen([LIFEBOAT, "daemon"], env=office.env,
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "ready" in line:
                break
        else:
            raise SystemExit(f"the daemon ended with {self.process.wait()}")
        self.start_ms = (time.perf_counter() - begin) * 1000

    def of_status(self, path, name):
        with open(path, encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith(name))

    def memory_mib(self):
        return self.of_status(f"/proc/{self.process.pid}/status", "VmRSS") / 1024

    def wakes(self):
        tasks = glob.glob(f"/proc/{self.process.pid}/task/*/status")
        return sum(self.of_status(path, "voluntary_ctxt_switches") for path in tasks)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stderr.read()
        if self.process.wait(60) != 0:
            raise SystemExit(f"the daemon ended with {self.process.returncode}")


def at_rest(args):
    office = Office(f"{args.work}/rest", args.tree, args.datasets)
    starts = []
    for _ in range(5):
        daemon = Daemon(office)
        starts.append(daemon.start_ms)
        daemon.stop()
    daemon = Daemon(office)
    # What it does once after its start is not rest.
    time.sleep(5)
    before = daemon.wakes()
    time.sleep(args.idle)
    woken, memory = daemon.wakes() - before, daemon.memory_mib()
    daemon.stop()
    start = statistics.median(starts)
    say("start", f"{start:.0f} ms", start <= START_MS)
    say("memory at rest", f"{memory:.1f} MiB", memory <= MEMORY_MIB)
    print(f"woken {woken} times in {args.idle} s with {args.datasets} backups")


def at_work(args):
    times = {"daemon": [], "by hand": []}
    for number in range(args.rounds):
        for name, all_of in times.items():
            office = Office(f"{args.work}/{number}-{name.replace(' ', '-')}", args.tree, 1)
            os.sync()
            if name == "daemon":
                daemon = Daemon(office)
                all_of.append(office.call("run", "set-0"))
                daemon.stop()
            else:
                all_of.append(office.call("backup", "--job", "set-0"))
            shutil.rmtree(office.work)
    for name, all_of in times.items():
        told = " ".join(f"{one:.2f}" for one in sorted(all_of))
        print(f"{name:8} {statistics.median(all_of):7.2f} s  ({told})")
    ratio = statistics.median(times["daemon"]) / statistics.median(times["by hand"])
    say("backup under the daemon", f"{ratio:.3f} x", ratio <= RATIO)


def say(what, figure, is_met):
    print(f"{what}: {figure}: {'PASS' if is_met else 'MISS'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("tree")
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--idle", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    args.work, args.tree = os.path.abspath(args.work), os.path.abspath(args.tree)
    at_rest(args)
    at_work(args)


if __name__ == "__main__":
    main()
