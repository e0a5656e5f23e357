#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lets libFuzzer search for inputs that break a property.
#   tests/fuzz/run.sh BUILD SECONDS [TARGET...]     every target, or these; SECONDS for each
# What it learns stays in BUILD/tests/fuzz/found, for the next search. Ends with the path of the first input found.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
limit=$2
shift 2
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in "$root"/tests/fuzz/*_fuzz.cc; do
    targets+=("$(basename "$source" _fuzz.cc)")
  done
fi

for target in "${targets[@]}"; do
  program=$build/bin/${target}_fuzz
  corpus=$root/tests/fuzz/corpus/$target
  [ -x "$program" ] && [ -d "$corpus" ] || {
    echo "fuzz: no target '$target' with a corpus in $corpus" >&2
    exit 1
  }
  work=$build/tests/fuzz
  mkdir -p "$work/found/$target"
  log=$work/$target.log
  echo "fuzz: $target, $limit s"
  if ! "$program" -max_total_time="$limit" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$work/$target-" "$work/found/$target" "$corpus" >"$log" 2>&1; then
    grep -a -A 3 -E 'does not hold|runtime error|ERROR: ' "$log" | head -40 >&2 || tail -40 "$log" >&2
    artifact=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
    echo "fuzz: $target: found ${artifact:-nothing that it kept}; everything is in $log" >&2
    echo "fuzz: to see it again: $program $artifact" >&2
    exit 1
  fi
  sed -n 's/^stat::\(average_exec_per_sec\|new_units_added\): */  \1 /p' "$log"
done
echo "fuzz: ${#targets[@]} targets, nothing found"
