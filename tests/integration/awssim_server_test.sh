#!/usr/bin/env bash
# The simulator's shell: flags, bad worlds, raw targets, dropped connections, delays, the end.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/integration/awssim.sh
source "$here/awssim.sh"
binary=$1
world=$here/../../hack/awssim/worlds/shop.yaml
SIM_DIR=$(mktemp -d)
SIM_PID=
trap 'stop_awssim || :; rm -rf -- "$SIM_DIR"' EXIT

# status_of COMMAND...: its exit status; what it says is in $SIM_DIR/said.
status_of() {
    local status=0
    "$@" >"$SIM_DIR/said" 2>&1 </dev/null || status=$?
    echo "$status"
}

check 'version' "$(status_of "$binary" --version)" 0
check_has 'version' "$(<"$SIM_DIR/said")" 'awssim '
check 'help' "$(status_of "$binary" --help)" 0
check_has 'help' "$(<"$SIM_DIR/said")" '--time-scale'
check 'no world' "$(status_of "$binary")" 2
check 'unknown flag' "$(status_of "$binary" --colour)" 2
check 'a file that is not there' "$(status_of "$binary" --world "$SIM_DIR/none")" 2
printf 'accounts:\n- id: "111111111111"\n  regon: x\n' >"$SIM_DIR/bad.yaml"
check 'a bad world' "$(status_of "$binary" --world "$SIM_DIR/bad.yaml")" 2
check_has 'a bad world' "$(<"$SIM_DIR/said")" 'bad.yaml:3: accounts[0].regon: unknown key'
check 'an address for all' "$(status_of "$binary" --world "$world" --listen 0.0.0.0:0)" 2
check_has 'an address for all' "$(<"$SIM_DIR/said")" 'not a loopback address'

start_awssim "$binary" --world "$world" --time-scale 0 --seed 7 --start 2026-11-22T03:00:00Z
check_has 'ready file' "$SIM_URL" 'http://127.0.0.1:'
check_has 'the clock stands still' "$(sim GET clock)" '"2026-11-22T03:00:00.000Z"'
check_has 'the clock is advanced' "$(sim POST clock '{"advanceSeconds": 60}')" '"2026-11-22T03:01:00.000Z"'
check 'bad JSON' "$(curl -s -o /dev/null -w '%{http_code}' -X POST --data '{' "$SIM_URL/_sim/faults")" 400
check 'no such endpoint' "$(curl -s -o /dev/null -w '%{http_code}' "$SIM_URL/_sim/none")" 404
check 'a target that is not normalised' \
    "$(curl -s -o /dev/null -w '%{http_code}' --path-as-is "$SIM_URL//backup-vaults/a%2Fb/../")" 403
check 'no permission, no journal' "$(sim GET journal)" '[]'

# Unsigned calls are counted and can be struck as well.
call() {
    curl -s -o /dev/null -w '%{http_code}' --max-time 20 --data 'Action=GetCallerIdentity&Version=2011-06-15' "$SIM_URL/" || :
}
sim POST faults '{"match": {"operation": "GetCallerIdentity", "nth": 1}, "action": "drop-request"}' >/dev/null
sim POST faults '{"match": {"operation": "GetCallerIdentity", "nth": 2}, "action": "drop-reply"}' >/dev/null
sim POST faults '{"match": {"operation": "GetCallerIdentity", "nth": 3}, "action": "delay", "delaySeconds": 3}' >/dev/null
check 'dropped request' "$(call)" 000
check_has 'a dropped request is not counted' "$(sim GET calls)" '[]'
check 'dropped reply' "$(call)" 000
check_has 'a dropped reply was a call' "$(sim GET calls)" '"count":1'
call >"$SIM_DIR/slow" &
slow=$!
# While that one waits, others are answered: the call is counted, its answer is not there.
for _ in {1..100}; do
    [[ $(sim GET calls) == *'"count":2'* ]] && break
done
check 'a delay holds nobody else up' "$(<"$SIM_DIR/slow")" ''
wait "$slow"
check 'delayed answer' "$(<"$SIM_DIR/slow")" 403
check 'too large' "$(head -c 9000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' --data-binary @- "$SIM_URL/")" 413

# A connection that is open does not keep it from ending.
exec 9<>"/dev/tcp/127.0.0.1/${SIM_URL##*:}"
status=0
stop_awssim || status=$?
exec 9>&-
check 'SIGTERM ends it cleanly' "$status" 0
finish
