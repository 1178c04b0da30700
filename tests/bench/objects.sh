#!/usr/bin/env bash
# Many StagingRefresh objects on a real API server: how soon the controller is ready, what it needs, and how soon a new object
# gets its first status while all the others are being looked at again. Figures, printed and never asserted on.
#
#   objects.sh [COUNT]      5,000 without an argument
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

count=${1:-5000}
# Their account is not there: each is looked at again, every half minute or so.
scale=1

# objects FROM TO
objects() {
    jq -n --argjson from "$1" --argjson to "$2" '{apiVersion: "v1", kind: "List", items: [range($from; $to) | {
        apiVersion: "stagingrefresh.dev/v1alpha1", kind: "StagingRefresh", metadata: {name: "many-\(.)", namespace: "staging"},
        spec: {sourceRef: {name: "nobody"}, targetRef: {name: "nowhere"}, databases: [{name: "t", recoveryPoint: {from: "New"}, dynamodb: {
            tableName: "table", restore: {tableNamePrefix: "stg-t", encryption: {type: "AWSOwned"}, settingsFrom: "None"}}}],
            switchover: {policy: "Automatic", parameters: [
                {name: "t", value: "$(databases.t.tableName)", ssm: {name: "/t/\(.)"}}]}}}]}'
}

with_status() {
    k get sr -n staging -o json | jq '[.items[] | select(.status.conditions)] | length'
}

all_have_status() {
    (($(with_status) >= count))
}

is_ready() {
    curl --silent --fail --output /dev/null "http://127.0.0.1:$1/readyz"
}

now_ms() {
    date +%s%3N
}

memory_of() {
    sed -n "s/^$2:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$1/status"
}

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

metric() {
    curl --silent "http://127.0.0.1:$metrics/metrics" | awk -v name="$1" '$1 == name {print $2}'
}

install_manifests
start_world
health=$(free_port) metrics=$(free_port)

started=$(now_ms)
for ((from = 0; from < count; from += 500)); do
    objects "$from" $((from + 500 < count ? from + 500 : count)) >"$work/part-$from.json"
done
printf '%s\n' "$work"/part-*.json | xargs -P 4 -I{} "$SR_KUBECTL" create -f {} >/dev/null
printf 'created %d objects in %d ms\n' "$count" $(($(now_ms) - started))

started=$(now_ms)
start_controller --metrics-bind-address "127.0.0.1:$metrics" --health-probe-bind-address "127.0.0.1:$health"
wait_for 1200 "readiness" is_ready "$health"
printf 'ready after %d ms, resident %d KiB\n' $(($(now_ms) - started)) "$(memory_of "$CONTROLLER_PID" VmRSS)"
wait_for 6000 "a status of each" all_have_status
printf 'each has a status after %d ms, resident %d KiB\n' $(($(now_ms) - started)) "$(memory_of "$CONTROLLER_PID" VmRSS)"

before=$(metric 'controller_runtime_reconcile_total{controller="stagingrefresh",result="requeue_after"}')
read -rt 30 <> <(:) || :
after=$(metric 'controller_runtime_reconcile_total{controller="stagingrefresh",result="requeue_after"}')
printf 'looked at again: %s per second\n' "$(jq -n "(${after:-0} - ${before:-0}) / 30 | round")"

for try in 1 2 3 4 5; do
    objects $((count + try)) $((count + try + 1)) | k create -f - >/dev/null
    started=$(now_ms)
    k wait --for=jsonpath='{.status.conditions[0].type}' "sr/many-$((count + try))" -n staging --timeout 30s >/dev/null
    printf 'a new object has its status after at most %d ms\n' $(($(now_ms) - started))
done
printf 'peak resident %d KiB\n' "$(memory_of "$CONTROLLER_PID" VmHWM)"
k delete sr --all -n staging --wait=false >/dev/null
