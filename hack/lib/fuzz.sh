#!/usr/bin/env bash
# fuzz.sh BUILD-DIR SECONDS: each fuzz target for so long, from its corpus. A finding is kept in BUILD-DIR/findings.
set -euo pipefail

build=$1 seconds=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
passed=0 failed=0

mkdir -p "$build/findings"
while IFS= read -r -d '' target; do
    name=$(basename "$target")
    new=$(mktemp -d)
    corpus=("$new")
    [[ -d $root/tests/fuzz/corpus/$name ]] && corpus+=("$root/tests/fuzz/corpus/$name")
    if "$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -artifact_prefix="$build/findings/$name-" \
        -print_final_stats=1 "${corpus[@]}" >"$build/$name.log" 2>&1; then
        passed=$((passed + 1))
        printf '%s: %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")"
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        tail -n 30 "$build/$name.log"
    fi
    rm -rf -- "$new"
done < <(find "$build/tests" -type f -perm -u+x -name 'fuzz_*' -print0 | sort -z)
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
