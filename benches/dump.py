#!/usr/bin/env python3
"""A backup of a PostgreSQL database as a logical dump, beside `pg_dump | zstd -3` of the same one.

usage: dump.py WORK [--size 1500] [--rounds 3] [--drill]

Makes a server of its own in WORK, with `initdb`, and a database of about `--size` MiB: numbers, text
that compresses, and bytes that do not. Each round dumps it in turn by both ways into a fresh place:
`pg_dump --format=custom --compress=0 | zstd -3 > FILE` and a sync of the file, and `lifeboat backup`
into a new repository, which is durable when it answers. Prints the medians of wall seconds, and the
speed of the backup as a part of the other's. `--drill` then holds a drill of the first backup beside
`pg_restore` of the same dump into the server, and tells what the drill's own checks took. Programs come from PATH or from LIFEBOAT; PGBIN names
the folder of the server's programs. As root the server runs as `nobody`.
"""

import argparse
import glob
import json
import os
import socket
import statistics
import subprocess
import time

LIFEBOAT = os.environ.get("LIFEBOAT", "lifeboat")
TARGET = 0.9
NOBODY = 65534

# One row of each is about a kilobyte.
ROWS = """
create extension if not exists pgcrypto;
create table moves (id bigint primary key, person int, amount numeric(12, 2), at timestamptz, note text);
insert into moves select n, n % 5000, n * 0.25, timestamptz '2026-01-01' + n * interval '1 minute',
  (select string_agg(md5((n % 997 + k)::text), ' ') from generate_series(1, 26) k)
  from generate_series(1, {half}) n;
create table photos (id bigint primary key, name text, bytes bytea);
alter table photos alter column bytes set storage external;
insert into photos select n, 'photo ' || n, gen_random_bytes(1024) from generate_series(1, {half}) n;
create index on moves (person);
"""


def program(name):
    folders = [os.environ.get("PGBIN", "")] + sorted(glob.glob("/usr/lib/postgresql/*/bin"))[::-1]
    found = [f"{folder}/{name}" for folder in folders if os.path.exists(f"{folder}/{name}")]
    return found[0] if found else name


def as_user(argv):
    if os.geteuid():
        return argv
    ids = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *ids, *argv]


class Server:
    """A server on loopback, in a folder of its own."""

    def __init__(self, work):
        self.folder = f"{work}/server"
        os.makedirs(self.folder, mode=0o755)
        if not os.geteuid():
            os.chown(self.folder, NOBODY, NOBODY)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.run("initdb", "--pgdata=data", "--auth=trust", "--username=postgres", "--no-sync",
                 "--encoding=UTF8", "--locale=C.UTF-8")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -c " \
                  f"unix_socket_directories={self.folder} -c max_wal_size=4GB"
        self.run("pg_ctl", "start", "-D", "data", "-w", "-l", "log", "-o", options)

    def run(self, name, *args):
        subprocess.run(as_user([program(name), *args]), cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL)

    def sql(self, text):
        argv = [program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                self.port, "-U", "postgres", "-c", text]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        self.run("pg_ctl", "stop", "-D", "data", "-m", "immediate", "-w")


def timed(argv, env):
    os.sync()
    begin = time.perf_counter()
    subprocess.run(argv, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def config(work, server):
    with open(f"{work}/secret", "w", encoding="ascii", opener=private) as file:
        file.write("dumped\n")
    storages = "".join(f'[storage.s{number}]\nkind = "folder"\npath = "{work}/s{number}"\n'
                       for number in range(server.rounds))
    backups = "".join(
        f'[[backup]]\nname = "b{number}"\nstorage = "s{number}"\nschedule = {{ cron = "@daily" }}\n'
        f'source = {{ kind = "postgresql", host = "127.0.0.1", port = {server.port}, '
        'user = "postgres", database = "postgres" }\n' for number in range(server.rounds))
    drill = ('[[drill]]\nname = "drill"\nclass = "D2"\nstorage = "s0"\n'
             f'schedule = {{ cron = "@monthly" }}\nsandbox = {{ path = "{work}/drills" }}\n')
    with open(f"{work}/lifeboat.toml", "w", encoding="ascii") as file:
        file.write(f'version = 1\nstate_dir = "{work}/state"\n[keys]\n'
                   f'passphrase = {{ file = "{work}/secret" }}\n{storages}{backups}{drill}')


def drill(server, plain, argv):
    """A drill of the database, and what of it is the restore that everybody has."""
    restored = []
    for number in range(3):
        server.sql(f"create database again{number}")
        words = ["-h", "127.0.0.1", "-p", server.port, "-U", "postgres", "-d", f"again{number}", plain]
        restored.append(timed([program("pg_restore"), *words], {}))
    begin = time.perf_counter()
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE)
    wall = time.perf_counter() - begin
    record = json.loads(done.stdout.splitlines()[0])
    print(f"pg_restore into the server {statistics.median(restored):8.2f} s")
    print(f"drill, exit code {done.returncode}     {wall:12.2f} s  verdict {record.get('verdict')}")
    for item in record.get("items", []):
        print("  marks", item["marks"])
        for check in item["checks"]:
            if check["ms"] >= 50:
                print(f"  {check['id']:40} {check['ms'] / 1000:8.2f} s")


def private(path, flags):
    return os.open(path, flags, 0o600)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("--size", type=int, default=1500, help="MiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--drill", action="store_true")
    args = parser.parse_args()
    work = os.path.abspath(args.work)
    os.makedirs(work)
    os.chmod(work, 0o755)
    server = Server(work)
    try:
        server.rounds = args.rounds
        server.sql(ROWS.format(half=args.size * 512))
        server.sql("vacuum analyze")
        server.sql("checkpoint")
        config(work, server)
        tool = program("pg_dump")
        words = ["--format=custom", "--compress=0", "-h", "127.0.0.1", "-p", server.port, "-U",
                 "postgres", "postgres"]
        size = int(subprocess.run(["sh", "-c", '"$@" | wc -c', "sh", tool, *words], check=True,
                                  capture_output=True, text=True).stdout)
        pipe = 'set -e; file=$0; "$@" | zstd -q -3 -o "$file"; sync "$file"'
        plain = f"{work}/plain.dump"
        base = ["--config", f"{work}/lifeboat.toml", "--cache-dir", f"{work}/cache", "-q"]
        times = {"pg_dump | zstd -3": [], "lifeboat backup": []}
        for number in range(args.rounds):
            subprocess.run([LIFEBOAT, *base, "init", "-r", f"s{number}"], check=True)
            ways = {
                "pg_dump | zstd -3": ["sh", "-c", pipe, f"{work}/{number}.zst", tool, *words],
                "lifeboat backup": [LIFEBOAT, *base, "backup", "--job", f"b{number}"],
            }
            # In turn, and the other one first each time.
            for name in sorted(ways, reverse=number % 2 == 1):
                times[name].append(timed(ways[name], {}))
        if args.drill:
            subprocess.run([tool, "--file", plain, *words], check=True)
            drill(server, plain, [LIFEBOAT, *base, "drill", "run", "drill", "--json"])
    finally:
        server.stop()
    print(f"a dump of {size / (1 << 20):.0f} MiB, {args.rounds} rounds")
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, taken in times.items():
        shown = " ".join(f"{seconds:.2f}" for seconds in taken)
        print(f"{name:18} {medians[name]:8.2f} s  {size / (1 << 20) / medians[name]:8.1f} MiB/s  ({shown})")
    speed = medians["pg_dump | zstd -3"] / medians["lifeboat backup"]
    print(f"speed of the backup: {speed:.2f} x, target {TARGET} x: {'PASS' if speed >= TARGET else 'MISS'}")


if __name__ == "__main__":
    main()
