#!/usr/bin/env bash
# What Flux makes of our objects: kstatus' own library computes their status, in every phase. Needs Go and, once, its
# module proxy; else it is skipped.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$root/hack/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$root/hack/lib/common.sh"
# shellcheck source=hack/lib/controlplane.sh
source "$root/hack/lib/controlplane.sh"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
find_go || { say "no Go that is new enough"; exit 77; }
cd "$root/tests/e2e/kstatus"
export GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0
"$GO" mod download >"$work/download" 2>&1 || { cat "$work/download"; exit 77; }

status=0
nice -n 5 "$GO" test -count=1 -v ./... >"$work/output" 2>&1 || status=$?
((status == 0)) || cat "$work/output"
passed=$(grep -cE '^ *--- PASS: [^ ]+/|^--- PASS: TestNone' "$work/output" || true)
failed=$(grep -cE '^ *--- FAIL: [^ ]+/|^--- FAIL: TestNone' "$work/output" || true)
if ((status != 0 && failed == 0)); then failed=1; fi
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
