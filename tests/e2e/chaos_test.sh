#!/usr/bin/env bash
# Fifty refreshes while Kubernetes has its worst day: behind a proxy that answers 429 and 500, loses answers and cuts watches, etcd is
# compacted while no watch gets through, and the API server is restarted, frozen and killed. All succeed, each with one start of
# everything, and no status is ever lost. One controller process lives through it all. Half of the refreshes are made at first, and
# half just before the server freezes.
#
# SR_CHAOS_FREEZE: seconds that the API server is frozen for (120). SR_CHAOS_REFRESHES: how many (50).
set -euo pipefail
freeze_s=${SR_CHAOS_FREEZE:-120}
count=${SR_CHAOS_REFRESHES:-50}
half=$((count / 2))
SR_TIME_SCALE=${SR_TIME_SCALE:-20}
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here=$(dirname "${BASH_SOURCE[0]}")
state=$(dirname "$KUBECONFIG")
bad_day='{"busy": 0.06, "error": 0.03, "error_after": 0.02, "lost": 0.02, "cut": 25, "hold_watches": false}'

names() {
    seq -f 't-%02.0f' 1 "$count"
}

# The shop's world with a table in production and a parameter in staging for each refresh.
make_world() {
    awk -v names="$(names | paste -sd' ')" '
        { print }
        /^    tables:/ && !tables++ { split(names, n, " ")
            for (i in n) printf "    - {name: %s, hashKey: \"id:S\", billingMode: PAY_PER_REQUEST, items: 1000, sizeBytes: 1000000}\n", n[i] }
        /^    parameters:/ { split(names, n, " ")
            for (i in n) printf "    - {name: /shop/stg/%s, value: none}\n", n[i] }' "$root/hack/awssim/worlds/shop.yaml"
}

make_accounts() {
    sed -e '/^kind: StagingRefresh/,$d' -e 's/names: \[sessions\]/names: ["t-*"]/' -e 's/"stg-sessions-\*"/"stg-t-*"/' \
        "$root/manifests/samples/shop.yaml" | sed '$d' | sed '$d'
}

make_refreshes() { # FIRST LAST
    local name
    for name in $(names | sed -n "$1,$2p"); do
        cat <<YAML
---
apiVersion: stagingrefresh.dev/v1alpha1
kind: StagingRefresh
metadata: {name: $name, namespace: staging}
spec:
  sourceRef: {name: production}
  targetRef: {name: staging}
  trigger: "1"
  databases:
  - name: table
    recoveryPoint: {from: New}
    dynamodb:
      tableName: $name
      restore: {tableNamePrefix: stg-$name, encryption: {type: AWSOwned}, settingsFrom: None, billingMode: PayPerRequest}
  switchover:
    policy: Automatic
    parameters:
    - {name: table, value: \$(databases.table.tableName), ssm: {name: /shop/stg/$name}}
YAML
    done
}

proxy_count() { # NAME...: summed
    curl --silent --noproxy '*' --cacert "$state/pki/ca.crt" "$(<"$work/proxy.url")/_proxy/counts" | jq '[.[$ARGS.positional[]]] | add // 0' --args "$@"
}

# What people would see, past the proxy; a watch that ends is taken up again.
watch_history() {
    while :; do
        k get sr -n staging -w -o json >>"$work/history.json" 2>/dev/null || true
        sleep 0.5
    done
}

etcd() { # METHOD BODY: prints the answer
    (cd "$state" && curl --silent --fail --noproxy '*' --max-time 30 --unix-socket etcd.sock:0 "http://localhost/v3/kv/$1" -d "$2")
}

# The history up to now goes, so that a watch from before cannot go on.
compact_etcd() {
    local revision
    revision=$(etcd range '{"key": "AA=="}' | jq -r .header.revision)
    etcd compaction "{\"revision\": \"$revision\", \"physical\": true}" >/dev/null
}

# In a stream, or in pages where the server has no such streams.
lists() {
    curl --silent --max-time 5 "$metrics/metrics" |
        awk '/^stagingrefresh_watch_lists_total[{]resource="stagingrefreshes",/ { sum += $NF } END { print sum + 0 }'
}

started() { # OPERATION COUNT
    [[ $(journal_count "$1" created) -ge $2 ]]
}

lists_again() { # COUNT: more lists than that
    [[ $(lists) -gt $1 ]]
}

succeeded() {
    k get sr -n staging -o json | jq '[.items[] | select(.status.phase == "Succeeded")] | length'
}

all_succeeded() {
    [[ $(succeeded) == "$count" ]]
}

one_each() { # OPERATION: every resource was started for exactly once
    equal "$1, created" "$count" "$(journal_count "$1" created)"
    equal "$1, for as many databases" "$count" \
        "$(sim journal | jq --arg op "$1" '[.[] | select(.operation == $op and .effect == "created") | .resource] | unique | length')"
}

install_manifests
make_world >"$work/world.yaml"
awssim_start "$SR_BUILD" "$work" --world "$work/world.yaml" --time-scale "$scale" --seed 1
use_example_credentials "$AWSSIM_URL"
start_proxy "$bad_day"
put_behind_proxy "$work/controller.kubeconfig"
watch_history &
pids+=($!)
start_controller --workers 8 --metrics-bind-address 127.0.0.1:0
check "it serves metrics" wait_for 100 "the port" grep -q '"serves"' "$work/controller.log"
metrics=http://127.0.0.1:$(jq -rR 'fromjson? | select(.msg == "serves") | .port' "$work/controller.log")
make_accounts | k apply -f - >/dev/null
make_refreshes 1 "$half" | k apply -f - >/dev/null
begun=$SECONDS
check "backups of the first half are started" wait_for 600 "the backups" started StartBackupJob "$half"

# --- compacted while no watch gets through, and restarted: the version that the watch wants to go on from is gone
before=$(lists)
proxy_settings "${bad_day/\"hold_watches\": false/\"hold_watches\": true}"
sleep 3
compact_etcd
"$root/hack/control-plane.sh" restart "$state" kube-apiserver
compact_etcd
proxy_settings "$bad_day"
check "a new list was made" wait_for 600 "another list" lists_again "$before"
check "because of a 410" test "$(proxy_count gone)" -gt 0

# --- frozen
make_refreshes $((half + 1)) "$count" | k apply -f - >/dev/null
apiserver=$(<"$state/kube-apiserver.pid")
kill -STOP "$apiserver"
sleep "$freeze_s"
check "refreshes were under way meanwhile" test "$(journal_count StartRestoreJob created)" -lt "$count"
kill -CONT "$apiserver"
check "status is written again" wait_for 600 "the copies" started StartCopyJob "$count"

# --- killed
kill -KILL "$apiserver"
tail --pid="$apiserver" -f /dev/null # its port is free then
"$root/hack/control-plane.sh" start "$state" kube-apiserver

check "all succeed" wait_for 1500 "all of them" all_succeeded
took=$((SECONDS - begun))
check "it is the same process" kill -0 "$CONTROLLER_PID"
equal "succeeded" "$count" "$(succeeded)"
for operation in StartBackupJob StartCopyJob StartRestoreJob; do
    one_each "$operation"
done
equal "parameters with another value" 0 "$(sim world | jq '[.accounts[] | select(.name == "staging") | .ssm.parameters[] |
    select((.name | startswith("/shop/stg/t-")) and (.value | startswith("stg-t-") | not))] | length')"
equal "other changes in production" 0 "$(production_changes)"
sleep 2 # for the last lines of the history
check "no status was lost" "$here/status_history.py" "$work/history.json"

printf '%d refreshes in %d s at %d times the pace; the API server frozen for %d s of them\n' "$count" "$took" "$scale" "$freeze_s"
printf 'answers: %d passed, %d times 429, %d times 500 (%d after the deed), %d lost (%d of a PATCH), %d without an answer\n' \
    "$(proxy_count passed)" "$(proxy_count busy busy_watch)" "$(proxy_count error error_after error_watch)" "$(proxy_count error_after)" \
    "$(proxy_count lost)" "$(proxy_count lost_of_PATCH)" "$(proxy_count no_answer)"
printf 'watches: %d, %d cut, %d with a 410 inside; lists of refreshes: %s\n' "$(proxy_count watches)" "$(proxy_count cut)" \
    "$(proxy_count gone)" "$(lists)"
printf 'history: %s\n' "$("$here/status_history.py" "$work/history.json" | head -n 1)"
finish
