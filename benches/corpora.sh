#!/bin/bash
# Builds the trees of the benchmark in the folder $1, from packages of Debian: files that nobody here
# wrote. Needs apt-get; for the database also postgresql. What is there already is kept.
#
#   source, source-next        80 000 small files and a later state of them
#   documents                  PDFs, pictures, programs
#   database, database-next    a PostgreSQL data folder before and after work
#   tiny                       1 000 000 files below 200 bytes; only with the word `tiny` as $2
set -euo pipefail
mkdir -p "$1"
cd "$1"
here=$PWD

unpack() { # unpack FOLDER PACKAGE...: the files of packages, without installing them
  local folder=$1 package
  shift
  mkdir -p "$folder.packages" "$folder.part"
  for package in "$@"; do
    (cd "$folder.packages" && apt-get download -q=2 "$package")
  done
  for package in "$folder.packages"/*.deb; do
    dpkg-deb --extract "$package" "$folder.part"
  done
  rm -r "$folder.packages"
}

if [[ ! -d source ]]; then
  unpack linux linux-source-6.1
  mkdir source.part
  tar --extract --xz --strip-components=1 --directory=source.part \
    --file=linux.part/usr/src/linux-source-6.1.tar.xz
  rm -r linux.part
  mv source.part source
fi

if [[ ! -d source-next ]]; then
  cp -a source source-next.part
  # One file in ten gets a line, one in a hundred goes, moves, or has a new neighbour.
  python3 - source-next.part <<'P'
import os, random, sys
chance = random.Random("the next version")
paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1])
               for name in names)
for path in paths:
    if os.path.islink(path):
        continue
    number = chance.randrange(100)
    if number < 10:
        with open(path, "r+b") as file:
            text = file.read()
            at = chance.randrange(len(text) + 1)
            file.seek(at)
            file.write(b"\n/* a change, number %d */\n" % chance.randrange(10**8) + text[at:])
    elif number == 10:
        os.unlink(path)
    elif number == 11:
        os.rename(path, path + ".renamed")
    elif number == 12:
        with open(path, "rb") as old, open(path + ".new", "wb") as new:
            new.write(bytes(reversed(old.read())))
P
  mv source-next.part source-next
fi

if [[ ! -d documents ]]; then
  unpack documents texlive-science-doc texlive-latex-recommended-doc \
    plasma-workspace-wallpapers openclipart-png firefox-esr libreoffice-core
  mv documents.part documents
fi

if [[ ! -d database-next ]]; then
  bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort | tail -n 1)
  if [[ -z $bin ]]; then
    echo "database: not built, PostgreSQL is not installed (apt-get install postgresql)" >&2
  else
    id benchmark >/dev/null 2>&1 || useradd --create-home benchmark
    rm -rf cluster && mkdir cluster && chown benchmark cluster
    as() { runuser -u benchmark -- "$@"; }
    port=54871
    socket=$here/cluster
    start() { as "$bin/pg_ctl" -D cluster/data -w -l cluster/log start \
      -o "-k $socket -p $port -c listen_addresses=" >/dev/null; }
    stop() { as "$bin/pg_ctl" -D cluster/data -w stop >/dev/null; }
    as "$bin/initdb" -D cluster/data --auth=trust >/dev/null
    start
    as "$bin/createdb" -h "$socket" -p "$port" work
    as "$bin/pgbench" -h "$socket" -p "$port" -i -q -s 60 work >/dev/null 2>&1
    stop
    cp -a cluster/data database
    start
    as "$bin/pgbench" -h "$socket" -p "$port" -c 4 -t 3000 work >/dev/null 2>&1
    stop
    cp -a cluster/data database-next
    rm -r cluster
  fi
fi

if [[ ${2:-} == tiny && ! -d tiny ]]; then
  python3 - tiny.part <<'P'
import os, random, sys
chance = random.Random("tiny")
for number in range(1000):
    folder = os.path.join(sys.argv[1], f"{number // 50:02d}", f"{number % 50:02d}")
    os.makedirs(folder)
    for file in range(1000):
        with open(os.path.join(folder, f"{file:03d}"), "wb") as out:
            out.write(chance.randbytes(chance.randrange(200)))
P
  mv tiny.part tiny
fi
du -sh --apparent-size -- */
