#!/usr/bin/env python3
"""A copy of a repository to a second place, beside `cp -a` of the same folder and `restic copy`.

usage: copy.py WORK [--mib N] [--rounds N]

Half of the data does not compress, half does, in files of 1 MiB and 4 KiB. Each round copies to a
fresh place: `lifeboat copy` into a twin, `lifeboat copy` into a repository with other keys, `cp -a`
and a sync of what it wrote, `restic copy` with the same chunker if there is restic. Programs come
from PATH or from LIFEBOAT and RESTIC. Prints the medians of wall seconds and their ratio to `cp`.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import time

LIFEBOAT = os.environ.get("LIFEBOAT", "lifeboat")
RESTIC = os.environ.get("RESTIC") or shutil.which("restic")


def fill(folder, mib):
    """Files that are the same in every run."""
    chance = random.Random(7)
    words = [chance.randbytes(6).hex().encode() + b" " for _ in range(4096)]
    for number in range(mib):
        os.makedirs(f"{folder}/{number % 16}", exist_ok=True)
        if number % 2:
            data = chance.randbytes(1 << 20)
        else:
            data = b"".join(chance.choices(words, k=(1 << 20) // 13))
        if number % 8 == 7:
            for part in range(256):
                with open(f"{folder}/{number % 16}/{number}-{part}", "wb") as file:
                    file.write(data[part << 12:(part + 1) << 12])
        else:
            with open(f"{folder}/{number % 16}/{number}", "wb") as file:
                file.write(data)


def timed(argv, env=None):
    os.sync()
    begin = time.perf_counter()
    subprocess.run(argv, env={**os.environ, **(env or {})}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("--mib", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    work = os.path.abspath(args.work)
    os.makedirs(work)
    fill(f"{work}/data", args.mib)
    with open(f"{work}/password", "w", encoding="ascii") as file:
        file.write("copied\n")
    secret = ["--password-file", f"{work}/password", "--cache-dir", f"{work}/cache", "-q"]
    first = f"{work}/first"
    subprocess.run([LIFEBOAT, "init", "-r", first, *secret], check=True)
    subprocess.run([LIFEBOAT, "backup", "-r", first, *secret, f"{work}/data"], check=True)
    restic_env = {"RESTIC_PASSWORD": "copied", "RESTIC_CACHE_DIR": f"{work}/restic-cache"}
    if RESTIC:
        base = [RESTIC, "-q", "-r", f"{work}/restic"]
        subprocess.run([*base, "init"], env={**os.environ, **restic_env}, check=True)
        subprocess.run(
            [*base, "backup", f"{work}/data"], env={**os.environ, **restic_env}, check=True)
    times = {}
    for number in range(args.rounds):
        twin, other, plain, second = (f"{work}/{name}-{number}" for name in
                                      ("twin", "other", "plain", "restic"))
        subprocess.run([LIFEBOAT, "init", "-r", twin, "--twin-of", first, *secret], check=True)
        subprocess.run([LIFEBOAT, "init", "-r", other, *secret], check=True)
        into = [LIFEBOAT, "copy", "-r", first, *secret, "--to"]
        times.setdefault("lifeboat, twin", []).append(timed([*into, twin]))
        times.setdefault("lifeboat, other keys", []).append(timed([*into, other]))
        cp = ["sh", "-c", 'cp -a "$0" "$1" && sync -f "$1"', first, plain]
        times.setdefault("cp -a, sync", []).append(timed(cp))
        if RESTIC:
            target = [RESTIC, "-q", "-r", second]
            more = ["--from-repo", f"{work}/restic"]
            env = {**restic_env, "RESTIC_FROM_PASSWORD": "copied"}
            subprocess.run([*target, "init", *more, "--copy-chunker-params"],
                           env={**os.environ, **env}, check=True)
            times.setdefault("restic copy", []).append(timed([*target, "copy", *more], env))
    yard = statistics.median(times["cp -a, sync"])
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        print(f"{name:22} {middle:7.2f} s  {middle / yard:5.2f} × cp")
    if not RESTIC:
        print("restic copy            not run")


if __name__ == "__main__":
    main()
