#!/usr/bin/env bash
# Installs a finished build into a temporary prefix, builds the outside project beside this file
# against it, and runs what was built. Usage: run.sh BUILD_DIR COMPILER
set -euo pipefail

build_dir="$1"
compiler="$2"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cmake --install "$build_dir" --prefix "$work/prefix" >"$work/install.log"
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler"
cmake --build "$work/build"
sqlite3 "$work/shop.db" 'CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT)'
"$work/build/consumer" "$work/shop.db"

program="$work/prefix/bin/ustream"
if [[ -x "$program" ]]; then
  "$program" --help >/dev/null
  bash -n "$work/prefix/share/bash-completion/completions/ustream"
fi
echo "installed, built against and run"
