#!/bin/bash
# The whole table of speed, size and memory, by one command: builds the program, the trees and runs
# every program that is installed.   usage: benches/table.sh WORK [rounds]
set -euo pipefail
work=$(realpath -m "${1:?usage: benches/table.sh WORK [rounds]}")
cd "$(dirname "$0")/.."
cargo build --release --locked
export LIFEBOAT=$PWD/target/release/lifeboat
benches/corpora.sh "$work/trees"
corpora=("source=$work/trees/source,$work/trees/source-next" "documents=$work/trees/documents")
if [[ -d $work/trees/database-next ]]; then
  corpora+=("database=$work/trees/database,$work/trees/database-next")
fi
exec python3 benches/peers.py "$work/runs-$(date +%s)" "${corpora[@]}" --rounds "${2:-3}" \
  --json "$work/figures.json"
