#!/usr/bin/env bash
# Installs a finished build into a temporary prefix, builds this project against it, and runs the
# example and the conformance suite. Usage: run.sh BUILD_DIR COMPILER
set -euo pipefail

build_dir="$1"
compiler="$2"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cmake --install "$build_dir" --prefix "$work/prefix" >"$work/install.log"
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler"
cmake --build "$work/build" -j 2
"$work/build/memory_example"
"$work/build/memory_conformance" --gtest_brief=1
echo "installed, built against and run"
