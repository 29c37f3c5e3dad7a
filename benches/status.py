#!/usr/bin/env python3
"""`status` over a long history: 1 000 datasets with 1 000 runs each.

usage: status.py WORK [--datasets N] [--runs N] [--rounds N]

A daemon with that many backups in its configuration makes the catalogue and is stopped again; the
runs are then written into it as the daemon would have recorded them. Prints the median of wall
milliseconds of `lifeboat status --json` and of `lifeboat runs --json`, process start and reading of
the configuration included, beside `lifeboat --version`; the aim is 100 ms for `status`. The program comes from
PATH or from LIFEBOAT. As root or not; nothing outside of WORK is written.
"""

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import time

LIFEBOAT = os.environ.get("LIFEBOAT", "lifeboat")
TARGET_MS = 100
HOUR_MS = 60 * 60 * 1000


def configuration(work, datasets):
    """A configuration whose jobs are due far in the future, so that nothing runs meanwhile."""
    text = f"""version = 1
state_dir = "{work}/state"
[keys]
passphrase = {{ file = "{work}/password" }}
[storage.main]
kind = "folder"
path = "{work}/repository"
"""
    for number in range(datasets):
        text += f"""[[backup]]
name = "{number:04}"
storage = "main"
source = {{ kind = "files", paths = ["{work}/data"] }}
schedule = {{ cron = "0 3 29 2 *" }}
expect = {{ age_max = "26h" }}
"""
    with open(f"{work}/lifeboat.toml", "w", encoding="ascii") as file:
        file.write(text)


def catalogue(work, datasets):
    """Lets a daemon make the catalogue; waits until it holds every job."""
    path = f"{work}/state/catalogue.sqlite"
    daemon = subprocess.Popen([LIFEBOAT, "daemon", "--config", f"{work}/lifeboat.toml"])
    try:
        deadline = time.monotonic() + 60
        while True:
            if daemon.poll() is not None:
                raise SystemExit(f"the daemon ended with {daemon.returncode}")
            if time.monotonic() > deadline:
                raise SystemExit("the daemon took no jobs within 60 s")
            found = 0
            if os.path.exists(path):
                try:
                    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reading:
                        found = reading.execute("select count(*) from job").fetchone()[0]
                except sqlite3.OperationalError:
                    found = 0
            if found >= datasets:
                break
            time.sleep(0.1)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    return path


def fill(path, runs):
    """Writes the history, and makes the last run of each job its newest."""
    start = int(time.time() * 1000) - runs * HOUR_MS
    with sqlite3.connect(path) as writing:
        jobs = [row[0] for row in writing.execute("select id from job")]
        rows = (
            (job, start + n * HOUR_MS, start + n * HOUR_MS + job, start + n * HOUR_MS + 60000)
            for n in range(runs) for job in jobs)
        writing.executemany(
            "insert into run (job, slot_ms, attempt, started_ms, ended_ms, outcome, exit_code,"
            " problems_count, files_count, content_bytes, stored_bytes, snapshot)"
            " values (?, ?, 1, ?, ?, 'done', 0, 0, 1000, 1000000, 1000,"
            " '0123456789abcdef0123456789abcdef')", rows)
        writing.execute(
            "update job set last_run = (select max(id) from run where run.job = job.id),"
            " last_good = (select max(id) from run where run.job = job.id)")
        return writing.execute("select count(*) from run").fetchone()[0]


def timed(work, args):
    """Wall milliseconds of one call; its first line of JSON."""
    begin = time.perf_counter()
    done = subprocess.run(
        [LIFEBOAT, *args], env={**os.environ, "LIFEBOAT_CONFIG": f"{work}/lifeboat.toml"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    wall = (time.perf_counter() - begin) * 1000
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(args)}: exit {done.returncode}")
    return wall, done.stdout


def private(path, flags):
    """Others may not read it."""
    return os.open(path, flags, 0o600)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    work = os.path.abspath(args.work)
    os.makedirs(f"{work}/data")
    with open(f"{work}/password", "w", encoding="ascii", opener=private) as file:
        file.write("status\n")
    configuration(work, args.datasets)
    runs = fill(catalogue(work, args.datasets), args.runs)
    print(f"{args.datasets} datasets, {runs} runs")
    times = {"status": [], "runs": [], "version": []}
    asked = {"status": ["status", "--json"], "runs": ["runs", "--json"], "version": ["--version"]}
    for _ in range(args.rounds):
        for name, words in asked.items():
            wall, output = timed(work, words)
            times[name].append(wall)
            if name == "status":
                shown = len(json.loads(output.splitlines()[0])["jobs"])
                if shown < args.datasets:
                    raise SystemExit(f"status shows {shown} jobs of {args.datasets}")
    for name, all_of in times.items():
        print(f"{name:8} {statistics.median(all_of):8.1f} ms")
    met = statistics.median(times["status"]) <= TARGET_MS
    print(f"status within {TARGET_MS} ms: {'PASS' if met else 'MISS'}")


if __name__ == "__main__":
    main()
