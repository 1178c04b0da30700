#!/usr/bin/env bash
# Many StagingRefresh objects on a real API server: how soon the controller is ready, what it needs, and how soon a new object
# gets its first status while all the others are being looked at again. Figures, printed and never asserted on.
#
#   objects.sh [COUNT] [ACCOUNTS]      5,000 nobody without arguments
#
# nobody: their accounts are not there; each is looked at again every half minute or so, and that is the cheapest pass there is.
# real:   the accounts are there and each object has a finished run in its status, as after a while in use. Then a run is asked of
#         all of them at once, as a nightly trigger does. Each is admitted, takes its series and finds in the preflight that a key
#         is missing, so that the simulator has nothing to copy.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

count=${1:-5000} accounts=${2:-nobody}
scale=1

declare -A source=([nobody]=nobody [real]=production) target=([nobody]=nowhere [real]=staging)

# objects FROM TO: what the sample's accounts grant, but with a key that is not there.
objects() {
    jq -n --argjson from "$1" --argjson to "$2" --arg source "${source[$accounts]}" --arg target "${target[$accounts]}" '
        {apiVersion: "v1", kind: "List", items: [range($from; $to) | {
            apiVersion: "stagingrefresh.dev/v1alpha1", kind: "StagingRefresh", metadata: {name: "many-\(.)", namespace: "staging"},
            spec: {sourceRef: {name: $source}, targetRef: {name: $target}, databases: [
                {name: "t", recoveryPoint: {from: "New"}, dynamodb: {tableName: "sessions", restore: {
                    tableNamePrefix: "stg-sessions-\(.)", settingsFrom: "None", encryption: {type: "CustomerManaged",
                        kmsKeyID: "arn:aws:kms:ap-northeast-1:222222222222:key/00000000-0000-0000-0000-000000000000"}}}}],
                switchover: {policy: "Automatic", parameters: [
                    {name: "t", value: "$(databases.t.tableName)", ssm: {name: "/shop/stg/\(.)"}}]}}}]}'
}

# with_run LIST: the same objects with the status of the sample's run; nothing is left to be done for them.
with_run() {
    jq --slurpfile status "$work/status.json" '.items[].status = ($status[0] | .observedGeneration = 1 | .lastHandledTrigger = "" |
        del(.copies))' "$1"
}

# What a run leaves in status, as the controller writes it.
make_status() {
    local scale=600
    start_world
    start_controller
    k apply -f "$root/manifests/samples/shop.yaml" >/dev/null
    k wait --for=condition=Succeeded sr/shop -n staging --timeout 300s >/dev/null
    k get sr shop -n staging -o json | jq .status >"$work/status.json"
    k delete sr shop -n staging --timeout 60s >/dev/null
    kill "$CONTROLLER_PID" "$AWSSIM_PID"
    wait "$CONTROLLER_PID" "$AWSSIM_PID" 2>/dev/null || :
    printf 'a finished run has %d bytes of status\n' "$(wc -c <"$work/status.json")"
}

readonly watched=/apis/stagingrefresh.dev/v1alpha1/namespaces/staging/stagingrefreshes

stamp() {
    local line
    while IFS= read -r line; do
        printf '{"us":%d,"event":%s}\n' "${EPOCHREALTIME/[.,]/}" "$line"
    done
}

sees_status() {
    jq -se 'any(.event.object.status.conditions)' "$work/seen"
}

# measure_new NUMBER: from the object's own event to the one with a status, both on one watch that was there before.
measure_new() {
    local version watch
    version=$(k get --raw "$watched?limit=1" | jq -r .metadata.resourceVersion)
    : >"$work/seen"
    "$SR_KUBECTL" get --raw "$watched?watch=1&timeoutSeconds=120&resourceVersion=$version&fieldSelector=metadata.name=many-$1" \
        > >(stamp >>"$work/seen") &
    watch=$!
    objects "$1" $(($1 + 1)) | k create -f - >/dev/null
    wait_for 600 "a status of many-$1" sees_status
    kill "$watch" 2>/dev/null || :
    jq -sr '"a new object has its status after \((map(select(.event.object.status.conditions))[0].us - .[0].us) / 1000 | round) ms"' \
        "$work/seen"
}

# The time that 99 of 100 keys have not waited longer for a worker.
queue_wait() {
    curl --silent "http://127.0.0.1:$metrics/metrics" |
        awk '/^workqueue_queue_duration_seconds_bucket/ {match($0, /le="[^"]*"/); le[++n] = substr($0, RSTART + 4, RLENGTH - 5); c[n] = $2}
            END {for (i = 1; i <= n; i++) if (c[i] >= 0.99 * c[n]) {print le[i]; exit}}'
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
[[ $accounts == nobody ]] || make_status
start_world
health=$(free_port) metrics=$(free_port)

started=$(now_ms)
for ((from = 0; from < count; from += 500)); do
    objects "$from" $((from + 500 < count ? from + 500 : count)) >"$work/part-$from.json"
done
printf '%s\n' "$work"/part-*.json | xargs -P 4 -I{} "$SR_KUBECTL" create -f {} >/dev/null
if [[ $accounts == real ]]; then
    for part in "$work"/part-*.json; do
        with_run "$part" >"$part.run"
    done
    printf '%s\n' "$work"/part-*.json.run | xargs -P 4 -I{} "$SR_KUBECTL" replace --subresource=status -f {} >/dev/null
fi
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

if [[ $accounts == real ]]; then
    k annotate sr --all -n staging stagingrefresh.dev/run-requested=tonight >/dev/null &
    pids+=($!)
fi
for try in 1 2 3 4 5; do
    measure_new $((count + try))
done
printf '99 of 100 keys waited at most %s s for a worker\n' "$(queue_wait)"
printf 'peak resident %d KiB\n' "$(memory_of "$CONTROLLER_PID" VmHWM)"
k delete sr --all -n staging --wait=false >/dev/null
