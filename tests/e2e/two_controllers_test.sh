#!/usr/bin/env bash
# Two replicas, one of which leads. The leader is frozen with a call to AWS in flight, for longer than its lease, and woken while the
# other is at work: that call is the last thing it does. The other one's watches have brought nothing since before the refresh was made,
# as on a connection that is dead without anybody knowing. Then the new leader is told to stop in the middle of the next run.
set -euo pipefail
SR_TIME_SCALE=${SR_TIME_SCALE:-120}
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A replica token_id

# start_replica NAME [COMMAND]: with a token of its own, so that the audit log tells who asked; COMMAND may change its kubeconfig.
start_replica() {
    local name=$1 kubeconfig=$work/$1.kubeconfig
    service_account_kubeconfig "$SR_KUBECTL" "$KUBECONFIG" stagingrefresh-system stagingrefresh "$kubeconfig"
    token_id[$name]=$(jq -r '.users[0].user.token | split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson | .jti' "$kubeconfig")
    "${2:-true}" "$kubeconfig"
    "$SR_BUILD/stagingrefresh" controller --kubeconfig "$kubeconfig" --time-scale "$scale" \
        --leader-elect --leader-elect-namespace stagingrefresh-system >>"$work/$name.log" 2>&1 </dev/null &
    replica[$name]=$!
    pids+=($!)
}

now_ms() {
    date +%s%3N
}

says() { # NAME MESSAGE: the replica has logged it
    grep -q "\"msg\":\"$2\"" "$work/$1.log"
}

leads() {
    says "$1" works
}

holder() {
    k get lease -n stagingrefresh-system stagingrefresh-controller -o jsonpath='{.spec.holderIdentity}'
}

identity() {
    jq -rR 'fromjson? | select(.identity) | .identity' "$work/$1.log" | head -n 1
}

started() { # OPERATION COUNT
    [[ $(journal_count "$1" created) -ge $2 ]]
}

has_id() { # ROW: the start of it is in status
    k get sr shop -n staging -o json | jq -e --arg name "$1" \
        '.status.databases[]? | select(.name == "main") | .steps[] | select(.name == $name) | .externalID' >/dev/null
}

is_triggered() {
    [[ $(k get sr shop -n staging -o jsonpath='{.status.lastHandledTrigger}') == "$1" ]]
}

has_ended() {
    ! kill -0 "${replica[$1]}" 2>/dev/null
}

# What the replica asked of the API server from then on: "VERB CODE", one per line.
asked_since() { # NAME TIME
    jq -r --arg id "JTI=${token_id[$1]}" --arg since "$2" 'select(.requestReceivedTimestamp > $since and
        .user.extra["authentication.kubernetes.io/credential-id"][0] == $id and
        .objectRef.resource == "stagingrefreshes") | "\(.verb) \(.responseStatus.code)"' "$SR_AUDIT_LOG"
}

install_manifests
start_world
start_replica a
check "the first one leads" wait_for 300 "leadership" leads a
start_proxy '{}'
start_replica b put_behind_proxy
check "the second one waits" wait_for 300 "the second" says b "waits for leadership"
proxy_settings '{"mute": true}'

# --- frozen with a start in flight

curl --silent --fail --noproxy '*' -X POST "$AWSSIM_URL/_sim/faults" -d '{"match": {"service": "backup",
    "operation": "StartCopyJob", "nth": 1}, "action": "delay", "delaySeconds": 5}' >/dev/null
k apply -f "$root/manifests/samples/shop.yaml" >/dev/null
check "a copy is started" wait_for 900 "the copy" started StartCopyJob 1
kill -STOP "${replica[a]}"
frozen_ms=$(now_ms)
equal "the frozen one holds the lease" "$(identity a)" "$(holder)"
check "the other one takes over" wait_for 400 "the second to lead" leads b
took_over_ms=$(($(now_ms) - frozen_ms))
check "the other one goes on with the run" wait_for 600 "the copy of main" has_id Copy
sleep 1
woken=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
kill -CONT "${replica[a]}"
woken_ms=$(now_ms)
check "the woken one ends" wait_for 150 "its end" has_ended a
ended_ms=$(($(now_ms) - woken_ms))
wait "${replica[a]}" && code=0 || code=$?
equal "its exit status" 1 "$code"
check "and it says why" says a "leadership lost"
equal "the lease is the other's" "$(identity b)" "$(holder)"
check "the other finishes the refresh" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
check_one_of_each
check_switched_over shop
proxy_settings '{}'
check "the audit log has its status writes from before" test "$(asked_since a 2000 | grep -c '^patch 2')" -gt 0
equal "status writes of the woken one that were taken" "" "$(asked_since a "$woken" | grep -E '^(patch|update) 2' || true)"
woken_asked=$(asked_since a "$woken" | wc -l)

# --- told to stop in the middle of a run

start_replica c
check "a third one waits" wait_for 300 "the third" says c "waits for leadership"
k patch sr shop -n staging --type merge -p '{"spec": {"trigger": "again"}}' >/dev/null
check "another copy is started" wait_for 900 "the copy" started StartCopyJob 3
stopped_ms=$(now_ms)
kill -TERM "${replica[b]}"
wait "${replica[b]}" && code=0 || code=$?
stop_took_ms=$(($(now_ms) - stopped_ms))
equal "exit status after SIGTERM" 0 "$code"
check "within ten seconds" test "$stop_took_ms" -le 10000
check "the third one leads" wait_for 200 "the third to lead" leads c
handover_ms=$(($(now_ms) - stopped_ms))
check "before the lease would have run out" test "$handover_ms" -lt 15000
check "it begins with the second run" wait_for 100 "the trigger" is_triggered again
check "and finishes it" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
equal "backups started, two runs" 4 "$(journal_count StartBackupJob created)"
equal "copies started, two runs" 4 "$(journal_count StartCopyJob created)"
equal "restores started, two runs" 4 "$(journal_count StartRestoreJob created)"
check_switched_over shop

printf 'frozen leader: the other led after %d ms; woken, it ended after %d ms and asked the API server %d times for a refresh\n' \
    "$took_over_ms" "$ended_ms" "$woken_asked"
printf 'SIGTERM: the leader ended after %d ms, the next one worked after %d ms\n' "$stop_took_ms" "$handover_ms"
if ((failed)); then
    tail -n 30 "$work"/[abc].log
fi
finish
