#!/usr/bin/env bash
# kubectl delete while AWS backs up, copies and restores, and after the end; an object whose time is over; runs of one series that
# meet. What must hold: the object goes soon, the list of leftovers ends empty, and what staging uses is still there.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# But copies that are kept.
leftovers() {
    k get configmap stagingrefresh-leftovers -n stagingrefresh-system -o json 2>/dev/null |
        jq '[(.data // {}) | keys[] | select(startswith("KeptCopy-") | not)] | length' || echo 0
}

no_leftovers() {
    [[ $(leftovers) == 0 ]]
}

step_of_main() {
    k get sr shop -n staging -o json 2>/dev/null |
        jq -r '[.status.databases[]? | select(.name == "main") | .steps[] | select(.state == "Running") | .name][0] // ""'
}

at_step() {
    [[ $(step_of_main) == "$1" ]]
}

is_gone() {
    ! k get sr "$1" -n staging >/dev/null 2>&1
}

# Whatever is called after the run, in both accounts.
things_of() {
    sim world | jq --arg run "$1" '[.accounts[] | (.rds.clusters[]?.id, .dynamodb.tables[]?.TableName,
        (.backup.recoveryPoints[]? | .tags["stagingrefresh.dev/recovery-point-run"] // "")) | select(contains($run))] | length'
}

nothing_of() {
    [[ $(things_of "$1") == 0 ]]
}

proxy_target() {
    sim world | jq -r '.accounts[] | select(.name == "staging") | .rds.proxies[0].target'
}

cluster_is_there() {
    sim world | jq -e --arg id "$1" '.accounts[] | select(.name == "staging") | .rds.clusters[] | select(.id == $id)' >/dev/null
}

# Deletions of databases or of anything else that is production's.
production_losses() {
    sim journal | jq 'map(select(.account == "111111111111" and (.effect == "created" or .effect == "changed") and
        (.operation | IN("StartBackupJob", "StartCopyJob", "StopBackupJob", "DeleteRecoveryPoint") | not))) | length'
}

reason_of() {
    k get sr "$1" -n staging -o json | jq -r --arg type "$2" '.status.conditions[]? | select(.type == $type) | .reason'
}

install_manifests
k delete configmap stagingrefresh-leftovers -n stagingrefresh-system --ignore-not-found >/dev/null
start_world
start_controller
old=$(proxy_target)

for step in Backup Copy Restore; do
    k apply -f "$root/manifests/samples/shop.yaml" >/dev/null
    check "main gets to $step" wait_for 600 "step $step" at_step "$step"
    equal "the finalizer is there at $step" stagingrefresh.dev/cleanup "$(k get sr shop -n staging -o jsonpath='{.metadata.finalizers[0]}')"
    run=$(k get sr shop -n staging -o jsonpath='{.status.run.id}')
    check "deleted at $step" k delete sr shop -n staging --timeout=60s
    check "the leftovers of $step are worked off" wait_for 600 "no leftovers" no_leftovers
    check "nothing is left of $run, deleted at $step" wait_for 600 "nothing of $run" nothing_of "$run"
    equal "the proxy is where it was" "$old" "$(proxy_target)"
done

# After the end: the copies stay.
k apply -f "$root/manifests/samples/shop.yaml" >/dev/null
check "Ready" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
check_switched_over shop
new=$(proxy_target)
check "deleted after the end" k delete sr shop -n staging --timeout=60s
check "its copy is still there" cluster_is_there "$new"
equal "and in use" "$new" "$(proxy_target)"
equal "nothing is left over" 0 "$(leftovers)"
equal "what is kept is written down" 2 "$(k get configmap stagingrefresh-leftovers -n stagingrefresh-system -o json | jq '(.data // {}) | length')"

# Its time is over: as a CronJob creates it.
jq_spec='select(.kind == "StagingRefresh") | .metadata = {generateName: "nightly-", namespace: "staging"} | .spec.series = "nightly"'
"$SR_KUBECTL" create --dry-run=client -o json -f "$root/manifests/samples/shop.yaml" >"$work/sample.json"
jq -c '.items[]? // .' "$work/sample.json" | jq -c "$jq_spec | .spec.ttlSecondsAfterFinished = 1800" >"$work/nightly.json"
name=$(k create -f "$work/nightly.json" -o name)
name=${name##*/}
check "$name has its finalizer" wait_for 200 "finalizer" bash -c '[[ $("$0" get sr "$1" -n staging -o jsonpath="{.metadata.finalizers[0]}") ]]' "$SR_KUBECTL" "$name"
check "$name stays while nobody has taken over its copies" k wait --for=condition=ExpiryHeld "sr/$name" -n staging --timeout 1200s
check "and has done its work before" grep -q RunSucceeded <(k get events.events.k8s.io -n staging -o json | jq -r --arg name "$name" \
    '.items[] | select(.regarding.name == $name) | .reason')
check "its copy is still there" cluster_is_there "$(proxy_target)"
heir=$(jq -c 'del(.spec.ttlSecondsAfterFinished)' "$work/nightly.json" | k create -f - -o name)
check "the next one succeeds" k wait --for=condition=Ready "$heir" -n staging --timeout 280s
check "$name goes when its time is over" wait_for 1200 "$name to go" is_gone "$name"
latest=$(proxy_target)
check "the copy in use is still there" cluster_is_there "$latest"
k delete "$heir" -n staging --timeout=60s >/dev/null

# Argo CD would create it again.
jq -c '.metadata = {name: "managed", namespace: "staging", annotations: {"argocd.argoproj.io/tracking-id": "shop:x"}}' "$work/nightly.json" |
    k create -f - >/dev/null
check "an object of Argo CD is refused" k wait --for=condition=Stalled sr/managed -n staging --timeout 60s
equal "reason" ExpiryRefused "$(reason_of managed Stalled)"
k delete sr managed -n staging --timeout=60s >/dev/null

# Runs of one series that meet.
k apply -f "$root/manifests/samples/shop.yaml" >/dev/null
check "main gets to Copy" wait_for 600 "step Copy" at_step Copy
run=$(k get sr shop -n staging -o jsonpath='{.status.run.id}')
jq -c '.metadata = {name: "forbidding", namespace: "staging"} | .spec.series = "shop" | .spec.concurrencyPolicy = "Forbid" |
    del(.spec.ttlSecondsAfterFinished)' "$work/nightly.json" | k create -f - >/dev/null
check "Forbid: the new run is refused" k wait --for=condition=Stalled sr/forbidding -n staging --timeout 60s
equal "reason" RunForbidden "$(reason_of forbidding Stalled)"
check "it names the run under way" grep -q "$run" <(k get sr forbidding -n staging -o yaml)
jq -c '.metadata = {name: "replacing", namespace: "staging"} | .spec.series = "shop" | .spec.concurrencyPolicy = "Replace" |
    del(.spec.ttlSecondsAfterFinished)' "$work/nightly.json" | k create -f - >/dev/null
check "Replace: the new run succeeds" k wait --for=condition=Ready sr/replacing -n staging --timeout 280s
equal "the other one was cancelled" Cancelled "$(reason_of shop Succeeded)"
check_switched_over replacing
k delete sr --all -n staging --timeout=120s >/dev/null
check "the leftovers are worked off" wait_for 600 "no leftovers" no_leftovers

equal "changes in production that are none of ours" 0 "$(production_losses)"
equal "requests refused by the API server" 0 "$(grep -c '"Forbidden"' "$work/controller.log" || true)"
finish
